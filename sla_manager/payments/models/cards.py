"""Money by card: pages on which people pay, signed messages, what came, what goes back, what is disputed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sla_manager.billing.models import Document
from sla_manager.kernel.money import Money
from sla_manager.payments.models.receipts import Receipt
from sla_manager.payments.models.refunds import Refund
from sla_manager.people.models import Customer
from sla_manager.store.tables import Numbered

_LIVE = text("status IN ('asked', 'open')")
_WAITING = text("handled_at IS NULL")
_OPEN = text("answered_at IS NULL")


class CardCheckout(Numbered):
    """A page of the provider on which one document is paid: asked for, open, complete, expired or failed.

    There is one at a time for each document (P5). `reference` is in the address of the page to which people come
    back; `page_id` and `url` are the provider's, as soon as the page is there.
    """

    __tablename__ = "card_checkout"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("status IN ('asked', 'open', 'complete', 'expired', 'failed')", name="status"),
        CheckConstraint("status <> 'open' OR (page_id IS NOT NULL AND url IS NOT NULL)", name="has_page"),
        CheckConstraint("status <> 'complete' OR payment_id IS NOT NULL", name="has_payment"),
        Index(
            "uq_card_checkout_live", "document_id", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE
        ),
        Index("ix_card_checkout_open", "checked_at", sqlite_where=_LIVE, postgresql_where=_LIVE),
    )

    reference: Mapped[str] = mapped_column(unique=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    amount: Mapped[Money]
    status: Mapped[str]
    page_id: Mapped[str | None] = mapped_column(unique=True)
    url: Mapped[str | None]
    payment_id: Mapped[str | None]
    asked_at: Mapped[datetime]
    asked_by: Mapped[str]
    tell: Mapped[str]
    """Whom we tell that the money came: an address of mail, or nothing."""
    expires_at: Mapped[datetime]
    checked_at: Mapped[datetime]

    document: Mapped[Document] = relationship(lazy="raise")
    customer: Mapped[Customer] = relationship(lazy="raise")


class CardEvent(Numbered):
    """A signed message of the provider: that something happened to an object. Kept first, handled afterwards (P1).

    What is true is asked of the provider when it is handled; the message's own words are not kept, for they name
    whoever paid.
    """

    __tablename__ = "card_event"
    __table_args__ = (
        CheckConstraint("attempts >= 0", name="attempts"),
        Index("ix_card_event_waiting", "next_try_at", sqlite_where=_WAITING, postgresql_where=_WAITING),
    )

    event_id: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    about: Mapped[str]
    about_id: Mapped[str]
    payment_id: Mapped[str | None]
    happened_at: Mapped[datetime]
    received_at: Mapped[datetime]
    next_try_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]
    handled_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(default="")


class CardReceipt(Numbered):
    """By which payment of the provider a receipt came: a fact, each payment once."""

    __tablename__ = "card_receipt"

    payment_id: Mapped[str] = mapped_column(unique=True)
    receipt_id: Mapped[int] = mapped_column(ForeignKey("receipt.id"), unique=True)
    checkout_id: Mapped[int | None] = mapped_column(ForeignKey("card_checkout.id"), index=True)
    recorded_at: Mapped[datetime]

    receipt: Mapped[Receipt] = relationship(lazy="raise")


class CardRefundOrder(Numbered):
    """A refund that the provider is to carry out, or did: asked, pending, succeeded or failed.

    The money counts as given back from the moment of asking; a failed one is undone by a reversal of its refund.
    """

    __tablename__ = "card_refund_order"
    __table_args__ = (
        CheckConstraint("status IN ('asked', 'pending', 'succeeded', 'failed')", name="status"),
        Index(
            "ix_card_refund_order_open",
            "checked_at",
            sqlite_where=text("status IN ('asked', 'pending')"),
            postgresql_where=text("status IN ('asked', 'pending')"),
        ),
    )

    refund_id: Mapped[int] = mapped_column(ForeignKey("refund.id"), unique=True)
    payment_id: Mapped[str] = mapped_column(index=True)
    provider_id: Mapped[str | None] = mapped_column(unique=True)
    status: Mapped[str]
    why: Mapped[str] = mapped_column(default="")
    asked_at: Mapped[datetime]
    checked_at: Mapped[datetime]

    refund: Mapped[Refund] = relationship(lazy="raise")


class CardDispute(Numbered):
    """A payment that the card's holder asks back through the bank. Lost, it is a chargeback."""

    __tablename__ = "card_dispute"
    __table_args__ = (CheckConstraint("amount > 0", name="amount"),)

    dispute_id: Mapped[str] = mapped_column(unique=True)
    receipt_id: Mapped[int] = mapped_column(ForeignKey("receipt.id"), index=True)
    amount: Mapped[Money]
    reason: Mapped[str]
    status: Mapped[str]
    answer_by: Mapped[datetime | None]
    opened_at: Mapped[datetime]
    checked_at: Mapped[datetime]
    chargeback_id: Mapped[int | None] = mapped_column(ForeignKey("refund.id"), unique=True)
    """The refund that a lost dispute made; nothing while it is open, and again nothing when it was won after all."""
    version: Mapped[int] = mapped_column(default=1)

    receipt: Mapped[Receipt] = relationship(lazy="raise")


class CardAlert(Numbered):
    """Something about money by card that a person must look at, until somebody says what came of it."""

    __tablename__ = "card_alert"
    __table_args__ = (
        CheckConstraint("(answered_at IS NULL) = (answered_by IS NULL)", name="answered"),
        Index("ix_card_alert_open", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    once_key: Mapped[str] = mapped_column(unique=True)
    message: Mapped[str]
    receipt_id: Mapped[int | None] = mapped_column(ForeignKey("receipt.id"), index=True)
    document_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"), index=True)
    raised_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str | None]
    answer: Mapped[str] = mapped_column(default="")


class PayLink(Numbered):
    """A link in a mail with which one document can be paid without signing in. Only the hash of it is kept."""

    __tablename__ = "pay_link"
    __table_args__ = (CheckConstraint("expires_at > made_at", name="expires_later"),)

    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    recipient: Mapped[str]
    made_at: Mapped[datetime]
    made_by: Mapped[str]
    expires_at: Mapped[datetime]
    once_key: Mapped[str | None] = mapped_column(unique=True)

    document: Mapped[Document] = relationship(lazy="raise")
