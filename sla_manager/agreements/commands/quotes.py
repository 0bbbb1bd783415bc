"""Quotes: every line priced, every document worked out, and the text frozen with its hash."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

import sla_manager.agreements.constraints  # noqa: F401  (gives the database its sentences)
from sla_manager.agreements.commands.ledger import refuse_closed
from sla_manager.agreements.commands.numbers import next_reference
from sla_manager.agreements.documents.freezing import freeze
from sla_manager.agreements.models import Agreement
from sla_manager.agreements.queries import agreement as whole_agreement
from sla_manager.agreements.queries import newer_version
from sla_manager.agreements.queries.buyers import buyer_of
from sla_manager.agreements.queries.payment import agreement_totals
from sla_manager.agreements.queries.pricing import LineWanted, assemble
from sla_manager.agreements.queries.seasons import valid_until
from sla_manager.agreements.queries.standing import SharedFacts, shared_facts
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.statuses import AgreementStatus, Origin, move
from sla_manager.agreements.shares import read_shares
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.kernel.periods import Period, add_months
from sla_manager.kernel.unique_pupil_numbers import refuse_pupil_numbers
from sla_manager.kernel.words import long_date
from sla_manager.people.models import Customer, School
from sla_manager.people.queries import customer_of_school
from sla_manager.store.audit import SYSTEM, Actor, record

_FIRST_YEARS, _LATER_YEARS = 3, 5
LONGEST_PURCHASE_ORDER = 100
_EVER_AGREED = (AgreementStatus.AGREED, AgreementStatus.ENDED)


class TooLong(Refused):
    """A buy-back lasts at most three years the first time, five later."""

    def __init__(self, years: int) -> None:
        super().__init__(
            f"This agreement can last at most {years} years. Choose an earlier last day.", field="ends_on"
        )


class NotYours(Refused):
    """A school's agreement is paid by the school or by its own trust."""

    def __init__(self, school: str) -> None:
        super().__init__(f"{school} or its own trust pays. Choose one of the two.", field="payer")


class Replaced(Conflict):
    """Somebody else has made a newer version meanwhile (N11, C2)."""

    def __init__(self, reference: str, newer: str) -> None:
        super().__init__(f"{reference} was replaced by {newer}. Look at {newer} and go on from there.")


def prepare_quote(
    session: Session,
    *,
    service_id: int,
    school_id: int,
    starts_on: date,
    ends_on: date,
    schedule: Schedule,
    lines: Sequence[LineWanted],
    paid_from: str = "budget",
    purchase_order: str = "",
    payer_id: int | None = None,
    origin: Origin = Origin.QUOTE,
    notice_months: int = 0,
    renews: bool = False,
    shared: SharedFacts | None = None,
    by: Actor,
    at: datetime,
    once_key: str | None = None,
    replaces_id: int | None = None,
) -> Agreement:
    """Return a quote: its lines priced, its documents exact, its text frozen.

    The same `once_key` gives back the same quote. `replaces_id` is the quote that this one takes the place of.
    `payer_id` is the customer who pays: the school's own, unless its trust does. `shared` is what many quotes of
    one service have in common, read once. A quote that has an offer which ends on a day is valid until that day.
    Refused: no line, core, no price, a quantity off its limits or step, dates that go back or go on too long.
    """
    if once_key is not None:
        made = session.scalar(select(Agreement.id).where(Agreement.once_key == once_key))
        if made is not None:
            return whole_agreement(session, made)
    known, school = shared or shared_facts(session, service_id), session.get(School, school_id)
    service = known.service
    if school is None or service.id != service_id:
        raise NotFound
    term, today = _term(session, school, service_id, starts_on, ends_on), london_date(at)
    buyer = buyer_of(session, school, term, paid_from=paid_from, today=today, shared=known)
    if not lines:
        raise Refused("Choose at least one thing to buy.", field="lines")
    replaced = _replaced(session, replaces_id, school_id=school_id, service_id=service_id)
    priced = assemble(known, buyer, lines)
    for year in sorted({share.year for line in priced.lines for share in read_shares(line.year_shares)}):
        refuse_closed(session, year)
    last_day = valid_until(session, service, starts_on, today=today)
    draft = Agreement(
        reference=next_reference(session, f"{service.series}-Q", at=at),
        service_id=service_id,
        customer_id=_payer(session, school, payer_id).id,
        school_id=school_id,
        status=AgreementStatus.DRAFT,
        customer_class=buyer.customer_class,
        paid_from=paid_from,
        schedule=schedule,
        starts_on=starts_on,
        ends_on=ends_on,
        purchase_order=checked_purchase_order(purchase_order),
        quoted_at=at,
        valid_until=min(last_day, priced.last_day or last_day),
        replaces_id=replaced.id if replaced else None,
        prepared_by=by.name,
        prepared_by_id=by.person_id,
        once_key=once_key,
        origin=origin,
        notice_months=notice_months,
        renews=renews,
    )
    for position, line in enumerate(priced.lines, start=1):
        line.position = position
    draft.net, draft.vat = agreement_totals(priced.lines, schedule, term, known.billing)
    draft.gross = draft.net + draft.vat
    session.add(draft)
    session.flush()
    for line in priced.lines:
        line.agreement_id = draft.id
    session.add_all(priced.lines)
    session.flush()
    freeze(session, draft.id, kind="quote", at=at, shared=known)
    draft.status = move(AgreementStatus.DRAFT, AgreementStatus.QUOTED)
    if replaced is not None:
        replaced.status = move(replaced.status, AgreementStatus.SUPERSEDED)
        replaced.version += 1
    session.flush()
    record(
        session,
        "prepare_quote",
        about="agreement",
        about_id=draft.id,
        summary=f"Quote {draft.reference} for {school.name}: £{draft.net} net",
        by=by,
        at=at,
        details={"gross": str(draft.gross), "replaces": replaced.reference if replaced else None},
    )
    return draft


