"""Which schools use what they bought too slowly, or too fast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.rules.pace import Pace, PaceStanding, pace_sentence, school_weeks, standing
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.periods import ONE_DAY, FinancialYear, Period
from sla_manager.people.models import Provider, SchoolTerm
from sla_manager.visits.queries.booked import BookedBalance, balances_with_booked


@dataclass(frozen=True, slots=True)
class SchoolPace:
    """One line of a school in this financial year: what is left, how long there is, and how it stands."""

    row: BookedBalance
    weeks_left: int
    standing: PaceStanding

    @property
    def sentence(self) -> str:
        """What is left and for how long: "8.5 days left, 9 school weeks to 31 March"."""
        return pace_sentence(
            self.row.balance,
            self.row.unit_minutes,
            self.row.unit,
            weeks=self.weeks_left,
            last=self.row.tranche.ends_on,
        )

    @property
    def verdict(self) -> str:
        """How use stands against an even pace: "Behind an even pace by 3 days"."""
        return self.standing.sentence(self.row.unit_minutes, self.row.unit)


def this_year(session: Session, today: date) -> FinancialYear:
    """Return the provider's financial year that a day lies in."""
    month = session.scalar(select(Provider.financial_year_start_month))
    return FinancialYear.of(today, start_month=month or 4)


def pace(session: Session, service_id: int, today: date) -> list[SchoolPace]:
    """Return how every school of a service stands this year, furthest behind first: four queries."""
    return _paces(
        session,
        balances_with_booked(session, service_id=service_id, year=this_year(session, today).first),
        today,
    )


def school_pace(session: Session, school_id: int, today: date) -> list[SchoolPace]:
    """Return how a school's lines of this year stand."""
    return _paces(
        session,
        balances_with_booked(session, school_id=school_id, year=this_year(session, today).first),
        today,
    )


def _paces(session: Session, rows: Sequence[BookedBalance], today: date) -> list[SchoolPace]:
    terms = list(session.scalars(select(SchoolTerm).order_by(SchoolTerm.starts_on)))
    weeks: dict[Period, tuple[int, int]] = {}
    found = []
    for row in rows:
        if row.contracted + row.varied <= Minutes(0):
            continue
        if row.period not in weeks:
            weeks[row.period] = _weeks(row.period, today, terms)
        whole, left = weeks[row.period]
        used = row.delivered + row.charged + row.credited + row.lapsed
        even = standing(used, row.contracted + row.varied, weeks_gone=whole - left, weeks=whole)
        found.append(SchoolPace(row, left, even))
    order = [Pace.BEHIND, Pace.AHEAD, Pace.ON]
    return sorted(
        found,
        key=lambda one: (order.index(one.standing.pace), one.standing.difference, one.row.tranche.school),
    )


def _weeks(period: Period, today: date, terms: Sequence[SchoolTerm]) -> tuple[int, int]:
    """Return the school weeks of a period, and how many of them are still to come."""
    whole = school_weeks(period, terms)
    start = max(today, period.start)
    left = school_weeks(Period(start, period.end), terms) if start <= period.end - ONE_DAY else 0
    return whole, left
