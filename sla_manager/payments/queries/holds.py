"""What is held: documents that are neither chased nor charged interest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from sla_manager.payments.models import Hold, HoldRelease

_RELEASED = exists().where(HoldRelease.hold_id == Hold.id)


def holds_in_force(session: Session, document_ids: Collection[int]) -> dict[int, list[Hold]]:
    """Return the holds in force by document, the oldest first. One query."""
    found: dict[int, list[Hold]] = defaultdict(list)
    query = select(Hold).where(Hold.document_id.in_(document_ids), ~_RELEASED).order_by(Hold.id)
    for one in session.scalars(query):
        found[one.document_id].append(one)
    return dict(found)


def is_held(session: Session, document_id: int) -> bool:
    """Return whether anything holds a document now."""
    return session.scalar(select(exists().where(Hold.document_id == document_id, ~_RELEASED))) or False
