"""Cancelling a visit, or meeting a locked door: what it costs is worked out, shown, and then charged."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from sla_manager.agreements.commands import balance_locked, enter
from sla_manager.agreements.rules.ledger import EntryKind
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.words import long_date
from sla_manager.store.audit import Actor, record
from sla_manager.visits.commands.planning import planned_visit
from sla_manager.visits.models import Cancellation, Visit, VisitStatus
from sla_manager.visits.queries.cancelling import CancellationPreview, preview_cancellation, preview_no_access
from sla_manager.visits.rules.deliveries import checked_text


class NoReason(Refused):
    """The school reads why."""

    def __init__(self) -> None:
        super().__init__("Enter the reason. The school will see it.", field="reason")


class NotThereYet(Refused):
    """Nobody can meet a locked door before the visit."""

    def __init__(self, visit: Visit) -> None:
        super().__init__(
            f"This visit is on {long_date(visit.day)}. Cancel it, or record this when it has begun."
        )


def cancel_visit(
    session: Session,
    visit_id: int,
    *,
    caused_by: str,
    reason: str,
    notice_at: datetime | None = None,
    by: Actor,
    at: datetime,
) -> Cancellation:
    """Cancel a planned visit; what the preview shows is charged. `notice_at` is when notice came (now, unless said)."""
    visit = _held(session, visit_id)
    given_at = notice_at or at
    if given_at > at:
        raise Refused("Notice cannot come in the future. Enter when the school told you.", field="notice_on")
    words = _reason(reason)
    preview = preview_cancellation(session, visit, caused_by=caused_by, notice_at=given_at)
    return _settle(session, visit, VisitStatus.CANCELLED, preview, words, given_at, by=by, at=at)


def record_no_access(
    session: Session, visit_id: int, *, reason: str, by: Actor, at: datetime
) -> Cancellation:
    """Record that the officer was there and the school was not ready: the booked time is charged, core never.

    The school sees the reason and may query it.
    """
    visit = _held(session, visit_id)
    if at < visit.starts_at:
        raise NotThereYet(visit)
    words = _reason(reason)
    preview = preview_no_access(session, visit, on=london_date(at))
    return _settle(session, visit, VisitStatus.NO_ACCESS, preview, words, at, by=by, at=at)


def _held(session: Session, visit_id: int) -> Visit:
    """Return a visit that can still be changed, with the balance that it uses locked."""
    visit = planned_visit(session, visit_id)
    if visit.tranche_id is not None:
        balance_locked(session, visit.tranche_id)
    return visit


def _reason(reason: str) -> str:
    words = checked_text(reason, field="reason")
    if not words:
        raise NoReason()
    return words


def _settle(
    session: Session,
    visit: Visit,
    status: VisitStatus,
    preview: CancellationPreview,
    reason: str,
    notice_at: datetime,
    *,
    by: Actor,
    at: datetime,
) -> Cancellation:
    """Close the visit and charge what the preview, made under the lock of the balance, says."""
    charged = preview.charged
    visit.status = status
    visit.sequence, visit.version, visit.changed_at = visit.sequence + 1, visit.version + 1, at
    cancellation = Cancellation(
        visit_id=visit.id,
        caused_by=preview.caused_by,
        notice_at=notice_at,
        clear_days=preview.clear_days,
        per_cent=preview.per_cent,
        charged=charged,
        reason=reason,
        recorded_by=by.name,
        recorded_at=at,
    )
    session.add(cancellation)
    session.flush()
    if charged and visit.tranche is not None:
        enter(
            session,
            visit.tranche.id,
            EntryKind.CHARGED,
            charged,
            effective_on=visit.day,
            cause=f"cancellation:{cancellation.id}",
            reason=reason,
            visit_id=visit.id,
            by=by,
            at=at,
        )
    _record(session, visit, cancellation, by=by, at=at)
    return cancellation


def _record(session: Session, visit: Visit, cancellation: Cancellation, *, by: Actor, at: datetime) -> None:
    what = "No access" if visit.status is VisitStatus.NO_ACCESS else "Cancelled the visit"
    record(
        session,
        "record_no_access" if visit.status is VisitStatus.NO_ACCESS else "cancel_visit",
        about="visit",
        about_id=visit.id,
        summary=f"{what} at {visit.school.name} on {long_date(visit.day)}.",
        by=by,
        at=at,
        details={
            "caused_by": cancellation.caused_by,
            "clear_days": cancellation.clear_days,
            "per_cent": cancellation.per_cent,
            "charged": cancellation.charged.minutes,
        },
    )
