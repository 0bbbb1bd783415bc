"""Papers besides the agreement itself: certificates and letters, frozen once and printed from what is frozen."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from sla_manager.store.tables import Numbered


class Paper(Numbered):
    """A text that was decided once. `kind` is the kind of printed document; `key` makes it once."""

    __tablename__ = "paper"

    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    school_id: Mapped[int] = mapped_column(ForeignKey("school.id"), index=True)
    agreement_id: Mapped[int | None] = mapped_column(ForeignKey("agreement.id"), index=True)
    facts: Mapped[dict[str, Any]]
    sha256: Mapped[str]
    frozen_at: Mapped[datetime]


class PaperFile(Numbered):
    """The printed PDF of a paper: written once. A paper without one is waiting to be printed."""

    __tablename__ = "paper_file"

    paper_id: Mapped[int] = mapped_column(ForeignKey("paper.id"), unique=True)
    path: Mapped[str]
    sha256: Mapped[str]
    printed_at: Mapped[datetime]
