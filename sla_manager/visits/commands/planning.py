"""Planning visits by hand: book, move, give to another officer."""

from __future__ import annotations

from datetime import date, datetime, time
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from sla_manager.agreements.commands import balance_locked
from sla_manager.agreements.models import Agreement, AgreementLine, Tranche
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.catalogue.rules.families import CoreDuty
from sla_manager.kernel.clock import LONDON
from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.words import long_date
from sla_manager.people.models import Officer, School
from sla_manager.store.audit import Actor, record
from sla_manager.visits import constraints as _sentences  # noqa: F401  (gives the database's rules their words)
from sla_manager.visits.commands.pooling import draw_from_pool, hold_pool
from sla_manager.visits.models import Cancellation, Visit, VisitStatus
from sla_manager.visits.queries.booked import booked
from sla_manager.visits.queries.diary import Pattern, patterns, surroundings, visit_in
from sla_manager.visits.rules.concerns import Concern, allow, concerns
from sla_manager.visits.rules.deliveries import checked_text
from sla_manager.visits.rules.slots import Part, Slot, clock_time, length, slot
from sla_manager.visits.rules.words import in_units


class JustTaken(Conflict):
    """Two people booked the same officer at the same moment; the database let one of them."""

    def __init__(self, officer: str, taken: Slot) -> None:
        super().__init__(
            f"That time was just taken: {officer} has another visit on {long_date(taken.day)} between "
            f"{clock_time(taken.starts_at.astimezone(LONDON).time())} and "
            f"{clock_time(taken.ends_at.astimezone(LONDON).time())}. Choose another time or another officer.",
            field="day",
        )


class NotEnoughFree(Refused):
    """More cannot be booked than was bought: free to book is the balance less what is booked."""

    def __init__(self, wanted: Minutes, balance: Minutes, already: Minutes, line: AgreementLine) -> None:
        free = balance - already
        super().__init__(
            f"This visit needs {in_units(wanted, line)}, and {in_units(free, line)} are free to book: "
            f"{in_units(balance, line)} left, {in_units(already, line)} booked. "
            "Book less, cancel another visit, or make a variation.",
            field="line",
        )


class NothingBoughtThen(Refused):
    """The agreement has no time in the year and term of that day."""

    def __init__(self, line: AgreementLine, day: date) -> None:
        super().__init__(
            f"“{line.description}” does not cover {long_date(day)}: its term is {long_date(line.agreement.starts_on)} "
            f"to {long_date(line.agreement.ends_on)}. Choose a day in the term.",
            field="day",
        )


class EndsEarlier(Refused):
    """Nothing is planned after an agreement's early end."""

    def __init__(self, agreement: Agreement, last: date) -> None:
        super().__init__(
            f"{agreement.reference} ends early, on {long_date(last)}. Choose a day until then.", field="day"
        )


class NotBoughtByTheHour(Refused):
    """Some offerings are bought by the item: no time is counted for them."""

    def __init__(self, line: AgreementLine) -> None:
        super().__init__(
            f"“{line.description}” is bought by the {line.unit}, so no time is booked for it. Plan core work instead.",
            field="line",
        )


class NotInForce(Refused):
    """Visits are planned against an agreement that both sides accepted."""

    def __init__(self, agreement: Agreement) -> None:
        super().__init__(
            f"{agreement.reference} is {agreement.status.value}, not agreed. Accept the order first.",
            field="line",
        )


class AlreadySettled(Conflict):
    """Only a planned visit can be changed."""

    def __init__(self, visit: Visit) -> None:
        super().__init__(
            f"This visit is already {visit.status.value.replace('_', ' ')}, so it cannot be changed any more."
        )


class NotRearrangeable(Refused):
    """A visit stands in for a cancelled one of the same school."""

    def __init__(self) -> None:
        super().__init__(
            "Choose a cancelled visit of the same school that is not rearranged yet.", field="rearranges"
        )


