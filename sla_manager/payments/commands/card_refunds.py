"""Refunds that the card provider carries out: ordered here first, noted as they go, undone when they fail."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from sla_manager.gateways.cards import POUNDS, CardRefund
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.money import Money
from sla_manager.kernel.words import pounds
from sla_manager.payments.commands.card_alerts import raise_alert
from sla_manager.payments.commands.refunds import free_money, refund_receipt, reverse_refund
from sla_manager.payments.models import CardRefundOrder, Receipt, Refund
from sla_manager.payments.queries.cards import card_receipt, receipt_of_payment
from sla_manager.store.audit import SYSTEM, Actor

ORDER = "sla_refund"
"""The word that we give with a refund, and that comes back with it."""
_RANKS = {"asked": 0, "pending": 1, "succeeded": 2, "failed": 3}
_NAMES = {"succeeded": "succeeded", "failed": "failed", "canceled": "failed"}


def order_card_refund(
    session: Session,
    receipt_id: int,
    *,
    amount: Money,
    reason: str,
    once_key: str,
    by: Actor,
    at: datetime,
) -> CardRefundOrder:
    """Set a part of a card payment aside to go back to its card. The same `once_key` orders once (P8).

    Refused: a payment that did not come by card, more than is left of it.
    """
    came_by = card_receipt(session, receipt_id)
    if came_by is None:
        raise Refused(
            "This payment did not come by card. Choose another way to give it back.", field="method"
        )
    refund = refund_receipt(
        session, receipt_id, amount=amount, method="card", reason=reason, refunded_on=london_date(at),
        reference=came_by.payment_id, once_key=once_key, by=by, at=at,
    )  # fmt: skip
    ordered = select(CardRefundOrder).options(joinedload(CardRefundOrder.refund))
    made = session.scalar(ordered.where(CardRefundOrder.refund_id == refund.id))
    if made is None:
        made = CardRefundOrder(
            refund=refund, payment_id=came_by.payment_id, provider_id=None, status="asked", why="",
            asked_at=at, checked_at=at,
        )  # fmt: skip
        session.add(made)
        session.flush()
    return made


def order_key(order: CardRefundOrder, refund: Refund) -> str:
    """Return the key under which the provider carries an order out once, and by which we know it again."""
    return f"refund:{order.id}:{refund.once_key}"


def note_refund(session: Session, refund: CardRefund, *, at: datetime) -> str:
    """Keep how a refund stands at the provider; an older word about it changes nothing. Returns what came of it.

    One that somebody made at the provider by hand is written into the books, and somebody is told.
    """
    order = _order(session, refund)
    if order is None:
        return _note_foreign(session, refund, at)
    status = _NAMES.get(refund.status, "pending")
    order.provider_id, order.checked_at = refund.id, at
    if _RANKS[status] <= _RANKS[order.status]:
        return f"The refund is {order.status}."
    order.status = status
    session.flush()
    if status == "failed":
        _undo(session, order, refund.why or "the bank did not take it", at)
    return f"The refund is {status}."


def fail_order(session: Session, order_id: int, why: str, *, at: datetime) -> None:
    """Undo an order that the provider would not carry out."""
    order = session.scalar(
        select(CardRefundOrder)
        .options(joinedload(CardRefundOrder.refund))
        .where(CardRefundOrder.id == order_id)
        .with_for_update(of=CardRefundOrder)
    )
    if order is not None and order.status != "failed":
        order.status = "failed"
        session.flush()
        _undo(session, order, why, at)


def _order(session: Session, refund: CardRefund) -> CardRefundOrder | None:
    query = (
        select(CardRefundOrder)
        .options(joinedload(CardRefundOrder.refund))
        .with_for_update(of=CardRefundOrder)
        .execution_options(populate_existing=True)
    )
    found = session.scalar(query.where(CardRefundOrder.provider_id == refund.id))
    mark = refund.marks.get(ORDER, "")
    if found is None and (number := mark.split(":")[1:2]) and number[0].isdigit():
        found = session.scalar(query.where(CardRefundOrder.id == int(number[0])))
        if found is not None and order_key(found, found.refund) != mark:
            return None
    return found


def _undo(session: Session, order: CardRefundOrder, why: str, at: datetime) -> None:
    order.why = why
    reason = f"The card provider could not give it back: {why}"
    reverse_refund(session, order.refund_id, reason=reason, by=SYSTEM, at=at)
    raise_alert(
        session, f"refund-failed:{order.id}", f"{pounds(order.refund.amount)} could not go back to the card: {why}. "
        "The money is on account again. Refund it another way.", receipt_id=order.refund.receipt_id, at=at,
    )  # fmt: skip


def _note_foreign(session: Session, refund: CardRefund, at: datetime) -> str:
    """Write a refund into the books that was made at the provider by hand."""
    receipt = receipt_of_payment(session, refund.payment) if refund.payment else None
    if receipt is None or refund.currency != POUNDS:
        return "Not a refund of a payment of this product."
    if refund.is_undone:
        return "It came to nothing."
    session.execute(select(Receipt.id).where(Receipt.id == receipt.id).with_for_update())
    amount, reason = Money(refund.pence), "Given back at the card provider"
    free_money(session, receipt.id, amount, reason=reason, by=SYSTEM, at=at)
    made = refund_receipt(
        session, receipt.id, amount=amount, method="card", reason=reason, refunded_on=london_date(at),
        reference=refund.id, once_key=f"card-refund:{refund.id}", by=SYSTEM, at=at,
    )  # fmt: skip
    if session.scalar(select(CardRefundOrder.id).where(CardRefundOrder.refund_id == made.id)) is None:
        session.add(
            CardRefundOrder(
                refund_id=made.id, payment_id=refund.payment, provider_id=refund.id,
                status=_NAMES.get(refund.status, "pending"), why="", asked_at=at, checked_at=at,
            )
        )  # fmt: skip
    raise_alert(
        session, f"foreign-refund:{refund.id}", f"{pounds(amount)} was given back at the card provider and not here. "
        "The documents that it paid are open again.", receipt_id=receipt.id, at=at,
    )  # fmt: skip
    return "Made at the card provider by hand: it is in the books now."
