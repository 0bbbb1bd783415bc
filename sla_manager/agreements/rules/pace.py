"""How fast bought time is used, told in school weeks: "8.5 days left, 9 school weeks to 31 March"."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Protocol

from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.periods import ONE_DAY, Period
from sla_manager.kernel.titles import Titled
from sla_manager.kernel.words import MONTHS, counted

_SATURDAY = 5
_WEEK = timedelta(days=7)


class SchoolTermDates(Protocol):
    """A school term: first and last day and half-term's first and last day, all included."""

    @property
    def starts_on(self) -> date: ...
    @property
    def ends_on(self) -> date: ...
    @property
    def half_term_starts_on(self) -> date | None: ...
    @property
    def half_term_ends_on(self) -> date | None: ...


def _in_session(day: date, term: SchoolTermDates) -> bool:
    if not term.starts_on <= day <= term.ends_on:
        return False
    away, back = term.half_term_starts_on, term.half_term_ends_on
    return away is None or back is None or not away <= day <= back


def school_weeks(period: Period, terms: Iterable[SchoolTermDates]) -> int:
    """Count the weeks, Monday to Friday, with at least one school day in a period.

    Where no term is known for any of it, every week counts.
    """
    touching = [term for term in terms if term.starts_on < period.end and term.ends_on >= period.start]
    mondays = set()
    day = period.start
    while day < period.end:
        if day.weekday() < _SATURDAY and (not touching or any(_in_session(day, term) for term in touching)):
            mondays.add(day - timedelta(days=day.weekday()))
            day += _WEEK - timedelta(days=day.weekday())
        else:
            day += ONE_DAY
    return len(mondays)


def pace_sentence(left: Minutes, unit: Minutes, unit_name: str, *, weeks: int, last: date) -> str:
    """Say what is left and how long there is to use it.

    >>> pace_sentence(Minutes(3774), Minutes(444), "day", weeks=9, last=date(2026, 3, 31))
    '8.5 days left, 9 school weeks to 31 March'
    """
    time_left = counted(left.shown_in_units(unit), unit_name)
    return f"{time_left} left, {counted(weeks, 'school week')} to {last.day} {MONTHS[last.month - 1]}"


class Pace(Titled):
    """How use stands against an even pace through the year's school weeks."""

    AHEAD = "ahead", "Ahead of an even pace"
    ON = "on", "On an even pace"
    BEHIND = "behind", "Behind an even pace"


TOLERANCE = Fraction(1, 10)
"""Within a tenth of what was bought counts as even."""


@dataclass(frozen=True, slots=True)
class PaceStanding:
    """What an even pace would have used by now, and how far use is from it (negative: too little)."""

    pace: Pace
    even: Minutes
    difference: Minutes

    def sentence(self, unit: Minutes, unit_name: str) -> str:
        """Say it in days or hours.

        >>> standing(Minutes(888), Minutes(4440), weeks_gone=20, weeks=40).sentence(Minutes(444), "day")
        'Behind an even pace by 3 days'
        """
        if self.pace is Pace.ON:
            return self.pace.title
        return f"{self.pace.title} by {counted(abs(self.difference).shown_in_units(unit), unit_name)}"


def standing(used: Minutes, bought: Minutes, *, weeks_gone: int, weeks: int) -> PaceStanding:
    """Compare what is used with an even pace after some of the year's school weeks.

    >>> standing(Minutes(2220), Minutes(4440), weeks_gone=20, weeks=40).pace.value
    'on'
    """
    gone = Fraction(min(max(weeks_gone, 0), weeks), weeks) if weeks > 0 else Fraction(1)
    even = Minutes(int(bought.minutes * gone))
    difference = used - even
    allowed = TOLERANCE * bought.minutes
    if abs(difference.minutes) <= allowed:
        return PaceStanding(Pace.ON, even, difference)
    return PaceStanding(Pace.AHEAD if difference.minutes > 0 else Pace.BEHIND, even, difference)
