"""The audit trail: who did what, when and to what. Rows are only ever added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, Session

from sla_manager.store.tables import Numbered


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a signed-in person, or the product itself (`person_id` None)."""

    person_id: int | None
    name: str
    address: str | None = None


SYSTEM = Actor(None, "SLA Manager")
"""Work the product does by itself: the nightly checks, printing, the outbox."""


class AuditEntry(Numbered):
    """One act, with the figures that mattered."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_about", "about", "about_id"), Index("ix_audit_entry_at", "at"))

    at: Mapped[datetime]
    person_id: Mapped[int | None]
    actor: Mapped[str]
    address: Mapped[str | None]
    action: Mapped[str]
    about: Mapped[str]
    about_id: Mapped[int | None]
    summary: Mapped[str]
    details: Mapped[dict[str, Any]]


def record(
    session: Session,
    action: str,
    *,
    about: str,
    about_id: int | None,
    summary: str,
    by: Actor,
    at: datetime,
    details: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Add one act to the trail, in the transaction of the act itself.

    `action` is a verb and noun ("accept_order"), `about` a table's name, `summary` a sentence for people.
    """
    entry = AuditEntry(
        at=at,
        person_id=by.person_id,
        actor=by.name,
        address=by.address,
        action=action,
        about=about,
        about_id=about_id,
        summary=summary,
        details=dict(details or {}),
    )
    session.add(entry)
    return entry
