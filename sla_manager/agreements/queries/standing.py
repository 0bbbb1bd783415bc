"""What is the same for every quote of a service, read once: offerings, prices, packages, discounts, VAT, terms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from sla_manager.agreements.queries.payment import Billing, billing_facts
from sla_manager.catalogue.models import (
    BillingRule,
    Discount,
    Obligation,
    Offering,
    PackagePart,
    Price,
    ServiceHours,
    ServicePolicy,
    ServiceRole,
)
from sla_manager.catalogue.queries import (
    billing_rules,
    core_offer,
    obligations,
    policies,
    price_history,
    service_hours,
    service_roles,
)
from sla_manager.catalogue.rules.discounts import DiscountKind, DiscountRule
from sla_manager.catalogue.rules.shapes import PriceShape
from sla_manager.kernel.errors import NotFound
from sla_manager.people.models import SchoolTerm, TradingService
from sla_manager.people.queries import terms
from sla_manager.people.rules.customer_classes import CustomerClass


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTexts:
    """What every document of a service says alike: terms, promises, roles, hours and the free core offer."""

    policies: Sequence[ServicePolicy]
    promised: Sequence[Obligation]
    roles: Sequence[ServiceRole]
    hours: Sequence[ServiceHours]
    core: Sequence[Offering]


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedFacts:
    """A service's price list and the council's facts, as they are at one moment. Hand it to every quote of a run."""

    service: TradingService
    offerings: Mapping[int, Offering]
    prices: Mapping[int, Sequence[Price]]
    parts: Mapping[int, Sequence[PackagePart]]
    discounts: Sequence[DiscountRule]
    rules: Mapping[tuple[int, CustomerClass], BillingRule]
    billing: Billing
    terms: Sequence[SchoolTerm]
    texts: ServiceTexts | None = None
    """Only where many documents are frozen; else each reads its own."""

    @property
    def needs_figures(self) -> bool:
        """Whether some price stands on a school's published figures."""
        shapes = {price.shape for versions in self.prices.values() for price in versions}
        return bool(shapes & {PriceShape.PER_PUPIL, PriceShape.BANDS})

    @property
    def needs_running(self) -> bool:
        """Whether some discount asks what a school has already."""
        return any(rule.kind is DiscountKind.SUBSCRIBER for rule in self.discounts)


def shared_facts(session: Session, service_id: int, *, documents_on: date | None = None) -> SharedFacts:
    """Return what every quote of a service needs; a handful of queries.

    `documents_on` reads the texts of its documents too, as they are on that day: for many quotes at once.
    """
    service = session.get(TradingService, service_id)
    if service is None:
        raise NotFound
    offered = session.scalars(select(Offering).where(Offering.service_id == service_id))
    return SharedFacts(
        service=service,
        offerings={one.id: one for one in offered},
        prices=price_history(session, service_id),
        parts=package_parts(session, service_id),
        discounts=discount_rules(session, service_id),
        rules=billing_rules(session, service_id),
        billing=billing_facts(session),
        terms=terms(session),
        texts=None if documents_on is None else service_texts(session, service_id, on=documents_on),
    )


def service_texts(session: Session, service_id: int, *, on: date) -> ServiceTexts:
    """Return what a service's documents say on a day; five queries."""
    return ServiceTexts(
        policies=policies(session, service_id),
        promised=obligations(session, service_id),
        roles=service_roles(session, service_id),
        hours=service_hours(session, service_id),
        core=core_offer(session, service_id, on),
    )


def package_parts(session: Session, service_id: int) -> dict[int, list[PackagePart]]:
    """Return what is in each package of a service, in order, by package."""
    query = (
        select(PackagePart)
        .join(Offering, Offering.id == PackagePart.package_id)
        .where(Offering.service_id == service_id)
        .order_by(PackagePart.package_id, PackagePart.position)
        .options(joinedload(PackagePart.offering))
    )
    found: dict[int, list[PackagePart]] = defaultdict(list)
    for part in session.scalars(query):
        found[part.package_id].append(part)
    return found


def discount_rules(session: Session, service_id: int) -> list[DiscountRule]:
    """Return a service's discounts as rules, the oldest first."""
    query = select(Discount).where(Discount.service_id == service_id).order_by(Discount.id)
    return [
        DiscountRule(
            kind=one.kind,
            name=one.name,
            percent=one.percent,
            unit_price=one.unit_price,
            threshold=one.threshold,
            free_quantity=one.free_quantity,
            offering_ids=frozenset(one.offering_ids),
            needs_ids=frozenset(one.needs_ids),
            customer_classes=frozenset(CustomerClass(kind) for kind in one.customer_classes),
            starts_on=one.starts_on,
            ends_on=one.ends_on,
        )
        for one in session.scalars(query)
    ]
