"""The brochure of a service for each kind of customer, to send or to print."""

from __future__ import annotations

from flask import Response, render_template, request

from sla_manager.agreements.documents.brochures import brochure_of_class
from sla_manager.catalogue.queries import prices_on
from sla_manager.kernel.errors import NotFound
from sla_manager.people.models import TradingService
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Permission
from sla_manager.web.brochures import brochure_pdf
from sla_manager.web.guard import in_service
from sla_manager.web.pages import reading, today
from sla_manager.web.service import blueprint
from sla_manager.web.service.menu import service_menu


@blueprint.get("/<service>/brochure")
@in_service(Permission.SEE_RATES)
def brochures(service: TradingService) -> str:
    """Offer a brochure for each kind of customer, and say how many things have a price for it."""
    session = reading()
    return render_template(
        "service/brochures.html",
        navigation=service_menu(service),
        service=service,
        classes=[(kind, len(prices_on(session, service.id, kind, today()))) for kind in CustomerClass],
    )


@blueprint.get("/<service>/brochure.pdf")
@in_service(Permission.SEE_RATES)
def brochure(service: TradingService) -> Response:
    """Print the brochure for a kind of customer."""
    asked = request.args.get("for", CustomerClass.OWN_MAINTAINED.value)
    kind = next((one for one in CustomerClass if one.value == asked), None)
    if kind is None:
        raise NotFound
    facts = brochure_of_class(reading(), service, kind, today=today())
    return brochure_pdf(facts, f"{service.code}-brochure-{kind.value.replace('_', '-')}-{today()}")
