"""Papers found: a school's, an agreement's, one; and how many wait to be printed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sla_manager.agreements.models import Paper, PaperFile
from sla_manager.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class PaperRow:
    """A paper in a list: what it is, when it was frozen, and whether it is printed."""

    id: int
    key: str
    kind: str
    frozen_at: datetime
    is_printed: bool


def papers_of_agreement(session: Session, agreement_id: int) -> list[PaperRow]:
    """Return the papers about an agreement, the latest first."""
    query = (
        select(Paper.id, Paper.key, Paper.kind, Paper.frozen_at, PaperFile.id.label("file_id"))
        .outerjoin(PaperFile, PaperFile.paper_id == Paper.id)
        .where(Paper.agreement_id == agreement_id)
        .order_by(Paper.id.desc())
    )
    return [
        PaperRow(row.id, row.key, row.kind, row.frozen_at, row.file_id is not None)
        for row in session.execute(query)
    ]


def paper_of_school(session: Session, paper_id: int, *, school_id: int) -> Paper:
    """Return a school's paper; a foreign one is not found."""
    found = session.get(Paper, paper_id)
    if found is None or found.school_id != school_id:
        raise NotFound
    return found


def paper_of_agreement(session: Session, paper_id: int, *, agreement_id: int) -> Paper:
    """Return a paper about an agreement; any other is not found."""
    found = session.get(Paper, paper_id)
    if found is None or found.agreement_id != agreement_id:
        raise NotFound
    return found


def paper_by_key(session: Session, key: str) -> Paper | None:
    """Return the paper of a key, or None."""
    return session.scalar(select(Paper).where(Paper.key == key))


def paper_file(session: Session, paper_id: int) -> PaperFile | None:
    """Return the printed file of a paper, or None while it waits."""
    return session.scalar(select(PaperFile).where(PaperFile.paper_id == paper_id))


def papers_waiting(session: Session) -> int:
    """Return how many papers are not printed yet."""
    query = select(func.count()).select_from(Paper).outerjoin(PaperFile, PaperFile.paper_id == Paper.id)
    return session.scalar(query.where(PaperFile.id.is_(None))) or 0
