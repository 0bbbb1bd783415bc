"""The brochure of a service, for a kind of customer or for one school: the same catalogue that pages show."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from sla_manager.agreements.documents.facts import core_duties, opening_hours, text_paragraphs
from sla_manager.agreements.documents.terms import Terms, read_terms
from sla_manager.catalogue.offers import (
    Catalogue,
    Offer,
    catalogue_of_class,
    catalogue_of_school,
    price_figures,
)
from sla_manager.catalogue.queries import policies, service_hours
from sla_manager.catalogue.reductions import reductions
from sla_manager.gateways.printing import brochure_facts as paper
from sla_manager.gateways.printing.facts import Contact, Supplier, plain
from sla_manager.kernel.words import counted, long_date, pounds
from sla_manager.people.models import Provider, School, TradingService
from sla_manager.people.queries import the_provider
from sla_manager.people.rules.customer_classes import CustomerClass

_HOW_TO_BUY = (
    "Look at the free core offer first. What is free you only ask for.",
    "Sign in, choose what you need and how much of it. You see what it costs before you ask for anything.",
    "Ask for a quote. It shows every document that will follow, with its date, and how long the price holds.",
    "Somebody who may order for the school accepts the quote.",
    "Where your school wants it, a head teacher or chair of governors approves it first.",
    "We confirm the order, and plan the visits with you.",
)


def brochure_of_school(
    session: Session, service: TradingService, school: School, *, today: date
) -> dict[str, Any]:
    """Return the facts of the brochure for one school: prices with its own figures, and what is suggested."""
    catalogue = catalogue_of_school(session, service, school, on=today)
    figures = price_figures(session, school, on=today)
    counted_pupils = (
        f"Where a price counts pupils, we count {figures.pupils:,} ({figures.pupils_from})."
        if figures.pupils is not None and catalogue.counts_pupils
        else ""
    )
    return _facts(
        session, catalogue, school.customer_class, today, school=school.name, figures=counted_pupils
    )


def brochure_of_class(
    session: Session, service: TradingService, customer_class: CustomerClass, *, today: date
) -> dict[str, Any]:
    """Return the facts of the brochure for a kind of customer, of every phase."""
    catalogue = catalogue_of_class(session, service, customer_class, on=today)
    return _facts(session, catalogue, customer_class, today, school=None, figures="")


def _facts(
    session: Session,
    catalogue: Catalogue,
    customer_class: CustomerClass,
    today: date,
    *,
    school: str | None,
    figures: str,
) -> dict[str, Any]:
    service, provider = catalogue.service, the_provider(session)
    terms = read_terms(policies(session, service.id))
    facts = paper.BrochureFacts(
        kind="brochure",
        title=f"{service.name}: what is free and what you can buy",
        whom=f"Prices for {customer_class.described}",
        school=school,
        dated=today.isoformat(),
        supplier=_supplier(provider, service),
        introduction=terms.paragraphs("description") or text_paragraphs(service.introduction),
        core_introduction=terms.paragraphs("core_introduction"),
        core_offer=core_duties(catalogue.free),
        packages=tuple(_package(one) for one in catalogue.offers if one.parts),
        families=tuple(
            paper.BrochureFamily(name=family.title, offers=tuple(_offer(one) for one in offers))
            for family, offers in catalogue.sold
        ),
        figures=figures,
        billing=tuple(dict.fromkeys(f"{one.billed}." for one in catalogue.offers if one.price is not None)),
        reductions=reductions(session, service.id, customer_class, on=today),
        how_to_buy=_HOW_TO_BUY,
        good_to_know=_good_to_know(terms),
        hours=opening_hours(service_hours(session, service.id)),
        questions=Contact(
            name=service.name,
            role="Questions and orders",
            phone=service.phone or provider.phone,
            email=service.email or provider.email,
        ),
    )
    return plain(facts)


def _good_to_know(terms: Terms) -> tuple[str, ...]:
    return (*terms.paragraphs("no_carry_forward"), *terms.paragraphs("cancellation"))


def _supplier(provider: Provider, service: TradingService) -> Supplier:
    return Supplier(
        name=provider.name,
        service=service.name,
        address=tuple(str(line) for line in provider.address),
        vat_number=None,
        email=service.email or provider.email,
        phone=service.phone or provider.phone,
        colour=provider.colour,
    )


def _package(one: Offer) -> paper.BrochurePackage:
    vat = " plus VAT" if one.is_taxed else ""
    price = (
        pounds(one.example.net) if one.example is not None else (one.words[0] if one.words else "On request")
    )
    return paper.BrochurePackage(
        name=one.offering.name,
        price=f"{price}{vat}",
        includes=tuple(part.words for part in one.parts),
    )


def _later(one: Offer) -> tuple[str, ...]:
    if one.held_until is not None:
        return (f"Promised to you until {long_date(one.held_until)}",)
    return (one.coming,) if one.coming else ()


def _offer(one: Offer) -> paper.BrochureOffer:
    wanted = one.offering
    length = (
        f" One {wanted.unit} is {wanted.unit_minutes.hours_and_minutes()}." if wanted.unit_minutes else ""
    )
    a_term = " for a term" if wanted.limit_basis == "term" else ""
    suggestion = one.suggestion
    return paper.BrochureOffer(
        name=wanted.name,
        description=wanted.description,
        prices=(*(() if one.tiers else one.words), *_later(one)),
        tiers=tuple(
            paper.BrochureTier(reach=f"From {counted(least, wanted.unit)}", price=f"{pounds(price)} each")
            for least, price in one.tiers
        ),
        vat="plus VAT" if one.is_taxed else "",
        example=f"{one.telling.words}{a_term}" if one.telling is not None else "",
        limits=f"{one.limits}.{length}",
        suggestion=suggestion.sentence if suggestion is not None and suggestion.quantity else "",
        includes=tuple(part.words for part in one.parts),
        covers=tuple(str(activity) for activity in wanted.activities) if len(wanted.activities) > 1 else (),
    )
