"""What pages about visits share: how a visit is said, and the schools and officers to choose from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from sla_manager.people.models import Officer, Provider, School
from sla_manager.visits.models import Visit
from sla_manager.web.display import clock_time
from sla_manager.web.forms import choice


def booked_for(visit: Visit) -> str:
    """Say what a visit is for: the duty of the free core offer, or what was bought."""
    if visit.duty is not None:
        return visit.duty.title
    return visit.tranche.line.description if visit.tranche is not None else ""


def times(starts_at: datetime, ends_at: datetime) -> str:
    """Say from when to when.

    >>> from datetime import UTC
    >>> times(datetime(2025, 11, 4, 9, 0, tzinfo=UTC), datetime(2025, 11, 4, 12, 30, tzinfo=UTC))
    '9am to 12:30pm'
    """
    return f"{clock_time(starts_at)} to {clock_time(ends_at)}"


def schools_to_visit(session: Session, today: date) -> list[School]:
    """Return the open schools of the council's area, and every other that is open and on the register, by name."""
    query = select(School).where(or_(School.closed_on.is_(None), School.closed_on > today))
    own = session.scalar(select(Provider.authority_code))
    return sorted(session.scalars(query), key=lambda school: (school.la_code != own, school.name, school.id))


def school_choices(schools: Iterable[School]) -> list[Any]:
    """Return schools to choose from, each with its number."""
    return [choice("", "Choose a school"), *(choice(s.id, f"{s.name} ({s.urn})") for s in schools)]


def officer_choices(officers: Iterable[Officer]) -> list[Any]:
    """Return officers to choose from."""
    return [choice("", "Choose an officer"), *(choice(officer.id, officer.name) for officer in officers)]
