"""What a service offers a customer on a day: the free core first, then what is sold with its price and its why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager, joinedload

from sla_manager.catalogue.models import BillingRule, Offering, PackagePart, Price, PriceHold
from sla_manager.catalogue.needs import suggestions
from sla_manager.catalogue.queries import billing_rules, offerings, prices_on, vat_rates
from sla_manager.catalogue.rules.families import CoreDuty, Family
from sla_manager.catalogue.rules.price_words import price_words
from sla_manager.catalogue.rules.quantities import quantity_hint
from sla_manager.catalogue.rules.recommending import Recommendation
from sla_manager.catalogue.rules.shapes import (
    FigureMissing,
    Priced,
    PriceShape,
    SchoolFigures,
    price_quantity,
    tiers_of,
)
from sla_manager.catalogue.rules.vat import (
    DatedRate,
    Route,
    Treatment,
    VatCode,
    rate_at,
    treatment,
    why_vat,
)
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import ONE_DAY
from sla_manager.kernel.words import counted, long_date
from sla_manager.people.figures import figure_of, pupil_counts
from sla_manager.people.models import School, TradingService
from sla_manager.people.rules.attendance_files import year_name
from sla_manager.people.rules.customer_classes import CustomerClass


@dataclass(frozen=True, slots=True)
class Included:
    """One thing in a package and how much of it; the free core offer may be named, and stays free."""

    name: str
    quantity: Decimal
    unit: str
    is_free: bool

    @property
    def words(self) -> str:
        """What a page says of it."""
        return f"Free: {self.name}" if self.is_free else f"{counted(self.quantity, self.unit)}: {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Something that is sold to a customer: its price in words, for this school, how it is billed, what is asked.

    `words` say the price list; `example` is what `quantity` costs this school, None where no school is asked
    for, where there is no price, or where a figure of the school is missing (`missing` says which).
    """

    offering: Offering
    price: Price | None
    words: tuple[str, ...]
    limits: str
    route: Route
    vat: VatCode
    billed: str
    quantity: Decimal
    example: Priced | None = None
    missing: str = ""
    suggestion: Recommendation | None = None
    held_until: date | None = None
    """The last day of a price that this school was promised, whatever the list says meanwhile."""
    coming: str = ""
    """The price from a later day on, where it is set already."""
    parts: tuple[Included, ...] = ()
    """What a package includes, in its order; empty for what is no package."""

    @property
    def is_taxed(self) -> bool:
        """Whether VAT is added."""
        return self.vat is VatCode.STANDARD

    @property
    def shape(self) -> PriceShape:
        """How the price is built."""
        return self.price.shape if self.price is not None else PriceShape.UNIT

    @property
    def telling(self) -> Priced | None:
        """What it costs this school, where that says more than the price list."""
        asked = self.suggestion is not None and self.suggestion.asked
        return self.example if asked or self.shape is not PriceShape.UNIT else None

    @property
    def tiers(self) -> list[tuple[Decimal, Money]]:
        """From how many on, and the price of each; empty for another shape."""
        return tiers_of(self.price.terms) if self.price is not None and self.shape is PriceShape.TIERS else []


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One service's free core offer by duty, and what it sells by family, for one customer."""

    service: TradingService
    core: list[tuple[CoreDuty, list[Offering]]]
    sold: list[tuple[Family, list[Offer]]]

    @property
    def offers(self) -> list[Offer]:
        """Everything that is sold."""
        return [one for _, offers in self.sold for one in offers]

    @property
    def packages(self) -> list[Offer]:
        """What includes other things, and has a price."""
        return [one for one in self.offers if one.parts and one.price is not None]

    @property
    def counts_pupils(self) -> bool:
        """Whether a price depends on how many pupils a school has."""
        return any(
            one.price is not None
            and (one.shape is PriceShape.PER_PUPIL or one.price.terms.get("by") == "pupils")
            for one in self.offers
        )

    @property
    def free(self) -> list[Offering]:
        """Everything that is free."""
        return [one for _, offered in self.core for one in offered]


