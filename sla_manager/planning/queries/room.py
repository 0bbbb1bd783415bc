"""Whether there is room for a purchase, and who else counts on the same weeks."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.models import Agreement
from sla_manager.agreements.queries import agreement as whole_agreement
from sla_manager.agreements.shares import read_shares
from sla_manager.kernel.minutes import Minutes, total_minutes
from sla_manager.kernel.money import apportion
from sla_manager.kernel.periods import FinancialYear, Period, financial_years, months_weight
from sla_manager.kernel.words import counted
from sla_manager.people.queries import the_provider
from sla_manager.planning.models import CapacityDecision
from sla_manager.planning.queries.capacity import PlannedCapacity, asked_of, capacity
from sla_manager.planning.rules.capacity import Promised, Room, Standing, room_in


@dataclass(frozen=True, slots=True)
class Affected:
    """A school that counts on time in a term that is too tight, and how much it bought there."""

    term: str
    school: str
    minutes: Minutes


@dataclass(frozen=True, slots=True)
class OrderRoom:
    """What a purchase asks of each financial year, whether it is there, and who is affected where it is not."""

    years: tuple[Room, ...]
    affected: tuple[Affected, ...]
    day_length: Minutes

    @property
    def is_known(self) -> bool:
        """Whether there are officers in every year that it touches."""
        return all(one.known for one in self.years)

    @property
    def asked(self) -> Minutes:
        """All the time that is asked for."""
        return total_minutes(one.whole.asked for one in self.years)

    @property
    def free(self) -> Minutes:
        """What was free before it, of the year or of the terms that bound it."""
        return total_minutes(one.tightest.free for one in self.years)

    @property
    def over(self) -> Minutes:
        """By how much it is too much; nothing means that there is room."""
        return total_minutes(one.over for one in self.years)

    @property
    def sentence(self) -> str:
        """Say how it stands: "9 days are asked for in 2025-26, where 2 days are free: 7 days over."."""
        found = []
        for one in self.years:
            if one.over:
                bound = one.tightest
                found.append(
                    f"{self._are(bound.asked)} asked for in {bound.name}, where {self._standing(bound.free)}: "
                    f"{self.days(one.over)} over."
                )
        return " ".join(found)

    def _standing(self, free: Minutes) -> str:
        if free < Minutes(0):
            return f"{self.days(-free)} too much {'is' if self.days(-free) == '1 day' else 'are'} promised already"
        return f"{self._are(free)} free"

    def _are(self, minutes: Minutes) -> str:
        said = self.days(minutes)
        return f"{said} {'is' if said == '1 day' else 'are'}"

    def days(self, minutes: Minutes) -> str:
        """Say a time in days of the service."""
        return counted(minutes.shown_in_units(self.day_length), "day").replace("-", "−")


def room_for(
    session: Session, service_id: int, starts_on: date, ends_on: date, minutes: Minutes, today: date
) -> OrderRoom:
    """Return whether a service has room for some time between two days (both included). Nothing is stored.

    Time over several financial years is cut by months, as an agreement's is.
    """
    start_month = the_provider(session).financial_year_start_month
    period = Period.through(starts_on, ends_on)
    years = financial_years(period, start_month=start_month)
    inside = [part for part in (period.overlap(year.period) for year in years) if part is not None]
    parts = apportion(minutes.minutes, [months_weight(part) for part in inside])
    asked: dict[FinancialYear, list[tuple[Minutes, date, date]]] = {
        year: [
            (
                Minutes(part),
                part_of.start if today > part_of.last else max(part_of.start, today),
                part_of.last,
            )
        ]
        for year, part_of, part in zip(years, inside, parts, strict=True)
        if part
    }
    return _room(session, service_id, asked, today=today, besides=None)


def order_room(session: Session, agreement_id: int, *, today: date) -> OrderRoom:
    """Return whether there is room for an order (or a quote) as it stands, before it is accepted."""
    found = whole_agreement(session, agreement_id)
    start_month = the_provider(session).financial_year_start_month
    firsts = sorted({share.year for line in found.lines for share in read_shares(line.year_shares)})
    asked = {}
    for first in firsts:
        year = FinancialYear(first, start_month)
        parts = list(asked_of(found, year, today=today))
        if parts:
            asked[year] = parts
    return _room(session, found.service_id, asked, today=today, besides=found)


def decision_of(session: Session, agreement_id: int) -> CapacityDecision | None:
    """Return why an agreement was accepted beyond capacity, or None: it fitted."""
    return session.scalar(select(CapacityDecision).where(CapacityDecision.agreement_id == agreement_id))


def _room(
    session: Session,
    service_id: int,
    asked: dict[FinancialYear, list[tuple[Minutes, date, date]]],
    *,
    today: date,
    besides: Agreement | None,
) -> OrderRoom:
    rooms, affected, day = [], list[Affected](), Minutes(1)
    for year, parts in asked.items():
        planned = capacity(session, service_id, year, today=today)
        day = planned.year.facts.settings.day_length
        room = room_in(
            planned.year,
            total_minutes(minutes for minutes, _, _ in parts),
            first=min(first for _, first, _ in parts),
            last=max(last for _, _, last in parts),
        )
        rooms.append(room)
        affected += _affected(planned, room, besides)
    return OrderRoom(tuple(rooms), tuple(affected), day)


def _affected(planned: PlannedCapacity, room: Room, besides: Agreement | None) -> list[Affected]:
    """Return the schools with sold time in the terms that are too tight, the most first."""
    if not room.over:
        return []
    tight = {one.name for one in room.tight}
    found = defaultdict[tuple[str, str], int](int)
    for term in planned.year.terms:
        for share in term.shares:
            if term.stretch.name in tight and _counts(share.promised, besides):
                found[term.stretch.name, share.promised.school] += share.minutes.minutes
    return [
        Affected(term, school, Minutes(minutes))
        for (term, school), minutes in sorted(found.items(), key=lambda one: (-one[1], one[0]))
    ]


def _counts(promised: Promised, besides: Agreement | None) -> bool:
    return promised.standing is Standing.SOLD and (besides is None or promised.agreement_id != besides.id)
