"""Money given back: by hand or by card, never beyond what came; what pays documents is taken off them first."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

import sla_manager.payments.constraints  # noqa: F401  (gives the database its sentences)
from sla_manager.billing.models import Document
from sla_manager.billing.queries.locks import require_open
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.kernel.money import Money
from sla_manager.kernel.words import long_date, pounds
from sla_manager.payments.commands.receipts import LONGEST_REFERENCE, allocate, reverse_allocation
from sla_manager.payments.models import Allocation, Receipt, Refund
from sla_manager.payments.queries.receipts import open_amount
from sla_manager.payments.queries.receipts import receipt as receipt_row
from sla_manager.store.audit import Actor, record

REFUND_METHODS = {
    "card": "Back to the card",
    "bank_transfer": "Bank transfer",
    "cheque": "Cheque",
    "journal": "Journal",
    "chargeback": "Taken back by the card’s bank",
}
BY_HAND = ("bank_transfer", "cheque", "journal")
LONGEST_REASON = 1_000


class MoreThanReceived(Refused):
    """A payment gives back no more than is left of it."""

    def __init__(self, wanted: Money, left: Money) -> None:
        super().__init__(
            f"{pounds(wanted)} is more than is left of this payment: {pounds(left)}. Refund that or less. "
            "What is set against documents is taken off them first.",
            field="amount",
        )


def refund_receipt(
    session: Session,
    receipt_id: int,
    *,
    amount: Money,
    method: str,
    reason: str,
    refunded_on: date,
    reference: str = "",
    once_key: str | None = None,
    by: Actor,
    at: datetime,
) -> Refund:
    """Record that a part of a payment went back. The same `once_key` gives back the same refund (P8).

    Refused: more than is left of the payment, a day in the future, no reason.
    """
    if session.scalar(select(Receipt.id).where(Receipt.id == receipt_id).with_for_update()) is None:
        raise NotFound
    if once_key is not None:
        made = session.scalar(select(Refund).where(Refund.once_key == once_key))
        if made is not None:
            return made
    _check(amount, method, reason, reference, refunded_on, at)
    require_open(session, refunded_on, field="refunded_on")
    found = receipt_row(session, receipt_id)
    if amount > found.left:
        raise MoreThanReceived(amount, found.left)
    refund = Refund(
        receipt_id=receipt_id, amount=amount, method=method, reference=reference.strip(), reason=reason.strip(),
        refunded_on=refunded_on, reverses_id=None, recorded_at=at, recorded_by=by.name, once_key=once_key,
    )  # fmt: skip
    session.add(refund)
    session.flush()
    record(
        session, "refund_receipt", about="receipt", about_id=receipt_id, by=by, at=at,
        summary=f"{pounds(amount)} given back: {REFUND_METHODS[method].lower()}. {reason.strip()}",
        details={"refund_id": refund.id, "amount": str(amount)},
    )  # fmt: skip
    return refund


def _check(amount: Money, method: str, reason: str, reference: str, refunded_on: date, at: datetime) -> None:
    if amount.pence <= 0:
        raise Refused("Enter an amount above £0.00.", field="amount")
    if method not in REFUND_METHODS:
        raise Refused("Choose how the money goes back.", field="method")
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise Refused(f"Enter why, in {LONGEST_REASON:,} characters at most.", field="reason")
    if len(reference) > LONGEST_REFERENCE:
        raise Refused(f"Enter a reference of {LONGEST_REFERENCE} characters at most.", field="reference")
    if refunded_on > london_date(at):
        raise Refused(
            f"{long_date(refunded_on)} is in the future. Enter the day on which the money went back.",
            field="refunded_on",
        )


def reverse_refund(session: Session, refund_id: int, *, reason: str, by: Actor, at: datetime) -> Refund:
    """Undo a refund by another that names it: the money stayed here after all. Once."""
    first = session.get(Refund, refund_id)
    if first is None:
        raise NotFound
    session.execute(select(Receipt.id).where(Receipt.id == first.receipt_id).with_for_update())
    undone = session.scalar(select(Refund.id).where(Refund.reverses_id == refund_id))
    if undone is not None or first.reverses_id is not None:
        raise Conflict("This refund was undone already.")
    if not reason.strip():
        raise Refused("Enter why it is undone.", field="reason")
    reversal = Refund(
        receipt_id=first.receipt_id, amount=-first.amount, method=first.method, reference=first.reference,
        reason=reason.strip(), refunded_on=london_date(at), reverses_id=first.id, recorded_at=at,
        recorded_by=by.name, once_key=None,
    )  # fmt: skip
    session.add(reversal)
    session.flush()
    record(
        session, "reverse_refund", about="receipt", about_id=first.receipt_id, by=by, at=at,
        summary=f"The refund of {pounds(first.amount)} did not happen: {reason.strip()}",
        details={"refund_id": first.id},
    )  # fmt: skip
    return reversal


def free_money(
    session: Session, receipt_id: int, amount: Money, *, reason: str, by: Actor, at: datetime
) -> None:
    """Take so much of a payment off its documents, the latest first, that `amount` of it is on account.

    For money that went back without asking us. Where the whole payment is less, all of it is freed.
    """
    standing = _standing(session, Allocation.receipt_id == receipt_id)
    _hold(session, [one.document_id for one in standing])
    session.execute(select(Receipt.id).where(Receipt.id == receipt_id).with_for_update())
    for one in _standing(session, Allocation.receipt_id == receipt_id):
        short = amount - receipt_row(session, receipt_id).left
        if short.pence <= 0:
            return
        _lessen(session, one, short, reason=reason, by=by, at=at)


def free_overpayment(session: Session, document_id: int, *, by: Actor, at: datetime) -> Money:
    """Put what was paid beyond what is owed on account again, the latest payment first; returns how much.

    A document that was credited after it was paid is overpaid: this frees the money, so that it can go back or pay
    another document.
    """
    _hold(session, [document_id])
    over = -open_amount(session, document_id)
    if over.pence <= 0:
        raise Refused("Nothing is paid beyond what is owed on this document.")
    paid = _standing(session, (Allocation.document_id == document_id) & Allocation.receipt_id.is_not(None))
    left = over
    for one in paid:
        freed = min(left, one.amount)
        _lessen(session, one, freed, reason="Paid beyond what is owed", by=by, at=at)
        left -= freed
        if not left:
            break
    return over - left


def _standing(session: Session, which: ColumnElement[bool]) -> list[Allocation]:
    """Return the allocations that were not reversed, the latest first."""
    undone = select(Allocation.reverses_id).where(Allocation.reverses_id.is_not(None))
    query = select(Allocation).where(which, Allocation.reverses_id.is_(None), Allocation.id.not_in(undone))
    return list(session.scalars(query.order_by(Allocation.id.desc())))


def _hold(session: Session, ids: list[int]) -> None:
    session.execute(select(Document.id).where(Document.id.in_(ids)).order_by(Document.id).with_for_update())


def _lessen(
    session: Session, one: Allocation, by_how_much: Money, *, reason: str, by: Actor, at: datetime
) -> None:
    """Take an allocation back, and set what should stay against the document again."""
    reverse_allocation(session, one.id, reason=reason, by=by, at=at)
    stays = one.amount - by_how_much
    if stays.pence > 0 and one.receipt_id is not None:
        allocate(session, one.receipt_id, {one.document_id: stays}, by=by, at=at)
