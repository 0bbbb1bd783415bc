"""Term dates of the invented authority, and the half-days that its officers still have free."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from sla_manager.gateways.bank_holidays import bank_holidays
from sla_manager.people.models import SchoolTerm
from sla_manager.visits.rules.slots import Part

Term = tuple[str, date, date, date, date]


def _monday(day: date) -> date:
    return day + timedelta(days=-day.weekday() % 7)


def school_terms(first_year: int, last_year: int) -> Iterator[Term]:
    """Yield name, first and last day, and the half-term break of every term from one April to another."""
    for year in range(first_year, last_year + 1):
        spring = _monday(date(year, 1, 4))
        yield f"Spring {year}", spring, spring + timedelta(81), spring + timedelta(42), spring + timedelta(46)
        summer = _monday(date(year, 4, 12))
        yield f"Summer {year}", summer, summer + timedelta(95), summer + timedelta(42), summer + timedelta(46)
        autumn = _monday(date(year, 9, 1))
        yield (
            f"Autumn {year}",
            autumn,
            autumn + timedelta(102),
            autumn + timedelta(49),
            autumn + timedelta(53),
        )


@dataclass
class Diaries:
    """Which half-days of term each officer has free."""

    terms: list[SchoolTerm]
    weekdays: dict[int, set[int]]
    """From officer to the weekdays worked."""
    taken: set[tuple[int, date, Part]] = field(default_factory=set)

    def is_school_day(self, day: date) -> bool:
        """Say whether schools are in session."""
        if day.weekday() > 4 or day in bank_holidays(day.year):
            return False
        for term in self.terms:
            if term.starts_on <= day <= term.ends_on:
                first, last = term.half_term_starts_on, term.half_term_ends_on
                return first is None or last is None or not first <= day <= last
        return False

    def next_free(self, officer_id: int, wanted: date, until: date) -> tuple[date, Part] | None:
        """Take the officer's next free half-day from a day on, or None when there is none in time."""
        day = wanted
        while day <= until:
            if day.weekday() in self.weekdays[officer_id] and self.is_school_day(day):
                for part in (Part.MORNING, Part.AFTERNOON):
                    if (officer_id, day, part) not in self.taken:
                        self.taken.add((officer_id, day, part))
                        return day, part
            day += timedelta(days=1)
        return None
