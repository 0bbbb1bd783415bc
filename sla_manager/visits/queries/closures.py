"""The days on which a school is closed to visits."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.visits.models import SchoolClosure


def closures(session: Session, school_id: int, *, since: date) -> list[SchoolClosure]:
    """Return a school's closures that end on or after a day, the earliest first."""
    query = select(SchoolClosure).where(SchoolClosure.school_id == school_id, SchoolClosure.ends_on >= since)
    return list(session.scalars(query.order_by(SchoolClosure.starts_on, SchoolClosure.id)))
