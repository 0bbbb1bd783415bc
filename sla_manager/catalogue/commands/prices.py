"""Prices by version, the provider's billing rules, rates of VAT."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

import sla_manager.catalogue.constraints  # noqa: F401  (gives the database's rules their sentences)
from sla_manager.catalogue.models import BillingRule, Offering, Price, VatRate
from sla_manager.catalogue.queries import offering
from sla_manager.catalogue.rules.families import refuse_core
from sla_manager.catalogue.rules.price_terms import check_terms
from sla_manager.catalogue.rules.shapes import PriceShape, plainest
from sla_manager.catalogue.rules.vat import Route, VatCode
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.money import Money
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.audit import Actor, record

_WHOLE = 10_000


class PriceStands(Refused):
    """A version of a price is never edited, so two cannot begin on one day."""

    def __init__(self, starts_on: date, stands: Money) -> None:
        super().__init__(
            f"A price of £{stands} from {starts_on:%-d %B %Y} stands already and is never edited. "
            "Choose a later start date.",
            field="starts_on",
        )


def set_price(
    session: Session,
    offering_id: int,
    customer_class: CustomerClass,
    *,
    unit_price: Money,
    shape: PriceShape = PriceShape.UNIT,
    terms: Mapping[str, Any] | None = None,
    starts_on: date,
    source: str = "",
    by: Actor,
    at: datetime,
) -> Price:
    """Set what an offering costs a customer class from a day on: a new version, which ends the running one.

    `shape` and `terms` say how it is built where it is not so much for each; `unit_price` is then worked out of
    them, for lists. The same price from the same day changes nothing. A version that begins later keeps its dates.
    Prices that schools were promised (`PriceHold`) name their own version, so that no new one touches them (C7).
    """
    built = dict(terms or {})
    wanted = session.get_one(Offering, offering(session, offering_id).id, with_for_update=True)
    refuse_core(wanted.family, wanted.name)
    check_terms(shape, built, minimum=wanted.minimum)
    unit_price = unit_price if shape is PriceShape.UNIT else plainest(shape, built)
    if unit_price.pence < 0:
        raise Refused(f"A price cannot be below £0.00, and £{unit_price} is.", field="unit_price")
    versions = list(
        session.scalars(
            select(Price)
            .where(
                Price.offering_id == offering_id,
                Price.customer_class == customer_class,
                or_(Price.ends_on.is_(None), Price.ends_on > starts_on),
            )
            .order_by(Price.starts_on)
        )
    )
    same_day = next((one for one in versions if one.starts_on == starts_on), None)
    if same_day is not None:
        if _is_same(same_day, unit_price, shape, built):
            return same_day
        raise PriceStands(starts_on, same_day.unit_price)
    running = next((one for one in versions if one.starts_on < starts_on), None)
    later = next((one for one in versions if one.starts_on > starts_on), None)
    if running is not None:
        if _is_same(running, unit_price, shape, built) and later is None:
            return running
        running.ends_on = starts_on
        session.flush()
    price = Price(
        offering_id=offering_id,
        family=wanted.family,
        customer_class=customer_class,
        starts_on=starts_on,
        ends_on=later.starts_on if later else None,
        unit_price=unit_price,
        shape=shape,
        terms=built,
        source=source,
    )
    session.add(price)
    session.flush()
    record(
        session,
        "set_price",
        about="offering",
        about_id=offering_id,
        summary=f"{wanted.name}: £{unit_price} for {customer_class.value} from {starts_on.isoformat()}",
        by=by,
        at=at,
        details={
            "price_id": price.id,
            "unit_price": str(unit_price),
            "before": str(running.unit_price) if running else None,
        },
    )
    return price


def _is_same(price: Price, unit_price: Money, shape: PriceShape, terms: Mapping[str, Any]) -> bool:
    return price.unit_price == unit_price and price.shape is shape and price.terms == terms


def set_billing_rule(
    session: Session,
    offering_id: int,
    customer_class: CustomerClass,
    *,
    route: Route,
    vat_code: VatCode,
    reason: str,
    by: Actor,
    at: datetime,
) -> BillingRule:
    """Decide the route and VAT of an offering for a class; quotes made before keep what they say."""
    wanted = offering(session, offering_id)
    refuse_core(wanted.family, wanted.name)
    if (route is Route.RECHARGE) != (vat_code is VatCode.OUTSIDE_SCOPE):
        raise Refused(
            "A recharge is outside the scope of VAT, and an invoice is not. Choose the two together.",
            field="vat_code",
        )
    if not reason.strip():
        raise Refused("Say why it is billed this way. It is printed on the document.", field="reason")
    query = select(BillingRule).where(
        BillingRule.offering_id == offering_id, BillingRule.customer_class == customer_class
    )
    rule = session.scalar(query)
    if rule is None:
        rule = BillingRule(offering_id=offering_id, customer_class=customer_class)
        session.add(rule)
    rule.route, rule.vat_code, rule.reason = route, vat_code, reason.strip()
    session.flush()
    record(
        session,
        "set_billing_rule",
        about="offering",
        about_id=offering_id,
        summary=f"{wanted.name} for {customer_class.value}: {route.value}, {vat_code.value}",
        by=by,
        at=at,
        details={"reason": rule.reason},
    )
    return rule


def set_vat_rate(
    session: Session, code: VatCode, *, rate: int, starts_on: date, by: Actor, at: datetime
) -> VatRate:
    """Set a rate of VAT, in basis points, for tax points from a day on (M5); earlier ones keep theirs."""
    if not 0 <= rate <= _WHOLE:
        raise Refused("Enter a rate between 0 and 100 per cent.", field="rate")
    rates = session.scalars(select(VatRate).where(VatRate.code == code).order_by(VatRate.starts_on.desc()))
    latest = rates.first()
    if latest is not None and latest.starts_on >= starts_on:
        raise Refused(
            f"The rate from {latest.starts_on:%-d %B %Y} stands. Choose a later day.", field="starts_on"
        )
    if latest is not None:
        latest.ends_on = starts_on
    added = VatRate(code=code, rate=rate, starts_on=starts_on, ends_on=None)
    session.add(added)
    session.flush()
    record(
        session,
        "set_vat_rate",
        about="vat_rate",
        about_id=added.id,
        summary=f"{code.value}: {rate} basis points from {starts_on.isoformat()}",
        by=by,
        at=at,
    )
    return added


def withdraw_offering(session: Session, offering_id: int, *, on: date, by: Actor, at: datetime) -> Offering:
    """Stop offering something from a day on. Agreements that have it keep it."""
    wanted = offering(session, offering_id)
    wanted.withdrawn_on = on
    record(
        session,
        "withdraw_offering",
        about="offering",
        about_id=offering_id,
        summary=f"{wanted.name} is no longer offered from {on.isoformat()}",
        by=by,
        at=at,
    )
    return wanted
