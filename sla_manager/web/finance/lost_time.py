"""Time that the council could not provide: off the balance, and credited, in one step."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from sla_manager.agreements.models import AgreementLine, Tranche
from sla_manager.agreements.queries import balances
from sla_manager.agreements.queries.balances import TrancheBalance
from sla_manager.billing.commands import credit_lost_time
from sla_manager.billing.models import Document, DocumentLine
from sla_manager.billing.queries import creditable
from sla_manager.billing.rules.credits import DAYS_TO_CREDIT
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.people.rules.roles import Permission
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.forms import (
    BaseForm,
    DateField,
    LongTextField,
    MinutesField,
    SelectField,
    choice,
    once_key,
)
from sla_manager.web.guard import permitted
from sla_manager.web.pages import actor, now, reading, today, transaction

_MOST = Minutes(9_999 * 60)


class LostTimeForm(BaseForm):
    """Which time was lost, when that was decided, and why."""

    tranche = SelectField("Which time was lost?", enter="Choose the time that was lost")
    lost = MinutesField("How much time was lost?", enter="Enter how much time was lost", most=_MOST)
    decided_on = DateField(
        "When was it decided?",
        hint=f"The credit note must be issued within {DAYS_TO_CREDIT} days of the decision.",
        enter="Enter when it was decided",
    )
    reason = LongTextField(
        "Why could we not provide it?",
        hint="The reason is printed on the credit note. Name no pupil.",
        enter="Enter why we could not provide it",
    )
    once = once_key()


@blueprint.route("/documents/<int:document_id>/lost-time", methods=["GET", "POST"])
@permitted(Permission.ISSUE_DOCUMENTS)
def lost_time(document_id: int) -> ResponseReturnValue:
    """Ask which time of a document's agreement was lost, take it off the balance and credit it."""
    document = creditable(reading(), document_id).document
    tranches = tranches_of(reading(), document)
    if not tranches:
        raise NotFound("This document bills no counted time of one agreement.")
    form = LostTimeForm(data={"decided_on": today()}) if request.method == "GET" else LostTimeForm()
    form.tranche.choices = [
        choice(
            one.tranche_id,
            f"{one.description}, {one.year}-{(one.year + 1) % 100:02d}: {one.balance.hours_and_minutes()} left",
        )
        for one in tranches
    ]
    if form.is_sent():
        try:
            with transaction() as session:
                issued = credit_lost_time(
                    session,
                    int(form.tranche.data),
                    form.lost.data,
                    decided_on=form.decided_on.data,
                    reason=form.reason.data,
                    once_key=form.once.data,
                    by=actor(),
                    at=now(),
                )
            numbers = ", ".join(one.number for one in issued)
            flash(f"Credited: {numbers}." if issued else "This was credited already.", "success")
            shown = issued[0].id if issued else document_id
            return redirect(url_for("finance.document", document_id=shown), 303)
        except Refused as error:
            form.refuse(error)
    page = render_template(
        "finance/lost_time.html", navigation=finance_menu(), form=form, document=document
    )  # fmt: skip
    return page, 422 if form.error_list() else 200


def tranches_of(session: Session, document: Document) -> list[TrancheBalance]:
    """Return the counted time that a document's lines bill, with what is left of it."""
    billed = exists().where(DocumentLine.document_id == document.id, DocumentLine.line_id == AgreementLine.id)
    query = select(Tranche.id).join(AgreementLine, AgreementLine.id == Tranche.line_id).where(billed)
    ids = list(session.scalars(query.where(Tranche.minutes.is_not(None))))
    return balances(session, tranche_ids=ids) if ids else []
