"""Deferred and accrued income at a year's end, as a report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy.orm import Session

from sla_manager.agreements.queries import is_closed
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.words import long_date
from sla_manager.reports.deferrals import DeferralRow, YearEnd, year_end
from sla_manager.reports.sheets import About, Picture, Report, Sheet, Value, totals


def deferrals_report(session: Session, year: FinancialYear, today: date) -> Report:
    """Return deferred and accrued income at the end of a year; of one that is running, today."""
    both = year_end(session, year, today)
    closing = both.closing
    rows = [row for row in closing.rows if row.deferred or row.accrued or row.invoiced or row.earned]
    rows.sort(key=lambda row: not (row.deferred or row.accrued))
    still = "" if is_closed(session, year) else _not_closed(year, closing.on < year.period.last)
    return Report(
        key="deferred",
        title="Deferred and accrued income",
        about=f"By agreement at the end of {long_date(closing.on)}, everything since each agreement began.",
        lead=(
            ("Deferred: invoiced and not earned", closing.deferred),
            ("Accrued: earned and not invoiced", closing.accrued),
            (f"Invoiced in {year}, less credits", both.invoiced),
            (f"Income of {year}", both.income),
        ),
        sheets=(_agreements(rows, closing.on), _movement(both)),
        notes=(
            "Earned is what was delivered, charged or lapsed by that day, at what was agreed for it.",
            "What is not counted in time is earned evenly over its term.",
            "Credits beyond agreed changes and lost time lower what is earned.",
        ),
        picture=Picture(
            "Income carried between the years",
            ("Deferred", "Accrued"),
            (
                (f"At the start of {year}", (both.opening.deferred, both.opening.accrued)),
                (f"{closing.on:%-d %b %Y}", (closing.deferred, closing.accrued)),
            ),
            "When",
            side_by_side=True,
        ),
        warning=still,
        filename=f"deferred-accrued-{closing.on}",
    )


def _not_closed(year: FinancialYear, running: bool) -> str:
    if running:
        return f"{year} is still running. These are the figures so far."
    return f"{year} is not closed yet. Unused time is still deferred; it lapses, and is earned, when you close it."


def _agreements(rows: Sequence[DeferralRow], on: date) -> Sheet:
    cells: tuple[tuple[Value, ...], ...] = tuple(
        (
            row.reference, row.school or row.customer, _other(row), row.invoiced, row.delivered, row.charged,
            row.lapsed,
            -row.waived, row.earned, row.deferred, row.accrued,
        )
        for row in rows
    )  # fmt: skip
    return Sheet(
        title=f"Agreements at the end of {long_date(on)}",
        names=(
            "Agreement", "School", "Paid by", "Invoiced", "Delivered", "Charged", "Lapsed", "Waived", "Earned",
            "Deferred", "Accrued",
        ),
        rows=cells,
        numeric=frozenset(range(3, 11)),
        totals=totals("Total", cells, 11, range(3, 11)),
        abouts=tuple(
            About("agreement", row.agreement_id) if row.agreement_id is not None else None for row in rows
        ),
        empty="No agreement has begun, so nothing is invoiced or earned.",
    )  # fmt: skip


def _other(row: DeferralRow) -> str:
    """Return who pays, where it is not the school itself."""
    return row.customer if row.school and row.customer != row.school else ""


def _movement(both: YearEnd) -> Sheet:
    opening, closing = both.opening, both.closing
    rows: tuple[tuple[str, Money], ...] = (
        (f"Invoiced in {both.year}, less credits", both.invoiced),
        (f"Deferred on {long_date(opening.on)}, brought in", opening.deferred),
        (f"Accrued on {long_date(opening.on)}, taken out", -opening.accrued),
        (f"Deferred on {long_date(closing.on)}, carried out", -closing.deferred),
        (f"Accrued on {long_date(closing.on)}, taken in", closing.accrued),
    )
    return Sheet(
        title=f"How the income of {both.year} comes about",
        names=("What", "Amount"),
        rows=rows,
        numeric=frozenset((1,)),
        totals=totals(f"Income of {both.year}", rows, 2, (1,)),
    )
