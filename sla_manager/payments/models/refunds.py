"""Money that went back: to a payer, or taken back by the card provider."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sla_manager.kernel.money import Money
from sla_manager.payments.models.receipts import Receipt
from sla_manager.store.tables import Numbered


class Refund(Numbered):
    """A part of a receipt that was given back; one that failed is undone by a negative one that names it.

    The database refuses more than is left of the receipt (its amount less what is allocated and refunded).
    """

    __tablename__ = "refund"
    __table_args__ = (
        CheckConstraint(
            "(reverses_id IS NULL AND amount > 0) OR (reverses_id IS NOT NULL AND amount < 0)", name="sign"
        ),
        CheckConstraint(
            "method IN ('card', 'bank_transfer', 'cheque', 'journal', 'chargeback')", name="method"
        ),
        UniqueConstraint("reverses_id"),
    )

    receipt_id: Mapped[int] = mapped_column(ForeignKey("receipt.id"), index=True)
    amount: Mapped[Money]
    method: Mapped[str]
    reference: Mapped[str] = mapped_column(default="")
    reason: Mapped[str]
    refunded_on: Mapped[date]
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("refund.id"))
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    once_key: Mapped[str | None] = mapped_column(unique=True)

    receipt: Mapped[Receipt] = relationship(lazy="raise")
