"""Gap-free numbers: one counter per series and financial year, drawn inside the transaction that uses the number.

The row is locked until that transaction ends, so nothing slow (PDF, mail, HTTP) may happen in it. A transaction that
fails gives its number back.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, TextClause, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.references import document_number
from sla_manager.store.tables import Table


class NumberSeries(Table):
    """The last number of a series in a financial year, and the date it carries."""

    __tablename__ = "number_series"
    __table_args__ = (CheckConstraint("last >= 0", name="last"),)

    series: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]
    last_on: Mapped[date]


class DateBeforeLastNumber(Refused):
    """Numbers and dates of a series rise together (N4)."""

    def __init__(self, wanted: date, last_on: date, number: str) -> None:
        super().__init__(
            f"A document dated {wanted:%-d %B %Y} would stand before {number}, which is dated "
            f"{last_on:%-d %B %Y}. Use that date or a later one.",
            field="issued_on",
        )


_OPEN = text(
    "INSERT INTO number_series (series, year, last, last_on) VALUES (:series, :year, 0, :day) "
    "ON CONFLICT (series, year) DO NOTHING"
)
_DRAW = (
    "UPDATE number_series SET last = last + 1, last_on = :day "
    "WHERE series = :series AND year = :year AND last_on <= :day RETURNING last"
)
_DRAWS: dict[str, TextClause] = {}


def draw_number(session: Session, series: str, *, year: FinancialYear, on: date) -> int:
    """Draw the next number of a series in a year for a document dated `on`; refuses a date that goes back."""
    return draw_number_with(session, series, "NULL", year=year, on=on)[0]


def draw_number_with(
    session: Session, series: str, beside: str, *, year: FinancialYear, on: date
) -> tuple[int, Any]:
    """Draw a number like `draw_number`, and read something that belongs to the one before in the same statement.

    `beside` is SQL over the series' row as it is after the draw; it comes from code, never from a person.
    """
    if on not in year.period:
        raise ValueError(f"{on} is not in the financial year {year}")
    day = on.isoformat() if session.get_bind().dialect.name == "sqlite" else on
    values = {"series": series, "year": year.first, "day": day}
    draw = _DRAWS.setdefault(beside, text(f"{_DRAW}, {beside}"))
    drawn = session.execute(draw, values).one_or_none()
    if drawn is None:
        session.execute(_OPEN, values)
        drawn = session.execute(draw, values).one_or_none()
    if drawn is None:
        row = session.get_one(NumberSeries, (series, year.first), populate_existing=True)
        raise DateBeforeLastNumber(on, row.last_on, document_number(series, year, row.last))
    return int(drawn[0]), drawn[1]
