"""Giving money back: to the card it came from, or by hand; and undoing a refund that did not happen."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from sla_manager.kernel.errors import GatewayFailed, NotFound, Refused
from sla_manager.kernel.money import Money
from sla_manager.payments.collecting import carry_out_refund
from sla_manager.payments.commands.card_refunds import order_card_refund
from sla_manager.payments.commands.refunds import BY_HAND, REFUND_METHODS, refund_receipt, reverse_refund
from sla_manager.payments.queries import ReceiptRow, receipt
from sla_manager.payments.queries.cards import card_receipt, refund_order, refunds_of
from sla_manager.people.rules.roles import Permission
from sla_manager.web.cards import cards, till
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.forms import (
    BaseForm,
    ChoiceField,
    DateField,
    LongTextField,
    MoneyField,
    TextField,
    choice,
    once_key,
)
from sla_manager.web.guard import permitted
from sla_manager.web.pages import actor, close_reading, now, reading, today, transaction

CARD = "card"


class RefundForm(BaseForm):
    """How much goes back, how and why."""

    amount = MoneyField("How much goes back?", enter="Enter how much goes back", least=Money(1))
    method = ChoiceField("How does it go back?", enter="Choose how it goes back")
    refunded_on = DateField(
        "On which day? (optional)", hint="Leave it empty for today. Back to the card, it is always today."
    )
    reference = TextField("Reference (optional)", hint="The cheque’s number, or the bank’s reference.")
    reason = LongTextField(
        "Why does it go back?", enter="Enter why it goes back", longest=1000, look={"rows": 2}
    )
    once = once_key()

    def offer(self, *, by_card: bool) -> None:
        """Fill the list of ways: back to its card comes first where the money came by card."""
        ways = ((CARD,) if by_card else ()) + BY_HAND
        self.method.choices = [choice(one, REFUND_METHODS[one]) for one in ways]


class UndoForm(BaseForm):
    """Why a refund did not happen."""

    reason = TextField("Why did it not happen?", enter="Enter why it did not happen")


@blueprint.route("/payments/<int:receipt_id>/refund", methods=["GET", "POST"])
@permitted(Permission.RECORD_PAYMENTS)
def refund(receipt_id: int) -> ResponseReturnValue:
    """Give back what is left of a payment, or a part of it."""
    found = receipt(reading(), receipt_id)
    form = RefundForm()
    by_card = cards() is not None and card_receipt(reading(), receipt_id) is not None
    form.offer(by_card=by_card)
    if not form.is_submitted():
        form.amount.data, form.refunded_on.data = found.left, today()
        form.method.data = CARD if by_card else None
    if form.is_sent():
        try:
            _give_back(found, form)
            return redirect(url_for("finance.receipt", receipt_id=receipt_id), 303)
        except Refused as error:
            form.refuse(error)
    page = render_template("finance/refund.html", navigation=finance_menu(), form=form, row=found)
    return page, 422 if form.error_list() else 200


def _give_back(found: ReceiptRow, form: RefundForm) -> None:
    if form.method.data == CARD:
        _back_to_the_card(found.receipt.id, form)
        return
    with transaction() as session:
        refund_receipt(
            session, found.receipt.id, amount=form.amount.data, method=form.method.data, reason=form.reason.data,
            refunded_on=form.refunded_on.data or today(), reference=form.reference.data or "",
            once_key=form.once.data, by=actor(), at=now(),
        )  # fmt: skip
    flash("The refund is recorded.", "success")


def _back_to_the_card(receipt_id: int, form: RefundForm) -> None:
    with transaction() as session:
        ordered = order_card_refund(
            session, receipt_id, amount=form.amount.data, reason=form.reason.data, once_key=form.once.data or "",
            by=actor(), at=now(),
        )  # fmt: skip
    order = refund_order(reading(), ordered.id)
    close_reading()
    try:
        carry_out_refund(till(), order, at=now())
    except GatewayFailed as error:
        flash(f"{error.message} The refund is set aside, and we keep trying.", "information")
        return
    if refund_order(reading(), ordered.id).status == "failed":
        flash("The card provider could not give it back. The money is on account again.", "information")
    else:
        flash("It is on its way back to the card.", "success")


@blueprint.route("/payments/<int:receipt_id>/refunds/<int:refund_id>/undo", methods=["GET", "POST"])
@permitted(Permission.RECORD_PAYMENTS)
def undo_refund(receipt_id: int, refund_id: int) -> ResponseReturnValue:
    """Undo a refund by hand that did not happen, such as a cheque that was never cashed."""
    wanted = [row for row in refunds_of(reading(), receipt_id) if row.refund.id == refund_id]
    if not wanted or wanted[0].refund.method not in BY_HAND:
        raise NotFound
    form = UndoForm()
    if form.is_sent():
        try:
            with transaction() as session:
                reverse_refund(session, refund_id, reason=form.reason.data, by=actor(), at=now())
            flash("The refund is undone. The money is on account again.", "success")
            return redirect(url_for("finance.receipt", receipt_id=receipt_id), 303)
        except Refused as error:
            form.refuse(error)
    page = render_template(
        "finance/undo_refund.html",
        navigation=finance_menu(),
        form=form,
        refund=wanted[0].refund,
        methods=REFUND_METHODS,
    )
    return page, 422 if form.error_list() else 200
