"""Days on which one school is closed: INSET days and the like. The diary warns of visits on them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.words import long_date
from sla_manager.people.models import School
from sla_manager.store.audit import Actor, record
from sla_manager.visits.models import SchoolClosure

LONGEST_DAYS = 120


def add_closure(
    session: Session, school_id: int, *, starts_on: date, ends_on: date, why: str, by: Actor, at: datetime
) -> SchoolClosure:
    """Close a school for some days, both included. Visits that are planned already stay, with a warning."""
    school = session.get(School, school_id, with_for_update=True)
    if school is None:
        raise NotFound()
    if ends_on < starts_on:
        raise Refused("The last day cannot be before the first.", field="ends_on")
    if (ends_on - starts_on).days >= LONGEST_DAYS:
        raise Refused(
            f"A closure has at most {LONGEST_DAYS} days. The register says when a school closes for good.",
            field="ends_on",
        )
    clash = session.scalar(
        select(SchoolClosure).where(
            SchoolClosure.school_id == school.id,
            SchoolClosure.starts_on <= ends_on,
            SchoolClosure.ends_on >= starts_on,
        )
    )
    if clash is not None:
        raise Refused(
            f"The school is closed {long_date(clash.starts_on)} to {long_date(clash.ends_on)} already.",
            field="starts_on",
        )
    reason = " ".join(why.split())
    if not reason:
        raise Refused("Enter why the school is closed, like INSET day.", field="why")
    closure = SchoolClosure(school_id=school.id, starts_on=starts_on, ends_on=ends_on, why=reason)
    session.add(closure)
    session.flush()
    record(
        session,
        "add_closure",
        about="school",
        about_id=school.id,
        summary=f"{school.name} is closed {long_date(starts_on)} to {long_date(ends_on)}: {reason}.",
        by=by,
        at=at,
    )
    return closure


def withdraw_closure(session: Session, closure_id: int, *, school_id: int, by: Actor, at: datetime) -> None:
    """Take a closure back that was entered wrongly. The trail keeps what it was."""
    closure = session.get(SchoolClosure, closure_id, with_for_update=True)
    if closure is None or closure.school_id != school_id:
        raise NotFound()
    session.delete(closure)
    record(
        session,
        "withdraw_closure",
        about="school",
        about_id=school_id,
        summary=f"Open again {long_date(closure.starts_on)} to {long_date(closure.ends_on)}.",
        details={"why": closure.why},
        by=by,
        at=at,
    )
