"""Reports of money: each as a page with its picture, and the same figures as CSV and Excel."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from flask import Response, render_template, request, url_for
from sqlalchemy.orm import Session

from sla_manager.gateways.spreadsheets import CSV_TYPE, XLSX_TYPE, write_csv, write_xlsx
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import FinancialYear, Period, month_of
from sla_manager.people.rules.roles import Permission
from sla_manager.reports.aged_debtors import debtors_report
from sla_manager.reports.agreement_figures import agreement_report
from sla_manager.reports.cost_recovery import recovery_report
from sla_manager.reports.deferral_report import deferrals_report
from sla_manager.reports.income_report import DIMENSIONS, income_report
from sla_manager.reports.lapsed_report import lapsed_report
from sla_manager.reports.sheets import About, Picture, Report, Sheet, Value
from sla_manager.reports.vat_summary import vat_report
from sla_manager.web.charts import Part
from sla_manager.web.display import day as day_words
from sla_manager.web.display import money, number
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.forms import DateField, FilterForm, SelectField, choice
from sla_manager.web.guard import may, permitted
from sla_manager.web.navigation import provider
from sla_manager.web.pages import reading, today

SHOWN = 200
"""Rows of a table on the page; files hold all of them."""
YEARS_BACK = 6


@dataclass(frozen=True)
class Asked:
    """What a report is asked for: a financial year, perhaps one month of it, a day, a grouping."""

    year: FinancialYear
    month: Period | None
    on: date
    by: str

    @property
    def values(self) -> dict[str, str]:
        """The same as arguments of an address."""
        found = {"year": str(self.year), "on": self.on.isoformat(), "by": self.by}
        return found | ({"month": f"{self.month.start:%Y-%m}"} if self.month else {})


def _vat(session: Session, asked: Asked) -> Report:
    if asked.month is not None:
        return vat_report(session, asked.month, f"{asked.month.start:%B %Y}", documents=True)
    return vat_report(session, asked.year.period, str(asked.year))


REPORTS: dict[str, tuple[str, str, tuple[str, ...], Callable[[Session, Asked], Report]]] = {
    "vat": ("VAT summary", "VAT by month, code and rate, for the return.", ("year",), _vat),
    "debtors": (
        "Aged debtors",
        "Who owes how much since when, today or on any day.",
        ("on",),
        lambda session, asked: debtors_report(session, asked.on),
    ),
    "deferred": (
        "Deferred and accrued income",
        "What is invoiced and not earned, and the reverse, by agreement at the end of a year.",
        ("year",),
        lambda session, asked: deferrals_report(session, asked.year, today()),
    ),
    "lapsed": (
        "Lapsed time",
        "Time that was bought and not used, and its value.",
        ("year",),
        lambda session, asked: lapsed_report(session, asked.year),
    ),
    "income": (
        "Income",
        "By class of customer, trust, family, offering or officer; ready for a freedom-of-information answer.",
        ("year", "by"),
        lambda session, asked: income_report(session, asked.year, today(), asked.by),
    ),
    "recovery": (
        "Cost recovery",
        "Income against cost of each service, three years together.",
        ("year",),
        lambda session, asked: recovery_report(session, asked.year, today()),
    ),
}
"""The reports by address: title, what they say, what can be asked, how they are made."""


class ReportFilter(FilterForm):
    """What the report is asked for."""

    year = SelectField("Financial year")
    by = SelectField("Grouped by")
    on = DateField("At the end of")


@blueprint.get("/reports")
@permitted(Permission.SEE_DOCUMENTS)
def reports() -> str:
    """List the reports."""
    return render_template(
        "finance/reports.html",
        navigation=finance_menu(),
        reports=[(name, title, about) for name, (title, about, *_) in REPORTS.items()],
    )


@blueprint.get("/reports/<report>")
@permitted(Permission.SEE_DOCUMENTS)
def report(report: str) -> str:
    """Show a report: what matters most, its picture, its tables."""
    made, asked = _made(report)
    return _page(made, asked, filter_form=_filter(report, asked))


@blueprint.get("/reports/deferred/<int:agreement_id>")
@permitted(Permission.SEE_DOCUMENTS)
def agreement_figures(agreement_id: int) -> str:
    """Show how one agreement's deferred and accrued income comes about."""
    asked = _asked()
    on = min(asked.year.period.last, today())
    return _page(agreement_report(reading(), agreement_id, on, asked.year.start_month), asked, whole=False)


@blueprint.get("/reports/<report>/<form>")
@permitted(Permission.SEE_DOCUMENTS)
def report_file(report: str, form: str) -> Response:
    """Hand a report's table out as CSV or as an Excel workbook."""
    if form not in ("csv", "xlsx"):
        raise NotFound
    made, _ = _made(report)
    place = request.args.get("sheet", 0, type=int)
    if not 0 <= place < len(made.sheets):
        raise NotFound
    sheet = made.sheets[place]
    rows = [*sheet.rows, *([sheet.totals] if sheet.totals and sheet.rows else [])]
    content = (
        write_csv(sheet.names, rows) if form == "csv" else write_xlsx(sheet.names, rows, sheet=made.title)
    )
    ending = f"{'' if place == 0 else f'-{place + 1}'}.{form}"
    return Response(
        content,
        mimetype=(CSV_TYPE if form == "csv" else XLSX_TYPE).partition(";")[0],
        headers={
            "Content-Disposition": f'attachment; filename="{made.filename}{ending}"',
            "Cache-Control": "private, no-store",
        },
    )


