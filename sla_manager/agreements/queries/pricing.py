"""What something would cost a school: every line with its price, VAT, years and sentences. Nothing is written.

A wanted line becomes one line of the agreement, or one for each part of a package. What a line says is frozen with
it; what it costs depends on the price list, the dates and the school's figures alone (M8).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from sqlalchemy.orm import Session

from sla_manager.agreements.models import AgreementLine
from sla_manager.agreements.queries.assembling import Assembler
from sla_manager.agreements.queries.buyers import Buyer, buyer_of
from sla_manager.agreements.queries.limits import offered, whole_of
from sla_manager.agreements.queries.payment import QuotedDocument, planned_documents
from sla_manager.agreements.queries.standing import SharedFacts, shared_facts
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.sharing_lines import LineShare
from sla_manager.catalogue.rules.discounts import Basket
from sla_manager.catalogue.rules.patterns import VisitPattern
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.periods import FinancialYear, Period
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
    """Return the priced lines in the order in which they were asked for, what comes free last.

    What comes free with shared lines is shared like them; beside lines that are shared otherwise, only what is
    bought alone counts for it.
    """
    assembler = Assembler(shared, buyer)
    asked = []
    for wanted in lines:
        offering = offered(shared, buyer, wanted.offering_id)
        asked.append((wanted, offering, whole_of(shared, buyer, offering, wanted.quantity, wanted.pattern)))
    basket = Basket(
        bought=_bought((wanted.offering_id, whole.quantity) for wanted, _, whole in asked),
        running=buyer.running,
        on=buyer.today,
        customer_class=buyer.customer_class,
    )
    found: list[AgreementLine] = []
    for wanted, offering, whole in asked:
        found += assembler.lines_of(
            offering,
            whole,
            basket=basket,
            year_split=wanted.year_split,
            pattern=wanted.pattern.facts() if wanted.pattern else None,
            share=wanted.share,
        )
    shares = {wanted.share for wanted in lines}
    if len(shares) > 1:
        alone = _bought((one.offering_id, whole.quantity) for one, _, whole in asked if one.share is None)
        basket = replace(basket, bought=alone)
    found += assembler.free_lines(basket, shares.pop() if len(shares) == 1 else None)
    return PricedBasket(
        lines=tuple(found),
        hints=tuple(assembler.hints),
        last_day=min(assembler.last_days, default=None),
        buyer=buyer,
        shared=shared,
    )


def _bought(quantities: Iterable[tuple[int, Decimal]]) -> dict[int, Decimal]:
    bought: dict[int, Decimal] = {}
    for offering_id, quantity in quantities:
        bought[offering_id] = bought.get(offering_id, Decimal(0)) + quantity
    return bought
