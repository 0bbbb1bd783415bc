"""Targeting support meetings: due, booked, held or overdue, for every school and term."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from sla_manager.catalogue.rules.families import CoreDuty
from sla_manager.people.models import Provider, School, SchoolTerm
from sla_manager.visits.models import Activity, Delivery, Visit, VisitStatus
from sla_manager.visits.rules.meetings import MeetingState, meeting_state

_MEETING = CoreDuty.TARGETING_SUPPORT_MEETING


@dataclass(frozen=True, slots=True)
class TermMeeting:
    """One school's meeting of one term, and the day it was held or is booked for."""

    school_id: int
    urn: int
    school: str
    term: SchoolTerm
    state: MeetingState
    on: date | None


def term_of(session: Session, today: date) -> SchoolTerm | None:
    """Return the term that a day lies in, else the next one, else the last one; None when there are no terms."""
    found = session.scalar(
        select(SchoolTerm).where(SchoolTerm.ends_on >= today).order_by(SchoolTerm.starts_on).limit(1)
    )
    return found or session.scalar(select(SchoolTerm).order_by(SchoolTerm.starts_on.desc()).limit(1))


def terms_around(session: Session) -> list[SchoolTerm]:
    """Return the known terms, the latest first."""
    return list(session.scalars(select(SchoolTerm).order_by(SchoolTerm.starts_on.desc())))


def targeting_support_meetings(
    session: Session,
    *,
    today: date,
    term: SchoolTerm | None = None,
    school_ids: Collection[int] | None = None,
) -> list[TermMeeting]:
    """Return where each school's meeting of a term stands (this term's unless one is given), overdue first.

    Without `school_ids`: every open school of the council's own area, bought or not. Three queries however many.
    """
    term = term or term_of(session, today)
    if term is None:
        return []
    schools = _schools(session, term, school_ids)
    held, booked = _held(session, term), _booked(session, term)
    rows = [
        TermMeeting(
            school.id,
            school.urn,
            school.name,
            term,
            meeting_state(
                held_on=held.get(school.id),
                booked_on=booked.get(school.id),
                term_ends_on=term.ends_on,
                today=today,
            ),
            held.get(school.id) or booked.get(school.id),
        )
        for school in schools
    ]
    order = [MeetingState.OVERDUE, MeetingState.DUE, MeetingState.BOOKED, MeetingState.HELD]
    return sorted(rows, key=lambda row: (order.index(row.state), row.school))


def counts(meetings: Sequence[TermMeeting]) -> Mapping[MeetingState, int]:
    """Return how many meetings stand where."""
    return {state: sum(meeting.state is state for meeting in meetings) for state in MeetingState}


def _schools(session: Session, term: SchoolTerm, school_ids: Collection[int] | None) -> list[School]:
    query = (
        select(School)
        .where(or_(School.closed_on.is_(None), School.closed_on > term.starts_on))
        .order_by(School.name, School.id)
    )
    if school_ids is not None:
        query = query.where(School.id.in_(list(school_ids)))
    else:
        query = query.where(School.la_code.in_(select(Provider.authority_code)))
    return list(session.scalars(query))


def _held(session: Session, term: SchoolTerm) -> dict[int, date]:
    """Return the first day on which a meeting was held at each school: an activity says so, whatever was booked."""
    query = (
        select(Visit.school_id, func.min(Delivery.delivered_on).label("on"))
        .join(Delivery, Delivery.visit_id == Visit.id)
        .join(Activity, Activity.delivery_id == Delivery.id)
        .where(Activity.duty == _MEETING, Delivery.delivered_on.between(term.starts_on, term.ends_on))
        .group_by(Visit.school_id)
    )
    return {row.school_id: row.on for row in session.execute(query)}


def _booked(session: Session, term: SchoolTerm) -> dict[int, date]:
    query = (
        select(Visit.school_id, func.max(Visit.day).label("on"))
        .where(Visit.duty == _MEETING, Visit.status == VisitStatus.PLANNED)
        .where(Visit.day.between(term.starts_on, term.ends_on))
        .group_by(Visit.school_id)
    )
    return {row.school_id: row.on for row in session.execute(query)}