def _made(name: str) -> tuple[Report, Asked]:
    if name not in REPORTS:
        raise NotFound
    asked = _asked()
    return REPORTS[name][3](reading(), asked), asked


def _asked() -> Asked:
    """Read what is asked; what is not there is not guessed."""
    month_text = request.args.get("month", "")
    start = start_month()
    month = None
    if month_text:
        found = re.fullmatch(r"(2\d{3})-(0[1-9]|1[0-2])", month_text)
        if found is None:
            raise NotFound
        month = month_of(date(int(found[1]), int(found[2]), 1))
    this_year = FinancialYear.of(today(), start_month=start)
    try:
        year = (
            FinancialYear.parse(request.args["year"], start_month=start)
            if request.args.get("year")
            else this_year
        )
        on = _day()
    except (Refused, ValueError) as error:
        raise NotFound from error
    if year.first > this_year.first or on > today():
        raise NotFound("That has not come yet.")
    if month is not None:
        year = FinancialYear.of(month.start, start_month=start)
    by = request.args.get("by") or "class"
    if by not in DIMENSIONS:
        raise NotFound
    return Asked(year, month, on, by)


def _day() -> date:
    text = request.args.get("on", "")
    if text:
        return date.fromisoformat(text)
    parts = [request.args.get(f"on-{part}", "").strip() for part in ("year", "month", "day")]
    return date(*(int(part) for part in parts)) if all(parts) else today()


def start_month() -> int:
    """Return the month in which the council's financial year starts."""
    council = provider(reading())
    return council.financial_year_start_month if council else 4


def years_back(count: int = YEARS_BACK) -> list[FinancialYear]:
    """Return this financial year and those before it."""
    this = FinancialYear.of(today(), start_month=start_month())
    return [FinancialYear(this.first - back, this.start_month) for back in range(count)]


def _filter(name: str, asked: Asked) -> ReportFilter:
    form = ReportFilter(data={"year": str(asked.year), "by": asked.by, "on": asked.on})
    form.year.choices = [choice(str(one), str(one)) for one in years_back()]
    if str(asked.year) not in {one.value for one in form.year.choices}:
        form.year.choices.append(choice(str(asked.year), str(asked.year)))
    form.by.choices = [choice(key, title) for key, title in DIMENSIONS.items()]
    for field in ("year", "by", "on"):
        if field not in REPORTS[name][2]:
            del form[field]
    return form


def _page(made: Report, asked: Asked, *, filter_form: ReportFilter | None = None, whole: bool = True) -> str:
    return render_template(
        "finance/report.html",
        navigation=finance_menu(),
        report=made,
        lead=[(name, shown(value)) for name, value in made.lead],
        filter=filter_form,
        picture=_drawn(made.picture),
        sheets=[_shown_sheet(made, sheet, place, asked, whole) for place, sheet in enumerate(made.sheets)],
        asked=asked,
        may_enter_costs=made.key == "recovery" and may(Permission.MANAGE_MONEY),
    )


def shown(value: Value) -> str:
    """Say one figure."""
    if isinstance(value, Money):
        return money(value)
    if isinstance(value, date):
        return day_words(value)
    if isinstance(value, int | Decimal):
        return number(value)
    return value or ""


def _quiet(value: Value) -> str:
    """Say one figure of a row; no money at all is a dash, so that what there is stands out."""
    return "–" if isinstance(value, Money) and not value else shown(value)


def _drawn(picture: Picture | None) -> dict[str, Any] | None:
    if picture is None:
        return None
    rows = [
        (
            label,
            [
                Part(name, max(amount.pence, 0), money(amount))
                for name, amount in zip(picture.parts, amounts, strict=True)
            ],
        )
        for label, amounts in picture.rows
    ]
    return {
        "title": picture.title,
        "rows": rows,
        "first": picture.first,
        "side_by_side": picture.side_by_side,
    }


def _shown_sheet(made: Report, sheet: Sheet, place: int, asked: Asked, whole: bool) -> dict[str, Any]:
    abouts: Sequence[About | None] = sheet.abouts or [None] * len(sheet.rows)
    rows = [
        ([_quiet(cell) for cell in row], _leads_to(about, asked))
        for row, about in zip(sheet.rows[:SHOWN], abouts[:SHOWN], strict=True)
    ]
    values: dict[str, Any] = {**asked.values, "report": made.key, "sheet": place}
    return {
        "title": sheet.title,
        "columns": [
            {"text": name, "numeric": index in sheet.numeric} for index, name in enumerate(sheet.names)
        ],
        "numeric": sheet.numeric,
        "rows": rows,
        "totals": [shown(cell) for cell in sheet.totals] if sheet.totals else None,
        "more": max(0, len(sheet.rows) - SHOWN),
        "empty": sheet.empty,
        "csv": url_for("finance.report_file", form="csv", **values) if whole else "",
        "xlsx": url_for("finance.report_file", form="xlsx", **values) if whole else "",
    }


def _leads_to(about: About | None, asked: Asked) -> str:
    """Return where a row's why is, or nothing."""
    if about is None:
        return ""
    if about.kind == "document":
        return url_for("finance.document", document_id=about.id)
    if about.kind == "customer":
        return url_for("finance.account", customer_id=about.id)
    if about.kind == "agreement":
        return url_for("finance.agreement_figures", agreement_id=about.id, year=str(asked.year))
    if about.kind == "vat_month":
        return url_for("finance.report", report="vat", month=about.id)
    if about.kind == "cost" and may(Permission.MANAGE_MONEY):
        code, _, year = str(about.id).partition("/")
        return url_for("finance.service_cost", code=code, year=year)
    return ""
