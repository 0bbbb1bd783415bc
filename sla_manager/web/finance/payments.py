"""Payments recorded by hand: who paid, how much, against which documents."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.money import Money
from sla_manager.payments.commands import METHODS, allocate, record_receipt, reverse_allocation
from sla_manager.payments.commands.refunds import BY_HAND, REFUND_METHODS
from sla_manager.payments.queries import (
    PAGE,
    allocations_of,
    customer_words,
    customers_matching,
    open_documents,
    receipt,
    receipts_page,
    reversed_ids,
)
from sla_manager.payments.queries.bank import match_of_receipt
from sla_manager.payments.queries.cards import disputes_of, refunds_of
from sla_manager.payments.rules.cards import dispute_reason, dispute_state
from sla_manager.people.models import Customer
from sla_manager.people.rules.roles import Permission
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.forms import (
    BaseForm,
    ChoiceField,
    DateField,
    FilterForm,
    MoneyField,
    TextField,
    choice,
    once_key,
)
from sla_manager.web.guard import may, permitted
from sla_manager.web.pages import actor, now, reading, today, transaction


class CustomerForm(FilterForm):
    """Whose payment it is."""

    q = TextField("School, trust or account reference")


class ReceiptForm(BaseForm):
    """A payment as it arrived."""

    amount = MoneyField("How much arrived?", enter="Enter how much arrived", least=Money(1))
    received_on = DateField("When did it arrive?", enter="Enter the date on which it arrived")
    method = ChoiceField(
        "How was it paid?",
        enter="Choose how it was paid",
        choices=[choice(value, label) for value, label in METHODS.items()],
    )
    reference = TextField("Reference", hint="As it stands on the bank statement or the cheque.")
    once = once_key()


class AllocateForm(BaseForm):
    """Only amounts by document, beside it."""


class ReverseForm(BaseForm):
    """Why an allocation is taken back."""

    reason = TextField("Why is it taken back?", enter="Enter why it is taken back")


@blueprint.get("/payments")
@permitted(Permission.SEE_DOCUMENTS)
def receipts() -> str:
    """List payments, the latest first."""
    before = request.args.get("before", type=int)
    unallocated = request.args.get("show") == "on-account"
    rows = receipts_page(reading(), unallocated=unallocated, before=before)
    show = "on-account" if unallocated else None
    return render_template(
        "finance/receipts.html",
        navigation=finance_menu(),
        rows=rows,
        methods=METHODS,
        unallocated=unallocated,
        first=url_for("finance.receipts", show=show) if before else "",
        next=url_for("finance.receipts", show=show, before=rows[-1].receipt.id) if len(rows) == PAGE else "",
        may_pay=may(Permission.RECORD_PAYMENTS),
    )


@blueprint.get("/payments/new")
@permitted(Permission.RECORD_PAYMENTS)
def choose_payer() -> str:
    """Ask whose payment it is."""
    form = CustomerForm.of_request()
    asked = (form.q.data or "").strip()
    found = customers_matching(reading(), asked) if len(asked) >= 2 else []
    return render_template(
        "finance/choose_payer.html",
        navigation=finance_menu(),
        filter=form,
        asked=asked,
        found=[(customer, customer_words(customer)) for customer in found],
    )


def _customer(customer_id: int) -> tuple[Customer, str]:
    session = reading()
    found = session.get(Customer, customer_id)
    if found is None:
        raise NotFound
    named = {one.id: customer_words(one) for one in customers_matching(session, found.account_reference)}
    return found, named.get(customer_id, found.account_reference)


@blueprint.route("/customers/<int:customer_id>/payment", methods=["GET", "POST"])
@permitted(Permission.RECORD_PAYMENTS)
def record_payment(customer_id: int) -> ResponseReturnValue:
    """Record a payment and set it against open documents; what is left stays on account."""
    _, name = _customer(customer_id)
    form = ReceiptForm(data={"received_on": today()}) if request.method == "GET" else ReceiptForm()
    typed = _typed()
    if form.is_sent():
        try:
            with transaction() as session:
                made = record_receipt(
                    session,
                    customer_id,
                    amount=form.amount.data,
                    received_on=form.received_on.data,
                    method=form.method.data,
                    reference=form.reference.data or "",
                    allocations=_read(typed),
                    once_key=form.once.data,
                    by=actor(),
                    at=now(),
                )
            flash("The payment is recorded.", "success")
            return redirect(url_for("finance.receipt", receipt_id=made.id), 303)
        except Refused as error:
            form.refuse(error)
    page = render_template(
        "finance/payment.html",
        navigation=finance_menu(),
        form=form,
        name=name,
        typed=typed,
        open=open_documents(reading(), customer_id),
        wanted=request.args.get("document", type=int),
    )
    return page, 422 if form.error_list() else 200


def _typed() -> dict[int, str]:
    """Return the amounts that were typed beside documents, by id."""
    return {
        int(name[9:]): text
        for name, text in request.form.items()
        if name.startswith("document_") and name[9:].isdigit()
    }


def _read(typed: dict[int, str]) -> dict[int, Money]:
    return {document: Money.parse(text, field="amount") for document, text in typed.items() if text.strip()}


@blueprint.get("/payments/<int:receipt_id>", endpoint="receipt")
@permitted(Permission.SEE_DOCUMENTS)
def one_receipt(receipt_id: int) -> str:
    """Show a payment and what it was set against."""
    return _receipt_page(receipt_id, AllocateForm(), {})


@blueprint.post("/payments/<int:receipt_id>")
@permitted(Permission.RECORD_PAYMENTS)
def allocate_receipt(receipt_id: int) -> ResponseReturnValue:
    """Set what is left of a payment against documents."""
    form, typed = AllocateForm(), _typed()
    if form.is_sent():
        try:
            with transaction() as session:
                allocate(session, receipt_id, _read(typed), by=actor(), at=now())
            flash("The payment is allocated.", "success")
            return redirect(url_for("finance.receipt", receipt_id=receipt_id), 303)
        except Refused as error:
            form.refuse(error)
    return _receipt_page(receipt_id, form, typed), 422


def _receipt_page(receipt_id: int, form: AllocateForm, typed: dict[int, str]) -> str:
    session = reading()
    found = receipt(session, receipt_id)
    allocations = allocations_of(session, receipt_id=receipt_id)
    return render_template(
        "finance/receipt.html",
        navigation=finance_menu(),
        form=form,
        row=found,
        methods=METHODS,
        allocations=allocations,
        undone=reversed_ids(allocations),
        bank=match_of_receipt(session, receipt_id),
        refunds=refunds_of(session, receipt_id),
        refund_methods=REFUND_METHODS,
        by_hand=BY_HAND,
        dispute_reason=dispute_reason,
        dispute_state=dispute_state,
        disputes=disputes_of(session, receipt_id) if found.receipt.method == "card" else [],
        typed=typed,
        open=open_documents(session, found.receipt.customer_id) if found.left else [],
        may_pay=may(Permission.RECORD_PAYMENTS),
    )


@blueprint.route("/payments/<int:receipt_id>/reverse/<int:allocation_id>", methods=["GET", "POST"])
@permitted(Permission.RECORD_PAYMENTS)
def reverse(receipt_id: int, allocation_id: int) -> ResponseReturnValue:
    """Take an allocation back; the money is on account again."""
    form = ReverseForm()
    wanted = [one for one in allocations_of(reading(), receipt_id=receipt_id) if one.id == allocation_id]
    if not wanted:
        raise NotFound
    if form.is_sent():
        try:
            with transaction() as session:
                reverse_allocation(session, allocation_id, reason=form.reason.data, by=actor(), at=now())
            flash("It is taken back. The money is on account again.", "success")
            return redirect(url_for("finance.receipt", receipt_id=receipt_id), 303)
        except Refused as error:
            form.refuse(error)
    page = render_template(
        "finance/reverse.html",
        navigation=finance_menu(),
        form=form,
        allocation=wanted[0],
        receipt_id=receipt_id,
    )
    return page, 422 if form.error_list() else 200
