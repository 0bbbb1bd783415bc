"""The invoice run: preview, confirm, issue, result. Opening a page issues nothing; sending it twice issues once."""

from __future__ import annotations

from datetime import date

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from werkzeug.utils import redirect

from sla_manager.billing.comparing import comparison, warnings
from sla_manager.billing.models import Document
from sla_manager.billing.queries import agreement_values, parked
from sla_manager.billing.queries.arrears import held_back
from sla_manager.billing.runs import differences, preview_run, run
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.words import long_date
from sla_manager.people.rules.roles import Permission
from sla_manager.web.display import counted, money
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.forms import BaseForm, DateField, FilterForm
from sla_manager.web.guard import permitted
from sla_manager.web.pages import actor, close_reading, database, now, reading, today

CHANGES = 20
"""How many customers are shown whose month differs from the month or year before."""
SHOWN = 200
"""How many rows of a preview are shown; its totals are of all."""


class DayForm(FilterForm):
    """The date of a run."""

    as_at = DateField("What is due on", enter="Enter the date of the run")


class IssueForm(BaseForm):
    """Only a button."""


class RunInTheFuture(Refused):
    """Documents are dated on the day of the run, which has come."""

    def __init__(self, day: date) -> None:
        super().__init__(
            f"{long_date(day)} has not come yet. Run for today or an earlier day.", field="as_at"
        )


def _day() -> date:
    text = request.args.get("as_at") or ""
    try:
        day = date.fromisoformat(text) if text else today()
    except ValueError as error:
        raise NotFound from error
    if day > today():
        raise RunInTheFuture(day)
    return day


@blueprint.get("/run")
@permitted(Permission.ISSUE_DOCUMENTS)
def run_preview() -> ResponseReturnValue:
    """Show what a run would issue, and how it stands against what was agreed."""
    form, day = (
        DayForm.of_request() if "as_at-day" in request.args else DayForm(data={"as_at": today()}),
        today(),
    )
    if "as_at-day" in request.args and form.validate():
        day = form.as_at.data
        if day > today():
            form.refuse(RunInTheFuture(day))
    elif "as_at" in request.args:
        day = _day()
        form = DayForm(data={"as_at": day})
    if form.errors or form.error_list():
        return render_template("finance/run.html", navigation=finance_menu(), form=form, result=None), 422
    session = reading()
    result = preview_run(session, day)
    shown = [*result.rows, *result.nothing][:SHOWN]
    values = agreement_values(session, {one for row in result.rows for one, _ in row.parts})
    return render_template(
        "finance/run.html",
        navigation=finance_menu(),
        form=form,
        day=day,
        result=result,
        rows=shown,
        more=len(result.rows) + len(result.nothing) - len(shown),
        differences=differences(result.rows, values)[:SHOWN],
        beside=comparison(session, result.rows, day),
        changes=CHANGES,
        warnings=warnings(session, result.rows, day),
        held=held_back(session, day)[:SHOWN],
    )


@blueprint.route("/run/issue", methods=["GET", "POST"])
@permitted(Permission.ISSUE_DOCUMENTS)
def run_issue() -> ResponseReturnValue:
    """Say what will follow, and issue it when that is confirmed."""
    day, form = _day(), IssueForm()
    if form.is_sent():
        by, at = actor(), now()
        close_reading()
        try:
            run(database(), as_at=day, by=by, at=at)
            return redirect(url_for("finance.run_result", as_at=day.isoformat()), 303)
        except Refused as error:
            form.refuse(error)
    seen = preview_run(reading(), day)
    page = render_template(
        "layout/confirm.html",
        navigation=finance_menu(),
        question=f"Issue {counted(seen.issued, 'document')} dated {long_date(day)}?",
        consequences=[
            f"Issued and numbered: {counted(seen.issued, 'document')}.",
            f"They come to {money(seen.net)} net, {money(seen.vat)} VAT, {money(seen.gross)} in total.",
            "What is issued never changes. Corrections are credit notes.",
            "Each document is printed afterwards, and the school sees it at once.",
            *([f"Parked with the reason: {counted(seen.parked, 'agreement')}."] if seen.parked else []),
            *warnings(reading(), seen.rows, day),
            "Nothing that was billed before is billed again.",
        ],
        form=form,
        button="Issue them",
        back=url_for("finance.run_preview", as_at=day.isoformat()),
    )
    return page, 422 if form.error_list() else 200


@blueprint.get("/run/result")
@permitted(Permission.ISSUE_DOCUMENTS)
def run_result() -> str:
    """Show what stands in the books for the day of a run."""
    day, session = _day(), reading()
    query = (
        select(
            Document.kind, func.count(), func.sum(Document.net), func.sum(Document.vat), func.sum(Document.gross),
            func.min(Document.number), func.max(Document.number),
        )
        .where(Document.issued_on == day)
        .group_by(Document.kind)
        .order_by(Document.kind)
    )  # fmt: skip
    return render_template(
        "finance/run_result.html",
        navigation=finance_menu(),
        day=day,
        rows=[tuple(row) for row in session.execute(query)],
        parked=parked(session),
        left=preview_run(session, day),
    )
