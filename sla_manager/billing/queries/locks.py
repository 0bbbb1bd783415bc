"""Which days are locked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, joinedload

from sla_manager.billing.models.locks import PeriodLock, PeriodReopening
from sla_manager.billing.rules.locks import refuse_locked
from sla_manager.kernel.periods import ONE_DAY

IN_FORCE = ~exists().where(PeriodReopening.lock_id == PeriodLock.id)


def locked_through(session: Session) -> date | None:
    """Return the last locked day, or None."""
    return session.scalar(select(func.max(PeriodLock.through)).where(IN_FORCE))


def require_open(session: Session, day: date, *, field: str | None = None) -> None:
    """Refuse a date in a locked period with a sentence that names both days; the database refuses it anyway."""
    refuse_locked(day, locked_through(session), field=field)


def locks(session: Session) -> Sequence[PeriodLock]:
    """Return every lock there was with its reopening, the latest first."""
    query = select(PeriodLock).options(joinedload(PeriodLock.reopening)).order_by(PeriodLock.id.desc())
    return session.scalars(query).all()


def open_day(session: Session, day: date) -> date:
    """Return a day, or the first open one after it where it is locked: for money that arrives by itself."""
    through = locked_through(session)
    return day if through is None or day > through else through + ONE_DAY
