"""What the finance system answered about documents that were handed over: facts, each once."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sla_manager.billing.models import Document
from sla_manager.kernel.money import Money
from sla_manager.store.tables import Numbered


class ReplyLayout(Numbered):
    """How a finance system's replies are read: which column holds what, and which words mean what."""

    __tablename__ = "reply_layout"

    target: Mapped[str] = mapped_column(unique=True)
    columns: Mapped[dict[str, Any]]
    words: Mapped[dict[str, Any]]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]


class LedgerReply(Numbered):
    """A reply's file as it came. The same file comes once for each target."""

    __tablename__ = "ledger_reply"
    __table_args__ = (UniqueConstraint("target", "sha256"),)

    target: Mapped[str]
    filename: Mapped[str]
    sha256: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    uploaded_at: Mapped[datetime]
    uploaded_by: Mapped[str]


class ReplyReading(Numbered):
    """That a reply was read, how, and what came of it."""

    __tablename__ = "reply_reading"

    reply_id: Mapped[int] = mapped_column(ForeignKey("ledger_reply.id"), unique=True)
    columns: Mapped[dict[str, Any]]
    words: Mapped[dict[str, Any]]
    answers: Mapped[int]
    repeated: Mapped[int]
    """Answers that an earlier reply had given already."""
    left_out: Mapped[int]
    """Rows about no document of this target."""
    read_at: Mapped[datetime]
    read_by: Mapped[str]

    reply: Mapped[LedgerReply] = relationship(lazy="raise")


class LedgerAnswer(Numbered):
    """What the finance system says of one document: accepted, rejected with a reason, or paid.

    `fingerprint` is what makes an answer the same answer when another reply gives it again.
    """

    __tablename__ = "ledger_answer"
    __table_args__ = (
        UniqueConstraint("target", "fingerprint"),
        CheckConstraint("status IN ('accepted', 'rejected', 'paid')", name="status"),
        CheckConstraint("status <> 'rejected' OR reason <> ''", name="rejected_with_a_reason"),
    )

    reply_id: Mapped[int] = mapped_column(ForeignKey("ledger_reply.id"), index=True)
    target: Mapped[str]
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    row: Mapped[int]
    status: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    reference: Mapped[str] = mapped_column(default="")
    answered_on: Mapped[date | None]
    amount: Mapped[Money | None]
    receipt_id: Mapped[int | None] = mapped_column(ForeignKey("receipt.id"), index=True)
    """The payment that was recorded from it, where the council wants that."""
    fingerprint: Mapped[str]

    reply: Mapped[LedgerReply] = relationship(lazy="raise")
    document: Mapped[Document] = relationship(lazy="raise")
