"""When a visit is: a day, a half of it, or exact times in London, and how much time it books."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sla_manager.kernel.clock import london_time
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.titles import Titled

ONE_MINUTE = timedelta(minutes=1)


class Part(Titled):
    """Which part of a day a visit takes."""

    DAY = "day", "Whole day"
    MORNING = "morning"
    AFTERNOON = "afternoon"
    TIMES = "times", "Exact times"


class NoTimesGiven(Refused):
    """Exact times need a start and an end."""

    def __init__(self) -> None:
        super().__init__("Enter when the visit starts and ends, like 9:30am and 12:00pm.", field="starts")


class EndsBeforeItStarts(Refused):
    """A visit ends after it starts, on the same day."""

    def __init__(self, starts: time, ends: time) -> None:
        super().__init__(
            f"A visit from {clock_time(starts)} cannot end at {clock_time(ends)}. Enter a later end on the same day.",
            field="ends",
        )


class NotWholeDay(Refused):
    """Half of a day must be whole minutes."""

    def __init__(self, length: Minutes) -> None:
        super().__init__(
            f"Half of {length.hours_and_minutes()} is not whole minutes. Enter exact times.", field="part"
        )


@dataclass(frozen=True, slots=True)
class Slot:
    """A stretch of an officer's diary, and the time that it books of what was bought."""

    day: date
    starts_at: datetime
    ends_at: datetime
    booked: Minutes


def clock_time(of_day: time) -> str:
    """Say a time of day.

    >>> clock_time(time(9, 30)), clock_time(time(12, 0)), clock_time(time(0, 15))
    ('9:30am', '12:00pm', '12:15am')
    """
    return f"{(of_day.hour - 1) % 12 + 1}:{of_day.minute:02d}{'am' if of_day.hour < 12 else 'pm'}"


def length(starts_at: datetime, ends_at: datetime) -> Minutes:
    """Return the whole minutes between two instants."""
    return Minutes((ends_at - starts_at) // ONE_MINUTE)


def exact_slot(day: date, starts: time | None, ends: time | None) -> Slot:
    """Return a visit at exact London times; its length is what a clock in the room would measure.

    Across the change of clocks an hour is missing or comes twice: 00:30 to 02:30 is 60 minutes on 29 March 2026
    and 180 minutes on 25 October 2026.

    >>> exact_slot(date(2026, 3, 29), time(0, 30), time(2, 30)).booked
    Minutes(minutes=60)
    >>> exact_slot(date(2026, 10, 25), time(0, 30), time(2, 30)).booked
    Minutes(minutes=180)
    """
    if starts is None or ends is None:
        raise NoTimesGiven()
    starts_at, ends_at = london_time(day, starts), london_time(day, ends)
    if ends_at <= starts_at:
        raise EndsBeforeItStarts(starts, ends)
    return Slot(day, starts_at, ends_at, length(starts_at, ends_at))


def slot(
    day: date,
    part: Part,
    *,
    hours: tuple[Minutes, Minutes],
    day_length: Minutes | None = None,
    starts: time | None = None,
    ends: time | None = None,
) -> Slot:
    """Return the slot of a visit.

    `hours` are the officer's that day (minutes after midnight, London); a half ends or begins in the middle of
    them. `day_length` is the offering's day, when days were bought: a whole day books exactly it, a half day
    half of it, whatever the officer's hours are. Without it the length of the slot is booked.

    >>> slot(date(2025, 11, 4), Part.MORNING, hours=(Minutes(540), Minutes(1020)), day_length=Minutes(444)).booked
    Minutes(minutes=222)
    """
    if part is Part.TIMES:
        return exact_slot(day, starts, ends)
    first, last = hours[0].minutes, hours[1].minutes
    middle = (first + last) // 2
    if part is Part.MORNING:
        last = middle
    elif part is Part.AFTERNOON:
        first = middle
    taken = exact_slot(day, time(first // 60, first % 60), time(min(last, 1439) // 60, min(last, 1439) % 60))
    if day_length is None:
        return taken
    if part is Part.DAY:
        return Slot(day, taken.starts_at, taken.ends_at, day_length)
    if day_length.minutes % 2:
        raise NotWholeDay(day_length)
    return Slot(day, taken.starts_at, taken.ends_at, Minutes(day_length.minutes // 2))
