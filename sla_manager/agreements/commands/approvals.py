"""Approving an order is placing it, with the approver's evidence; declining sends it back with the reason."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from sla_manager.agreements import mails
from sla_manager.agreements.commands.asking import note_approval
from sla_manager.agreements.commands.orders import place_order
from sla_manager.agreements.models import Agreement, Approval, ApprovalDecision
from sla_manager.agreements.queries import agreement as whole_agreement
from sla_manager.agreements.queries import newer_version
from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.kernel.unique_pupil_numbers import refuse_pupil_numbers
from sla_manager.kernel.words import long_date
from sla_manager.people.models import Person
from sla_manager.store.audit import Actor

LONGEST_REASON = 1000


class DecidedAlready(Conflict):
    """A question is answered once (S10)."""

    def __init__(self, decision: ApprovalDecision, reason: str) -> None:
        why = f" {reason}" if reason else ""
        super().__init__(
            f"This was {decision.title.lower()} already.{why} Nothing more can be done with this question."
        )


class LinkOver(Refused):
    """A question that was not answered in time."""

    def __init__(self, approval: Approval) -> None:
        super().__init__(
            f"This question could be answered until {long_date(approval.expires_at.date())}. "
            f"Ask {approval.asked_by} to send it again."
        )


def approve_order(
    session: Session, approval_id: int, *, role: str, statement: str, address: str, by: Actor, at: datetime
) -> Agreement:
    """Approve and thereby order, with evidence: who, as what, when, from where, of which text, prepared by whom.

    Pressed twice, or in two tabs, there is one order. Refused: another person (not found), a question that is
    answered, taken back or run out, a quote that is over or replaced (C2), more than her limit at this moment.
    """
    approval = _held(session, approval_id, by)
    if approval.decision is ApprovalDecision.APPROVED:
        return whole_agreement(session, approval.agreement_id)
    _refuse_over(session, approval, at)
    asked_on = long_date(approval.asked_at.date())
    approval.decision, approval.decided_at, approval.address = ApprovalDecision.APPROVED, at, address
    session.flush()
    ordered = place_order(
        session,
        approval.agreement_id,
        role=role,
        statement=f"{statement.strip()} Prepared by {approval.asked_by}, who asked on {asked_on}.",
        address=address,
        purchase_order=approval.purchase_order or None,
        document_sha256=approval.document_sha256,
        as_approver=True,
        by=by,
        at=at,
    )
    _answer(session, approval, ordered, by, at)
    note_approval(session, "approve_order", approval, ordered, f"{by.name} approved", by, at)
    return ordered


def decline_approval(
    session: Session, approval_id: int, *, reason: str, address: str, by: Actor, at: datetime
) -> Agreement:
    """Say no, with the reason that whoever prepared the order will read; the quote stays a quote."""
    approval = _held(session, approval_id, by)
    if approval.decision is ApprovalDecision.DECLINED:
        return whole_agreement(session, approval.agreement_id)
    _refuse_over(session, approval, at)
    cleaned = refuse_pupil_numbers(reason.strip(), field="reason")
    if not cleaned:
        raise Refused(f"Say why. {approval.asked_by} will read it.", field="reason")
    if len(cleaned) > LONGEST_REASON:
        raise Refused(f"Write at most {LONGEST_REASON} characters.", field="reason")
    approval.decision, approval.decided_at = ApprovalDecision.DECLINED, at
    approval.address, approval.reason = address, cleaned
    session.flush()
    quote = whole_agreement(session, approval.agreement_id)
    _answer(session, approval, quote, by, at)
    note_approval(session, "decline_approval", approval, quote, f"{by.name} declined", by, at)
    return quote


def _held(session: Session, approval_id: int, by: Actor) -> Approval:
    """Return a question that was put to this person, and hold it: its quote first, as everybody does."""
    found = session.get(Approval, approval_id)
    if found is None or by.person_id is None or found.approver_id != by.person_id:
        raise NotFound
    session.get_one(Agreement, found.agreement_id, with_for_update=True, populate_existing=True)
    return session.get_one(Approval, approval_id, with_for_update=True, populate_existing=True)


def _refuse_over(session: Session, approval: Approval, at: datetime) -> None:
    newer = newer_version(session, approval.agreement_id)
    if approval.decision is not None:
        raise DecidedAlready(approval.decision, approval.reason)
    if at >= approval.expires_at and newer is None:
        raise LinkOver(approval)


def _answer(session: Session, approval: Approval, about: Agreement, by: Actor, at: datetime) -> None:
    asked_by = session.get_one(Person, approval.asked_by_id)
    mails.tell_of_approval(session, approval, about, who=by.name, recipient=asked_by.email, at=at)
