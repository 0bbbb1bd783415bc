"""Bank lines that wait: what each is proposed to pay, and confirming several at once. Each is booked by itself."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.money import Money
from sla_manager.payments.commands.bank_matching import match_line
from sla_manager.payments.queries.bank import PAGE, OpenLine, open_lines, recorded_already, unmatched_total
from sla_manager.payments.queries.payer_names import customer_names
from sla_manager.payments.queries.proposals import propose
from sla_manager.payments.rules.matching import Proposal, Sureness
from sla_manager.people.rules.roles import Permission
from sla_manager.web.display import counted, money
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.forms import BaseForm, once_key
from sla_manager.web.guard import may, permitted
from sla_manager.web.pages import actor, now, reading, transaction

MOST_PROPOSED, MOST_TOGETHER = 5_000, 200
"""How many lines are looked through for sure ones, and how many are confirmed together."""
_CONFIRMED = re.compile(r"(\d{1,18}):(\d{0,18}):((?:\d{1,18}=\d{1,11}\.\d\d,?)*)")


class ConfirmForm(BaseForm):
    """Only boxes beside the lines."""

    once = once_key()


@dataclass(frozen=True, slots=True)
class Row:
    """A line with its proposal, and what is sent when its box is ticked."""

    line: OpenLine
    proposal: Proposal
    customer: str
    value: str
    recorded: bool
    """Whether a payment of this amount was recorded by hand around that day."""

    @property
    def sure(self) -> bool:
        """Whether its box is ticked beforehand."""
        return self.proposal.sureness is Sureness.SURE and not self.recorded


def account_words(account: str) -> str:
    """Write an account as banks do.

    >>> account_words("60161331926819"), account_words("DE89370400440532013000")
    ('60-16-13 31926819', 'DE89370400440532013000')
    """
    if len(account) == 14 and account.isdigit():
        return f"{account[:2]}-{account[2:4]}-{account[4:6]} {account[6:]}"
    return account


def _value(proposal: Proposal) -> str:
    """Return what a ticked box says: the line, whose account keeps the rest, and the amounts that were shown."""
    if proposal.customer_id is None:
        return ""
    amounts = ",".join(f"{part.item.document_id}={part.amount}" for part in proposal.parts)
    return f"{proposal.arrived.line_id}:{proposal.customer_id if proposal.left else ''}:{amounts}"


def _rows(after: int | None, *, only_sure: bool) -> list[Row]:
    session = reading()
    lines = open_lines(session, after=after, limit=MOST_PROPOSED if only_sure else PAGE)
    proposals = propose(session, lines) if lines else {}
    if only_sure:
        lines = [one for one in lines if proposals[one.line.id].sureness is Sureness.SURE][:MOST_TOGETHER]
        proposals = {one.line.id: proposals[one.line.id] for one in lines}
    customers = {one.customer_id for one in proposals.values() if one.customer_id is not None}
    names = customer_names(session, customers)
    recorded = recorded_already(session, lines)
    return [
        Row(one, made, names.get(made.customer_id or 0, ""), _value(made), bool(recorded[one.line.id]))
        for one in lines
        for made in [proposals[one.line.id]]
    ]


@blueprint.get("/bank")
@permitted(Permission.SEE_DOCUMENTS)
def bank() -> str:
    """List the lines that are not matched, each with what it is proposed to pay."""
    return _page(ConfirmForm())


@blueprint.post("/bank")
@permitted(Permission.RECORD_PAYMENTS)
def confirm_lines() -> ResponseReturnValue:
    """Match the ticked lines as they were shown; one that cannot be matched any more does not stop the others."""
    form, ticked = ConfirmForm(), request.form.getlist("confirm")
    if form.is_sent():
        if not ticked:
            form.refuse(Refused("Tick at least one line, or open a line to match it by hand."))
        done = 0
        for value in ticked[:MOST_TOGETHER]:
            try:
                _confirm(value, form.once.data)
                done += 1
            except (Refused, NotFound) as error:
                form.refuse(Refused(error.message))
        if done:
            flash(f"{counted(done, 'line is', 'lines are')} matched.", "success")
        if not form.error_list():
            return redirect(url_for("finance.bank"), 303)
    return _page(form), 422


def _confirm(value: str, once: str) -> None:
    """Match one line by what its box says."""
    read = _CONFIRMED.fullmatch(value)
    if read is None:
        raise Refused("A line could not be read. Open it and match it by hand.")
    line_id, customer_id, amounts = read.groups()
    pairs = [pair.split("=") for pair in amounts.split(",") if pair]
    with transaction() as session:
        match_line(
            session,
            int(line_id),
            documents={int(document): Money.parse(amount) for document, amount in pairs},
            on_account=int(customer_id) if customer_id else None,
            once_key=f"{once}:{line_id}",
            by=actor(),
            at=now(),
        )


def _page(form: ConfirmForm) -> str:
    after, only_sure = request.args.get("after", type=int), request.args.get("show") == "sure"
    rows = _rows(after, only_sure=only_sure)
    count, amount = unmatched_total(reading())
    return render_template(
        "finance/bank.html",
        navigation=finance_menu(),
        form=form,
        rows=rows,
        only_sure=only_sure,
        count=count,
        amount=money(amount),
        account_words=account_words,
        first=url_for("finance.bank") if after else "",
        next=url_for("finance.bank", after=rows[-1].line.line.id)
        if len(rows) == PAGE and not only_sure
        else "",
        may_pay=may(Permission.RECORD_PAYMENTS),
    )
