"""Asking somebody to approve an order, and taking the question back."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements import mails
from sla_manager.agreements.commands.answers import refuse_before_window
from sla_manager.agreements.commands.quotes import Replaced, checked_purchase_order
from sla_manager.agreements.models import Agreement, Approval, ApprovalDecision
from sla_manager.agreements.queries import agreement as whole_agreement
from sla_manager.agreements.queries import latest_version, newer_version
from sla_manager.agreements.queries.approvals import Approver, approvers, order_value
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.kernel.clock import LONDON, london_date
from sla_manager.kernel.errors import Forbidden, NotFound, Refused
from sla_manager.kernel.money import Money
from sla_manager.kernel.references import new_token, token_hash
from sla_manager.kernel.unique_pupil_numbers import refuse_pupil_numbers
from sla_manager.kernel.words import long_date, pounds
from sla_manager.people.models import Customer, School
from sla_manager.store.audit import Actor, record

LINK_HOLDS = timedelta(days=14)
LONGEST_MESSAGE = 1000


class CannotApprove(Refused):
    """Somebody who may not approve this order."""

    def __init__(self, value: Money, able: list[Approver]) -> None:
        names = " or ".join(one.name for one in able)
        who = f"Choose {names}." if able else "Ask the council's administrator to add somebody who may."
        super().__init__(
            f"This person may not approve an order of {pounds(value)} net for this school. {who}",
            field="approver",
        )


class OwnOrder(Refused):
    """Nobody approves what she prepared herself."""

    def __init__(self) -> None:
        super().__init__(
            "Nobody approves their own order. Choose somebody other than who prepared it.", field="approver"
        )


def ask_approval(
    session: Session,
    agreement_id: int,
    *,
    school_id: int,
    approver_id: int,
    message: str = "",
    purchase_order: str | None = None,
    by: Actor,
    at: datetime,
) -> Approval:
    """Put a quote to somebody who may approve it, with a link that only she can use, once, until it runs out.

    A question that is open already is taken back first: one person is asked at a time. Refused: a quote that is over
    or replaced (C2), somebody whose limit is too low, whoever prepared it, no purchase order where one is required.
    """
    quote = _held_quote(session, agreement_id, school_id)
    until = refuse_not_open(session, quote, at)
    if by.person_id is None:
        raise Forbidden("Sign in to ask for approval.")
    refuse_before_window(session, quote, at=at)
    if approver_id in (by.person_id, quote.prepared_by_id):
        raise OwnOrder
    value, school = order_value(session, quote), session.get_one(School, quote.school_id)
    able = [one for one in approvers(session, school, apart_from=(by.person_id,)) if one.covers(value)]
    if approver_id not in [one.person_id for one in able]:
        raise CannotApprove(value, [one for one in able if one.person_id != quote.prepared_by_id])
    wanted = quote.purchase_order if purchase_order is None else checked_purchase_order(purchase_order)
    if not wanted and session.get_one(Customer, quote.customer_id).purchase_order_required:
        raise Refused("Enter your purchase order number. Your school asks for one.", field="purchase_order")
    cleaned = refuse_pupil_numbers(message.strip(), field="message")
    if len(cleaned) > LONGEST_MESSAGE:
        raise Refused(f"Write at most {LONGEST_MESSAGE} characters.", field="message")
    withdraw_open_approvals(session, quote.id, reason=f"{by.name} asked somebody else.", at=at)
    token = new_token()
    approval = Approval(
        agreement_id=quote.id,
        asked_by=by.name,
        asked_by_id=by.person_id,
        asked_at=at,
        message=cleaned,
        purchase_order=wanted,
        document_sha256=latest_version(session, quote.id).sha256,
        approver_id=approver_id,
        token_hash=token_hash(token),
        expires_at=min(at + LINK_HOLDS, until),
        decision=None,
        decided_at=None,
        reason="",
        address="",
    )
    session.add(approval)
    session.flush()
    asked = next(one for one in able if one.person_id == approver_id)
    whole = whole_agreement(session, quote.id)
    mails.ask_for_approval(
        session, approval, whole, recipient=asked.email, name=asked.name, token=token, at=at
    )
    note_approval(
        session, "ask_approval", approval, whole, f"{by.name} asked {asked.name} to approve", by, at
    )
    return approval


def withdraw_approval(
    session: Session, approval_id: int, *, school_id: int, by: Actor, at: datetime
) -> Agreement:
    """Take a question back; doing it again changes nothing."""
    found = session.get(Approval, approval_id)
    if found is None:
        raise NotFound
    quote = _held_quote(session, found.agreement_id, school_id)
    approval = session.get_one(Approval, approval_id, with_for_update=True, populate_existing=True)
    if approval.decided_at is None:
        approval.decision, approval.decided_at = ApprovalDecision.WITHDRAWN, at
        approval.reason = f"{by.name} took it back."
        session.flush()
        note_approval(session, "withdraw_approval", approval, quote, f"{by.name} took it back", by, at)
    return whole_agreement(session, quote.id)


def withdraw_open_approvals(session: Session, agreement_id: int, *, reason: str, at: datetime) -> int:
    """Take back what is still asked about a quote; returns how many questions that were. The quote is held."""
    query = select(Approval).where(Approval.agreement_id == agreement_id, Approval.decided_at.is_(None))
    found = list(session.scalars(query.with_for_update()))
    for one in found:
        one.decision, one.decided_at, one.reason = ApprovalDecision.WITHDRAWN, at, reason
    session.flush()
    return len(found)


def refuse_not_open(session: Session, quote: Agreement, at: datetime) -> datetime:
    """Return when the quote's last day is over, or refuse one that can no longer be ordered (C2)."""
    newer = newer_version(session, quote.id)
    if newer is not None:
        raise Replaced(quote.reference, newer.reference)
    if quote.status is not AgreementStatus.QUOTED or quote.valid_until is None:
        raise Refused(f"{quote.reference} is {quote.status.title.lower()}: it needs no approval.")
    if london_date(at) > quote.valid_until:
        raise Refused(
            f"Quote {quote.reference} was valid until {long_date(quote.valid_until)}. Ask for a new quote."
        )
    return datetime.combine(quote.valid_until + timedelta(days=1), time(), tzinfo=LONDON).astimezone(UTC)


def note_approval(
    session: Session,
    action: str,
    approval: Approval,
    quote: Agreement,
    summary: str,
    by: Actor,
    at: datetime,
) -> None:
    """Add an act on an approval to the trail."""
    record(
        session,
        action,
        about="approval",
        about_id=approval.id,
        summary=f"{summary}: {quote.reference}, £{quote.net} net",
        by=by,
        at=at,
        details={"agreement": quote.id, "reference": quote.reference, "approver": approval.approver_id},
    )


def _held_quote(session: Session, agreement_id: int, school_id: int) -> Agreement:
    found = session.get(Agreement, agreement_id, with_for_update=True, populate_existing=True)
    if found is None or found.school_id != school_id:
        raise NotFound
    return found
