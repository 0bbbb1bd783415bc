"""How a customer can pay less: the discounts that a service gives on a day, in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from sla_manager.catalogue.models import Discount, Offering, PriceFreeze
from sla_manager.catalogue.rules.discounts import DiscountKind
from sla_manager.kernel.quantities import plain
from sla_manager.kernel.words import counted, long_date, per_cent, pounds
from sla_manager.people.rules.customer_classes import CustomerClass


def reductions(
    session: Session, service_id: int, customer_class: CustomerClass, *, on: date
) -> tuple[str, ...]:
    """Return a sentence for each discount that a kind of customer can have on a day or later; three queries."""
    query = (
        select(Discount)
        .where(Discount.service_id == service_id, or_(Discount.ends_on.is_(None), Discount.ends_on >= on))
        .order_by(Discount.starts_on, Discount.id)
    )
    found = [
        one
        for one in session.scalars(query)
        if not one.customer_classes or customer_class.value in one.customer_classes
    ]
    sold = {one.id: one for one in session.scalars(select(Offering).where(Offering.service_id == service_id))}
    said = [_words(one, sold, on) for one in found]
    freeze = session.scalar(select(PriceFreeze).where(PriceFreeze.service_id == service_id))
    if freeze is not None and customer_class.is_own:
        said.append(
            f"We hold your prices for {counted(freeze.first_years, 'year')} the first time that you agree to it, "
            f"and for up to {counted(freeze.later_years, 'year')} after that."
        )
    return tuple(said)


def _words(one: Discount, sold: Mapping[int, Offering], on: date) -> str:
    lowered, needed = _names(one.offering_ids, sold), _names(one.needs_ids, sold)
    what = f"{per_cent(one.percent)} less" if one.percent else ""
    if one.unit_price is not None:
        what = f"{pounds(one.unit_price)} each"
    if one.kind is DiscountKind.BUNDLE:
        threshold = plain(one.threshold or Decimal(0))
        free = f"{plain(one.free_quantity or Decimal(0))} × {lowered}"
        said = f"{free} at no charge from {threshold} × {needed} on"
    elif one.kind is DiscountKind.TAKE_ALL:
        said = f"{what} for {lowered}, when you buy all of: {needed}"
    elif one.kind is DiscountKind.SUBSCRIBER:
        said = f"{what} for {lowered}, while you have: {needed}"
    else:
        said = f"{what} for {lowered}"
    starts = f" from {long_date(one.starts_on)}" if one.starts_on > on else ""
    ends = f" until {long_date(one.ends_on)}" if one.ends_on is not None else ""
    return f"{one.name}: {said}{starts}{ends}."


def _names(ids: list[int], sold: Mapping[int, Offering]) -> str:
    names = [sold[one].name for one in ids if one in sold]
    return ", ".join(names) if names else "everything that you buy"
