"""One bank line: its proposal, matched by hand, money that is not ours, a match taken back."""

from __future__ import annotations

from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sla_manager.billing.models import Document
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.money import Money
from sla_manager.payments.commands.bank_matching import match_line, match_recorded, set_aside, take_back
from sla_manager.payments.models import BankMatch
from sla_manager.payments.queries import customer_words, customers_matching, open_documents
from sla_manager.payments.queries.bank import OpenLine, in_force, matches_of, recorded_already
from sla_manager.payments.queries.bank import bank_line as found_line
from sla_manager.payments.queries.payer_names import customer_names
from sla_manager.payments.queries.proposals import propose
from sla_manager.payments.rules.matching import Proposal
from sla_manager.people.rules.roles import Permission
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.bank import account_words
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.forms import BaseForm, FilterForm, SelectField, TextField, choice, once_key
from sla_manager.web.guard import may, permitted
from sla_manager.web.pages import actor, now, reading, transaction


class PayerForm(FilterForm):
    """Whose money it is, when the proposal is wrong."""

    q = TextField("School, trust or account reference")


class MatchForm(BaseForm):
    """Amounts beside documents, and whose account keeps the rest."""

    on_account = SelectField("What is left stays on account of", hint="Only needed when something is left.")
    once = once_key()


class RecordedForm(BaseForm):
    """Only a button beside a payment."""

    once = once_key()


class SetAsideForm(BaseForm):
    """Why money is not ours."""

    reason = TextField("Why is it not ours?", enter="Enter why it is not ours", longest=1_000)
    once = once_key()


class TakeBackForm(BaseForm):
    """Why a match is taken back."""

    reason = TextField("Why is it taken back?", enter="Enter why it is taken back", longest=1_000)


@dataclass(frozen=True, slots=True)
class _Choice:
    """What the page of a line offers: customers, their open documents, what is filled in beforehand."""

    customers: dict[int, str]
    documents: list[tuple[Document, Money]]
    filled: dict[int, str]
    keeper: int | None


def _typed() -> dict[int, str]:
    return {
        int(name[9:]): text
        for name, text in request.form.items()
        if name.startswith("document_") and name[9:].isdigit()
    }


def _offered(proposal: Proposal | None) -> _Choice:
    """Return the customers of the proposal, or the one that somebody chose instead of them."""
    session, chosen = reading(), request.args.get("customer", type=int)
    if chosen is not None or proposal is None:
        ids = [] if chosen is None else [chosen]
        filled, keeper = {}, chosen
    else:
        ids = [part.item.customer_id for part in proposal.parts]
        if proposal.customer_id is not None:
            ids.append(proposal.customer_id)
        filled = {part.item.document_id: str(part.amount) for part in proposal.parts}
        keeper = proposal.customer_id
    names = customer_names(session, set(ids))
    if chosen is not None and chosen not in names:
        raise NotFound
    documents = [pair for one in sorted(names) for pair in open_documents(session, one)]
    return _Choice(names, documents, filled, keeper)


@blueprint.get("/bank/lines/<int:bank_line_id>", endpoint="bank_line")
@permitted(Permission.SEE_DOCUMENTS)
def show_line(bank_line_id: int) -> str:
    """Show a line, what it became, and what it is proposed to pay."""
    return _line_page(bank_line_id, None, None)


@blueprint.post("/bank/lines/<int:bank_line_id>")
@permitted(Permission.RECORD_PAYMENTS)
def match_bank_line(bank_line_id: int) -> ResponseReturnValue:
    """Match a line with the amounts that were typed."""
    line, typed = found_line(reading(), bank_line_id), _typed()
    offered = _offered(_proposal(line))
    form = _match_form(offered)
    if form.is_sent():
        try:
            amounts = {one: Money.parse(text, field="amount") for one, text in typed.items() if text.strip()}
            with transaction() as session:
                match_line(
                    session, bank_line_id, documents=amounts,
                    on_account=int(form.on_account.data) if form.on_account.data else None,
                    once_key=form.once.data, by=actor(), at=now(),
                )  # fmt: skip
            flash("The line is matched.", "success")
            return redirect(url_for("finance.bank"), 303)
        except Refused as error:
            form.refuse(error)
    return _line_page(bank_line_id, form, typed), 422