def plan_visit(
    session: Session,
    *,
    officer_id: int,
    school_id: int,
    day: date,
    part: Part = Part.TIMES,
    starts: time | None = None,
    ends: time | None = None,
    duty: CoreDuty | None = None,
    line_id: int | None = None,
    purpose: str = "",
    note: str = "",
    rearranges_id: int | None = None,
    anyway: bool = False,
    by: Actor,
    at: datetime,
    once_key: str | None = None,
) -> Visit:
    """Book an officer for a school: core under a duty (a targeting support meeting unless said), or off a line.

    Refused: what forbids the visit; what is warned about unless `anyway`; more than is free to book; a time that
    was just taken. The same `once_key` again returns the visit that the first one made.
    """
    if once_key is not None:
        made = session.scalar(select(Visit).where(Visit.once_key == once_key))
        if made is not None:
            return made
    officer, school = _officer(session, officer_id), session.get(School, school_id)
    if school is None:
        raise NotFound()
    tranche = None if line_id is None else _tranche(session, line_id, day, officer, school)
    if tranche is None and duty is None:
        duty = CoreDuty.TARGETING_SUPPORT_MEETING
    if tranche is not None and duty is not None:
        raise Refused(
            "A visit is either free core work or against what was bought. Choose one.", field="line"
        )
    taken = slot_of(
        officer, patterns(session, [officer_id])[officer_id], day, part, tranche, starts=starts, ends=ends
    )
    allow(concerns(taken, surroundings(session, officer, school, day)), anyway=anyway)
    if tranche is not None:
        _check_free(session, tranche, taken.booked, day=day, by=by, at=at)
    if rearranges_id is not None:
        _check_rearranges(session, rearranges_id, school_id)
    visit = Visit(
        uid=f"{uuid4()}@visits.sla-manager",
        sequence=0,
        officer_id=officer_id,
        school_id=school_id,
        day=taken.day,
        starts_at=taken.starts_at,
        ends_at=taken.ends_at,
        status=VisitStatus.PLANNED,
        duty=duty,
        tranche_id=None if tranche is None else tranche.id,
        booked=taken.booked,
        purpose=checked_text(purpose, field="purpose"),
        note=checked_text(note, field="note"),
        rearranges_id=rearranges_id,
        planned_at=at,
        planned_by=by.name,
        changed_at=at,
        version=1,
        once_key=once_key,
    )
    session.add(visit)
    _keep(session, officer, taken)
    _record(
        session, "plan_visit", visit, f"Planned {officer.name} at {school.name} on {long_date(day)}.", by, at
    )
    return visit


def concerns_about(session: Session, *, officer_id: int, school_id: int, taken: Slot) -> tuple[Concern, ...]:
    """Return what stands against a visit, for the page that asks before it is planned."""
    return concerns(
        taken,
        surroundings(session, _officer(session, officer_id), session.get_one(School, school_id), taken.day),
    )


def move_visit(
    session: Session,
    visit_id: int,
    *,
    day: date,
    part: Part = Part.TIMES,
    starts: time | None = None,
    ends: time | None = None,
    anyway: bool = False,
    by: Actor,
    at: datetime,
) -> Visit:
    """Move a planned visit to another time. In another financial year it books that year's part of the line."""
    visit = _planned(session, visit_id)
    tranche = None
    if visit.tranche is not None:
        tranche = _tranche(session, visit.tranche.line_id, day, visit.officer, visit.school)
    pattern = patterns(session, [visit.officer_id])[visit.officer_id]
    taken = slot_of(visit.officer, pattern, day, part, tranche, starts=starts, ends=ends)
    if part is Part.TIMES and tranche is not None and length(taken.starts_at, taken.ends_at) == visit.length:
        taken = Slot(taken.day, taken.starts_at, taken.ends_at, visit.booked)
    allow(concerns(taken, surroundings(session, visit.officer, visit.school, day)), anyway=anyway)
    if tranche is not None:
        _check_free(session, tranche, taken.booked, but_not=visit.id, day=day, by=by, at=at)
        visit.tranche_id = tranche.id
    was = visit.day
    visit.day, visit.starts_at, visit.ends_at, visit.booked = (
        taken.day,
        taken.starts_at,
        taken.ends_at,
        taken.booked,
    )
    _changed(visit, at)
    _keep(session, visit.officer, taken)
    said = f"Moved the visit of {visit.officer.name} at {visit.school.name} from {long_date(was)} to {long_date(day)}."
    _record(session, "move_visit", visit, said, by, at)
    return visit


def reassign_visit(
    session: Session, visit_id: int, *, officer_id: int, anyway: bool = False, by: Actor, at: datetime
) -> Visit:
    """Give a planned visit to another officer of the service, at the same time."""
    visit = _planned(session, visit_id)
    officer = _officer(session, officer_id)
    if officer.service_id != visit.officer.service_id:
        raise NotFound()
    if officer.id == visit.officer_id:
        return visit
    taken = Slot(visit.day, visit.starts_at, visit.ends_at, visit.booked)
    allow(concerns(taken, surroundings(session, officer, visit.school, visit.day)), anyway=anyway)
    was = visit.officer.name
    visit.officer_id, visit.officer = officer.id, officer
    _changed(visit, at)
    _keep(session, officer, taken)
    said = f"Gave the visit at {visit.school.name} on {long_date(visit.day)} from {was} to {officer.name}."
    _record(session, "reassign_visit", visit, said, by, at)
    return visit


