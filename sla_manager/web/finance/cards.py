"""Money by card as finance sees it: what needs eyes, disputes, pages for paying, messages; and links to pay."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from sla_manager.billing.queries import document
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.payments.commands.card_alerts import answer_alert
from sla_manager.payments.commands.pay_links import HOLDS_FOR, send_pay_link
from sla_manager.payments.commands.refunds import free_overpayment
from sla_manager.payments.models import CardAlert
from sla_manager.payments.queries import open_amount
from sla_manager.payments.queries.cards import latest_checkouts, latest_disputes, latest_events, open_alerts
from sla_manager.payments.rules.cards import dispute_reason, dispute_state
from sla_manager.people.models import Customer
from sla_manager.people.rules.roles import Permission
from sla_manager.web.cards import cards, pay_choice
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.forms import BaseForm, EmailField, LongTextField, once_key
from sla_manager.web.guard import may, permitted
from sla_manager.web.pages import actor, now, reading, transaction

STATUSES = {
    "asked": "Asked for",
    "open": "Open",
    "complete": "Paid",
    "expired": "Ran out",
    "failed": "Not opened",
}


class AnswerForm(BaseForm):
    """What came of an alert."""

    answer = LongTextField(
        "What did you do about it?", enter="Enter what you did about it", longest=1000, look={"rows": 3}
    )


class LinkForm(BaseForm):
    """Who gets a link to pay."""

    recipient = EmailField(
        "Who gets the link?",
        enter="Enter an email address",
        hint="Whoever has the link can see the amount and pay it, and nothing else.",
    )
    once = once_key()


@blueprint.get("/cards", endpoint="cards")
@permitted(Permission.SEE_DOCUMENTS)
def card_payments() -> str:
    """List what needs somebody's eyes, and the latest of everything about cards."""
    session = reading()
    return render_template(
        "finance/cards.html",
        navigation=finance_menu(),
        is_on=cards() is not None,
        alerts=open_alerts(session),
        disputes=latest_disputes(session),
        checkouts=latest_checkouts(session),
        events=latest_events(session),
        statuses=STATUSES,
        dispute_reason=dispute_reason,
        dispute_state=dispute_state,
        may_answer=may(Permission.RECORD_PAYMENTS),
    )


@blueprint.route("/cards/alerts/<int:alert_id>", methods=["GET", "POST"])
@permitted(Permission.RECORD_PAYMENTS)
def card_alert(alert_id: int) -> ResponseReturnValue:
    """Say what came of an alert; it leaves the list."""
    found = reading().get(CardAlert, alert_id)
    if found is None:
        raise NotFound
    form = AnswerForm()
    if form.is_sent():
        try:
            with transaction() as session:
                answer_alert(session, alert_id, answer=form.answer.data, by=actor(), at=now())
            flash("It is off the list.", "success")
            return redirect(url_for("finance.cards"), 303)
        except Refused as error:
            form.refuse(error)
    page = render_template("finance/card_alert.html", navigation=finance_menu(), form=form, alert=found)
    return page, 422 if form.error_list() else 200


@blueprint.route("/documents/<int:document_id>/pay-link", methods=["GET", "POST"])
@permitted(Permission.RECORD_PAYMENTS)
def pay_link(document_id: int) -> ResponseReturnValue:
    """Send somebody a link with which she pays a document by card, without signing in."""
    found = document(reading(), document_id)
    left = None if found.kind.is_credit else open_amount(reading(), document_id)
    choice = pay_choice(found, left)
    if choice.amount is None:
        raise Refused(choice.why_not or f"There is nothing to pay by card on {found.number}.")
    form = LinkForm()
    if not form.is_submitted():
        form.recipient.data = reading().get_one(Customer, found.customer_id).email
    if form.is_sent():
        try:
            with transaction() as session:
                send_pay_link(
                    session, document_id, recipient=form.recipient.data, once_key=form.once.data or "",
                    by=actor(), at=now(),
                )  # fmt: skip
            flash(f"The link is on its way to {form.recipient.data}.", "success")
            return redirect(url_for("finance.document", document_id=document_id), 303)
        except Refused as error:
            form.refuse(error)
    page = render_template(
        "finance/pay_link.html", navigation=finance_menu(), form=form, document=found, left=left, days=HOLDS_FOR.days
    )  # fmt: skip
    return page, 422 if form.error_list() else 200


@blueprint.post("/documents/<int:document_id>/free")
@permitted(Permission.RECORD_PAYMENTS)
def free_paid_beyond(document_id: int) -> ResponseReturnValue:
    """Put what was paid beyond what is owed on account again, so that it can go back or pay another document."""
    with transaction() as session:
        free_overpayment(session, document_id, by=actor(), at=now())
    flash("What was paid too much is on account again. Open the payment to refund it.", "success")
    return redirect(url_for("finance.document", document_id=document_id), 303)
