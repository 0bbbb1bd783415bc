"""Money by card as it stands: pages, messages that wait, payments, refunds, disputes, alerts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from sla_manager.kernel.errors import NotFound
from sla_manager.kernel.references import token_hash
from sla_manager.payments.models import (
    CardAlert,
    CardCheckout,
    CardDispute,
    CardEvent,
    CardReceipt,
    CardRefundOrder,
    PayLink,
    Receipt,
    Refund,
)

LIVE = ("asked", "open")
AT_ONCE = 100
PAGE = 50


def checkout_by_reference(session: Session, reference: str) -> CardCheckout:
    """Return a page with its document."""
    query = select(CardCheckout).options(joinedload(CardCheckout.document))
    found = session.scalar(query.where(CardCheckout.reference == reference))
    if found is None:
        raise NotFound
    return found


def checkout_by_page(session: Session, page_id: str) -> CardCheckout | None:
    """Return which page of ours the provider's page is."""
    return session.scalar(select(CardCheckout).where(CardCheckout.page_id == page_id))


def checkouts_to_check(session: Session, before: datetime) -> Sequence[CardCheckout]:
    """Return the pages that are open and were not asked after since `before`, the longest first."""
    query = select(CardCheckout).where(CardCheckout.status.in_(LIVE), CardCheckout.checked_at <= before)
    return session.scalars(query.order_by(CardCheckout.checked_at).limit(AT_ONCE)).all()


def events_waiting(session: Session, at: datetime) -> Sequence[CardEvent]:
    """Return the messages that are not handled and due, the oldest first."""
    query = select(CardEvent).where(CardEvent.handled_at.is_(None), CardEvent.next_try_at <= at)
    return session.scalars(query.order_by(CardEvent.id).limit(AT_ONCE)).all()


def refund_orders_to_check(session: Session, before: datetime) -> Sequence[CardRefundOrder]:
    """Return the refunds that are not decided and were not asked after since `before`."""
    query = (
        select(CardRefundOrder)
        .options(joinedload(CardRefundOrder.refund))
        .where(CardRefundOrder.status.in_(("asked", "pending")), CardRefundOrder.checked_at <= before)
    )
    return session.scalars(query.order_by(CardRefundOrder.id).limit(AT_ONCE)).all()


def refund_order(session: Session, order_id: int) -> CardRefundOrder:
    """Return an order to give money back to a card, with its refund."""
    query = select(CardRefundOrder).options(joinedload(CardRefundOrder.refund))
    found = session.scalar(query.where(CardRefundOrder.id == order_id))
    if found is None:
        raise NotFound
    return found


def disputes_to_check(
    session: Session, undecided: Collection[str], before: datetime
) -> Sequence[CardDispute]:
    """Return the disputes in which nothing is decided and that were not asked after since `before`."""
    query = select(CardDispute).where(CardDispute.status.in_(undecided), CardDispute.checked_at <= before)
    return session.scalars(query.order_by(CardDispute.id).limit(AT_ONCE)).all()


def card_receipt(session: Session, receipt_id: int) -> CardReceipt | None:
    """Return by which payment of the provider a receipt came, or None."""
    return session.scalar(select(CardReceipt).where(CardReceipt.receipt_id == receipt_id))


@dataclass(frozen=True, slots=True)
class RefundRow:
    """Money that went back: how the card provider's part of it stands, and whether it was undone."""

    refund: Refund
    order: CardRefundOrder | None
    undone: bool


def refunds_of(session: Session, receipt_id: int) -> list[RefundRow]:
    """Return what went back of a payment, in order. One query."""
    query = (
        select(Refund, CardRefundOrder)
        .outerjoin(CardRefundOrder, CardRefundOrder.refund_id == Refund.id)
        .where(Refund.receipt_id == receipt_id)
        .order_by(Refund.id)
    )
    found = [(refund, order) for refund, order in session.execute(query)]
    undone = {refund.reverses_id for refund, _ in found}
    return [RefundRow(refund, order, refund.id in undone) for refund, order in found]


def disputes_of(session: Session, receipt_id: int) -> Sequence[CardDispute]:
    """Return the disputes about a payment, in order."""
    query = select(CardDispute).where(CardDispute.receipt_id == receipt_id)
    return session.scalars(query.order_by(CardDispute.id)).all()


def open_alerts(session: Session) -> Sequence[CardAlert]:
    """Return what somebody must look at, the oldest first."""
    query = select(CardAlert).where(CardAlert.answered_at.is_(None))
    return session.scalars(query.order_by(CardAlert.id).limit(PAGE)).all()


def open_alert_count(session: Session) -> int:
    """Return how many things somebody must look at."""
    query = select(func.count()).select_from(CardAlert).where(CardAlert.answered_at.is_(None))
    return session.scalars(query).one()


def latest_checkouts(session: Session) -> Sequence[CardCheckout]:
    """Return the latest pages for paying, with their documents."""
    query = select(CardCheckout).options(joinedload(CardCheckout.document)).order_by(CardCheckout.id.desc())
    return session.scalars(query.limit(PAGE)).all()


def latest_events(session: Session) -> Sequence[CardEvent]:
    """Return the latest messages of the provider."""
    return session.scalars(select(CardEvent).order_by(CardEvent.id.desc()).limit(PAGE)).all()


def latest_disputes(session: Session) -> Sequence[CardDispute]:
    """Return the latest disputes, with the payments that they are about."""
    query = select(CardDispute).options(joinedload(CardDispute.receipt)).order_by(CardDispute.id.desc())
    return session.scalars(query.limit(PAGE)).all()


def pay_link(session: Session, token: str) -> PayLink:
    """Return the link of a mail, with its document; an unknown one is not there."""
    query = select(PayLink).options(joinedload(PayLink.document))
    found = session.scalar(query.where(PayLink.token_hash == token_hash(token)))
    if found is None:
        raise NotFound
    return found


def receipt_of_payment(session: Session, payment_id: str) -> Receipt | None:
    """Return the receipt that a payment of the provider made."""
    query = select(Receipt).join(CardReceipt, CardReceipt.receipt_id == Receipt.id)
    return session.scalar(query.where(CardReceipt.payment_id == payment_id))
