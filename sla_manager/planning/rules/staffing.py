"""Officers' time: what their patterns give on school days, and what keeps them away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from fractions import Fraction

from sla_manager.kernel.clock import elapsed, london_time
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.periods import ONE_DAY

Hours = tuple[Minutes, Minutes]
"""When a working day begins and ends, in minutes after midnight, London."""


@dataclass(frozen=True, slots=True)
class Away:
    """When an officer is not available, and why: leave, sickness, training, supervision, court."""

    why: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class OfficerTime:
    """An officer: her working pattern by weekday (0 is Monday), her employment, what keeps her away."""

    name: str
    pattern: Mapping[int, Hours]
    starts_on: date
    ends_on: date | None = None
    away: Sequence[Away] = field(default=())


@dataclass(frozen=True, slots=True)
class Attendance:
    """The time of officers on some days: what their patterns give, and of it what is lost, by reason."""

    working: Minutes
    lost: Mapping[str, Minutes]


def counted(hours: Hours, day_length: Minutes) -> Minutes:
    """Return what one day of a pattern counts: its own length, at most a service's day (the rest is breaks).

    >>> counted((Minutes(540), Minutes(1020)), Minutes(444)), counted((Minutes(540), Minutes(780)), Minutes(444))
    (Minutes(minutes=444), Minutes(minutes=240))
    """
    return min(hours[1] - hours[0], day_length)


def attendance(officers: Iterable[OfficerTime], days: Sequence[date], day_length: Minutes) -> Attendance:
    """Return what officers give on some days. An absence takes the part of the day that it covers, once.

    Where two absences cover the same time, the first takes it.
    """
    working, lost = 0, dict[str, int]()
    for officer in officers:
        for day in days:
            hours = officer.pattern.get(day.weekday())
            if (
                hours is None
                or day < officer.starts_on
                or (officer.ends_on is not None and day > officer.ends_on)
            ):
                continue
            whole = counted(hours, day_length).minutes
            working += whole
            left = whole
            for absence in officer.away:
                taken = min(_covered(absence, day, hours, whole), left)
                if taken:
                    lost[absence.why] = lost.get(absence.why, 0) + taken
                    left -= taken
    return Attendance(Minutes(working), {why: Minutes(minutes) for why, minutes in lost.items()})


def _covered(absence: Away, day: date, hours: Hours, whole: int) -> int:
    """Return the part of a day's counted time that an absence covers, in its proportion of the hours."""
    if not absence.starts_at.date() - ONE_DAY <= day <= absence.ends_at.date() + ONE_DAY:
        return 0
    begins, ends = _instant(day, hours[0]), _instant(day, hours[1])
    start, end = max(begins, absence.starts_at), min(ends, absence.ends_at)
    if end <= start:
        return 0
    share = Fraction(elapsed(start, end).minutes, elapsed(begins, ends).minutes)
    return int(share * whole + Fraction(1, 2))


def _instant(day: date, minutes: Minutes) -> datetime:
    at = min(minutes.minutes, 1439)
    return london_time(day, time(at // 60, at % 60))
