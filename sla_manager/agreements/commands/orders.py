"""From quote to agreement: the school orders with evidence, the service accepts or declines."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.orm import Session

from sla_manager.agreements import mails
from sla_manager.agreements.commands.answers import follow_order, refuse_before_window
from sla_manager.agreements.commands.arranging import arrange
from sla_manager.agreements.commands.asking import withdraw_open_approvals
from sla_manager.agreements.commands.holding import hold_prices
from sla_manager.agreements.commands.ledger import refuse_closed
from sla_manager.agreements.commands.numbers import next_reference
from sla_manager.agreements.commands.quotes import Replaced, checked_purchase_order
from sla_manager.agreements.commands.years import hold_years
from sla_manager.agreements.documents.certificates import freeze_certificate
from sla_manager.agreements.documents.freezing import freeze
from sla_manager.agreements.models import Acceptance, Agreement
from sla_manager.agreements.queries import acceptance_of, latest_version, newer_version
from sla_manager.agreements.queries import agreement as whole_agreement
from sla_manager.agreements.queries.approvals import approvers, order_value, spending
from sla_manager.agreements.queries.partnerships import buying_trust, unsigned_partners
from sla_manager.agreements.rules.statuses import AgreementStatus, move
from sla_manager.agreements.shares import read_shares
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import Conflict, Forbidden, NotFound, Refused
from sla_manager.kernel.money import Money
from sla_manager.kernel.unique_pupil_numbers import refuse_pupil_numbers
from sla_manager.kernel.words import long_date, pounds
from sla_manager.people.models import Customer, School
from sla_manager.people.queries import people_of_school
from sla_manager.people.rules.roles import Permission
from sla_manager.store.audit import Actor, record

_ORDERED = (AgreementStatus.ORDERED, AgreementStatus.AGREED, AgreementStatus.ENDED)


class QuoteIsOver(Refused):
    """A quote holds until its last day (C2)."""

    def __init__(self, reference: str, valid_until: date, newer: str | None) -> None:
        instead = f"Look at {newer} instead." if newer else "Ask for a new quote."
        super().__init__(f"Quote {reference} was valid until {long_date(valid_until)}. {instead}")


class TextChanged(Conflict):
    """What is accepted must be what was on the page (C3)."""

    def __init__(self, reference: str) -> None:
        super().__init__(
            f"The text of {reference} is not the one that was on your page. Read it again, then order."
        )


class TrustOrders(Refused):
    """What a trust buys for its schools it orders itself, all of it."""

    def __init__(self, reference: str, trust: str) -> None:
        super().__init__(f"{reference} is part of what {trust} buys for its schools. The trust orders it.")


class PartnersMissing(Refused):
    """Partners that share are accepted when all of them have ordered."""

    def __init__(self, reference: str, schools: list[str]) -> None:
        super().__init__(
            f"{reference} is shared, and {', '.join(schools)} has not ordered yet. Wait for every partner, "
            "or decline the orders and begin again without it."
        )


class OverTheLimit(Refused):
    """Above her limit somebody else must approve."""

    def __init__(self, net: Money, limit: Money, others: list[str]) -> None:
        who = (
            f"Ask {' or '.join(others)} to approve it." if others else "Ask the council to raise your limit."
        )
        super().__init__(f"This order is {pounds(net)} net and your limit is {pounds(limit)}. {who}")


def place_order(
    session: Session,
    agreement_id: int,
    *,
    role: str,
    statement: str,
    address: str,
    purchase_order: str | None = None,
    document_sha256: str,
    by_clause: bool = False,
    as_approver: bool = False,
    together: bool = False,
    by: Actor,
    at: datetime,
) -> Agreement:
    """Accept a quote for a school, with the evidence: who, as what, when, from where, and of which text.

    Clicked twice, or in two tabs, there is one order and one mail (C1). Refused: before its season opens, after the
    quote's last day or when a newer one took its place (C2), another text than the frozen one (C3), more than the
    person may order. `by_clause` is an order that the last agreement itself brings about: it waits for no season
    and for no purchase order. `as_approver` is an order that somebody else prepared: the person's limit for
    approving counts. `together` is an order of everything that a trust buys at once: a part of such a purchase is
    not ordered alone.
    """
    quote = _held(session, agreement_id)
    if quote.status in _ORDERED and acceptance_of(session, quote.id) is not None:
        return whole_agreement(session, quote.id)
    _refuse_over(session, quote, at)
    move(quote.status, AgreementStatus.ORDERED)
    buyer = None if together else buying_trust(session, quote.id)
    if buyer is not None:
        raise TrustOrders(quote.reference, buyer)
    if not by_clause:
        refuse_before_window(session, quote, at=at)
    if latest_version(session, quote.id).sha256 != document_sha256:
        raise TextChanged(quote.reference)
    permission = Permission.APPROVE_ORDERS if as_approver else Permission.ORDER
    refuse_above_limit(session, quote.school_id, order_value(session, quote), by, permission=permission)
    if not role.strip() or not statement.strip():
        raise Refused("Say what your role is, and that you accept.", field="role")
    if purchase_order is not None:
        quote.purchase_order = checked_purchase_order(purchase_order)
    required = session.get_one(Customer, quote.customer_id).purchase_order_required and not by_clause
    if not quote.purchase_order and required:
        raise Refused("Enter your purchase order number. Your school asks for one.", field="purchase_order")
    session.add(
        Acceptance(
            agreement_id=quote.id,
            person_id=by.person_id,
            name=by.name,
            role=refuse_pupil_numbers(role.strip(), field="role"),
            statement=statement.strip(),
            accepted_at=at,
            address=address,
            document_sha256=document_sha256,
        )
    )
    quote.status, quote.ordered_at = AgreementStatus.ORDERED, at
    quote.version += 1
    session.flush()
    withdraw_open_approvals(session, quote.id, reason=f"{by.name} ordered it.", at=at)
    ordered = whole_agreement(session, quote.id)
    follow_order(session, ordered, automatic=by_clause, by=by, at=at)
    mails.tell_of_order(session, ordered, who=f"{by.name}, {role.strip()},", at=at)
    _note(session, "place_order", ordered, f"Ordered by {by.name}: £{ordered.net} net", by, at)
    return ordered


def accept_order(session: Session, agreement_id: int, *, by: Actor, at: datetime) -> Agreement:
    """Accept an order for the service: from now on it is agreed, its time is in the ledger, its documents are due.

    Accepting again changes nothing.
    """
    hold_years(session)
    order = _held(session, agreement_id)
    if order.status is AgreementStatus.AGREED:
        return whole_agreement(session, order.id)
    move(order.status, AgreementStatus.AGREED)
    missing = unsigned_partners(session, order.id)
    if missing:
        raise PartnersMissing(order.reference, missing)
    loaded = whole_agreement(session, order.id)
    for line in loaded.lines:
        for share in read_shares(line.year_shares):
            refuse_closed(session, share.year)
    order.reference = next_reference(session, f"{loaded.service.series}-SLA", at=at)
    order.status, order.agreed_at = AgreementStatus.AGREED, at
    order.version += 1
    session.flush()
    arrange(session, loaded, by=by, at=at)
    hold_prices(session, loaded, at=at)
    signed = freeze(session, order.id, kind="agreement", at=at)
    agreed = whole_agreement(session, order.id)
    freeze_certificate(session, agreed, signed, by=by, at=at)
    mails.tell_of_agreement(session, agreed, at=at)
    _note(session, "accept_order", agreed, f"{agreed.reference} agreed with {agreed.school.name}", by, at)
    return agreed


def decline_order(session: Session, agreement_id: int, *, reason: str, by: Actor, at: datetime) -> Agreement:
    """Decline an order, with the reason that the school will read."""
    order = _held(session, agreement_id)
    if order.status is AgreementStatus.DECLINED:
        return whole_agreement(session, order.id)
    move(order.status, AgreementStatus.DECLINED)
    if not reason.strip():
        raise Refused("Say why you decline. The school will read it.", field="reason")
    order.status_reason = refuse_pupil_numbers(reason.strip(), field="reason")
    order.status = AgreementStatus.DECLINED
    order.version += 1
    session.flush()
    declined = whole_agreement(session, order.id)
    mails.tell_of_decline(session, declined, reason=order.status_reason, at=at)
    _note(session, "decline_order", declined, f"Declined: {order.status_reason}", by, at)
    return declined


def end_agreement(
    session: Session, agreement_id: int, *, reason: str = "", by: Actor, at: datetime
) -> Agreement:
    """End an agreement whose last day is over."""
    held = _held(session, agreement_id)
    if held.status is AgreementStatus.ENDED:
        return whole_agreement(session, held.id)
    move(held.status, AgreementStatus.ENDED)
    last = held.ends_early_on or held.ends_on
    if london_date(at) <= last:
        raise Refused(f"This agreement runs to {long_date(last)}. End it after that day.")
    held.status, held.ended_at, held.status_reason = AgreementStatus.ENDED, at, reason.strip()
    held.version += 1
    session.flush()
    ended = whole_agreement(session, held.id)
    _note(session, "end_agreement", ended, f"{ended.reference} ended", by, at)
    return ended


def _held(session: Session, agreement_id: int) -> Agreement:
    """Return an agreement and hold it until the transaction ends."""
    found = session.get(Agreement, agreement_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound
    return found


def _refuse_over(session: Session, quote: Agreement, at: datetime) -> None:
    newer = newer_version(session, quote.id)
    if quote.status is AgreementStatus.SUPERSEDED and newer is not None:
        raise Replaced(quote.reference, newer.reference)
    waiting = quote.status in (AgreementStatus.QUOTED, AgreementStatus.EXPIRED)
    if waiting and quote.valid_until is not None and london_date(at) > quote.valid_until:
        raise QuoteIsOver(quote.reference, quote.valid_until, newer.reference if newer else None)


def refuse_above_limit(
    session: Session, school_id: int, net: Money, by: Actor, *, permission: Permission = Permission.ORDER
) -> None:
    """Hold a person to what the school's administrator authorised; the product itself has no limit."""
    if by.person_id is None:
        return
    school = session.get_one(School, school_id)
    own = spending(people_of_school(session, school), by.person_id, permission)
    if not own.is_allowed:
        what = "order" if permission is Permission.ORDER else "approve orders"
        raise Forbidden(f"You may not {what} for this school.")
    if own.limit is not None and net > own.limit:
        able = [one for one in approvers(session, school, apart_from=(by.person_id,)) if one.covers(net)]
        raise OverTheLimit(net, own.limit, [one.name for one in able])


def _note(session: Session, action: str, about: Agreement, summary: str, by: Actor, at: datetime) -> None:
    record(
        session,
        action,
        about="agreement",
        about_id=about.id,
        summary=summary,
        by=by,
        at=at,
        details={"reference": about.reference, "net": str(about.net), "gross": str(about.gross)},
    )
