"""The capacity guard: what officers have time for once the free core offer is kept, and what is sold of it.

Sellable = officers' working days in term − leave − sickness − training − supervision − the core reserve (targeting
support meetings with their preparation, court, duty rota, statutory audits). Free = sellable − sold. Source:
Department for Education, trading with schools: a council trades only where the core offer does not suffer.

Everything is whole minutes; a stated day length says how many make a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from enum import StrEnum
from functools import reduce
from operator import add

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes, total_minutes
from sla_manager.kernel.money import apportion
from sla_manager.kernel.periods import FinancialYear
from sla_manager.planning.rules.school_time import Stretch, placed, spread
from sla_manager.planning.rules.staffing import OfficerTime, attendance

NONE = Minutes(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Where officers' time goes, in a term or in a year."""

    working: Minutes = NONE
    leave: Minutes = NONE
    sickness: Minutes = NONE
    training: Minutes = NONE
    supervision: Minutes = NONE
    meetings: Minutes = NONE
    court: Minutes = NONE
    duty_rota: Minutes = NONE
    audits: Minutes = NONE
    sold: Minutes = NONE
    waiting: Minutes = NONE
    quoted: Minutes = NONE

    def __add__(self, other: Figures) -> Figures:
        return Figures(**{name: getattr(self, name) + getattr(other, name) for name in NAMES})

    @property
    def away(self) -> Minutes:
        """Leave, sickness, training and supervision."""
        return self.leave + self.sickness + self.training + self.supervision

    @property
    def core(self) -> Minutes:
        """The core reserve: meetings, court, duty rota, statutory audits."""
        return self.meetings + self.court + self.duty_rota + self.audits

    @property
    def sellable(self) -> Minutes:
        """What may be sold at all. Below nothing the core offer itself is short of time.

        >>> day = lambda days: Minutes(444 * days)
        >>> whole = Figures(working=day(195), training=day(5), meetings=day(60), supervision=day(5), court=day(10))
        >>> whole.sellable == day(115)
        True
        """
        return self.working - self.away - self.core

    @property
    def free(self) -> Minutes:
        """What is left to sell."""
        return self.sellable - self.sold

    @property
    def free_after_waiting(self) -> Minutes:
        """What would be left if every order that waits were accepted."""
        return self.free - self.waiting


NAMES = tuple(one.name for one in fields(Figures))


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacitySettings:
    """What the core offer and the service itself need in a financial year. Times are of all officers together.

    `meeting` is one targeting support meeting with its preparation; every school has one in each term.
    """

    day_length: Minutes
    meeting: Minutes
    schools: int
    court: Minutes = NONE
    duty_rota: Minutes = NONE
    audits: Minutes = NONE
    supervision: Minutes = NONE
    training: Minutes = NONE
    planned_leave: Minutes = NONE


class Standing(StrEnum):
    """How firmly time is promised."""

    SOLD = "sold"
    WAITING = "waiting"
    QUOTED = "quoted"


@dataclass(frozen=True, slots=True)
class Promised:
    """Time of one agreement, order or quote in a financial year, and the days on which it can be given."""

    standing: Standing
    agreement_id: int
    reference: str
    school: str
    minutes: Minutes
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class MoreOfficers:
    """A thought: so many full-time officers more (or fewer, below nothing) from a day on."""

    count: int
    first: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityFacts:
    """Everything that a year's capacity stands on."""

    year: FinancialYear
    stretches: tuple[Stretch, ...]
    officers: tuple[OfficerTime, ...]
    settings: CapacitySettings
    promised: tuple[Promised, ...] = ()
    more_officers: MoreOfficers | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """What one agreement, order or quote takes of one term."""

    promised: Promised
    minutes: Minutes


