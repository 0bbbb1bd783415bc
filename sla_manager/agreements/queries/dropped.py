"""Which instalments of an agreement are not billed any more, because it ended before them."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.models.changes import DroppedInstalment, Termination


def dropped_instalments(session: Session, agreement_id: int) -> frozenset[int]:
    """Return the ids of an agreement's instalments that were dropped by its early end."""
    query = (
        select(DroppedInstalment.instalment_id)
        .join(Termination, Termination.id == DroppedInstalment.termination_id)
        .where(Termination.agreement_id == agreement_id)
    )
    return frozenset(session.scalars(query))
