"""Orders that wait for the service's decision."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from sla_manager.agreements.commands import accept_order, decline_order
from sla_manager.agreements.models import Agreement
from sla_manager.agreements.queries import acceptance_of, agreement, orders_waiting, quoted_documents
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.kernel.errors import Refused
from sla_manager.people.models import TradingService
from sla_manager.people.rules.roles import Permission
from sla_manager.web.forms import BaseForm, LongTextField
from sla_manager.web.guard import in_service
from sla_manager.web.pages import actor, now, reading, transaction
from sla_manager.web.service import blueprint
from sla_manager.web.service.menu import service_menu


class DeclineForm(BaseForm):
    """Why an order is not accepted; the school reads it."""

    reason = LongTextField(
        "Why do you decline it?", enter="Write why, so that the school can order something else"
    )


@blueprint.get("/<service>/orders")
@in_service(Permission.SEE_SERVICE)
def orders(service: TradingService) -> str:
    """List the orders that wait, the oldest first."""
    return render_template(
        "service/orders.html",
        navigation=service_menu(service),
        service=service,
        orders=orders_waiting(reading(), service.id),
    )


@blueprint.get("/<service>/orders/<int:agreement_id>")
@in_service(Permission.SEE_SERVICE)
def order(service: TradingService, agreement_id: int) -> str | Response:
    """Show an order with the documents that accepting it will bring."""
    found = agreement(reading(), agreement_id, service_id=service.id)
    if found.status is not AgreementStatus.ORDERED:
        return redirect(url_for("service.agreement", service=service.code, agreement_id=found.id))
    return _page(service, found, DeclineForm())


def _page(service: TradingService, found: Agreement, form: DeclineForm) -> str:
    session = reading()
    return render_template(
        "service/order.html",
        navigation=service_menu(service),
        service=service,
        agreement=found,
        documents=quoted_documents(session, found),
        acceptance=acceptance_of(session, found.id),
        form=form,
    )


@blueprint.post("/<service>/orders/<int:agreement_id>/accept")
@in_service(Permission.DECIDE_ORDERS)
def accept(service: TradingService, agreement_id: int) -> Response:
    """Accept the order: it becomes an agreement, and its days can be planned."""
    code = service.code
    found = agreement(reading(), agreement_id, service_id=service.id)
    with transaction() as session:
        agreed = accept_order(session, found.id, by=actor(), at=now())
    flash(f"{agreed.reference} is agreed. Its days can be planned now.", "success")
    return redirect(url_for("service.agreement", service=code, agreement_id=agreement_id), 303)


@blueprint.post("/<service>/orders/<int:agreement_id>/decline")
@in_service(Permission.DECIDE_ORDERS)
def decline(service: TradingService, agreement_id: int) -> tuple[str, int] | Response:
    """Decline the order with a reason that the school reads."""
    found = agreement(reading(), agreement_id, service_id=service.id)
    form = DeclineForm()
    if form.is_sent():
        try:
            with transaction() as session:
                decline_order(session, agreement_id, reason=form.reason.data, by=actor(), at=now())
            flash(f"{found.reference} is declined. The school has been told why.", "success")
            return redirect(url_for("service.orders", service=service.code), 303)
        except Refused as error:
            form.refuse(error)
    return _page(service, agreement(reading(), agreement_id, service_id=service.id), form), 422
