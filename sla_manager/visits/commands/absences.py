"""When an officer is away: what clashes is shown first, nothing moves by itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.kernel.clock import LONDON, as_utc
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.words import counted, long_date
from sla_manager.people.models import Officer
from sla_manager.store.audit import Actor, record
from sla_manager.visits.models import Absence, AbsenceKind, Visit
from sla_manager.visits.queries.diary import clashing_visits


class AbsenceClashes(Refused):
    """Visits are planned in that time; they are listed before the absence is kept (D5)."""

    def __init__(self, visits: Sequence[Visit]) -> None:
        self.visit_ids = tuple(visit.id for visit in visits)
        listed = "; ".join(f"{visit.school.name} on {long_date(visit.day)}" for visit in visits)
        super().__init__(
            f"{counted(len(visits), 'planned visit')} in that time: {listed}. Move, give away or cancel them, "
            "or confirm the absence and deal with them afterwards.",
            field="clashes",
        )


class AbsenceBackwards(Refused):
    """An absence ends after it starts."""

    def __init__(self) -> None:
        super().__init__("The absence ends before it starts. Enter a later end.", field="ends_on")


def add_absence(
    session: Session,
    officer_id: int,
    *,
    kind: AbsenceKind,
    starts_at: datetime,
    ends_at: datetime,
    seen: Collection[int] = (),
    by: Actor,
    at: datetime,
) -> Absence:
    """Keep an absence. `seen` are the clashing visits that the page listed: others refuse it with their list.

    The visits stay as they are: somebody moves, reassigns or cancels each. Recorded twice, it is one absence.
    """
    officer = session.get(Officer, officer_id)
    if officer is None:
        raise NotFound()
    starts_at, ends_at = as_utc(starts_at), as_utc(ends_at)
    if ends_at <= starts_at:
        raise AbsenceBackwards()
    same = session.scalar(
        select(Absence).where(
            Absence.officer_id == officer_id,
            Absence.kind == kind,
            Absence.starts_at == starts_at,
            Absence.ends_at == ends_at,
            Absence.withdrawn_at.is_(None),
        )
    )
    if same is not None:
        return same
    clashes = clashing_visits(session, officer_id, starts_at, ends_at)
    if any(visit.id not in seen for visit in clashes):
        raise AbsenceClashes(clashes)
    absence = Absence(
        officer_id=officer_id,
        kind=kind,
        starts_at=starts_at,
        ends_at=ends_at,
        recorded_at=at,
        recorded_by=by.name,
        withdrawn_at=None,
    )
    session.add(absence)
    session.flush()
    said = f"{officer.name} is away ({kind.value}) from {_moment(starts_at)} to {_moment(ends_at)}."
    record(session, "add_absence", about="absence", about_id=absence.id, summary=said, by=by, at=at,
           details={"officer": officer_id, "clashes": [visit.id for visit in clashes]})  # fmt: skip
    return absence


def withdraw_absence(
    session: Session, absence_id: int, *, service_id: int, by: Actor, at: datetime
) -> Absence:
    """Take an absence back: the officer is available again. Twice changes nothing."""
    query = (
        select(Absence)
        .join(Officer, Absence.officer_id == Officer.id)
        .where(Absence.id == absence_id, Officer.service_id == service_id)
    )
    absence = session.scalar(query)
    if absence is None:
        raise NotFound()
    if absence.withdrawn_at is None:
        absence.withdrawn_at = at
        name = session.get_one(Officer, absence.officer_id).name
        said = f"Took back the absence of {name} from {_moment(absence.starts_at)}."
        record(session, "withdraw_absence", about="absence", about_id=absence.id, summary=said, by=by, at=at)
    return absence


def _moment(at: datetime) -> str:
    local = at.astimezone(LONDON)
    return f"{long_date(local.date())} {local:%H:%M}"
