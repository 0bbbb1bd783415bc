"""A quote put to somebody who may order more than the person who prepared it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sla_manager.agreements.models.agreements import Agreement
from sla_manager.kernel.titles import Titled
from sla_manager.people.models import Person
from sla_manager.store.columns import enum_column
from sla_manager.store.tables import Numbered


class ApprovalDecision(Titled):
    """What became of a question for approval."""

    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Approval(Numbered):
    """One question to one person about one frozen text; only the hash of its link is kept (S10)."""

    __tablename__ = "approval"
    __table_args__ = (
        CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name="decided"),
        CheckConstraint("decision <> 'declined' OR reason <> ''", name="declined_why"),
        CheckConstraint("expires_at > asked_at", name="expires_later"),
        CheckConstraint("asked_by_id <> approver_id", name="somebody_else"),
        Index(
            "uq_approval_open",
            "agreement_id",
            unique=True,
            sqlite_where=text("decided_at IS NULL"),
            postgresql_where=text("decided_at IS NULL"),
        ),
    )

    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreement.id"), index=True)
    asked_by: Mapped[str]
    asked_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime]
    message: Mapped[str]
    purchase_order: Mapped[str]
    document_sha256: Mapped[str]
    """SHA-256 of the text that was put to her."""
    approver_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    expires_at: Mapped[datetime]
    decision: Mapped[ApprovalDecision | None] = mapped_column(enum_column(ApprovalDecision))
    decided_at: Mapped[datetime | None]
    reason: Mapped[str]
    address: Mapped[str]
    """The network address from which it was decided."""

    agreement: Mapped[Agreement] = relationship(lazy="raise")
    approver: Mapped[Person] = relationship(lazy="raise", foreign_keys=[approver_id])
