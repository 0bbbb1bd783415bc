"""Holds: a document that is neither chased nor charged interest for as long as something is open about it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sla_manager.billing.models import Document
from sla_manager.store.tables import Numbered


class Hold(Numbered):
    """That a document is held, since when and why: a school disputes it, the card provider does, or we hold it."""

    __tablename__ = "hold"
    __table_args__ = (CheckConstraint("kind IN ('dispute', 'card_dispute', 'hold')", name="kind"),)

    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    kind: Mapped[str]
    reason: Mapped[str]
    placed_at: Mapped[datetime]
    placed_by: Mapped[str]
    once_key: Mapped[str | None] = mapped_column(unique=True)

    document: Mapped[Document] = relationship(lazy="raise")


class HoldRelease(Numbered):
    """That a hold ended, and with what outcome; once."""

    __tablename__ = "hold_release"

    hold_id: Mapped[int] = mapped_column(ForeignKey("hold.id"), unique=True)
    outcome: Mapped[str]
    released_at: Mapped[datetime]
    released_by: Mapped[str]
