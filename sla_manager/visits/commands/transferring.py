"""Visits that follow an agreement: moved to what goes on, or cancelled after an early end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.words import counted, long_date
from sla_manager.people.models import School
from sla_manager.store.audit import Actor, record
from sla_manager.visits.commands.cancelling import cancel_visit
from sla_manager.visits.models import Visit
from sla_manager.visits.queries.transferring import core_visits_from, planned_against, planned_of_agreement


class LogThemFirst(Refused):
    """What was delivered must be known before the rest goes on."""

    def __init__(self, visits: Sequence[Visit]) -> None:
        days = ", ".join(long_date(visit.day) for visit in visits[:5])
        super().__init__(
            f"{counted(len(visits), 'visit')} before that day {'is' if len(visits) == 1 else 'are'} not logged yet: "
            f"{days}. Log or cancel {'it' if len(visits) == 1 else 'them'} first.",
            field="effective_on",
        )


def refuse_unlogged(session: Session, agreement_id: int, *, before: date) -> None:
    """Refuse while visits before a day are planned and not yet logged."""
    waiting = planned_of_agreement(session, agreement_id, until=before)
    if waiting:
        raise LogThemFirst(waiting)


def move_visits(
    session: Session,
    tranches: Mapping[int, int],
    *,
    from_day: date,
    to_school: School,
    by: Actor,
    at: datetime,
) -> int:
    """Move planned visits from a day on to the parts that go on: same officer, same time. Returns how many."""
    moved = planned_against(session, tranches, from_day=from_day)
    for visit in moved:
        if visit.tranche_id is not None:
            visit.tranche_id = tranches[visit.tranche_id]
        _moved(session, visit, to_school, by=by, at=at)
    session.flush()
    return len(moved)


def move_core_visits(
    session: Session, from_school_id: int, to_school: School, *, from_day: date, by: Actor, at: datetime
) -> int:
    """Move the free core visits of a school to the one that follows it; its link officer stays."""
    moved = core_visits_from(session, from_school_id, from_day=from_day)
    for visit in moved:
        _moved(session, visit, to_school, by=by, at=at)
    session.flush()
    return len(moved)


def _moved(session: Session, visit: Visit, to_school: School, *, by: Actor, at: datetime) -> None:
    visit.school_id = to_school.id
    visit.sequence, visit.version, visit.changed_at = visit.sequence + 1, visit.version + 1, at
    said = f"The visit on {long_date(visit.day)} goes on with {to_school.name}."
    record(session, "transfer_visit", about="visit", about_id=visit.id, summary=said, by=by, at=at)


def cancel_after_end(
    session: Session, agreement_id: int, *, last: date, reason: str, by: Actor, at: datetime
) -> int:
    """Cancel the visits planned after an agreement's early end; nothing is charged for them."""
    over = planned_of_agreement(session, agreement_id, after=last)
    for visit in over:
        cancel_visit(session, visit.id, caused_by="provider", reason=reason, by=by, at=at)
    return len(over)
