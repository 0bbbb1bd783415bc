"""Filling a basket together, and making a quote of it. Nobody's change is lost (N11)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.commands.quotes import checked_purchase_order, prepare_quote
from sla_manager.agreements.models import Agreement, Basket
from sla_manager.agreements.queries import agreement as whole_agreement
from sla_manager.agreements.queries.baskets import (
    basket_lines,
    open_basket,
    wanted_lines,
)
from sla_manager.agreements.queries.payment import billing_facts
from sla_manager.agreements.queries.policies import agreement_policy
from sla_manager.agreements.queries.pricing import price_lines
from sla_manager.agreements.rules.baskets import (
    KEYS_KEPT,
    BasketChanged,
    BasketLine,
    BasketQuoted,
    BasketWanted,
    with_more,
    without,
)
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.statuses import AgreementStatus, Origin
from sla_manager.catalogue.queries import offering as one_offering
from sla_manager.catalogue.rules.families import refuse_core
from sla_manager.catalogue.rules.patterns import VisitPattern
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.quantities import plain
from sla_manager.people.models import School, TradingService
from sla_manager.store.audit import Actor, record


def put_in_basket(
    session: Session,
    *,
    service_id: int,
    school_id: int,
    offering_id: int,
    quantity: Decimal,
    pattern: VisitPattern | None = None,
    once_key: str | None = None,
    by: Actor,
    at: datetime,
) -> Basket:
    """Put something into a school's basket; what is there already becomes more. The same `once_key` adds once.

    Refused: what is free, what this school cannot buy, a quantity off its limits or step.
    """
    school = session.get(School, school_id)
    if school is None:
        raise NotFound
    offering = one_offering(session, offering_id, service_id=service_id)
    refuse_core(offering.family, offering.name)
    basket = held_open_basket(session, service_id, school_id)
    if basket is None:
        basket = new_basket(session, service_id, school_id, by=by, at=at)
    elif once_key is not None and once_key in basket.once_keys:
        return basket
    added = BasketLine(offering_id=offering_id, quantity=quantity, pattern=pattern)
    lines = with_more(basket_lines(basket), added)
    price_lines(
        session,
        school=school,
        service_id=service_id,
        starts_on=basket.starts_on,
        ends_on=basket.ends_on,
        lines=wanted_lines([one for one in lines if one.offering_id == offering_id]),
        paid_from=basket.paid_from,
        today=london_date(at),
    )
    basket.lines = [one.stored() for one in lines]
    if once_key is not None:
        basket.once_keys = [*basket.once_keys, once_key][-KEYS_KEPT:]
    touch(basket, by=by, at=at)
    session.flush()
    note(session, "put_in_basket", basket, f"{plain(quantity)} × {offering.name} put into the basket", by, at)
    return basket


def change_basket(
    session: Session,
    basket_id: int,
    *,
    school_id: int,
    version: int,
    wanted: BasketWanted,
    by: Actor,
    at: datetime,
) -> Basket:
    """Save what somebody wants of a basket. `version` is the one that was on her page.

    Whoever saves second is told so (`BasketChanged`) and nothing is overwritten. Quantities may be wrong still: the
    quote refuses them, with what is allowed. Refused: dates that go back, an offering of another service.
    """
    basket = _held(session, basket_id, school_id)
    _refuse_stale(session, basket, version)
    if wanted.ends_on < wanted.starts_on:
        raise Refused("The last day is before the first day. Change one of them.", field="ends_on")
    for line in wanted.lines:
        one_offering(session, line.offering_id, service_id=basket.service_id)
    basket.lines = [one.stored() for one in wanted.lines]
    basket.starts_on, basket.ends_on = wanted.starts_on, wanted.ends_on
    basket.schedule, basket.paid_from = wanted.schedule, wanted.paid_from
    basket.payer_id = wanted.payer_id
    basket.purchase_order = checked_purchase_order(wanted.purchase_order)
    touch(basket, by=by, at=at)
    session.flush()
    note(session, "change_basket", basket, "Basket changed", by, at)
    return basket


def take_out(
    session: Session,
    basket_id: int,
    offering_id: int,
    *,
    school_id: int,
    version: int,
    by: Actor,
    at: datetime,
) -> Basket:
    """Take something out of a basket."""
    basket = _held(session, basket_id, school_id)
    _refuse_stale(session, basket, version)
    basket.lines = [one.stored() for one in without(basket_lines(basket), offering_id)]
    touch(basket, by=by, at=at)
    session.flush()
    note(session, "take_out", basket, "Something taken out of the basket", by, at)
    return basket


def quote_basket(
    session: Session,
    basket_id: int,
    *,
    school_id: int,
    version: int,
    wanted: BasketWanted | None = None,
    once_key: str | None = None,
    by: Actor,
    at: datetime,
) -> Agreement:
    """Make a quote of a basket, after saving what is `wanted` of it: pressed twice, or in two tabs, there is one.

    The quote carries the service's notice and renewal, and takes the place of the one that it was filled from.
    """
    basket = session.get(Basket, basket_id, with_for_update=True, populate_existing=True)
    if basket is None or basket.school_id != school_id:
        raise NotFound
    key = f"basket:{basket.id}:{once_key or ''}"
    if basket.quote_id is not None:
        made = whole_agreement(session, basket.quote_id)
        if (once_key is not None and made.once_key == key) or (wanted is None and basket.version == version):
            return made
        raise BasketQuoted(basket.updated_by, made.reference)
    if wanted is not None:
        basket = change_basket(
            session, basket_id, school_id=school_id, version=version, wanted=wanted, by=by, at=at
        )
    else:
        _refuse_stale(session, basket, version)
    policy = agreement_policy(session, basket.service_id)
    replaced = session.get(Agreement, basket.replaces_id) if basket.replaces_id is not None else None
    is_over = replaced is not None and replaced.status in (AgreementStatus.EXPIRED, AgreementStatus.WITHDRAWN)
    quote = prepare_quote(
        session,
        service_id=basket.service_id,
        school_id=basket.school_id,
        starts_on=basket.starts_on,
        ends_on=basket.ends_on,
        schedule=basket.schedule,
        lines=wanted_lines(basket_lines(basket)),
        paid_from=basket.paid_from,
        purchase_order=basket.purchase_order,
        payer_id=basket.payer_id,
        origin=replaced.origin if replaced is not None else Origin.QUOTE,
        notice_months=policy.notice_months,
        renews=policy.renews,
        by=by,
        at=at,
        once_key=key,
        replaces_id=None if is_over else basket.replaces_id,
    )
    basket.quote_id, basket.closed_at = quote.id, at
    basket.updated_by, basket.updated_by_id, basket.updated_at = by.name, by.person_id, at
    session.flush()
    return quote


def new_basket(session: Session, service_id: int, school_id: int, *, by: Actor, at: datetime) -> Basket:
    """Begin an empty basket, from today to the end of the financial year, billed in one sum."""
    service = session.get(TradingService, service_id)
    if service is None:
        raise NotFound
    starts_on, ends_on = usual_term(london_date(at), start_month=billing_facts(session).start_month)
    basket = Basket(
        service_id=service_id,
        school_id=school_id,
        lines=[],
        starts_on=starts_on,
        ends_on=ends_on,
        schedule=Schedule.SINGLE,
        paid_from="budget",
        payer_id=None,
        purchase_order="",
        replaces_id=None,
        version=1,
        updated_by=by.name,
        updated_by_id=by.person_id,
        updated_at=at,
        once_keys=[],
        quote_id=None,
        closed_at=None,
    )
    session.add(basket)
    session.flush()
    return basket


def usual_term(day: date, *, start_month: int) -> tuple[date, date]:
    """Return the dates a basket begins with: from today until the end of the financial year.

    >>> usual_term(date(2025, 10, 14), start_month=4)[1].isoformat()
    '2026-03-31'
    """
    return day, FinancialYear.of(day, start_month=start_month).period.last


def held_open_basket(session: Session, service_id: int, school_id: int) -> Basket | None:
    """Return a school's open basket and hold it until the transaction ends; None when there is none."""
    found = open_basket(session, service_id=service_id, school_id=school_id)
    if found is None:
        return None
    query = select(Basket).where(Basket.id == found.id, Basket.closed_at.is_(None))
    return session.scalar(query.with_for_update().execution_options(populate_existing=True))


def _held(session: Session, basket_id: int, school_id: int) -> Basket:
    found = session.get(Basket, basket_id, with_for_update=True, populate_existing=True)
    if found is None or found.school_id != school_id:
        raise NotFound
    return found


def _refuse_stale(session: Session, basket: Basket, version: int) -> None:
    if basket.quote_id is not None:
        raise BasketQuoted(basket.updated_by, session.get_one(Agreement, basket.quote_id).reference)
    if basket.version != version:
        raise BasketChanged(basket.updated_by, basket.version)


def touch(basket: Basket, *, by: Actor, at: datetime) -> None:
    """Note who changed a basket, which makes every page that shows it stale."""
    basket.version += 1
    basket.updated_by, basket.updated_by_id, basket.updated_at = by.name, by.person_id, at


def note(session: Session, action: str, basket: Basket, summary: str, by: Actor, at: datetime) -> None:
    """Add an act on a basket to the trail, with what it holds now."""
    record(
        session,
        action,
        about="basket",
        about_id=basket.id,
        summary=summary,
        by=by,
        at=at,
        details={"lines": basket.lines, "version": basket.version},
    )