@dataclass(frozen=True, slots=True)
class TermCapacity:
    """A term's figures, and what is promised in it."""

    stretch: Stretch
    figures: Figures
    shares: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class YearCapacity:
    """A financial year: its terms, and the time that is promised for days outside every term."""

    facts: CapacityFacts
    terms: tuple[TermCapacity, ...]
    elsewhere: Figures

    @property
    def whole(self) -> Figures:
        """The year's figures: the sum of its terms and of what falls outside them."""
        return reduce(add, (term.figures for term in self.terms), self.elsewhere)

    @property
    def ahead(self) -> Figures:
        """The figures of what is still to come: what was not sold of the weeks that are over is gone."""
        to_come = (term.figures for term in self.terms if not term.stretch.past)
        return reduce(add, to_come, self.elsewhere)

    @property
    def has_begun(self) -> bool:
        """Whether a part of it is over."""
        return any(term.stretch.past for term in self.terms)

    @property
    def is_known(self) -> bool:
        """Whether there are officers with working patterns and weeks to come; without them nothing can be said."""
        return bool(self.whole.working) and not all(term.stretch.past for term in self.terms)


def year_capacity(facts: CapacityFacts) -> YearCapacity:
    """Work a year's capacity out.

    Planned time for leave, training, supervision and court is a year's allowance: what is in the diary counts in
    its own term, and what is not booked yet is spread evenly over the school days. Sold time is laid evenly on the
    school days of the agreement; only what is counted in time counts.
    """
    parts, settings = facts.stretches, facts.settings
    present = [attendance(facts.officers, part.days, settings.day_length) for part in parts]
    allowances = {
        "leave": settings.planned_leave,
        "training": settings.training,
        "supervision": settings.supervision,
        "court": settings.court,
    }
    columns: dict[str, Sequence[Minutes]] = {
        "working": [one.working + more for one, more in zip(present, _more(facts), strict=True)],
        "sickness": [one.lost.get("sickness", NONE) for one in present],
        "meetings": meeting_reserve(parts, settings),
        "duty_rota": spread(settings.duty_rota, parts),
        "audits": spread(settings.audits, parts),
    }
    for name, allowance in allowances.items():
        booked = [one.lost.get(name, NONE) for one in present]
        rest = spread(max(allowance - total_minutes(booked), NONE), parts)
        columns[name] = [own + more for own, more in zip(booked, rest, strict=True)]
    shares, outside = _laid(facts)
    for standing in Standing:
        columns[standing.value] = [
            total_minutes(one.minutes for one in part if one.promised.standing is standing) for part in shares
        ]
    terms = tuple(
        TermCapacity(
            part, Figures(**{name: column[index] for name, column in columns.items()}), shares[index]
        )
        for index, part in enumerate(parts)
    )
    return YearCapacity(facts, terms, outside)


