"""What is in the catalogue, what it costs whom, and how it is billed. Core always comes first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, case, or_, select
from sqlalchemy.orm import Session

from sla_manager.catalogue.models import (
    BillingRule,
    Obligation,
    Offering,
    PresetLoad,
    Price,
    ServiceHours,
    ServicePolicy,
    ServiceRole,
    VatRate,
)
from sla_manager.catalogue.rules.families import Family, refuse_core
from sla_manager.catalogue.rules.pricing import price_on
from sla_manager.catalogue.rules.vat import DatedRate, Route, Treatment, VatCode, rate_at, treatment
from sla_manager.kernel.errors import NotFound
from sla_manager.people.rules.customer_classes import CustomerClass


@dataclass(frozen=True, slots=True)
class BillingTreatment:
    """How a sale is billed: route, VAT code, rate in basis points at the tax point, and why."""

    route: Route
    code: VatCode
    rate: int
    reason: str


def _offered(on: date) -> Select[Offering]:
    core_first = case((Offering.family == Family.CORE, 0), else_=1)
    return (
        select(Offering)
        .where(or_(Offering.withdrawn_on.is_(None), Offering.withdrawn_on > on))
        .order_by(core_first, Offering.position, Offering.id)
    )


def offerings(session: Session, service_id: int, on: date) -> list[Offering]:
    """Return what a service offers on a day: the free core first, then what is sold."""
    return list(session.scalars(_offered(on).where(Offering.service_id == service_id)))


def core_offer(session: Session, service_id: int, on: date) -> list[Offering]:
    """Return the free core offer of a service."""
    return list(
        session.scalars(_offered(on).where(Offering.service_id == service_id, Offering.family == Family.CORE))
    )


def offering(session: Session, offering_id: int, *, service_id: int | None = None) -> Offering:
    """Return one offering; one of another service is not found."""
    found = session.get(Offering, offering_id)
    if found is None or service_id not in (None, found.service_id):
        raise NotFound
    return found


def offering_by_code(session: Session, service_id: int, code: str) -> Offering:
    """Return an offering by its code in a service."""
    query = select(Offering).where(Offering.service_id == service_id, Offering.code == code)
    found = session.scalar(query)
    if found is None:
        raise NotFound(f"This service offers nothing with the code “{code[:40]}”.")
    return found


def _holding(on: date) -> Select[Price]:
    return select(Price).where(Price.starts_on <= on, or_(Price.ends_on.is_(None), Price.ends_on > on))


def price_of(session: Session, offering_id: int, customer_class: CustomerClass, on: date) -> Price:
    """Return the price that holds on a day; core is free, and what has no price cannot be ordered."""
    wanted = offering(session, offering_id)
    refuse_core(wanted.family, wanted.name)
    query = _holding(on).where(Price.offering_id == offering_id, Price.customer_class == customer_class)
    return price_on(session.scalars(query), customer_class=customer_class, on=on, name=wanted.name)


def prices_on(session: Session, service_id: int, customer_class: CustomerClass, on: date) -> dict[int, Price]:
    """Return the prices of a service for one customer class on a day, by offering; one query."""
    query = (
        _holding(on)
        .join(Offering, Offering.id == Price.offering_id)
        .where(Offering.service_id == service_id, Price.customer_class == customer_class)
    )
    return {price.offering_id: price for price in session.scalars(query)}


def price_history(session: Session, service_id: int) -> dict[int, list[Price]]:
    """Return every version of every price of a service, by offering; one query."""
    query = (
        select(Price)
        .join(Offering, Offering.id == Price.offering_id)
        .where(Offering.service_id == service_id)
        .order_by(Price.offering_id, Price.customer_class, Price.starts_on)
    )
    history: dict[int, list[Price]] = {}
    for price in session.scalars(query):
        history.setdefault(price.offering_id, []).append(price)
    return history


def billing_rules(session: Session, service_id: int) -> dict[tuple[int, CustomerClass], BillingRule]:
    """Return the provider's decisions on route and VAT, by offering and class."""
    query = (
        select(BillingRule)
        .join(Offering, Offering.id == BillingRule.offering_id)
        .where(Offering.service_id == service_id)
    )
    return {(rule.offering_id, rule.customer_class): rule for rule in session.scalars(query)}


def treatment_of(
    session: Session,
    offering: Offering,
    customer_class: CustomerClass,
    *,
    private_fund: bool,
    tax_point: date,
) -> BillingTreatment:
    """Return how an offering is billed to a class: the provider's own rule, else the default.

    A maintained school that pays from its private fund is invoiced with VAT, whatever its class is otherwise.
    """
    rules = {
        rule.customer_class: rule
        for rule in session.scalars(select(BillingRule).where(BillingRule.offering_id == offering.id))
    }
    return treatment_by(
        rules, customer_class, private_fund=private_fund, tax_point=tax_point, rates=vat_rates(session)
    )


def treatment_by(
    rules: Mapping[CustomerClass, BillingRule],
    customer_class: CustomerClass,
    *,
    private_fund: bool,
    tax_point: date,
    rates: Iterable[DatedRate],
) -> BillingTreatment:
    """Return how an offering is billed to a class, from its rules by class and the rates of VAT."""
    rule = rules.get(customer_class)
    if rule is not None and not (private_fund and rule.route is Route.RECHARGE):
        decided = Treatment(rule.route, rule.vat_code, rule.reason)
    else:
        exempt = any(one.vat_code is VatCode.EXEMPT for one in rules.values())
        decided = treatment(customer_class, exempt=exempt and private_fund, private_fund=private_fund)
    rate = rate_at(decided.code, tax_point, rates)
    return BillingTreatment(decided.route, decided.code, rate, decided.reason)


def vat_rates(session: Session) -> list[DatedRate]:
    """Return every rate of VAT with its dates, oldest first."""
    query = select(VatRate).order_by(VatRate.code, VatRate.starts_on)
    return [DatedRate(one.code, one.rate, one.starts_on, one.ends_on) for one in session.scalars(query)]


def obligations(session: Session, service_id: int) -> list[Obligation]:
    """Return both sides' promises, in the document's order."""
    query = select(Obligation).where(Obligation.service_id == service_id)
    return list(session.scalars(query.order_by(Obligation.side, Obligation.position, Obligation.id)))


def service_roles(session: Session, service_id: int) -> list[ServiceRole]:
    """Return the roles in a service."""
    query = select(ServiceRole).where(ServiceRole.service_id == service_id)
    return list(session.scalars(query.order_by(ServiceRole.position, ServiceRole.id)))


def service_hours(session: Session, service_id: int) -> list[ServiceHours]:
    """Return when a service is open, Monday first."""
    query = select(ServiceHours).where(ServiceHours.service_id == service_id)
    return list(session.scalars(query.order_by(ServiceHours.weekday)))


def policies(session: Session, service_id: int) -> list[ServicePolicy]:
    """Return a service's terms, in the document's order."""
    query = select(ServicePolicy).where(ServicePolicy.service_id == service_id)
    return list(session.scalars(query.order_by(ServicePolicy.position, ServicePolicy.id)))


def preset_loads(session: Session, service_id: int) -> list[PresetLoad]:
    """Return when presets were loaded and what each load changed, the latest first."""
    query = select(PresetLoad).where(PresetLoad.service_id == service_id).order_by(PresetLoad.id.desc())
    return list(session.scalars(query))


def without_price(offered: Iterable[Offering], prices: Mapping[int, Price]) -> list[Offering]:
    """Return what is sold but has no price yet, so that it cannot be ordered."""
    return [one for one in offered if one.family is not Family.CORE and one.id not in prices]
