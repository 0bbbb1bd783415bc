"""What is taken off a price, and prices that are promised for years."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sla_manager.catalogue.models.offerings import Price
from sla_manager.catalogue.rules.discounts import DiscountKind
from sla_manager.kernel.money import Money
from sla_manager.store.columns import enum_column
from sla_manager.store.tables import Numbered


class Discount(Numbered):
    """A rule of a service that lowers what a line costs. Never edited: it is ended, and another begins.

    `offering_ids` is what it lowers (empty: everything that is sold); `needs_ids` what must be bought, must run
    or is counted, by its kind. `percent` is in basis points.
    """

    __tablename__ = "discount"
    __table_args__ = (
        CheckConstraint("percent IS NULL OR percent BETWEEN 1 AND 10000", name="percent"),
        CheckConstraint("unit_price IS NULL OR unit_price >= 0", name="unit_price"),
        CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="period"),
        CheckConstraint(
            "(kind IN ('early_bird', 'take_all') AND percent IS NOT NULL AND unit_price IS NULL) "
            "OR (kind = 'subscriber' AND (percent IS NULL) <> (unit_price IS NULL)) "
            "OR (kind = 'bundle' AND percent IS NULL AND unit_price IS NULL AND threshold > 0 "
            "AND free_quantity > 0)",
            name="what_it_gives",
        ),
        CheckConstraint("kind <> 'early_bird' OR ends_on IS NOT NULL", name="early_has_an_end"),
    )

    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), index=True)
    kind: Mapped[DiscountKind] = mapped_column(enum_column(DiscountKind))
    name: Mapped[str]
    percent: Mapped[int | None]
    unit_price: Mapped[Money | None]
    threshold: Mapped[Decimal | None]
    free_quantity: Mapped[Decimal | None]
    offering_ids: Mapped[list[Any]] = mapped_column(default=list)
    needs_ids: Mapped[list[Any]] = mapped_column(default=list)
    customer_classes: Mapped[list[Any]] = mapped_column(default=list)
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    """The last day on which it can be had, included."""
    added_at: Mapped[datetime]
    added_by: Mapped[str]


class PriceFreeze(Numbered):
    """That a service holds its prices for maintained schools: so many years the first time, so many later."""

    __tablename__ = "price_freeze"
    __table_args__ = (
        CheckConstraint("first_years BETWEEN 1 AND 3", name="first_years"),
        CheckConstraint("later_years BETWEEN 1 AND 5", name="later_years"),
    )

    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), unique=True)
    first_years: Mapped[int]
    later_years: Mapped[int]


class PriceHold(Numbered):
    """A price that a school keeps until a day, whatever the list says meanwhile. Written when it was agreed."""

    __tablename__ = "price_hold"
    __table_args__ = (
        UniqueConstraint("school_id", "offering_id", "starts_on"),
        CheckConstraint("until > starts_on", name="period"),
        Index("ix_price_hold_school", "school_id", "until"),
    )

    school_id: Mapped[int] = mapped_column(ForeignKey("school.id"))
    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"))
    price_id: Mapped[int] = mapped_column(ForeignKey("price.id"))
    starts_on: Mapped[date]
    until: Mapped[date]
    """The first day on which it no longer holds."""
    agreement: Mapped[str]
    """The reference of the agreement that promised it."""
    held_at: Mapped[datetime]

    price: Mapped[Price] = relationship(lazy="raise")
