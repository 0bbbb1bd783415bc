"""Changing a quote: its school's basket is filled with what it holds, and the next quote replaces it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from sla_manager.agreements.commands.baskets import held_open_basket, new_basket, note, touch
from sla_manager.agreements.commands.renewals import lines_again
from sla_manager.agreements.models import Agreement, AgreementLine, Basket
from sla_manager.agreements.queries import agreement as whole_agreement
from sla_manager.agreements.queries import newer_version
from sla_manager.agreements.queries.baskets import basket_lines, basket_of_quote
from sla_manager.agreements.queries.renewals import Bought, BoughtLine
from sla_manager.agreements.rules.baskets import BasketLine
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.kernel.errors import Conflict, Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.periods import Period
from sla_manager.people.queries import terms
from sla_manager.store.audit import Actor


class BasketInUse(Conflict):
    """A basket with something in it is not thrown away for another quote."""

    def __init__(self, who: str) -> None:
        super().__init__(
            f"There is a basket already, which {who} changed last. Make a quote of it or empty it, then change "
            "this quote."
        )


def fill_basket_from(session: Session, quote_id: int, *, school_id: int, by: Actor, at: datetime) -> Basket:
    """Fill the school's basket with what a quote holds, so that it can be changed; the next quote replaces it.

    A basket with something else in it is kept: finish that first. Refused: a quote that is ordered already, or that a
    newer one replaced.
    """
    quote = whole_agreement(session, quote_id, school_id=school_id)
    newer = newer_version(session, quote.id)
    if newer is not None:
        raise Refused(f"{quote.reference} was replaced by {newer.reference}. Change {newer.reference}.")
    if quote.status not in (AgreementStatus.QUOTED, AgreementStatus.EXPIRED, AgreementStatus.WITHDRAWN):
        raise Refused(f"{quote.reference} is {quote.status.title.lower()}: ask the service for a variation.")
    basket = held_open_basket(session, quote.service_id, quote.school_id)
    if basket is not None and basket.lines:
        if basket.replaces_id == quote.id:
            return basket
        raise BasketInUse(basket.updated_by)
    lines = _asked_of(session, quote)
    if basket is None:
        basket = new_basket(session, quote.service_id, quote.school_id, by=by, at=at)
    basket.lines = [one.stored() for one in lines]
    basket.starts_on, basket.ends_on = quote.starts_on, quote.ends_on
    basket.schedule, basket.paid_from = quote.schedule, quote.paid_from
    basket.payer_id, basket.purchase_order = quote.customer_id, quote.purchase_order
    basket.replaces_id = quote.id
    touch(basket, by=by, at=at)
    session.flush()
    note(session, "fill_basket_from", basket, f"Basket filled from {quote.reference}", by, at)
    return basket


def _asked_of(session: Session, quote: Agreement) -> Sequence[BasketLine]:
    """Return what was asked for in a quote: as its basket had it, else as its lines say."""
    made_of = basket_of_quote(session, quote.id)
    if made_of is not None:
        return basket_lines(made_of)
    term = Period.through(quote.starts_on, quote.ends_on)
    bought = Bought(
        school_id=quote.school_id,
        agreements=(quote,),
        lines=tuple(_as_bought(line, term) for line in quote.lines),
    )
    known = [Period.through(one.starts_on, one.ends_on) for one in terms(session)]
    return [
        BasketLine(offering_id=one.offering_id, quantity=one.quantity, pattern=one.pattern)
        for one in lines_again(bought, term, known)
    ]


def _as_bought(line: AgreementLine, term: Period) -> BoughtLine:
    return BoughtLine(
        line_id=line.id,
        offering_id=line.offering_id,
        description=line.description,
        unit=line.unit,
        unit_minutes=line.unit_minutes,
        step=line.step,
        by_term=line.offering.limit_basis == "term",
        quantity=line.quantity,
        minutes=Minutes(0),
        unit_price=line.unit_price,
        net=line.net,
        term=term,
        facts=line.price_facts or {},
        is_varied=False,
    )
