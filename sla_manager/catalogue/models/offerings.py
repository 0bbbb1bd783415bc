"""Sold: offerings and their prices, VAT and route, and what a service promises, asks and is open for."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, Time, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sla_manager.catalogue.rules.charging import ChargingMethod
from sla_manager.catalogue.rules.families import CoreDuty, Family
from sla_manager.catalogue.rules.shapes import PartYear, PriceShape
from sla_manager.catalogue.rules.vat import Route, VatCode
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.people.models import TradingService
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.columns import enum_column
from sla_manager.store.tables import Numbered


class Offering(Numbered):
    """Something in the catalogue, in exactly one family.

    `unit` is what it is counted in (`Unit`); `unit_minutes` is the length of one (None where time is not counted).
    """

    __tablename__ = "offering"
    __table_args__ = (
        UniqueConstraint("service_id", "code"),
        UniqueConstraint("id", "family"),
        CheckConstraint("(family = 'core') = (duty IS NOT NULL)", name="core_has_a_duty"),
        CheckConstraint(
            "unit IN ('day', 'hour', 'session', 'item', 'referral', 'case', 'delegate', 'audit', 'package', "
            "'year')",
            name="unit",
        ),
        CheckConstraint("unit NOT IN ('day', 'hour') OR unit_minutes > 0", name="time_has_a_length"),
        CheckConstraint("step > 0", name="step"),
        CheckConstraint("minimum > 0 AND (maximum IS NULL OR maximum >= minimum)", name="limits"),
        CheckConstraint("limit_basis IN ('agreement', 'term')", name="limit_basis"),
        CheckConstraint(
            "unit_minutes IS NULL OR (step * unit_minutes) % 1000 = 0", name="step_whole_minutes"
        ),
        CheckConstraint("charging_method = 'actual' OR block_minutes > 0", name="block"),
    )

    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), index=True)
    code: Mapped[str]
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    family: Mapped[Family] = mapped_column(enum_column(Family))
    duty: Mapped[CoreDuty | None] = mapped_column(enum_column(CoreDuty))
    unit: Mapped[str] = mapped_column(default="day")
    unit_minutes: Mapped[Minutes | None]
    step: Mapped[Decimal] = mapped_column(default=Decimal("1"))
    minimum: Mapped[Decimal] = mapped_column(default=Decimal("1"))
    maximum: Mapped[Decimal | None]
    limit_basis: Mapped[str] = mapped_column(default="agreement")
    charging_method: Mapped[ChargingMethod] = mapped_column(
        enum_column(ChargingMethod), default=ChargingMethod.ACTUAL
    )
    block_minutes: Mapped[Minutes | None]
    counts_preparation: Mapped[bool] = mapped_column(default=True)
    counts_report: Mapped[bool] = mapped_column(default=True)
    counts_travel: Mapped[bool] = mapped_column(default=False)
    section: Mapped[str] = mapped_column(default="")
    """The heading it stands under in the catalogue."""
    minimum_per_week: Mapped[Decimal | None]
    """The smallest quantity for every school week, where the service sets one."""
    phases: Mapped[list[Any]] = mapped_column(default=list)
    """The phases of education it is for, as the register names them; empty means all."""
    customer_classes: Mapped[list[Any]] = mapped_column(default=list)
    """The kinds of customer it is for; empty means all."""
    activities: Mapped[list[Any]] = mapped_column(default=list)
    position: Mapped[int] = mapped_column(default=0)
    source: Mapped[str] = mapped_column(default="")
    """Where the source document says so: its line and words."""
    withdrawn_on: Mapped[date | None]
    part_year: Mapped[PartYear] = mapped_column(
        enum_column(PartYear, constraint=False), default=PartYear.FULL, server_default="full"
    )
    """What an agreement of less than a year pays of a price that is for a year."""

    service: Mapped[TradingService] = relationship(lazy="raise")


class Price(Numbered):
    """What an offering costs a customer class from a date. Core cannot have one: the key carries the family."""

    __tablename__ = "price"
    __table_args__ = (
        ForeignKeyConstraint(["offering_id", "family"], ["offering.id", "offering.family"]),
        CheckConstraint("family <> 'core'", name="core_is_free"),
        CheckConstraint("unit_price >= 0", name="not_negative"),
        CheckConstraint("ends_on IS NULL OR ends_on > starts_on", name="period"),
        Index("ix_price_of", "offering_id", "customer_class", "starts_on"),
    )

    offering_id: Mapped[int]
    family: Mapped[Family] = mapped_column(enum_column(Family))
    customer_class: Mapped[CustomerClass] = mapped_column(enum_column(CustomerClass))
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    """The first day on which it no longer holds (half-open)."""
    unit_price: Mapped[Money]
    """The price of one; of other shapes the price of one in the plainest case, for lists."""
    source: Mapped[str] = mapped_column(default="")
    shape: Mapped[PriceShape] = mapped_column(
        enum_column(PriceShape, constraint=False), default=PriceShape.UNIT, server_default="unit"
    )
    terms: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """What the shape needs besides: tiers, bands, the price of a pupil; amounts as text (see rules/shapes.py)."""

    offering: Mapped[Offering] = relationship(lazy="raise")


class BillingRule(Numbered):
    """The provider's decision on route and VAT for an offering and a class, where it differs from the default."""

    __tablename__ = "billing_rule"
    __table_args__ = (
        UniqueConstraint("offering_id", "customer_class"),
        CheckConstraint(
            "(route = 'recharge') = (vat_code = 'outside_scope')", name="recharge_is_outside_scope"
        ),
    )

    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"), index=True)
    customer_class: Mapped[CustomerClass] = mapped_column(enum_column(CustomerClass))
    route: Mapped[Route] = mapped_column(enum_column(Route))
    vat_code: Mapped[VatCode] = mapped_column(enum_column(VatCode))
    reason: Mapped[str]


