"""Reading the audit trail: the newest first, a page at a time, by its key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.store.audit import AuditEntry

PAGE = 50


@dataclass(frozen=True)
class TrailSearch:
    """What the trail is narrowed by; an empty search is all of it."""

    action: str = ""
    actor: str = ""
    about: str = ""
    about_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


def trail_page(
    session: Session, search: TrailSearch, *, before: int | None = None
) -> tuple[list[AuditEntry], int | None]:
    """Return a page of acts, newest first, and the key before which the next page begins (None on the last)."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc())
    exact = (
        (AuditEntry.action, search.action),
        (AuditEntry.about, search.about),
        (AuditEntry.about_id, search.about_id),
    )
    for column, wanted in exact:
        if wanted:
            query = query.where(column == wanted)
    if search.actor:
        query = query.where(AuditEntry.actor.icontains(search.actor, autoescape=True))
    if search.since is not None:
        query = query.where(AuditEntry.at >= search.since)
    if search.until is not None:
        query = query.where(AuditEntry.at < search.until)
    if before is not None:
        query = query.where(AuditEntry.id < before)
    found = list(session.scalars(query.limit(PAGE + 1)))
    return found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None


def trail_words(session: Session) -> tuple[Sequence[str], Sequence[str]]:
    """Return the actions and the kinds of thing that stand in the trail, for a filter."""
    actions = session.scalars(select(AuditEntry.action).distinct().order_by(AuditEntry.action)).all()
    things = session.scalars(select(AuditEntry.about).distinct().order_by(AuditEntry.about)).all()
    return actions, things
