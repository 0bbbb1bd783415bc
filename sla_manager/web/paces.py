"""A balance as a page shows it: what is left, how long there is to use it, and its picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from sla_manager.agreements.rules.pace import PaceStanding, pace_sentence, school_weeks, standing
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.periods import FinancialYear, Period
from sla_manager.people.models import SchoolTerm
from sla_manager.people.queries import terms
from sla_manager.visits.queries import BookedBalance
from sla_manager.web.charts import Part
from sla_manager.web.display import days, hours


@dataclass(frozen=True)
class PacedBalance:
    """A balance with its sentence on pace, and its picture of used, booked and left."""

    row: BookedBalance
    sentence: str
    standing: PaceStanding | None
    parts: list[Part]

    @property
    def is_current(self) -> bool:
        """Whether time may still be used: there is a pace to speak of."""
        return self.standing is not None


def paced(session: Session, rows: Iterable[BookedBalance], day: date) -> list[PacedBalance]:
    """Return balances as pages show them, one query for the terms however many there are."""
    calendar = terms(session)
    return [_paced(row, day, calendar) for row in rows]


def _paced(row: BookedBalance, day: date, calendar: list[SchoolTerm]) -> PacedBalance:
    period = row.period
    parts = _parts(row)
    if day >= period.end:
        left = _said(row, row.balance)
        sentence = f"{_said(row, row.lapsed)} lapsed" if row.lapsed else f"{left} left to close the year with"
        return PacedBalance(row, sentence, None, parts)
    start = max(day, period.start)
    weeks = school_weeks(Period(start, period.end), calendar)
    whole = school_weeks(period, calendar)
    year_end = FinancialYear.of(period.last).period.last
    sentence = pace_sentence(
        row.balance, row.unit_minutes, row.unit, weeks=weeks, last=min(period.last, year_end)
    )
    used = row.delivered + row.charged
    stands = standing(used, row.contracted + row.varied, weeks_gone=whole - weeks, weeks=whole)
    return PacedBalance(row, sentence, stands, parts)


def _parts(row: BookedBalance) -> list[Part]:
    used = row.delivered + row.charged + row.credited
    booked = min(row.booked, row.balance)
    parts = [
        ("Used", used, "used"),
        ("Booked", booked, "booked"),
        ("Free to book", row.balance - booked, "left"),
        ("Lapsed", row.lapsed, "lapsing"),
    ]
    return [Part(name, amount.minutes, _said(row, amount), kind) for name, amount, kind in parts if amount]


def _said(row: BookedBalance, length: Minutes) -> str:
    return hours(length) if row.unit == "hour" else days(length, row.unit_minutes)
