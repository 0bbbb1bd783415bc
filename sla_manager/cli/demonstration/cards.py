"""Card payments of the demonstration: one as it should be, one paid twice and given back, one disputed, one not made.

No card server is asked: the product's own commands are told what one would have answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.billing.models import Document
from sla_manager.billing.rules.kinds import DocumentKind
from sla_manager.gateways.cards import CardDispute, CardMessage, CardPage, CardPayment, CardRefund
from sla_manager.kernel.money import Money
from sla_manager.payments.commands.card_checkouts import ask_checkout, note_page
from sla_manager.payments.commands.card_disputes import note_dispute
from sla_manager.payments.commands.card_events import keep_event, mark_handled
from sla_manager.payments.commands.card_payments import settle_payment
from sla_manager.payments.commands.card_refunds import ORDER, note_refund, order_card_refund, order_key
from sla_manager.payments.models import CardCheckout, CardEvent, DocumentBalance, Receipt
from sla_manager.payments.queries.cards import receipt_of_payment
from sla_manager.payments.rules.cards import DOCUMENT, LEAST, MARK, POUNDS
from sla_manager.store.audit import Actor

PAYER, FINANCE = Actor(None, "Priya Nair"), Actor(None, "Samir Patel")
WANTED = 4


def tell_cards(session: Session, *, at: datetime) -> None:
    """Let four open invoices be paid by card over the last week, or as many as there are."""
    stories = (_paid, _paid_twice, _disputed, _not_paid)
    for number, (document, story) in enumerate(zip(_invoices(session), stories, strict=False), start=1):
        story(session, document, number, at - timedelta(days=8 - number))


def _invoices(session: Session) -> Sequence[Document]:
    """Return open invoices, the latest first."""
    query = (
        select(Document)
        .join(DocumentBalance, DocumentBalance.document_id == Document.id)
        .where(Document.kind == DocumentKind.INVOICE, DocumentBalance.open >= LEAST)
        .order_by(Document.id.desc())
        .limit(WANTED)
    )
    return session.scalars(query).all()


def _page(session: Session, document: Document, number: int, at: datetime) -> CardCheckout:
    checkout = ask_checkout(session, document.id, by=PAYER, at=at).checkout
    url = f"https://cards.example/page/{number}"
    page = CardPage(f"cs_demo_{number}", "open", url, None, checkout.expires_at)
    return note_page(session, checkout.reference, page, at=at)


def _pay(session: Session, checkout: CardCheckout, number: str, at: datetime) -> Receipt:
    marks = {MARK: checkout.reference, DOCUMENT: str(checkout.document_id)}
    payment = CardPayment(
        f"pi_demo_{number}", "succeeded", checkout.amount.pence, POUNDS, f"ch_demo_{number}", marks, at
    )
    outcome = settle_payment(session, payment, at=at)
    _message(
        session, f"evt_demo_{number}", "payment_intent.succeeded", "payment_intent", payment.id, outcome, at
    )
    receipt = receipt_of_payment(session, payment.id)
    if receipt is None:
        raise LookupError(f"The payment {payment.id} made no receipt: {outcome}")
    return receipt


def _message(
    session: Session, event_id: str, kind: str, about: str, about_id: str, outcome: str, at: datetime
) -> None:
    keep_event(session, CardMessage(event_id, kind, about, about_id, None, at), at=at)
    kept = session.scalars(select(CardEvent.id).where(CardEvent.event_id == event_id)).one()
    mark_handled(session, kept, outcome, at=at + timedelta(seconds=8))


def _paid(session: Session, document: Document, number: int, at: datetime) -> None:
    _pay(session, _page(session, document, number, at), str(number), at + timedelta(minutes=3))


def _paid_twice(session: Session, document: Document, number: int, at: datetime) -> None:
    """Pay one page twice: the second is on account, and a part of it has gone back to the card."""
    checkout = _page(session, document, number, at)
    _pay(session, checkout, str(number), at + timedelta(minutes=2))
    second = _pay(session, checkout, f"{number}b", at + timedelta(minutes=4))
    later, half = at + timedelta(hours=20), Money(second.amount.pence // 2)
    order = order_card_refund(
        session, second.id, amount=half, reason="Paid twice", once_key="demonstration", by=FINANCE, at=later
    )
    marks = {ORDER: order_key(order, order.refund)}
    told = CardRefund(f"re_demo_{number}", "succeeded", half.pence, POUNDS, order.payment_id, marks, "")
    note_refund(session, told, at=later)


def _disputed(session: Session, document: Document, number: int, at: datetime) -> None:
    receipt = _pay(session, _page(session, document, number, at), str(number), at + timedelta(minutes=3))
    later = at + timedelta(days=2)
    told = CardDispute(
        f"dp_demo_{number}", "needs_response", receipt.amount.pence, POUNDS, f"pi_demo_{number}", "unrecognized",
        later + timedelta(days=9),
    )  # fmt: skip
    outcome = note_dispute(session, told, seen=0, at=later)
    _message(session, f"evt_demo_{number}d", "charge.dispute.created", "dispute", told.id, outcome, later)


def _not_paid(session: Session, document: Document, number: int, at: datetime) -> None:
    checkout = _page(session, document, number, at)
    over = CardPage(f"cs_demo_{number}", "expired", None, None, checkout.expires_at)
    note_page(session, checkout.reference, over, at=checkout.expires_at)
