"""The year end: what is still open, the rehearsal on a copy, and where the figures are."""

from __future__ import annotations

from typing import Any

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from sla_manager.agreements.models import Agreement
from sla_manager.agreements.queries import year_close
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import FinancialYear
from sla_manager.people.models import TradingService
from sla_manager.people.rules.roles import Permission
from sla_manager.reports.before_closing import before_closing
from sla_manager.reports.errands import REHEARSE_YEAR
from sla_manager.store.errands import latest
from sla_manager.web.charts import Part
from sla_manager.web.display import money
from sla_manager.web.errands import RELOAD_SECONDS, ask_for
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.finance.reports import REPORTS, start_month, years_back
from sla_manager.web.forms import BaseForm
from sla_manager.web.guard import may, permitted
from sla_manager.web.pages import reading, today

SMALL = 1_500
"""Books of so many agreements at most are rehearsed while somebody waits; larger ones by the worker."""
OF_THE_YEAR = tuple(name for name, (_, _, asked, _) in REPORTS.items() if "year" in asked)


@blueprint.route("/year-end", methods=["GET", "POST"])
@permitted(Permission.SEE_DOCUMENTS)
def year_end() -> ResponseReturnValue:
    """Show how far a year is, and rehearse its end on a copy."""
    wanted, form = _year(), BaseForm()
    if form.is_sent():
        facts = {"year": wanted.first, "start_month": wanted.start_month}
        ask_for(REHEARSE_YEAR, str(wanted), facts=facts, at_once=_count() <= SMALL)
        return redirect(url_for("finance.year_end", year=str(wanted)), 303)
    session, through = reading(), min(wanted.period.last, today())
    last, stay = latest(session, REHEARSE_YEAR, str(wanted)), request.args.get("stay") == "yes"
    done = last is not None and bool(last.ok)
    page = render_template(
        "finance/year_end.html",
        navigation=finance_menu(),
        form=form,
        year=wanted,
        years=years_back(3),
        closed=year_close(session, wanted),
        over=wanted.period.end <= today(),
        waiting=before_closing(session, through),
        through=through,
        reports=[(name, *REPORTS[name][:2]) for name in OF_THE_YEAR],
        service=session.scalar(select(TradingService.code).order_by(TradingService.id).limit(1)),
        may_close=may(Permission.CLOSE_YEAR),
        last=last,
        stay=stay,
        found=_typed(last.result) if last is not None and done else None,
    )
    waits = last is not None and last.is_waiting and not stay
    return Response(page, headers={"Refresh": str(RELOAD_SECONDS)} if waits else {})


def _count() -> int:
    return reading().scalar(select(func.count(Agreement.id))) or 0


def _year() -> FinancialYear:
    """Return the year that is asked for; else the last that is over."""
    this = FinancialYear.parse(str(years_back(1)[0]), start_month=start_month())
    text = request.args.get("year", "")
    if not text:
        return FinancialYear(this.first - 1, this.start_month)
    try:
        found = FinancialYear.parse(text, start_month=this.start_month)
    except Refused as error:
        raise NotFound from error
    if found.first > this.first:
        raise NotFound("That year has not begun.")
    return found


def _typed(facts: dict[str, Any]) -> dict[str, Any]:
    """Return a rehearsal's result with amounts as money, and its picture."""
    figures = [(name, Money.parse(before), Money.parse(after)) for name, before, after in facts["figures"]]
    return {
        **facts,
        "lapsed": Money.parse(facts["lapsed"]),
        "paid": Money.parse(facts["paid"]),
        "figures": figures,
        "services": [
            (name, Money.parse(before), Money.parse(after)) for name, before, after in facts["services"]
        ],
        "rows": [
            {
                name: [Money.parse(one) for one in value] if isinstance(value, list) else value
                for name, value in row.items()
            }
            for row in facts["rows"]
        ],
        "picture": [
            (
                name.capitalize(),
                [
                    Part("Before", max(before.pence, 0), money(before)),
                    Part("After", max(after.pence, 0), money(after)),
                ],
            )
            for name, before, after in figures
        ],
    }
