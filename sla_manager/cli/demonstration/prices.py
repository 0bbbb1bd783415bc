"""Prices of several shapes beside the preset's days: tiers, a yearly price by pupils, a package, an early bird."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from sla_manager.catalogue.commands import set_price
from sla_manager.catalogue.commands.bundles import add_discount, freeze_prices, set_package
from sla_manager.catalogue.commands.offerings import NewOffering, add_offering
from sla_manager.catalogue.models import Offering
from sla_manager.catalogue.rules.discounts import DiscountKind, DiscountRule
from sla_manager.catalogue.rules.families import Family
from sla_manager.catalogue.rules.preset_shapes import Unit
from sla_manager.catalogue.rules.shapes import PartYear, PriceShape
from sla_manager.kernel.money import Money
from sla_manager.people.models import TradingService
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.audit import Actor

TIERS = {
    "tiers": [["1", "565.00"], ["4", "500.00"], ["11", "475.00"], ["21", "432.00"]],
    "top_up": "cumulative",
}
BY_PUPILS = {"base": "466.14", "each": "1.14", "fallback_pupils": 200}
EARLY_DAYS = 60


def tell_prices(session: Session, service: TradingService, *, today: date, by: Actor, at: datetime) -> None:
    """Add an audit with tiers, a yearly data review by pupils, a package of the two, and an early bird on audits."""
    audit = _sold(
        session, service, by, at,
        NewOffering(
            code="AUDIT", name="Attendance audit", description="Two officers check your registers and codes.",
            family=Family.AUDIT_SUPPORT, unit=Unit.AUDIT, maximum=Decimal(30),
        ),
        Money(565_00), PriceShape.TIERS, TIERS, today,
    )  # fmt: skip
    review = _sold(
        session, service, by, at,
        NewOffering(
            code="DATA-YEAR", name="Data review for the year",
            description="Your attendance data read with you every month.",
            family=Family.SCHOOL_PROCESSES, unit=Unit.YEAR, maximum=Decimal(1), part_year=PartYear.MONTHS,
        ),
        Money(466_14), PriceShape.PER_PUPIL, BY_PUPILS, today,
    )  # fmt: skip
    package = _sold(
        session, service, by, at,
        NewOffering(
            code="ATTEND-PLUS", name="Attendance plus",
            description="The data review for the year and an attendance audit, together for less.",
            family=Family.SCHOOL_PROCESSES, unit=Unit.PACKAGE, maximum=Decimal(1),
        ),
        Money(950_00), PriceShape.UNIT, {}, today,
    )  # fmt: skip
    set_package(session, package.id, [(review.id, Decimal(1)), (audit.id, Decimal(1))], by=by, at=at)
    early = DiscountRule(
        kind=DiscountKind.EARLY_BIRD, name="Early bird", percent=500, offering_ids=frozenset({audit.id}),
        starts_on=today, ends_on=today + timedelta(days=EARLY_DAYS),
    )  # fmt: skip
    add_discount(session, service.id, early, by=by, at=at)
    freeze_prices(session, service.id, first_years=3, later_years=5, by=by, at=at)


def _sold(
    session: Session,
    service: TradingService,
    by: Actor,
    at: datetime,
    new: NewOffering,
    price: Money,
    shape: PriceShape,
    terms: dict[str, Any],
    today: date,
) -> Offering:
    """Add something to sell at one price for every kind of customer."""
    added = add_offering(session, service.id, new, by=by, at=at)
    for kind in CustomerClass:
        set_price(
            session, added.id, kind, unit_price=price, shape=shape, terms=terms, starts_on=today, by=by, at=at
        )
    return added