def meeting_reserve(parts: Sequence[Stretch], settings: CapacitySettings) -> tuple[Minutes, ...]:
    """Return the time that the targeting support meetings of each term need: one a school.

    A term that the year's end cuts is shared by its school days, to the minute.
    """
    term = settings.schools * settings.meeting.minutes
    found = []
    for part in parts:
        inside = len(part.days)
        if part.assumed:
            found.append(Minutes((2 * term * inside + part.of_term) // (2 * part.of_term)))
        else:
            found.append(Minutes(apportion(term, [inside, part.of_term - inside])[0]))
    return tuple(found)


def _more(facts: CapacityFacts) -> tuple[Minutes, ...]:
    thought, day = facts.more_officers, facts.settings.day_length
    if thought is None:
        return tuple(NONE for _ in facts.stretches)
    return tuple(
        Minutes(thought.count * day.minutes * sum(one >= thought.first for one in part.days))
        for part in facts.stretches
    )


def _laid(facts: CapacityFacts) -> tuple[list[tuple[Share, ...]], Figures]:
    """Lay everything that is promised on the terms; the second is what falls on no school day."""
    laid: list[list[Share]] = [[] for _ in facts.stretches]
    outside = Figures()
    for one in facts.promised:
        parts, rest = placed(one.minutes, facts.stretches, first=one.first, last=one.last)
        for index, minutes in enumerate(parts):
            if minutes:
                laid[index].append(Share(one, minutes))
        outside += Figures(**{one.standing.value: rest})
    return [tuple(part) for part in laid], outside


@dataclass(frozen=True, slots=True)
class TermRoom:
    """A term: what is asked of it, and what was free before."""

    name: str
    asked: Minutes
    free: Minutes

    @property
    def over(self) -> Minutes:
        """By how much the asked time is beyond the free time; nothing where nothing is asked."""
        return max(self.asked - self.free, NONE) if self.asked.minutes > 0 else NONE


@dataclass(frozen=True, slots=True)
class Room:
    """What a purchase asks of a financial year, and whether it is there. `known` is false without officers.

    It fits when the rest of the year has the time, and the terms that it covers have it together: within its own dates
    its time can move.
    """

    year: FinancialYear
    terms: tuple[TermRoom, ...]
    whole: TermRoom
    day_length: Minutes
    known: bool

    @property
    def covered(self) -> TermRoom:
        """The terms that it covers, together; time that is missing in one is not made up by another."""
        names = " and ".join(one.name for one in self.terms)
        free = total_minutes(max(one.free, NONE) for one in self.terms)
        return TermRoom(names, total_minutes(one.asked for one in self.terms), free)

    @property
    def tightest(self) -> TermRoom:
        """What bounds it: the whole year, or the terms that it covers."""
        return self.whole if self.whole.over >= self.covered.over else self.covered

    @property
    def over(self) -> Minutes:
        """By how much it is too much.

        >>> two, nine, year = Minutes(2 * 444), Minutes(9 * 444), FinancialYear(2025)
        >>> spring = TermRoom("Spring", nine, two)
        >>> Room(year, (spring,), TermRoom("2025-26", nine, two), Minutes(444), True).over == Minutes(7 * 444)
        True
        """
        return self.tightest.over if self.known else NONE

    @property
    def tight(self) -> tuple[TermRoom, ...]:
        """The terms in which it is too much, when it is: those without the time that falls on them, else all."""
        if not self.over:
            return ()
        return tuple(one for one in self.terms if one.over) or self.terms


def room_in(year: YearCapacity, wanted: Minutes, *, first: date, last: date) -> Room:
    """Return whether a year has room for some time between two days, both included."""
    parts, _ = placed(wanted, year.facts.stretches, first=first, last=last)
    terms = tuple(
        TermRoom(term.stretch.name, asked, term.figures.free)
        for term, asked in zip(year.terms, parts, strict=True)
        if asked
    )
    name = f"the rest of {year.facts.year}" if year.has_begun else str(year.facts.year)
    whole = TermRoom(name, wanted, year.ahead.free)
    return Room(year.facts.year, terms, whole, year.facts.settings.day_length, year.is_known)


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """A thought about a year: sell more (in one term, or evenly), other officers, other schools."""

    sell: Minutes = NONE
    sell_in: str | None = None
    officers: int = 0
    officers_from: date | None = None
    schools: int = 0

    @property
    def is_nothing(self) -> bool:
        """Whether nothing would be different."""
        return not (self.sell or self.officers or self.schools)


def thought(facts: CapacityFacts, what: WhatIf) -> CapacityFacts:
    """Return the facts as they would be. Nothing is stored."""
    if facts.settings.schools + what.schools < 0:
        raise Refused(
            f"You have {facts.settings.schools} schools, so there cannot be that many fewer.", field="schools"
        )
    if len(facts.officers) + what.officers < 0:
        raise Refused(
            f"You have {len(facts.officers)} officers, so there cannot be that many fewer.", field="officers"
        )
    period = facts.year.period
    promised = facts.promised
    if what.sell:
        to_come = [one for one in facts.stretches if not one.past]
        chosen = next((one for one in to_come if one.name == what.sell_in), None)
        if what.sell_in and chosen is None:
            raise Refused("Choose one of the terms that are still to come.", field="sell_in")
        first = (
            chosen.period.start
            if chosen
            else min((one.period.start for one in to_come), default=period.start)
        )
        last = chosen.period.last if chosen else period.last
        promised += (Promised(Standing.SOLD, 0, "", "What if", what.sell, first, last),)
    settings = replace(facts.settings, schools=facts.settings.schools + what.schools)
    officers = MoreOfficers(what.officers, what.officers_from or period.start) if what.officers else None
    return replace(facts, promised=promised, settings=settings, more_officers=officers)
