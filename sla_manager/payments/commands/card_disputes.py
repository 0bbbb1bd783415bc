"""Disputes with the card's bank: they hold the documents that the payment paid; a lost one is a chargeback."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.gateways.cards import POUNDS
from sla_manager.gateways.cards import CardDispute as Told
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import Conflict
from sla_manager.kernel.money import Money
from sla_manager.kernel.words import long_date, pounds
from sla_manager.payments.commands.card_alerts import raise_alert
from sla_manager.payments.commands.holds import place_hold, release_hold
from sla_manager.payments.commands.refunds import free_money, refund_receipt, reverse_refund
from sla_manager.payments.models import CardDispute, Hold, HoldRelease
from sla_manager.payments.queries.cards import receipt_of_payment
from sla_manager.payments.queries.receipts import allocations_of, reversed_ids
from sla_manager.payments.queries.receipts import receipt as receipt_row
from sla_manager.payments.rules.cards import TAKEN, UNDECIDED, dispute_reason
from sla_manager.store.audit import SYSTEM

NOT_OURS = "Not a dispute about a payment of this product."


class ChangedMeanwhile(Conflict):
    """Somebody else noted the same dispute since the provider was asked: ask again."""

    def __init__(self) -> None:
        super().__init__("This dispute changed while it was asked after. It is asked after again.")


def dispute_version(session: Session, dispute_id: str) -> int:
    """Return how often a dispute was noted: what `note_dispute` is given, read before the provider is asked."""
    return session.scalar(select(CardDispute.version).where(CardDispute.dispute_id == dispute_id)) or 0


def note_dispute(session: Session, told: Told, *, seen: int, at: datetime) -> str:
    """Keep how a dispute stands: hold, release, take the money back, or bring it back. Returns what came of it.

    `seen` is the version read before the provider was asked: an answer that is older than what is known is refused.
    """
    receipt = receipt_of_payment(session, told.payment) if told.payment else None
    if receipt is None or told.currency != POUNDS:
        return NOT_OURS
    found = session.scalar(select(CardDispute).where(CardDispute.dispute_id == told.id).with_for_update())
    if (found.version if found is not None else 0) != seen:
        raise ChangedMeanwhile
    if found is None:
        found = CardDispute(
            dispute_id=told.id, receipt_id=receipt.id, amount=Money(told.pence), reason=told.reason,
            status=told.status, answer_by=told.answer_by, opened_at=at, checked_at=at, chargeback_id=None,
            version=0,
        )  # fmt: skip
        session.add(found)
    found.status, found.answer_by = told.status, told.answer_by
    found.checked_at, found.version = at, found.version + 1
    session.flush()
    if told.status in UNDECIDED:
        return _hold(session, found, at)
    outcome = _take(session, found, at) if told.status in TAKEN else _bring_back(session, found, at)
    _release(session, found, outcome, at)
    return outcome


def _hold(session: Session, dispute: CardDispute, at: datetime) -> str:
    allocations = allocations_of(session, receipt_id=dispute.receipt_id)
    undone = reversed_ids(allocations)
    standing = {one.document_id for one in allocations if one.reverses_id is None and one.id not in undone}
    for document_id in sorted(standing):
        place_hold(
            session, document_id, kind="card_dispute", once_key=f"{dispute.dispute_id}:{document_id}",
            reason=f"{pounds(dispute.amount)} is asked back through the card’s bank: {_words(dispute)}.",
            by=SYSTEM, at=at,
        )  # fmt: skip
    until = f" by {long_date(london_date(dispute.answer_by))}" if dispute.answer_by else ""
    raise_alert(
        session, f"dispute:{dispute.dispute_id}", f"{pounds(dispute.amount)} is asked back through the card’s bank: "
        f"{_words(dispute)}. Answer at the card provider{until}.", receipt_id=dispute.receipt_id, at=at,
    )  # fmt: skip
    return "Disputed: what it paid is held."


def _release(session: Session, dispute: CardDispute, outcome: str, at: datetime) -> None:
    held = (
        select(Hold.id)
        .outerjoin(HoldRelease, HoldRelease.hold_id == Hold.id)
        .where(Hold.once_key.startswith(f"{dispute.dispute_id}:", autoescape=True), HoldRelease.id.is_(None))
        .order_by(Hold.document_id)
    )
    for hold_id in session.scalars(held).all():
        release_hold(session, hold_id, outcome=outcome, by=SYSTEM, at=at)


def _take(session: Session, dispute: CardDispute, at: datetime) -> str:
    """Write a chargeback into the books: what the payment paid is open again."""
    if dispute.chargeback_id is not None:
        return "Lost: the money went back."
    reason = f"Lost a dispute with the card’s bank: {_words(dispute)}"
    free_money(session, dispute.receipt_id, dispute.amount, reason=reason, by=SYSTEM, at=at)
    amount = min(dispute.amount, receipt_row(session, dispute.receipt_id).left)
    if amount:
        dispute.chargeback_id = refund_receipt(
            session, dispute.receipt_id, amount=amount, method="chargeback", reason=reason,
            refunded_on=london_date(at), reference=dispute.dispute_id,
            once_key=f"chargeback:{dispute.dispute_id}:{dispute.version}", by=SYSTEM, at=at,
        ).id  # fmt: skip
    beyond = dispute.amount - amount
    more = f" {pounds(beyond)} of it had been refunded before." if beyond else ""
    raise_alert(
        session, f"lost:{dispute.dispute_id}", f"A dispute is lost: {pounds(amount)} went back to the card.{more} "
        "What it paid is open again. Ask the payer.", receipt_id=dispute.receipt_id, at=at,
    )  # fmt: skip
    session.flush()
    return "Lost: the money went back."


def _bring_back(session: Session, dispute: CardDispute, at: datetime) -> str:
    """End a dispute that the council won; what a chargeback had taken is on account again."""
    if dispute.chargeback_id is None:
        return "Ended: the money stays here."
    taken, dispute.chargeback_id = dispute.chargeback_id, None
    session.flush()
    reverse_refund(session, taken, reason="The dispute was won after all", by=SYSTEM, at=at)
    raise_alert(
        session, f"won-back:{dispute.dispute_id}:{dispute.version}", f"{pounds(dispute.amount)} came back: the "
        "dispute was won after all. Set it against its document again.", receipt_id=dispute.receipt_id, at=at,
    )  # fmt: skip
    return "Won after all: the money is on account again."


def _words(dispute: CardDispute) -> str:
    return dispute_reason(dispute.reason)
