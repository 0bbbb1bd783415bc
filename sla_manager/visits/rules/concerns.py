"""What stands against a visit: some things forbid it, others only warn and may be overruled by the planner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sla_manager.kernel.clock import LONDON
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.working_days import Holidays, is_working_day
from sla_manager.visits.rules.slots import Slot

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing that stands against a visit. `forbids`: nobody may overrule it."""

    rule: str
    message: str
    forbids: bool = False


@dataclass(frozen=True, slots=True)
class Away:
    """When an officer is not available, and why."""

    kind: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Days:
    """A run of days, both included, with its name: a term, a half-term, a closure."""

    name: str
    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known about the officer, the school and the calendar on the day of a visit."""

    officer: str
    employed_from: date
    employed_until: date | None
    pattern: Mapping[int, tuple[Minutes, Minutes]]
    away: Sequence[Away]
    school: str
    school_closed_on: date | None
    closures: Sequence[Days]
    terms: Sequence[Days]
    half_terms: Sequence[Days]
    holidays: Holidays


class VisitForbidden(Refused):
    """Something forbids this visit; nobody may overrule it."""

    def __init__(self, concerns: Sequence[Concern]) -> None:
        self.concerns = tuple(concerns)
        super().__init__(" ".join(concern.message for concern in concerns), field="day")


class VisitNeedsConfirming(Refused):
    """Something speaks against this visit; whoever plans it may say “plan anyway”."""

    def __init__(self, concerns: Sequence[Concern]) -> None:
        self.concerns = tuple(concerns)
        said = " ".join(concern.message for concern in concerns)
        super().__init__(f"{said} Choose another time, or choose “plan anyway”.", field="anyway")


def concerns(slot: Slot, around: Surroundings) -> tuple[Concern, ...]:
    """Return everything that stands against a visit, what forbids it first."""
    return (*_forbidding(slot, around), *_warning(slot, around))


def allow(found: Sequence[Concern], *, anyway: bool) -> None:
    """Refuse what is forbidden, and what is warned about unless the planner said “plan anyway”."""
    forbidding = [concern for concern in found if concern.forbids]
    if forbidding:
        raise VisitForbidden(forbidding)
    if found and not anyway:
        raise VisitNeedsConfirming(found)


def _forbidding(slot: Slot, around: Surroundings) -> list[Concern]:
    found = []
    day = f"{slot.day:%-d %B %Y}"
    if slot.day < around.employed_from:
        found.append(
            Concern("not_started", f"{around.officer} starts on {around.employed_from:%-d %B %Y}.", True)
        )
    if around.employed_until is not None and slot.day > around.employed_until:
        found.append(
            Concern("leaver", f"{around.officer} leaves on {around.employed_until:%-d %B %Y}.", True)
        )
    for away in around.away:
        if away.starts_at < slot.ends_at and slot.starts_at < away.ends_at:
            found.append(Concern("absent", f"{around.officer} is away on {day} ({away.kind}).", True))
            break
    if around.school_closed_on is not None and slot.day >= around.school_closed_on:
        found.append(
            Concern("school_closed", f"{around.school} closed on {around.school_closed_on:%-d %B %Y}.", True)
        )
    return found


def _warning(slot: Slot, around: Surroundings) -> list[Concern]:
    found = []
    day = f"{slot.day:%-d %B %Y}"
    if not is_working_day(slot.day, around.holidays):
        why = "a weekend" if slot.day.weekday() >= 5 else "a bank holiday"
        found.append(Concern("not_a_working_day", f"{day} is {why}."))
    elif not _inside_pattern(slot, around.pattern):
        found.append(
            Concern(
                "outside_pattern",
                f"{around.officer} does not work at that time on a {WEEKDAYS[slot.day.weekday()]}"
                f"{_hours_words(around.pattern.get(slot.day.weekday()))}.",
            )
        )
    closure = next((closure for closure in around.closures if slot.day in closure), None)
    if closure is not None:
        found.append(Concern("school_shut", f"{around.school} is closed on {day} ({closure.name})."))
    elif around.terms and not any(slot.day in term for term in around.terms):
        found.append(Concern("outside_term", f"{day} is outside the school terms."))
    elif any(slot.day in half_term for half_term in around.half_terms):
        found.append(Concern("half_term", f"{day} is in half term."))
    return found


def _inside_pattern(slot: Slot, pattern: Mapping[int, tuple[Minutes, Minutes]]) -> bool:
    hours = pattern.get(slot.day.weekday())
    if hours is None:
        return False
    starts, ends = slot.starts_at.astimezone(LONDON), slot.ends_at.astimezone(LONDON)
    return (
        hours[0].minutes <= starts.hour * 60 + starts.minute
        and ends.hour * 60 + ends.minute <= hours[1].minutes
    )


def _hours_words(hours: tuple[Minutes, Minutes] | None) -> str:
    if hours is None:
        return ""
    first, last = (f"{minutes.minutes // 60}:{minutes.minutes % 60:02d}" for minutes in hours)
    return f" (hours {first} to {last})"