def slot_of(
    officer: Officer,
    pattern: Pattern,
    day: date,
    part: Part,
    tranche: Tranche | None,
    *,
    starts: time | None = None,
    ends: time | None = None,
) -> Slot:
    """Return the slot of a visit in an officer's day; a day bought by the day books exactly its length."""
    hours = pattern.get(day.weekday())
    if hours is None:
        hours = max(pattern.values(), key=lambda span: span[1].minutes - span[0].minutes, default=None)
    if hours is None and part is not Part.TIMES:
        raise Refused(
            f"{officer.name} has no working hours yet, so a day cannot be booked. Enter exact times.",
            field="part",
        )
    day_length = tranche.line.unit_minutes if tranche is not None and tranche.line.unit == "day" else None
    span = hours or (Minutes(0), Minutes(0))
    return slot(day, part, hours=span, day_length=day_length, starts=starts, ends=ends)


def planned_visit(session: Session, visit_id: int) -> Visit:
    """Return a visit that can still be changed, locked against others who change it."""
    return _planned(session, visit_id)


def _planned(session: Session, visit_id: int) -> Visit:
    session.execute(select(Visit.id).where(Visit.id == visit_id).with_for_update())
    visit = visit_in(session, visit_id)
    if visit.status is not VisitStatus.PLANNED:
        raise AlreadySettled(visit)
    return visit


def _officer(session: Session, officer_id: int) -> Officer:
    officer = session.scalar(
        select(Officer).where(Officer.id == officer_id).options(joinedload(Officer.service))
    )
    if officer is None:
        raise NotFound()
    return officer


def _tranche(session: Session, line_id: int, day: date, officer: Officer, school: School) -> Tranche:
    """Return the part of a line whose year and term hold the day; the line is this school's and service's."""
    line = session.scalar(
        select(AgreementLine).where(AgreementLine.id == line_id).options(joinedload(AgreementLine.agreement))
    )
    if (
        line is None
        or line.agreement.school_id != school.id
        or line.agreement.service_id != officer.service_id
    ):
        raise NotFound()
    if line.agreement.status is not AgreementStatus.AGREED:
        raise NotInForce(line.agreement)
    if line.agreement.ends_early_on is not None and day > line.agreement.ends_early_on:
        raise EndsEarlier(line.agreement, line.agreement.ends_early_on)
    tranche = session.scalar(
        select(Tranche)
        .where(Tranche.line_id == line_id, Tranche.starts_on <= day, Tranche.ends_on >= day)
        .options(joinedload(Tranche.line).joinedload(AgreementLine.agreement))
    )
    if tranche is None:
        raise NothingBoughtThen(line, day)
    if tranche.minutes is None:
        raise NotBoughtByTheHour(line)
    return tranche


def _check_free(
    session: Session,
    tranche: Tranche,
    wanted: Minutes,
    *,
    but_not: int | None = None,
    day: date,
    by: Actor,
    at: datetime,
) -> None:
    """Refuse more than is free to book; in a pool the partners' free time counts, and moves over at once."""
    hold_pool(session, tranche)
    balance = balance_locked(session, tranche.id).balance
    already = booked(session, [tranche.id], but_not=but_not)[tranche.id]
    balance += draw_from_pool(session, tranche, wanted - (balance - already), effective_on=day, by=by, at=at)
    if wanted > balance - already:
        raise NotEnoughFree(wanted, balance, already, tranche.line)


def _check_rearranges(session: Session, visit_id: int, school_id: int) -> None:
    cancelled = session.scalar(
        select(Cancellation)
        .join(Visit, Cancellation.visit_id == Visit.id)
        .where(Visit.id == visit_id, Visit.school_id == school_id, Visit.status == VisitStatus.CANCELLED)
    )
    standing_in = session.scalar(
        select(Visit.id)
        .where(Visit.rearranges_id == visit_id, Visit.status != VisitStatus.CANCELLED)
        .limit(1)
    )
    if cancelled is None or standing_in is not None:
        raise NotRearrangeable()


def _changed(visit: Visit, at: datetime) -> None:
    visit.sequence += 1
    visit.version += 1
    visit.changed_at = at


def _keep(session: Session, officer: Officer, taken: Slot) -> None:
    """Write the visit; the database decides between two that want the same time."""
    name = officer.name
    try:
        session.flush()
    except IntegrityError as error:
        if "visit_double_booking" in str(error.orig):
            raise JustTaken(name, taken) from error
        raise


def _record(session: Session, action: str, visit: Visit, summary: str, by: Actor, at: datetime) -> None:
    details = {
        "officer": visit.officer_id,
        "school": visit.school_id,
        "day": visit.day.isoformat(),
        "booked": visit.booked.minutes,
        "tranche": visit.tranche_id,
    }
    record(session, action, about="visit", about_id=visit.id, summary=summary, by=by, at=at, details=details)
