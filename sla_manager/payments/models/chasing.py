"""Chasing what is owed: what was said about a dispute, reminders, Bank Rate, claims for late payment."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sla_manager.billing.models import Document, OneOffCharge
from sla_manager.kernel.money import Money
from sla_manager.payments.models.holds import Hold
from sla_manager.store.tables import Numbered


class DisputeMessage(Numbered):
    """What one side wrote about a document that is held; nothing of it changes."""

    __tablename__ = "dispute_message"
    __table_args__ = (
        CheckConstraint("side IN ('payer', 'council')", name="side"),
        CheckConstraint("text <> ''", name="text"),
    )

    hold_id: Mapped[int] = mapped_column(ForeignKey("hold.id"), index=True)
    side: Mapped[str]
    text: Mapped[str]
    written_at: Mapped[datetime]
    written_by: Mapped[str]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    once_key: Mapped[str | None] = mapped_column(unique=True)

    hold: Mapped[Hold] = relationship(lazy="raise")


class Reminder(Numbered):
    """That a payer was reminded of an invoice: once for each stage, of what was open then.

    The database refuses one of a recharge, of a document that is held, and of one with nothing open.
    `mails`: how many people were written to; none where nobody's address is known.
    """

    __tablename__ = "reminder"
    __table_args__ = (
        UniqueConstraint("document_id", "stage"),
        CheckConstraint("stage > 0", name="stage"),
        CheckConstraint("open > 0", name="open"),
        CheckConstraint("days_overdue > 0", name="days_overdue"),
        CheckConstraint("mails >= 0", name="mails"),
    )

    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"))
    stage: Mapped[int]
    days_overdue: Mapped[int]
    open: Mapped[Money]
    mails: Mapped[int]
    posted_at: Mapped[datetime]

    document: Mapped[Document] = relationship(lazy="raise")


class ReminderWithdrawal(Numbered):
    """That a reminder's mails were taken back before they were sent, because nothing was to be chased any more."""

    __tablename__ = "reminder_withdrawal"

    reminder_id: Mapped[int] = mapped_column(ForeignKey("reminder.id"), unique=True)
    reason: Mapped[str]
    withdrawn_at: Mapped[datetime]


class BankRate(Numbered):
    """The official Bank Rate from a day on, in basis points. Of two for one day the later recorded counts."""

    __tablename__ = "bank_rate"
    __table_args__ = (
        CheckConstraint("rate BETWEEN 0 AND 10000", name="rate"),
        Index("ix_bank_rate_from_day", "from_day", "id"),
    )

    from_day: Mapped[date]
    rate: Mapped[int]
    source: Mapped[str]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]


class LatePaymentClaim(Numbered):
    """Interest, and once the fixed sum, claimed on an invoice for the days after `after` to `until` with it.

    Billed as a one-off charge; a claim whose charge was withdrawn does not count.
    """

    __tablename__ = "late_payment_claim"
    __table_args__ = (
        CheckConstraint("until > after", name="days"),
        CheckConstraint(
            "interest >= 0 AND compensation >= 0 AND interest + compensation > 0", name="amounts"
        ),
        CheckConstraint("rate = bank_rate + 800", name="rate"),
        Index("ix_late_payment_claim_document", "document_id", "id"),
    )

    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"))
    after: Mapped[date]
    until: Mapped[date]
    debt: Mapped[Money]
    reference_day: Mapped[date]
    bank_rate: Mapped[int]
    rate: Mapped[int]
    interest: Mapped[Money]
    compensation: Mapped[Money]
    explanation: Mapped[list[Any]]
    charge_id: Mapped[int] = mapped_column(ForeignKey("one_off_charge.id"), unique=True)
    once_key: Mapped[str | None] = mapped_column(unique=True)
    made_at: Mapped[datetime]
    made_by: Mapped[str]

    document: Mapped[Document] = relationship(lazy="raise")
    charge: Mapped[OneOffCharge] = relationship(lazy="raise")
