"""Locking the books up to a day, and opening them again, each with its reason."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

import sla_manager.payments.constraints  # noqa: F401  (gives the database its sentences)
from sla_manager.billing.models.locks import PeriodLock, PeriodReopening
from sla_manager.billing.queries.locks import IN_FORCE, locked_through
from sla_manager.billing.rules.locks import end_of, refuse_lock
from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.kernel.words import long_date
from sla_manager.store.audit import Actor, record

LONGEST_REASON = 500
_STILL = "LOCK TABLE document, receipt, refund, allocation IN SHARE ROW EXCLUSIVE MODE"


def hold_books(session: Session) -> None:
    """Let no document, payment, refund or allocation be written until this transaction ends.

    PostgreSQL would let one that began before the lock be committed after it. SQLite has one writer anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(_STILL))


def lock_period(session: Session, through: date, *, reason: str, by: Actor, at: datetime) -> PeriodLock:
    """Lock the books up to a day, included. The same day again gives back the lock there is."""
    reason = _reason(reason)
    hold_books(session)
    made = session.scalar(select(PeriodLock).where(IN_FORCE, PeriodLock.through == through))
    if made is not None:
        return made
    refuse_lock(through, locked=locked_through(session), at=at)
    lock = PeriodLock(through=through, before=end_of(through), reason=reason, locked_at=at, locked_by=by.name)
    session.add(lock)
    session.flush()
    record(
        session, "lock_period", about="period_lock", about_id=lock.id, by=by, at=at,
        summary=f"Books locked up to {long_date(through)}: {reason}", details={"through": through.isoformat()},
    )  # fmt: skip
    return lock


def reopen_period(session: Session, lock_id: int, *, reason: str, by: Actor, at: datetime) -> PeriodReopening:
    """Take back the latest lock in force; the one before it holds again. Reopened before, it is a conflict."""
    reason = _reason(reason)
    hold_books(session)
    lock = session.get(PeriodLock, lock_id)
    if lock is None:
        raise NotFound
    if session.scalar(select(PeriodReopening.id).where(PeriodReopening.lock_id == lock_id)) is not None:
        raise Conflict("This period was reopened already.")
    last = locked_through(session)
    if last is not None and last > lock.through:
        raise Refused(
            f"The books are locked up to {long_date(last)}. "
            f"Reopen that lock first, then the one up to {long_date(lock.through)}."
        )
    reopening = PeriodReopening(lock_id=lock_id, reason=reason, reopened_at=at, reopened_by=by.name)
    session.add(reopening)
    session.flush()
    record(
        session, "reopen_period", about="period_lock", about_id=lock_id, by=by, at=at,
        summary=f"Books up to {long_date(lock.through)} opened again: {reason}",
        details={"through": lock.through.isoformat()},
    )  # fmt: skip
    return reopening


def _reason(reason: str) -> str:
    wanted = reason.strip()
    if not wanted or len(wanted) > LONGEST_REASON:
        raise Refused(f"Enter why, in {LONGEST_REASON} characters at most.", field="reason")
    return wanted
