"""Officers: who works for a service, on which days, and for which schools they are named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.kernel.words import long_date
from sla_manager.people.models import Officer, Person, School, TradingService, WorkingDay
from sla_manager.people.rules.addresses import read_name
from sla_manager.store.audit import Actor, record

Pattern = Mapping[int, tuple[Minutes, Minutes]]
"""From weekday (0 is Monday) to first and last minute after midnight, London time."""


def add_officer(
    session: Session,
    service_id: int,
    *,
    name: str,
    starts_on: date,
    pattern: Pattern,
    person_id: int | None = None,
    base_easting: int | None = None,
    base_northing: int | None = None,
    skills: Sequence[str] = (),
    day_cost: Money | None = None,
    by: Actor,
    at: datetime,
) -> Officer:
    """Add a named officer with a working pattern. `day_cost` is what a day costs the council."""
    service = session.get(TradingService, service_id)
    if service is None:
        raise NotFound()
    _check_pattern(pattern)
    if person_id is not None:
        _check_person(session, person_id)
    officer = Officer(
        service_id=service.id,
        person_id=person_id,
        name=read_name(name, what="the officer's name"),
        base_easting=base_easting,
        base_northing=base_northing,
        starts_on=starts_on,
        ends_on=None,
        skills=list(skills),
        day_cost=day_cost,
        feed_hash=None,
    )
    session.add(officer)
    session.flush()
    _store_pattern(session, officer.id, pattern)
    record(
        session,
        "add_officer",
        about="officer",
        about_id=officer.id,
        summary=f"{officer.name} joined the {service.name} on {long_date(starts_on)}.",
        details={"pattern": _facts(pattern)},
        by=by,
        at=at,
    )
    return officer


def change_working_pattern(
    session: Session, officer_id: int, *, pattern: Pattern, by: Actor, at: datetime
) -> None:
    """Set the weekdays an officer works. Planned visits stay; the diary shows those outside."""
    officer = _locked(session, officer_id)
    _check_pattern(pattern)
    session.execute(delete(WorkingDay).where(WorkingDay.officer_id == officer.id))
    _store_pattern(session, officer.id, pattern)
    record(
        session,
        "change_working_pattern",
        about="officer",
        about_id=officer.id,
        summary=f"Changed the working days of {officer.name}.",
        details={"pattern": _facts(pattern)},
        by=by,
        at=at,
    )


def end_officer(session: Session, officer_id: int, *, ends_on: date, by: Actor, at: datetime) -> None:
    """Set an officer's last day. Her calendar feed ends, and she is no longer named for schools."""
    officer = _locked(session, officer_id)
    if ends_on < officer.starts_on:
        raise Refused(
            f"{officer.name} started on {long_date(officer.starts_on)}. Enter that day or a later one.",
            field="ends_on",
        )
    officer.ends_on = ends_on
    officer.feed_hash = None
    named = list(session.scalars(select(School).where(School.link_officer_id == officer.id)))
    for school in named:
        school.link_officer_id = None
    record(
        session,
        "end_officer",
        about="officer",
        about_id=officer.id,
        summary=f"{officer.name} leaves on {long_date(ends_on)}.",
        details={"schools_without_link_officer": [school.urn for school in named]},
        by=by,
        at=at,
    )


def set_link_officer(
    session: Session, school_id: int, officer_id: int | None, *, by: Actor, at: datetime
) -> School:
    """Name the officer who is a school's first contact; None names nobody."""
    school = session.get(School, school_id, with_for_update=True)
    if school is None:
        raise NotFound()
    officer = None if officer_id is None else session.get(Officer, officer_id)
    if officer_id is not None and officer is None:
        raise Refused("Choose an officer from the list.", field="officer")
    if officer is not None and officer.ends_on is not None:
        raise Refused(
            f"{officer.name} leaves on {long_date(officer.ends_on)}. Choose somebody else.", field="officer"
        )
    school.link_officer_id = officer.id if officer is not None else None
    named = officer.name if officer is not None else "nobody"
    record(
        session,
        "set_link_officer",
        about="school",
        about_id=school.id,
        summary=f"The link officer of {school.name} is {named}.",
        by=by,
        at=at,
    )
    return school


def _locked(session: Session, officer_id: int) -> Officer:
    found = session.get(Officer, officer_id, with_for_update=True)
    if found is None:
        raise NotFound()
    return found


def _check_person(session: Session, person_id: int) -> None:
    if session.get(Person, person_id) is None:
        raise Refused("Choose a person from the list.", field="person_id")
    if session.scalar(select(Officer.id).where(Officer.person_id == person_id)) is not None:
        raise Refused("This person is linked to another officer already.", field="person_id")


def _check_pattern(pattern: Pattern) -> None:
    if not pattern:
        raise Refused("Enter at least one working day.", field="pattern")
    for weekday, (starts, ends) in pattern.items():
        if weekday not in range(7) or not Minutes(0) <= starts < ends <= Minutes(24 * 60):
            raise Refused("A working day ends after it starts, on the same day.", field="pattern")


def _store_pattern(session: Session, officer_id: int, pattern: Pattern) -> None:
    session.add_all(
        WorkingDay(officer_id=officer_id, weekday=weekday, starts=starts, ends=ends)
        for weekday, (starts, ends) in sorted(pattern.items())
    )
    session.flush()


def _facts(pattern: Pattern) -> dict[str, list[int]]:
    return {
        str(weekday): [starts.minutes, ends.minutes] for weekday, (starts, ends) in sorted(pattern.items())
    }
