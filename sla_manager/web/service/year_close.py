"""Closing a financial year: first what would lapse, then the act itself, once."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from sla_manager.agreements.commands import close_year
from sla_manager.agreements.queries import is_closed, year_close_preview
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.periods import FinancialYear
from sla_manager.people.models import TradingService
from sla_manager.people.rules.roles import Permission
from sla_manager.web.forms import BaseForm
from sla_manager.web.guard import in_service
from sla_manager.web.navigation import provider
from sla_manager.web.pages import actor, now, reading, today, transaction
from sla_manager.web.service import blueprint
from sla_manager.web.service.menu import service_menu

SHOWN = 200
"""Tranches shown in full; the totals are always of all of them."""


def _years() -> list[FinancialYear]:
    council = provider(reading())
    month = council.financial_year_start_month if council else 4
    current = FinancialYear.of(today(), start_month=month)
    return [FinancialYear(current.first - back, month) for back in (0, 1, 2)]


@blueprint.get("/<service>/year-close")
@in_service(Permission.CLOSE_YEAR)
def year_close(service: TradingService) -> str:
    """List this year and the two before it, and which are closed."""
    years = [(year, is_closed(reading(), year), year.period.end <= today()) for year in _years()]
    return render_template(
        "service/year_close.html", navigation=service_menu(service), service=service, years=years
    )


@blueprint.route("/<service>/year-close/<year>", methods=["GET", "POST"])
@in_service(Permission.CLOSE_YEAR)
def close_one_year(service: TradingService, year: str) -> str | tuple[str, int] | Response:
    """Preview what would lapse; closing asks nothing more than this page shows."""
    month = _years()[0].start_month
    wanted = FinancialYear.parse(year, start_month=month)
    form, status, code = BaseForm(), 200, service.code
    if form.is_sent():
        try:
            with transaction() as session:
                close_year(session, wanted, by=actor(), at=now())
            flash(f"The financial year {wanted} is closed.", "success")
            return redirect(url_for("service.close_one_year", service=code, year=str(wanted)), 303)
        except Refused as error:
            form.refuse(error)
            status = 422
    preview = year_close_preview(reading(), wanted)
    page = render_template(
        "service/close_one_year.html",
        navigation=service_menu(service),
        service=service,
        year=wanted,
        preview=preview,
        rows=preview.rows[:SHOWN],
        closed=is_closed(reading(), wanted),
        has_ended=wanted.period.end <= today(),
        form=form,
    )
    return page, status
