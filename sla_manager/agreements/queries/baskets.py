"""A school's baskets: what is in them, what it would cost now and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.models import AgreementLine, Basket
from sla_manager.agreements.queries.payment import QuotedDocument, agreement_totals
from sla_manager.agreements.queries.pricing import LineWanted, PricedBasket, price_lines
from sla_manager.agreements.queries.standing import SharedFacts, shared_facts
from sla_manager.agreements.rules.baskets import BasketLine
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.catalogue.models import Offering
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.money import Money
from sla_manager.people.models import Customer, School
from sla_manager.people.queries import customer_of_school, customer_of_trust


def open_basket(session: Session, *, service_id: int, school_id: int) -> Basket | None:
    """Return the basket that a school is filling with a service, or None."""
    return session.scalar(
        select(Basket).where(
            Basket.service_id == service_id, Basket.school_id == school_id, Basket.closed_at.is_(None)
        )
    )


def open_baskets(session: Session, school_id: int) -> list[Basket]:
    """Return a school's open baskets that hold something."""
    query = select(Basket).where(Basket.school_id == school_id, Basket.closed_at.is_(None))
    return [one for one in session.scalars(query.order_by(Basket.id)) if one.lines]


def basket_of_quote(session: Session, quote_id: int) -> Basket | None:
    """Return the basket that became a quote: what was asked for, as it was asked."""
    return session.scalar(select(Basket).where(Basket.quote_id == quote_id))


def basket_lines(basket: Basket) -> tuple[BasketLine, ...]:
    """Return what is in a basket."""
    return tuple(BasketLine.of(row) for row in basket.lines)


def wanted_lines(lines: Sequence[BasketLine]) -> list[LineWanted]:
    """Return a basket's lines as a quote asks for them."""
    return [LineWanted(one.offering_id, one.quantity, one.year_split, one.pattern) for one in lines]


def payers(session: Session, school: School) -> list[Customer]:
    """Return who may pay for a school: its own budget first, then its trust."""
    found = [customer_of_school(session, school.id)]
    if school.trust_id is not None:
        try:
            found.append(customer_of_trust(session, school.trust_id))
        except NotFound:
            return found
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class BasketView:
    """A basket with its prices of today. `refusal` says why it cannot be quoted; then there are no prices.

    `refused_offering_id` is the line that is refused, where one alone is.
    """

    lines: tuple[tuple[BasketLine, Offering], ...]
    priced: PricedBasket | None
    documents: tuple[QuotedDocument, ...]
    net: Money
    vat: Money
    refusal: Refused | None
    refused_offering_id: int | None

    @property
    def gross(self) -> Money:
        """What it comes to with VAT."""
        return self.net + self.vat

    @property
    def hints(self) -> tuple[str, ...]:
        """Where a little more costs less."""
        return self.priced.hints if self.priced is not None else ()

    def priced_lines(self, offering_id: int) -> list[AgreementLine]:
        """Return the lines that an asked line becomes: one, or one for each part of a package."""
        if self.priced is None:
            return []
        return [
            line
            for line in self.priced.lines
            if offering_id in (line.offering_id, (line.price_facts or {}).get("package_id"))
            and not (line.price_facts or {}).get("free")
        ]

    @property
    def free_lines(self) -> list[AgreementLine]:
        """Return what comes free with the rest."""
        if self.priced is None:
            return []
        return [line for line in self.priced.lines if (line.price_facts or {}).get("free")]


def view_basket(
    session: Session,
    *,
    school: School,
    service_id: int,
    lines: Sequence[BasketLine],
    starts_on: date,
    ends_on: date,
    schedule: Schedule,
    paid_from: str,
    today: date,
) -> BasketView:
    """Return what lines would cost a school today, document by document; a refusal is told, not raised."""
    shared = shared_facts(session, service_id)
    named = tuple((one, _offering(shared, one.offering_id)) for one in lines)
    if not lines:
        return _without_prices(named, None, None)
    try:
        priced = _priced(session, shared, school, lines, starts_on, ends_on, paid_from, today)
        documents = priced.documents(schedule)
        net, vat = agreement_totals(priced.lines, schedule, priced.buyer.term, shared.billing)
    except Refused as refusal:
        return _without_prices(
            named, refusal, _culprit(session, shared, school, lines, starts_on, ends_on, paid_from, today)
        )
    return BasketView(
        lines=named,
        priced=priced,
        documents=tuple(documents),
        net=net,
        vat=vat,
        refusal=None,
        refused_offering_id=None,
    )


def _priced(
    session: Session,
    shared: SharedFacts,
    school: School,
    lines: Sequence[BasketLine],
    starts_on: date,
    ends_on: date,
    paid_from: str,
    today: date,
) -> PricedBasket:
    if ends_on < starts_on:
        raise Refused("The last day is before the first day. Change one of them.", field="ends_on")
    return price_lines(
        session,
        school=school,
        service_id=shared.service.id,
        starts_on=starts_on,
        ends_on=ends_on,
        lines=wanted_lines(lines),
        paid_from=paid_from,
        today=today,
        shared=shared,
    )


def _culprit(
    session: Session,
    shared: SharedFacts,
    school: School,
    lines: Sequence[BasketLine],
    starts_on: date,
    ends_on: date,
    paid_from: str,
    today: date,
) -> int | None:
    """Return the line that is refused even alone, or None when it is the dates or the whole."""
    if ends_on < starts_on or len(lines) == 1:
        return lines[0].offering_id if ends_on >= starts_on else None
    for one in lines:
        try:
            _priced(session, shared, school, [one], starts_on, ends_on, paid_from, today)
        except Refused:
            return one.offering_id
    return None


def _without_prices(
    lines: tuple[tuple[BasketLine, Offering], ...], refusal: Refused | None, culprit: int | None
) -> BasketView:
    return BasketView(
        lines=lines,
        priced=None,
        documents=(),
        net=Money(0),
        vat=Money(0),
        refusal=refusal,
        refused_offering_id=culprit,
    )


def _offering(shared: SharedFacts, offering_id: int) -> Offering:
    found = shared.offerings.get(offering_id)
    if found is None:
        raise NotFound
    return found
