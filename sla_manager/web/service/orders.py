"""Orders that wait for the service's decision; one that officers have no time for is held for a reason."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sla_manager.agreements.commands import decline_order
from sla_manager.agreements.models import Agreement
from sla_manager.agreements.queries import acceptance_of, agreement, orders_waiting, quoted_documents
from sla_manager.agreements.queries.partnerships import partnership_of
from sla_manager.agreements.rules.partnerships import PartnershipKind
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.people.models import TradingService
from sla_manager.people.rules.roles import Permission
from sla_manager.planning.commands import decide_order
from sla_manager.planning.queries import order_room
from sla_manager.web.forms import BaseForm, LongTextField
from sla_manager.web.guard import in_service
from sla_manager.web.pages import actor, now, reading, today, transaction
from sla_manager.web.service import blueprint
from sla_manager.web.service.menu import service_menu


class AcceptForm(BaseForm):
    """Accepting; beyond capacity with the reason why, for the figures that were on the page."""

    reason = LongTextField(
        "Why do you accept it all the same?",
        hint="Kept with the agreement. The school does not see it.",
        longest=2_000,
        look={"rows": 3},
    )


class DeclineForm(BaseForm):
    """Why an order is not accepted; the school reads it."""

    reason = LongTextField(
        "Why do you decline it?",
        enter="Write why, so that the school can order something else",
        id="decline-reason",
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
    """Show an order with the room for it and the documents that accepting it will bring."""
    found = agreement(reading(), agreement_id, service_id=service.id)
    if found.status is not AgreementStatus.ORDERED:
        return redirect(url_for("service.agreement", service=service.code, agreement_id=found.id))
    shared = partnership_of(reading(), found.id)
    if shared is not None and shared.kind is not PartnershipKind.TRUST:
        return redirect(url_for("service.bought_together", service=service.code, partnership_id=shared.id))
    return _page(service, found)


def _page(
    service: TradingService,
    found: Agreement,
    *,
    accepting: AcceptForm | None = None,
    declining: DeclineForm | None = None,
) -> str:
    session = reading()
    return render_template(
        "service/order.html",
        navigation=service_menu(service),
        service=service,
        agreement=found,
        documents=quoted_documents(session, found),
        acceptance=acceptance_of(session, found.id),
        room=order_room(session, found.id, today=today()),
        form=accepting or declining or AcceptForm(formdata=None),
        accepting=accepting or AcceptForm(formdata=None),
        declining=declining or DeclineForm(formdata=None),
    )


@blueprint.post("/<service>/orders/<int:agreement_id>/accept")
@in_service(Permission.DECIDE_ORDERS)
def accept(service: TradingService, agreement_id: int) -> tuple[str, int] | Response:
    """Accept the order: it becomes an agreement, and its days can be planned. Beyond capacity it needs a reason."""
    found, form = agreement(reading(), agreement_id, service_id=service.id), AcceptForm()
    if form.is_sent():
        seen = request.form.get("seen", "")
        try:
            with transaction() as session:
                agreed = decide_order(
                    session,
                    found.id,
                    reason=form.reason.data or "",
                    seen_over=Minutes(int(seen)) if seen.isdecimal() and len(seen) < 9 else None,
                    by=actor(),
                    at=now(),
                )
            flash(f"{agreed.reference} is agreed. Its days can be planned now.", "success")
            return redirect(
                url_for("service.agreement", service=service.code, agreement_id=agreement_id), 303
            )
        except Refused as error:
            form.refuse(error)
    now_is = agreement(reading(), agreement_id, service_id=service.id)
    return _page(service, now_is, accepting=form), 422


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
    now_is = agreement(reading(), agreement_id, service_id=service.id)
    return _page(service, now_is, declining=form), 422