def _proposal(line: OpenLine) -> Proposal | None:
    return propose(reading(), [line])[line.line.id] if line.open else None


def _match_form(offered: _Choice) -> MatchForm:
    form = (
        MatchForm(data={"on_account": str(offered.keeper or "")}) if request.method == "GET" else MatchForm()
    )
    form.on_account.choices = [
        choice("", "Nobody"),
        *(choice(*one) for one in sorted(offered.customers.items())),
    ]
    return form


def _line_page(bank_line_id: int, form: MatchForm | None, typed: dict[int, str] | None) -> str:
    session = reading()
    line = found_line(session, bank_line_id)
    proposal = _proposal(line)
    offered = _offered(proposal)
    asking = PayerForm.of_request()
    asked = (asking.q.data or "").strip()
    found = customers_matching(session, asked) if len(asked) >= 2 else []
    matches = matches_of(session, [bank_line_id])
    return render_template(
        "finance/bank_line.html",
        navigation=finance_menu(),
        row=line,
        proposal=proposal,
        form=form or _match_form(offered),
        offered=offered,
        typed=offered.filled if typed is None else typed,
        filter=asking,
        asked=asked,
        found=[(one, customer_words(one)) for one in found],
        matches=matches,
        recorded=recorded_already(session, [line])[bank_line_id] if line.open else [],
        recorded_form=RecordedForm(formdata=None),
        words_of=customer_words,
        in_force={one.id for one in in_force(matches)},
        payer_of=lambda one: customer_words(one.receipt.customer),
        account_words=account_words,
        may_pay=may(Permission.RECORD_PAYMENTS),
    )


@blueprint.post("/bank/lines/<int:bank_line_id>/payments/<int:receipt_id>")
@permitted(Permission.RECORD_PAYMENTS)
def is_recorded(bank_line_id: int, receipt_id: int) -> ResponseReturnValue:
    """Say that a line is a payment that was recorded by hand before."""
    form = RecordedForm()
    if form.is_sent():
        with transaction() as session:
            match_recorded(session, bank_line_id, receipt_id, once_key=form.once.data, by=actor(), at=now())
        flash("The line is matched with the payment that was there.", "success")
    return redirect(url_for("finance.bank"), 303)


@blueprint.route("/bank/lines/<int:bank_line_id>/not-ours", methods=["GET", "POST"])
@permitted(Permission.RECORD_PAYMENTS)
def not_ours(bank_line_id: int) -> ResponseReturnValue:
    """Mark what is left of a line as money that is not ours."""
    line, form = found_line(reading(), bank_line_id), SetAsideForm()
    if form.is_sent():
        try:
            with transaction() as session:
                set_aside(
                    session,
                    bank_line_id,
                    reason=form.reason.data,
                    once_key=form.once.data,
                    by=actor(),
                    at=now(),
                )
            flash("The line is set aside.", "success")
            return redirect(url_for("finance.bank"), 303)
        except Refused as error:
            form.refuse(error)
    page = render_template("finance/bank_not_ours.html", navigation=finance_menu(), form=form, row=line)
    return page, 422 if form.error_list() else 200


@blueprint.route("/bank/matches/<int:match_id>/take-back", methods=["GET", "POST"])
@permitted(Permission.RECORD_PAYMENTS)
def take_match_back(match_id: int) -> ResponseReturnValue:
    """Take a match back; the line waits again."""
    form, match = TakeBackForm(), reading().get(BankMatch, match_id)
    if match is None:
        raise NotFound
    amount, line_id = match.amount, match.line_id
    if form.is_sent():
        try:
            with transaction() as session:
                take_back(session, match_id, reason=form.reason.data, by=actor(), at=now())
            flash("The match is taken back. The line waits again.", "success")
            return redirect(url_for("finance.bank_line", bank_line_id=line_id), 303)
        except Refused as error:
            form.refuse(error)
    page = render_template(
        "finance/bank_take_back.html", navigation=finance_menu(), form=form, amount=amount, line_id=line_id
    )
    return page, 422 if form.error_list() else 200
