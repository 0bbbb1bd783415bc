"""What something would cost a school: every line with its price, VAT, years and sentences. Nothing is written.

A wanted line becomes one line of the agreement, or one for each part of a package. What a line says is frozen with
it; what it costs depends on the price list, the dates and the school's figures alone (M8).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from sla_manager.agreements.models import Agreement, AgreementLine
from sla_manager.agreements.queries.assembling import Assembler, Buyer
from sla_manager.agreements.queries.payment import QuotedDocument, planned_documents
from sla_manager.agreements.queries.standing import SharedFacts, shared_facts
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.sharing_lines import LineShare
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.catalogue.models import Price, PriceHold
from sla_manager.catalogue.rules.discounts import Basket
from sla_manager.catalogue.rules.patterns import VisitPattern
from sla_manager.catalogue.rules.shapes import SchoolFigures
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.periods import FinancialYear, Period
from sla_manager.people.figures import figure_of, pupil_counts
from sla_manager.people.models import School


@dataclass(frozen=True, slots=True)
class LineWanted:
    """What is asked for: an offering and how much of it (for each term, where the offering is sold by the term).

    `pattern` says how much by a weekly pattern instead of `quantity`. `year_split` says how much belongs to which
    financial year; without it the months decide. `share` is this agreement's part of a line that several share.
    """

    offering_id: int
    quantity: Decimal
    year_split: Mapping[FinancialYear, Decimal] | None = None
    pattern: VisitPattern | None = None
    share: LineShare | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedBasket:
    """Lines as a quote would freeze them, hints where more costs less, and the last day of a price that ends."""

    lines: tuple[AgreementLine, ...]
    hints: tuple[str, ...] = ()
    last_day: date | None = None
    buyer: Buyer
    shared: SharedFacts = field(repr=False)

    @property
    def net(self) -> Money:
        """The sum of the lines."""
        return total(line.net for line in self.lines)

    def documents(self, schedule: Schedule) -> list[QuotedDocument]:
        """Return the documents that would be issued."""
        return planned_documents(self.lines, schedule, self.buyer.term, self.shared.billing)


def price_lines(
    session: Session,
    *,
    school: School,
    service_id: int,
    starts_on: date,
    ends_on: date,
    lines: Sequence[LineWanted],
    paid_from: str = "budget",
    today: date,
    shared: SharedFacts | None = None,
) -> PricedBasket:
    """Return what a school would pay for some lines, and why. `today` decides offers that end on a day.

    Raises what a quote would be refused for: core, no price, a quantity off its limits, a figure that is missing.
    """
    known = shared or shared_facts(session, service_id)
    buyer = buyer_of(
        session, school, Period.through(starts_on, ends_on), paid_from=paid_from, today=today, shared=known
    )
    return assemble(known, buyer, lines)


def assemble(shared: SharedFacts, buyer: Buyer, lines: Sequence[LineWanted]) -> PricedBasket:
    """Return the priced lines in the order in which they were asked for, what comes free last."""
    assembler = Assembler(shared, buyer)
    quantities = [assembler.quantity_of(one.offering_id, one.quantity, one.pattern) for one in lines]
    bought: dict[int, Decimal] = {}
    for wanted, (quantity, _) in zip(lines, quantities, strict=True):
        bought[wanted.offering_id] = bought.get(wanted.offering_id, Decimal(0)) + quantity
    basket = Basket(bought=bought, running=buyer.running, on=buyer.today, customer_class=buyer.customer_class)
    found: list[AgreementLine] = []
    for wanted, (quantity, words) in zip(lines, quantities, strict=True):
        found += assembler.lines_of(
            wanted.offering_id,
            quantity,
            words,
            basket=basket,
            year_split=wanted.year_split,
            pattern=wanted.pattern,
            share=wanted.share,
        )
    found += assembler.free_lines(basket)
    return PricedBasket(
        lines=tuple(found),
        hints=tuple(assembler.hints),
        last_day=min(assembler.last_days, default=None),
        buyer=buyer,
        shared=shared,
    )


def buyer_of(
    session: Session, school: School, term: Period, *, paid_from: str, today: date, shared: SharedFacts
) -> Buyer:
    """Return who buys and for when: class, phase, promised prices, and what else prices stand on."""
    if paid_from not in ("budget", "private_fund"):
        raise Refused("Say whether the school’s budget or its private fund pays.", field="paid_from")
    if paid_from == "private_fund" and not school.customer_class.is_own:
        raise Refused("Only a maintained school has a private fund. Choose its budget.", field="paid_from")
    buyer = Buyer(
        customer_class=school.customer_class,
        phase=school.phase,
        private_fund=paid_from == "private_fund",
        term=term,
        start_month=shared.billing.start_month,
        today=today,
        held=held_prices(session, school.id, term.start),
    )
    if shared.needs_figures:
        buyer = replace(buyer, figures=figures_of_school(session, school, on=term.start))
    if shared.needs_running:
        buyer = replace(buyer, running=running_offerings(session, school.id, term))
    return buyer


def held_prices(session: Session, school_id: int, on: date) -> dict[int, Price]:
    """Return the prices that a school was promised and that hold on a day, by offering: they win over the list."""
    query = (
        select(PriceHold)
        .where(PriceHold.school_id == school_id, PriceHold.starts_on <= on, PriceHold.until > on)
        .order_by(PriceHold.starts_on)
        .options(joinedload(PriceHold.price))
    )
    return {one.offering_id: one.price for one in session.scalars(query)}


def figures_of_school(session: Session, school: School, *, on: date) -> SchoolFigures:
    """Return what is published of a school by a day, each figure with where it comes from."""
    counted = pupil_counts(session, [school.id], on=on).get(school.id)
    absence = figure_of(session, school.id)
    return SchoolFigures(
        phase=school.phase,
        pupils=counted.pupils if counted else None,
        pupils_from=counted.source if counted else "",
        absence=absence.persistent if absence else None,
        absence_from=f"{absence.year}/{(absence.year + 1) % 100:02d}" if absence else "",
    )


def running_offerings(session: Session, school_id: int, term: Period) -> frozenset[int]:
    """Return the offerings of a school's agreements that run at some time of a term."""
    query = (
        select(AgreementLine.offering_id)
        .join(Agreement, Agreement.id == AgreementLine.agreement_id)
        .where(
            Agreement.school_id == school_id,
            Agreement.status == AgreementStatus.AGREED,
            Agreement.starts_on < term.end,
            or_(Agreement.ends_early_on.is_(None), Agreement.ends_early_on >= term.start),
            Agreement.ends_on >= term.start,
        )
    )
    return frozenset(session.scalars(query))
