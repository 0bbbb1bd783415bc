"""Credit notes: how much of which line, why, and what it will say before it is issued."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sla_manager.billing.commands import issue_credit_note
from sla_manager.billing.queries import creditable
from sla_manager.billing.rules.credits import credit_totals
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.money import Money
from sla_manager.people.rules.roles import Permission
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.lost_time import tranches_of
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.forms import BaseForm, LongTextField
from sla_manager.web.guard import permitted
from sla_manager.web.pages import actor, now, reading, transaction


class CreditForm(BaseForm):
    """Why, and (beside it, by line) how much."""

    reason = LongTextField(
        "Why do you credit this?",
        hint="The reason is printed on the credit note.",
        enter="Enter why this is credited",
    )


@blueprint.route("/documents/<int:document_id>/credit", methods=["GET", "POST"])
@permitted(Permission.ISSUE_DOCUMENTS)
def credit(document_id: int) -> ResponseReturnValue:
    """Ask how much and why, preview it, and issue the credit note when that is confirmed."""
    form = CreditForm()
    found = creditable(reading(), document_id)
    typed = {line.position: request.form.get(f"line_{line.position}", "") for line in found.lines}
    preview, amounts = None, {}
    if form.is_sent():
        try:
            amounts = _amounts(typed)
            if request.form.get("act") == "issue":
                with transaction() as session:
                    issued = issue_credit_note(
                        session, document_id, amounts=amounts, reason=form.reason.data, by=actor(), at=now()
                    )
                flash(f"{issued.kind.title} {issued.number} is issued.", "success")
                return redirect(url_for("finance.document", document_id=issued.id), 303)
            preview = credit_totals(found.lines, found.rows, amounts)
        except Refused as error:
            form.refuse(error)
            found = creditable(reading(), document_id)
    if request.method == "GET":
        typed = {position: str(left) for position, left in found.everything.items()}
    page = render_template(
        "finance/credit.html",
        navigation=finance_menu(),
        form=form,
        found=found,
        document=found.document,
        typed=typed,
        preview=preview,
        has_time=bool(tranches_of(reading(), found.document)),
    )
    return page, 422 if form.error_list() else 200


def _amounts(typed: dict[int, str]) -> dict[int, Money]:
    """Read the amounts; a refusal names the line."""
    amounts: dict[int, Money] = {}
    for position, text in typed.items():
        if text.strip():
            try:
                amounts[position] = Money.parse(text)
            except Refused as error:
                raise Refused(f"Line {position}: {error.message}", field="amount") from error
    return {position: amount for position, amount in amounts.items() if amount}
