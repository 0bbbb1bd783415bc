"""School time: the days on which schools are open, cut by term and financial year."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Protocol

from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import apportion
from sla_manager.kernel.periods import Period
from sla_manager.kernel.working_days import Holidays, is_working_day

LONGEST_HOLIDAY = timedelta(weeks=8)
USUAL_HOLIDAYS = (
    ((1, 1), (1, 3)), ((2, 14), (2, 21)), ((4, 1), (4, 14)), ((5, 25), (5, 31)),
    ((7, 21), (8, 31)), ((10, 24), (10, 31)), ((12, 20), (12, 31)),
)  # fmt: skip
"""The first and last (month, day) of school holidays in most years, for time whose terms are not entered."""
USUAL_TERM = 65
"""School days of a usual term: 195 a year in three terms."""


class TermDates(Protocol):
    """A school term: its name, first and last day and half-term's, all included."""

    @property
    def name(self) -> str: ...
    @property
    def starts_on(self) -> date: ...
    @property
    def ends_on(self) -> date: ...
    @property
    def half_term_starts_on(self) -> date | None: ...
    @property
    def half_term_ends_on(self) -> date | None: ...


@dataclass(frozen=True, slots=True)
class Stretch:
    """The part of a term that lies in one financial year, with its school days in order.

    `of_term` is how many school days the whole term has: a term that the year's end cuts is shared by them.
    `assumed` is time whose terms nobody has entered yet: its days are weekdays outside the usual holidays.
    """

    name: str
    period: Period
    days: tuple[date, ...]
    of_term: int
    assumed: bool = False
    past: bool = False
    """Whether it is over: what was not sold of it cannot be sold any more."""

    @property
    def weeks(self) -> int:
        """How many weeks, Monday to Friday, have at least one of its school days."""
        return len({day - timedelta(days=day.weekday()) for day in self.days})

    def days_in(self, first: date, last: date) -> int:
        """Count its school days from one day to another, both included."""
        return sum(first <= day <= last for day in self.days)


def stretches(
    terms: Sequence[TermDates], year: Period, holidays: Holidays, *, today: date | None = None
) -> tuple[Stretch, ...]:
    """Return the terms of a financial year in order; a term that the year's end cuts lies in it with its part.

    Time whose terms are not entered is assumed, so that a year that is half entered is not sold out too early.
    With `today`, a running term is cut into what is over and what is to come.
    """
    found = [_assumed(gap, holidays) for gap in unknown_time(terms, year)]
    for term in terms:
        whole = Period.through(term.starts_on, term.ends_on)
        inside = whole.overlap(year)
        if inside is None:
            continue
        every = _school_days(term, holidays)
        days = tuple(day for day in every if day in inside)
        if days:
            cut = "" if inside == whole else f", {_named(inside)}"
            found.append(Stretch(term.name + cut, inside, days, len(every)))
    parts = found if today is None else [part for one in found for part in _cut(one, today)]
    return tuple(sorted((one for one in parts if one.days), key=lambda one: one.period))


def unknown_time(terms: Iterable[TermDates], year: Period) -> tuple[Period, ...]:
    """Return the parts of a year in which no term is entered, when they are long enough to hide one.

    Eight weeks are a long summer's holiday: only what is longer can hide a term.
    """
    inside = [Period.through(term.starts_on, term.ends_on).overlap(year) for term in terms]
    known = sorted(one for one in inside if one is not None)
    if not known:
        return (year,)
    gaps = [(year.start, known[0].start), (known[-1].end, year.end)]
    gaps += [(before.end, after.start) for before, after in itertools.pairwise(known)]
    return tuple(sorted(Period(start, end) for start, end in gaps if (end - start) > LONGEST_HOLIDAY))


def placed(
    minutes: Minutes, parts: Sequence[Stretch], *, first: date, last: date
) -> tuple[tuple[Minutes, ...], Minutes]:
    """Lay time evenly on the school days from one day to another; the second figure fell on no school day.

    The parts add up: largest remainder, ties to the earliest.
    """
    weights = [part.days_in(first, last) for part in parts]
    if not any(weights):
        return tuple(Minutes(0) for _ in parts), minutes
    return tuple(Minutes(part) for part in apportion(minutes.minutes, weights)), Minutes(0)


def spread(minutes: Minutes, parts: Sequence[Stretch]) -> tuple[Minutes, ...]:
    """Lay time of a whole year evenly on its school days."""
    if not parts:
        return ()
    return tuple(Minutes(part) for part in apportion(minutes.minutes, [len(part.days) for part in parts]))


def _school_days(term: TermDates, holidays: Holidays) -> tuple[date, ...]:
    away, back = term.half_term_starts_on, term.half_term_ends_on
    days = (
        term.starts_on + timedelta(days=offset) for offset in range((term.ends_on - term.starts_on).days + 1)
    )
    return tuple(
        day
        for day in days
        if is_working_day(day, holidays)
        and not (away is not None and back is not None and away <= day <= back)
    )


def _cut(one: Stretch, today: date) -> tuple[Stretch, ...]:
    if today <= one.period.start:
        return (one,)
    if today > one.period.last:
        return (replace(one, past=True),)
    before, after = Period(one.period.start, today), Period(today, one.period.end)
    gone = tuple(day for day in one.days if day < today)
    to_come = tuple(day for day in one.days if day >= today)
    return (
        replace(one, name=f"{one.name}, so far", period=before, days=gone, past=True),
        replace(one, name=f"{one.name}, to come", period=after, days=to_come),
    )


def _assumed(gap: Period, holidays: Holidays) -> Stretch:
    every = (gap.start + timedelta(days=offset) for offset in range(gap.days))
    days = tuple(
        day
        for day in every
        if is_working_day(day, holidays)
        and not any(first <= (day.month, day.day) <= last for first, last in USUAL_HOLIDAYS)
    )
    return Stretch(f"Terms not entered, {_named(gap)}", gap, days, USUAL_TERM, assumed=True)


def _named(inside: Period) -> str:
    return f"{inside.start:%-d %b} to {inside.last:%-d %b}"
