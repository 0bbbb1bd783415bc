"""Errands: long work that somebody asks for on a page and the worker does, with its progress and its result.

An errand that a killed process left is simply done again: what it makes depends on the books alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from sla_manager.store.audit import Actor
from sla_manager.store.tables import Numbered

_WAITING = text("finished_at IS NULL")


class Errand(Numbered):
    """One piece of long work. `about` says of what; one errand of a kind about the same thing waits at a time."""

    __tablename__ = "errand"
    __table_args__ = (
        CheckConstraint("done >= 0 AND total >= 0", name="progress"),
        CheckConstraint("(finished_at IS NULL) = (ok IS NULL)", name="finished"),
        Index(
            "uq_errand_waiting",
            "kind",
            "about",
            unique=True,
            sqlite_where=_WAITING,
            postgresql_where=_WAITING,
        ),
        Index("ix_errand_about", "kind", "about", "id"),
    )

    kind: Mapped[str]
    about: Mapped[str]
    facts: Mapped[dict[str, Any]]
    asked_at: Mapped[datetime]
    asked_by: Mapped[str]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    ok: Mapped[bool | None]
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    result: Mapped[dict[str, Any]] = mapped_column(default=dict)

    @property
    def is_waiting(self) -> bool:
        """Whether it is not done yet."""
        return self.finished_at is None


def ask(
    session: Session,
    kind: str,
    about: str,
    *,
    facts: Mapping[str, Any] | None = None,
    by: Actor,
    at: datetime,
) -> Errand:
    """Ask for an errand; the one that waits already is returned, so that a double click asks once."""
    query = select(Errand).where(Errand.kind == kind, Errand.about == about, Errand.finished_at.is_(None))
    waiting = session.scalar(query)
    if waiting is not None:
        return waiting
    errand = Errand(
        kind=kind, about=about, facts=dict(facts or {}), asked_at=at, asked_by=by.name, started_at=None,
        finished_at=None, ok=None, done=0, total=0, result={},
    )  # fmt: skip
    session.add(errand)
    session.flush()
    return errand


def latest(session: Session, kind: str, about: str) -> Errand | None:
    """Return the last errand of a kind about a thing, done or not."""
    query = select(Errand).where(Errand.kind == kind, Errand.about == about)
    return session.scalar(query.order_by(Errand.id.desc()).limit(1))


def waiting(session: Session) -> list[Errand]:
    """Return what is to be done, the oldest first."""
    query = select(Errand).where(Errand.finished_at.is_(None)).order_by(Errand.id)
    return list(session.scalars(query))


def note_progress(session: Session, errand_id: int, *, done: int, total: int, at: datetime) -> None:
    """Keep how far an errand is."""
    errand = session.get_one(Errand, errand_id)
    errand.done, errand.total = done, total
    if errand.started_at is None:
        errand.started_at = at


def finish(session: Session, errand_id: int, *, ok: bool, result: Mapping[str, Any], at: datetime) -> None:
    """Keep what came of an errand; one that was finished by another process stays as it is."""
    errand = session.get_one(Errand, errand_id, with_for_update=True)
    if errand.finished_at is not None:
        return
    errand.started_at = errand.started_at or at
    errand.finished_at, errand.ok, errand.result = at, ok, dict(result)