def catalogue_of_school(session: Session, service: TradingService, school: School, *, on: date) -> Catalogue:
    """Return what a service offers a school: what is for its phase and kind only."""
    offered = [one for one in offerings(session, service.id, on) if is_for_school(one, school)]
    sold = [one for one in offered if one.family is not Family.CORE]
    suggested = suggestions(session, service.id, school, sold, on=on)
    return _catalogue(
        session, service, offered, school.customer_class, on, school=school, suggested=suggested
    )


def catalogue_of_class(
    session: Session, service: TradingService, customer_class: CustomerClass, *, on: date
) -> Catalogue:
    """Return what a service offers a kind of customer, of every phase."""
    offered = [one for one in offerings(session, service.id, on) if is_for_class(one, customer_class)]
    return _catalogue(session, service, offered, customer_class, on)


def is_for_class(one: Offering, customer_class: CustomerClass) -> bool:
    """Say whether an offering is for a kind of customer; what is free is for every one."""
    return (
        one.family is Family.CORE or not one.customer_classes or customer_class.value in one.customer_classes
    )


def is_for_school(one: Offering, school: School) -> bool:
    """Say whether an offering is for a school's phase and kind; what is free is for every school."""
    if one.family is Family.CORE:
        return True
    fits = not one.phases or school.phase in one.phases
    return fits and is_for_class(one, school.customer_class)