class VatRate(Numbered):
    """A rate of VAT by tax point, in basis points (20 % = 2000)."""

    __tablename__ = "vat_rate"
    __table_args__ = (
        UniqueConstraint("code", "starts_on"),
        CheckConstraint("rate BETWEEN 0 AND 10000", name="rate"),
        CheckConstraint("ends_on IS NULL OR ends_on > starts_on", name="period"),
    )

    code: Mapped[VatCode] = mapped_column(enum_column(VatCode))
    rate: Mapped[int]
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]


class Obligation(Numbered):
    """Something that the council (P1 …) or the school (C1 …) promises; items below it are in `items`."""

    __tablename__ = "obligation"
    __table_args__ = (
        UniqueConstraint("service_id", "side", "ref"),
        CheckConstraint("side IN ('provider', 'school')", name="side"),
    )

    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), index=True)
    side: Mapped[str]
    ref: Mapped[str]
    heading: Mapped[str] = mapped_column(default="")
    wording: Mapped[str]
    items: Mapped[list[Any]] = mapped_column(default=list)
    position: Mapped[int] = mapped_column(default=0)
    source: Mapped[str] = mapped_column(default="")


class ServiceRole(Numbered):
    """A role in the service and its responsibilities."""

    __tablename__ = "service_role"

    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), index=True)
    title: Mapped[str]
    responsibilities: Mapped[list[Any]] = mapped_column(default=list)
    contact: Mapped[str] = mapped_column(default="")
    position: Mapped[int] = mapped_column(default=0)
    source: Mapped[str] = mapped_column(default="")


class ServiceHours(Numbered):
    """When the service is open on a weekday (0 is Monday), London time."""

    __tablename__ = "service_hours"
    __table_args__ = (
        UniqueConstraint("service_id", "weekday"),
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        CheckConstraint("opens < closes", name="hours"),
    )

    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"))
    weekday: Mapped[int]
    opens: Mapped[time] = mapped_column(Time)
    closes: Mapped[time] = mapped_column(Time)


class ServicePolicy(Numbered):
    """A paragraph of the service's terms: cover, cancellation, no carry-forward, data protection …"""

    __tablename__ = "service_policy"
    __table_args__ = (UniqueConstraint("service_id", "key"),)

    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"))
    key: Mapped[str]
    title: Mapped[str]
    wording: Mapped[str]
    position: Mapped[int] = mapped_column(default=0)
    source: Mapped[str] = mapped_column(default="")


class PresetLoad(Numbered):
    """When a preset was loaded, and what it changed."""

    __tablename__ = "preset_load"

    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), index=True)
    preset: Mapped[str]
    sha256: Mapped[str]
    loaded_at: Mapped[datetime]
    loaded_by: Mapped[str]
    changes: Mapped[dict[str, Any]]
