"""One-off charges: training, an audit, a referral, a correction upwards, interest; billed by the next run."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sla_manager.billing.models.documents import Document
from sla_manager.catalogue.models import Offering
from sla_manager.catalogue.rules.vat import Route, VatCode
from sla_manager.kernel.money import Money
from sla_manager.people.models import Customer, School, TradingService
from sla_manager.store.columns import enum_column
from sla_manager.store.tables import Numbered

CHARGE_KINDS = ("training", "audit", "referral", "other", "debit", "late_payment")


class OneOffCharge(Numbered):
    """Something to be billed outside an agreement, once. It never changes; before it is billed it may be withdrawn.

    `consent` says who agreed to it, for a recharge always: name, role, on (date), how. `supplements_id` names the
    document that a debit adds to. Billed with purpose `one_off`.
    """

    __tablename__ = "one_off_charge"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('training', 'audit', 'referral', 'other', 'debit', 'late_payment')", name="kind"
        ),
        CheckConstraint(
            "(kind IN ('debit', 'late_payment')) = (supplements_id IS NOT NULL)", name="supplements"
        ),
        CheckConstraint("net > 0", name="net"),
        CheckConstraint("kind <> 'late_payment' OR route = 'invoice'", name="interest_is_never_recharged"),
        Index("ix_one_off_charge_customer", "customer_id", "id"),
    )

    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), index=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    school_id: Mapped[int | None] = mapped_column(ForeignKey("school.id"), index=True)
    kind: Mapped[str]
    route: Mapped[Route] = mapped_column(enum_column(Route))
    delivered_on: Mapped[date]
    """The day that it was done, or the claim made: the tax point's basis."""
    net: Mapped[Money]
    purchase_order: Mapped[str] = mapped_column(default="")
    supplements_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"), index=True)
    reason: Mapped[str] = mapped_column(default="")
    consent: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    once_key: Mapped[str | None] = mapped_column(unique=True)

    service: Mapped[TradingService] = relationship(lazy="raise")
    customer: Mapped[Customer] = relationship(lazy="raise")
    school: Mapped[School | None] = relationship(lazy="raise")
    supplements: Mapped[Document | None] = relationship(lazy="raise")
    lines: Mapped[list[OneOffLine]] = relationship(lazy="raise", order_by="OneOffLine.position")


class OneOffLine(Numbered):
    """A line of a one-off charge; never of a core offering (the database refuses it)."""

    __tablename__ = "one_off_line"
    __table_args__ = (
        UniqueConstraint("charge_id", "position"),
        CheckConstraint("quantity > 0", name="quantity"),
    )

    charge_id: Mapped[int] = mapped_column(ForeignKey("one_off_charge.id"))
    position: Mapped[int]
    offering_id: Mapped[int | None] = mapped_column(ForeignKey("offering.id"), index=True)
    description: Mapped[str]
    quantity: Mapped[Decimal]
    unit: Mapped[str]
    unit_price: Mapped[Money]
    net: Mapped[Money]
    vat_code: Mapped[VatCode] = mapped_column(enum_column(VatCode))
    vat_reason: Mapped[str] = mapped_column(default="")
    explanation: Mapped[list[Any]] = mapped_column(default=list)

    offering: Mapped[Offering | None] = relationship(lazy="raise")


class OneOffWithdrawal(Numbered):
    """That a charge is not to be billed after all, and why."""

    __tablename__ = "one_off_withdrawal"

    charge_id: Mapped[int] = mapped_column(ForeignKey("one_off_charge.id"), unique=True)
    reason: Mapped[str]
    withdrawn_at: Mapped[datetime]
    withdrawn_by: Mapped[str]