def price_figures(session: Session, school: School, *, on: date) -> SchoolFigures:
    """Return what prices stand on: a school's phase, its latest census by a day, its newest persistent absence."""
    pupils = pupil_counts(session, [school.id], on=on).get(school.id)
    absence = figure_of(session, school.id)
    published = absence is not None and absence.persistent is not None
    return SchoolFigures(
        phase=school.phase,
        pupils=pupils.pupils if pupils else None,
        pupils_from=pupils.source if pupils else "",
        absence=absence.persistent if absence else None,
        absence_from=year_name(absence.year) if absence and published else "",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shop:
    """What is read once for a whole catalogue."""

    customer_class: CustomerClass
    on: date
    prices: Mapping[int, Price]
    coming: Mapping[int, Price]
    held: Mapping[int, PriceHold]
    rules: Mapping[tuple[int, CustomerClass], BillingRule]
    rates: list[DatedRate]
    parts: Mapping[int, tuple[Included, ...]]
    figures: SchoolFigures | None
    suggested: Mapping[int, Recommendation]


def _catalogue(
    session: Session,
    service: TradingService,
    offered: list[Offering],
    customer_class: CustomerClass,
    on: date,
    *,
    school: School | None = None,
    suggested: Mapping[int, Recommendation] | None = None,
) -> Catalogue:
    shop = _Shop(
        customer_class=customer_class,
        on=on,
        prices=prices_on(session, service.id, customer_class, on),
        coming=_coming(session, service.id, customer_class, on),
        held=promised_prices(session, school.id, on) if school is not None else {},
        rules=billing_rules(session, service.id),
        rates=vat_rates(session),
        parts=package_parts(session, service.id),
        figures=price_figures(session, school, on=on) if school is not None else None,
        suggested=suggested or {},
    )
    offers = {one.id: _offer(one, shop) for one in offered if one.family is not Family.CORE}
    core = [(duty, [one for one in offered if one.duty is duty]) for duty in CoreDuty]
    sold = [
        (family, [offers[one.id] for one in offered if one.family is family])
        for family in Family
        if family is not Family.CORE
    ]
    return Catalogue(service, core, [(family, found) for family, found in sold if found])


def _coming(session: Session, service_id: int, customer_class: CustomerClass, on: date) -> dict[int, Price]:
    """Return the next price of each offering that begins after a day."""
    query = (
        select(Price)
        .join(Offering, Offering.id == Price.offering_id)
        .where(
            Offering.service_id == service_id, Price.customer_class == customer_class, Price.starts_on > on
        )
        .order_by(Price.starts_on.desc())
    )
    return {price.offering_id: price for price in session.scalars(query)}


def promised_prices(session: Session, school_id: int, on: date) -> dict[int, PriceHold]:
    """Return the prices that a school was promised and that hold on a day, by offering: they win over the list."""
    query = (
        select(PriceHold)
        .where(PriceHold.school_id == school_id, PriceHold.starts_on <= on, PriceHold.until > on)
        .order_by(PriceHold.starts_on)
        .options(joinedload(PriceHold.price))
    )
    return {one.offering_id: one for one in session.scalars(query)}


def _treatment(
    rules: Mapping[tuple[int, CustomerClass], BillingRule], one: Offering, customer_class: CustomerClass
) -> Treatment:
    rule = rules.get((one.id, customer_class))
    if rule is not None:
        return Treatment(rule.route, rule.vat_code, rule.reason)
    return treatment(customer_class)


def _offer(one: Offering, shop: _Shop) -> Offer:
    held, coming, suggestion = shop.held.get(one.id), shop.coming.get(one.id), shop.suggested.get(one.id)
    price = held.price if held is not None else shop.prices.get(one.id)
    treated = _treatment(shop.rules, one, shop.customer_class)
    asked = suggestion.asked if suggestion is not None and suggestion.asked else one.minimum
    example, missing = _example(one, price, asked, shop.figures)
    return Offer(
        offering=one,
        price=price,
        words=_words(one, price),
        limits=limits_words(one),
        route=treated.route,
        vat=treated.code,
        billed=billed_words(treated, rate_at(treated.code, shop.on, shop.rates)),
        quantity=asked,
        example=example,
        missing=missing,
        suggestion=suggestion,
        held_until=held.until - ONE_DAY if held is not None else None,
        coming=f"From {long_date(coming.starts_on)}: {'; '.join(_words(one, coming))}" if coming else "",
        parts=shop.parts.get(one.id, ()),
    )


def _words(one: Offering, price: Price | None) -> tuple[str, ...]:
    return price_words(price.shape, price.unit_price, price.terms, unit=one.unit) if price else ()


def package_parts(session: Session, service_id: int) -> dict[int, tuple[Included, ...]]:
    """Return what each package of a service includes, by package; one query."""
    query = (
        select(PackagePart)
        .join(PackagePart.offering)
        .where(Offering.service_id == service_id)
        .options(contains_eager(PackagePart.offering))
        .order_by(PackagePart.package_id, PackagePart.position, PackagePart.id)
    )
    found: dict[int, tuple[Included, ...]] = {}
    for part in session.scalars(query):
        one = part.offering
        included = Included(one.name, part.quantity, one.unit, one.family is Family.CORE)
        found[part.package_id] = (*found.get(part.package_id, ()), included)
    return found


def _example(
    one: Offering, price: Price | None, quantity: Decimal, figures: SchoolFigures | None
) -> tuple[Priced | None, str]:
    if price is None or figures is None:
        return None, ""
    try:
        found = price_quantity(
            price.shape, price.unit_price, price.terms, quantity, unit=one.unit, figures=figures
        )
    except FigureMissing as missing:
        return None, missing.message
    return found, ""


def limits_words(one: Offering) -> str:
    """Say how much may be ordered: "between 5 and 30 hours for each term, in half hours".

    The sentence is the one that an order form refuses with, without its beginning and its example.
    """
    hint = quantity_hint(one.unit, one.minimum, one.maximum, one.step, one.limit_basis)
    said = hint.removeprefix("Enter a number of ").partition(", like ")[0]
    weekly = (
        f". At least {counted(one.minimum_per_week, one.unit)} for each school week"
        if one.minimum_per_week is not None
        else ""
    )
    return said[0].upper() + said[1:] + weekly


def billed_words(treated: Treatment, rate: int) -> str:
    """Say how a sale is billed: by recharge without VAT, or by invoice with it, and why."""
    if treated.route is Route.RECHARGE:
        return f"Recharged to the school's budget. {treated.reason}"
    return f"Invoiced. {why_vat(treated.reason, rate)}"
