"""Half-open periods of civil dates, the financial year, the academic year and calendar months."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import lru_cache

from sla_manager.kernel.errors import Refused

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, order=True, slots=True)
class Period:
    """The dates from `start` up to, and not including, `end`."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"a period ends after it starts: {self.start} to {self.end}")

    @classmethod
    def through(cls, first: date, last: date) -> Period:
        """Return the period from the first to the last day, both included, as people say it."""
        return cls(first, last + ONE_DAY)

    @property
    def last(self) -> date:
        """The last day inside the period."""
        return self.end - ONE_DAY

    @property
    def days(self) -> int:
        """How many days the period has."""
        return (self.end - self.start).days

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end

    def overlap(self, other: Period) -> Period | None:
        """Return what two periods share, or None."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Period(start, end) if start < end else None


@dataclass(frozen=True, order=True, slots=True)
class FinancialYear:
    """A council's financial year, named by the calendar year in which it starts; 1 April by default.

    >>> str(FinancialYear(2025)), FinancialYear(2025).period.last
    ('2025-26', datetime.date(2026, 3, 31))
    """

    first: int
    start_month: int = 4

    @classmethod
    def of(cls, day: date, *, start_month: int = 4) -> FinancialYear:
        """Return the financial year that a London date lies in.

        >>> str(FinancialYear.of(date(2026, 3, 31))), str(FinancialYear.of(date(2026, 4, 1)))
        ('2025-26', '2026-27')
        """
        return cls(day.year if day.month >= start_month else day.year - 1, start_month)

    @classmethod
    def parse(cls, text: str, *, start_month: int = 4) -> FinancialYear:
        """Read "2025-26" (or "2025/26"); anything else is refused with the form that is wanted."""
        match = re.fullmatch(r"(\d{4})[-/](\d{2})", text.strip())
        if match is None or (int(match[1]) + 1) % 100 != int(match[2]):
            raise Refused(f"“{text[:20]}” is not a financial year. Write it like 2025-26.", field="year")
        return cls(int(match[1]), start_month)

    @property
    def period(self) -> Period:
        """The dates of the year."""
        return Period(date(self.first, self.start_month, 1), date(self.first + 1, self.start_month, 1))

    @property
    def short(self) -> str:
        """The year as it stands in document numbers: "25-26"."""
        return f"{self.first % 100:02d}-{(self.first + 1) % 100:02d}"

    def next(self) -> FinancialYear:
        """Return the year that follows."""
        return FinancialYear(self.first + 1, self.start_month)

    def __str__(self) -> str:
        return f"{self.first}-{(self.first + 1) % 100:02d}"


def financial_years(period: Period, *, start_month: int = 4) -> tuple[FinancialYear, ...]:
    """Return the financial years that a period touches, in order."""
    years = [FinancialYear.of(period.start, start_month=start_month)]
    while years[-1].period.end < period.end:
        years.append(years[-1].next())
    return tuple(years)


def academic_year(day: date) -> Period:
    """Return the academic year, 1 September to 31 August, that a date lies in."""
    first = day.year if day.month >= 9 else day.year - 1
    return Period(date(first, 9, 1), date(first + 1, 9, 1))


def academic_year_name(day: date) -> str:
    """Say the academic year.

    >>> academic_year_name(date(2026, 8, 31))
    '2025/26'
    """
    first = academic_year(day).start.year
    return f"{first}/{(first + 1) % 100:02d}"


@lru_cache(maxsize=4096)
def month_of(day: date) -> Period:
    """Return the calendar month that a date lies in."""
    start = day.replace(day=1)
    return Period(start, (start + timedelta(days=32)).replace(day=1))


def calendar_months(period: Period) -> Iterator[Period]:
    """Yield the whole calendar months that a period touches, in order."""
    month = month_of(period.start)
    while month.start < period.end:
        yield month
        month = month_of(month.end)


def months_weight(period: Period) -> Fraction:
    """Return how many months a period covers, each month weighing the fraction of it that is covered.

    >>> months_weight(Period.through(date(2025, 10, 14), date(2026, 3, 31))) == 5 + Fraction(18, 31)
    True
    """
    first, last = month_of(period.start), month_of(period.last)
    if first == last:
        return Fraction(period.days, first.days)
    between = 12 * (last.start.year - first.start.year) + last.start.month - first.start.month - 1
    return (
        between
        + Fraction((first.end - period.start).days, first.days)
        + Fraction((period.end - last.start).days, last.days)
    )


def add_months(day: date, months: int) -> date:
    """Return the same day some months later, or the month's last day where there is none.

    >>> add_months(date(2026, 1, 31), 1)
    datetime.date(2026, 2, 28)
    """
    index = day.year * 12 + day.month - 1 + months
    first = date(index // 12, index % 12 + 1, 1)
    return first.replace(day=min(day.day, month_of(first).last.day))