def _payer(session: Session, school: School, payer_id: int | None) -> Customer:
    """Return who pays: the school's own customer, or its trust's."""
    own = customer_of_school(session, school.id)
    if payer_id in (None, own.id):
        return own
    payer = session.get(Customer, payer_id)
    if payer is None or payer.trust_id is None or payer.trust_id != school.trust_id:
        raise NotYours(school.name)
    return payer


def checked_purchase_order(text: str) -> str:
    """Return a purchase order number, or refuse one that is far too long or names a pupil."""
    cleaned = " ".join(text.split())
    if len(cleaned) > LONGEST_PURCHASE_ORDER:
        raise Refused(
            f"A purchase order number has at most {LONGEST_PURCHASE_ORDER} characters; this has {len(cleaned)}.",
            field="purchase_order",
        )
    return refuse_pupil_numbers(cleaned, field="purchase_order")


def _term(session: Session, school: School, service_id: int, starts_on: date, ends_on: date) -> Period:
    if ends_on < starts_on:
        raise Refused(
            f"The last day, {long_date(ends_on)}, is before the first, {long_date(starts_on)}.",
            field="ends_on",
        )
    years = _LATER_YEARS
    if school.customer_class.is_own:
        earlier = select(Agreement.id).where(
            Agreement.school_id == school.id,
            Agreement.service_id == service_id,
            Agreement.status.in_(_EVER_AGREED),
        )
        years = _FIRST_YEARS if session.scalar(earlier.limit(1)) is None else _LATER_YEARS
    if ends_on >= add_months(starts_on, 12 * years):
        raise TooLong(years)
    return Period.through(starts_on, ends_on)


def _replaced(
    session: Session, replaces_id: int | None, *, school_id: int, service_id: int
) -> Agreement | None:
    if replaces_id is None:
        return None
    old = session.get(Agreement, replaces_id, with_for_update=True, populate_existing=True)
    if old is None or old.school_id != school_id or old.service_id != service_id:
        raise NotFound
    newer = newer_version(session, old.id)
    if newer is not None:
        raise Replaced(old.reference, newer.reference)
    move(old.status, AgreementStatus.SUPERSEDED)
    return old


def withdraw_quote(
    session: Session, agreement_id: int, *, reason: str = "", by: Actor, at: datetime
) -> Agreement:
    """Take a quote back before it is ordered."""
    quote = session.get(Agreement, agreement_id, with_for_update=True, populate_existing=True)
    if quote is None:
        raise NotFound
    if quote.status is AgreementStatus.WITHDRAWN:
        return whole_agreement(session, quote.id)
    quote.status = move(quote.status, AgreementStatus.WITHDRAWN)
    quote.status_reason = refuse_pupil_numbers(reason.strip(), field="reason")
    quote.version += 1
    session.flush()
    record(
        session,
        "withdraw_quote",
        about="agreement",
        about_id=quote.id,
        summary=f"Quote {quote.reference} withdrawn",
        by=by,
        at=at,
        details={"reason": quote.status_reason},
    )
    return whole_agreement(session, quote.id)


def expire_quotes(session: Session, *, at: datetime, by: Actor = SYSTEM) -> int:
    """Mark every quote whose last day is over; returns how many there were."""
    over = session.scalars(
        select(Agreement)
        .where(Agreement.status == AgreementStatus.QUOTED, Agreement.valid_until < london_date(at))
        .order_by(Agreement.id)
        .with_for_update()
    ).all()
    for quote in over:
        quote.status = move(quote.status, AgreementStatus.EXPIRED)
        quote.version += 1
        record(
            session,
            "expire_quote",
            about="agreement",
            about_id=quote.id,
            summary=f"Quote {quote.reference} was valid until {quote.valid_until}",
            by=by,
            at=at,
        )
    session.flush()
    return len(over)
