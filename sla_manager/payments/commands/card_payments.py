"""What came by card becomes a receipt, once for each payment: it pays its document as far as that is open (P1, P4)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.billing.models import Document
from sla_manager.billing.queries.locks import open_day
from sla_manager.gateways.cards import CardPayment
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.money import Money
from sla_manager.kernel.words import pounds
from sla_manager.payments.commands.card_alerts import raise_alert
from sla_manager.payments.commands.receipts import allocate, record_receipt
from sla_manager.payments.models import CardCheckout, CardReceipt, Receipt
from sla_manager.payments.queries.cards import LIVE
from sla_manager.payments.queries.receipts import open_amount
from sla_manager.payments.rules.cards import MARK, Expected, Judged, judge
from sla_manager.store.audit import SYSTEM
from sla_manager.store.outbox import post

NOT_OURS = "Not a payment of this product."


def settle_payment(session: Session, payment: CardPayment, *, at: datetime) -> str:
    """Record a payment as the provider says it is now; again, it changes nothing. Returns what became of it.

    The document is held first, then the page: the order in which everybody holds them.
    """
    if not payment.is_paid:
        return f"The payment is {payment.status.replace('_', ' ')}: nothing came yet."
    reference = payment.marks.get(MARK)
    if reference is None:
        return NOT_OURS
    checkout = session.scalar(select(CardCheckout).where(CardCheckout.reference == reference))
    if checkout is None:
        raise_alert(
            session, f"unknown:{payment.id}", f"The card payment {payment.id} names a page that we never made. "
            "Find out at the card provider who paid, and refund it or record it.", at=at,
        )  # fmt: skip
        return "It names a page that we never made."
    document = session.get_one(Document, checkout.document_id, with_for_update=True)
    session.refresh(checkout, with_for_update=True)
    if session.scalar(select(CardReceipt.id).where(CardReceipt.payment_id == payment.id)) is not None:
        return "Recorded before."
    expected = Expected(checkout.reference, checkout.document_id, checkout.amount)
    judged = judge(payment.pence, payment.currency, payment.marks, expected)
    if judged.amount is None:
        _close(checkout, payment, at)
        raise_alert(
            session, f"no-pounds:{payment.id}", f"The card payment {payment.id} for {document.number} is not in "
            f"the books. {judged.problem} Refund it at the card provider.", document_id=document.id, at=at,
        )  # fmt: skip
        return judged.problem
    receipt = _receive(session, checkout, document, payment, judged.amount, at)
    outcome = _use(session, receipt, document, judged, at)
    _close(checkout, payment, at)
    _tell(session, checkout, document, judged.amount, payment, at)
    return outcome


def _receive(
    session: Session,
    checkout: CardCheckout,
    document: Document,
    payment: CardPayment,
    amount: Money,
    at: datetime,
) -> Receipt:
    arrived = min(london_date(payment.created_at), london_date(at))
    receipt = record_receipt(
        session, checkout.customer_id, amount=amount, received_on=open_day(session, arrived), method="card",
        reference=f"{document.number} {payment.id}", once_key=f"card:{payment.id}", by=SYSTEM, at=at,
    )  # fmt: skip
    session.add(
        CardReceipt(payment_id=payment.id, receipt_id=receipt.id, checkout_id=checkout.id, recorded_at=at)
    )
    session.flush()
    return receipt


def _use(session: Session, receipt: Receipt, document: Document, judged: Judged, at: datetime) -> str:
    """Set a payment against its document as far as that is open; say so where something stays on account."""
    if not judged.pays:
        raise_alert(
            session, f"differs:{receipt.once_key}", f"A card payment for {document.number} is on account and pays "
            f"nothing yet. {judged.problem} Set it against a document, or refund it.",
            receipt_id=receipt.id, document_id=document.id, at=at,
        )  # fmt: skip
        return f"On account. {judged.problem}"
    used = min(receipt.amount, max(open_amount(session, document.id), Money(0)))
    if used:
        allocate(session, receipt.id, {document.id: used}, by=SYSTEM, at=at)
    over = receipt.amount - used
    if over:
        raise_alert(
            session, f"over:{receipt.once_key}", f"{pounds(over)} of a card payment for {document.number} is on "
            "account: less was open than what came. Refund it, or set it against another document.",
            receipt_id=receipt.id, document_id=document.id, at=at,
        )  # fmt: skip
    return f"{pounds(used)} paid, {pounds(over)} on account." if over else f"{pounds(used)} paid."


def _close(checkout: CardCheckout, payment: CardPayment, at: datetime) -> None:
    """Mark a page as paid. One that ran out, or was paid before, keeps what it says."""
    checkout.checked_at = at
    if checkout.status in LIVE or checkout.payment_id is None:
        checkout.status, checkout.payment_id, checkout.url = "complete", payment.id, None


def _tell(
    session: Session,
    checkout: CardCheckout,
    document: Document,
    amount: Money,
    payment: CardPayment,
    at: datetime,
) -> None:
    if not checkout.tell:
        return
    post(
        session,
        f"card-receipt:{payment.id}",
        recipient=checkout.tell,
        subject=f"We received {pounds(amount)} for {document.number}",
        body=(
            f"Thank you. We received {pounds(amount)} by card for {document.number} of {document.customer_name}.\n\n"
            f"Our reference of this payment is {payment.id}. This is a receipt and not an invoice.\n"
        ),
        at=at,
    )
