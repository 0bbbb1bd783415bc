"""Paid: receipts and what they are set against."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sla_manager.billing.models import Document
from sla_manager.kernel.money import Money
from sla_manager.people.models import Customer
from sla_manager.store.tables import Numbered


class Receipt(Numbered):
    """Money received from a customer, as recorded. What is not allocated stays on account."""

    __tablename__ = "receipt"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("method IN ('bank_transfer', 'cheque', 'card', 'journal', 'cash')", name="method"),
        Index("ix_receipt_customer", "customer_id", "id"),
        Index("ix_receipt_amount", "amount", "received_on"),
    )

    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    amount: Mapped[Money]
    received_on: Mapped[date]
    method: Mapped[str]
    reference: Mapped[str] = mapped_column(default="")
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    once_key: Mapped[str | None] = mapped_column(unique=True)

    customer: Mapped[Customer] = relationship(lazy="raise")


class Allocation(Numbered):
    """A part of a receipt, or of a credit note, set against a document; a reversal is a negative one that names it.

    The database refuses more than the gross of the document less its credits, and more than the receipt.
    """

    __tablename__ = "allocation"
    __table_args__ = (
        CheckConstraint("(receipt_id IS NULL) <> (credit_note_id IS NULL)", name="receipt_or_credit"),
        CheckConstraint(
            "(reverses_id IS NULL AND amount > 0) OR (reverses_id IS NOT NULL AND amount < 0)", name="sign"
        ),
        UniqueConstraint("reverses_id"),
    )

    receipt_id: Mapped[int | None] = mapped_column(ForeignKey("receipt.id"), index=True)
    credit_note_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"), index=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    amount: Mapped[Money]
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("allocation.id"))
    allocated_at: Mapped[datetime]
    allocated_by: Mapped[str]

    receipt: Mapped[Receipt | None] = relationship(lazy="raise")
    document: Mapped[Document] = relationship(lazy="raise", foreign_keys=[document_id])
