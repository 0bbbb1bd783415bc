"""Whether what came by bank and by card is in order: lines and their matches, payments, refunds, disputes."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import exists, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from sla_manager.kernel.money import Money
from sla_manager.kernel.words import long_date, pounds
from sla_manager.payments.models import Receipt, Refund
from sla_manager.payments.models.bank import BankLine, BankLineOpen, BankMatch
from sla_manager.payments.models.cards import (
    CardAlert,
    CardCheckout,
    CardDispute,
    CardReceipt,
    CardRefundOrder,
)
from sla_manager.reports.findings import Problem
from sla_manager.store.columns import MoneyColumn

_NOTHING = Money(0)
_ZERO = literal(_NOTHING, MoneyColumn())
_ASK_THE_BANK = (
    "Compare this line with the bank’s own statement. "
    "Take its matches back and match it again when the figures are right."
)
_ASK_THE_PROVIDER = (
    "Look the payment up at the card provider, and compare it with the payment here. "
    "Record what is missing by hand."
)


def collected_problems(session: Session) -> Iterator[Problem]:
    """Yield what is off in bank lines and in payments by card."""
    yield from bank_problems(session)
    yield from card_problems(session)


def bank_problems(session: Session) -> Iterator[Problem]:
    """Hold each line that brought money against its matches, and each match against its receipt."""
    matched = (
        select(BankMatch.line_id.label("id"), func.sum(BankMatch.amount).label("amount"))
        .group_by(BankMatch.line_id)
        .subquery()
    )
    used = func.coalesce(matched.c.amount, _ZERO)
    query = (
        select(BankLine, BankLineOpen.open, matched.c.amount)
        .outerjoin(BankLineOpen, BankLineOpen.line_id == BankLine.id)
        .outerjoin(matched, matched.c.id == BankLine.id)
        .where(
            BankLine.amount > _NOTHING,
            or_(
                BankLineOpen.line_id.is_(None),
                BankLineOpen.open != BankLine.amount - used,
                used > BankLine.amount,
                used < _NOTHING,
            ),
        )
        .order_by(BankLine.id)
    )
    for line, open_amount, taken in session.execute(query):
        said = (
            f"{pounds(line.amount)} arrived on {long_date(line.booked_on)}; {pounds(taken or _NOTHING)} is matched "
            f"and {pounds(open_amount or _NOTHING)} is kept as open."
        )
        yield Problem("bank_line_off", f"bank line {line.id}", said, _ASK_THE_BANK)
    others = (
        select(BankMatch.line_id, BankMatch.amount, Receipt.amount)
        .join(Receipt, Receipt.id == BankMatch.receipt_id)
        .where(BankMatch.amount != Receipt.amount)
        .order_by(BankMatch.id)
    )
    for line_id, amount, received in session.execute(others):
        said = f"{pounds(amount)} of it is matched with a payment of {pounds(received)}."
        yield Problem("bank_match_off", f"bank line {line_id}", said, _ASK_THE_BANK)


def card_problems(session: Session) -> Iterator[Problem]:
    """Check that each card payment has its receipt, each failed refund its reversal, each lost dispute its loss."""
    paid = select(CardCheckout.reference, CardCheckout.amount).where(
        CardCheckout.status == "complete",
        ~exists().where(CardReceipt.payment_id == CardCheckout.payment_id),
        ~exists().where(CardAlert.document_id == CardCheckout.document_id),
    )
    for reference, amount in session.execute(paid.order_by(CardCheckout.id)):
        said = f"{pounds(amount)} was paid on this page, and no payment of it is recorded."
        yield Problem("card_payment_lost", f"card page {reference}", said, _ASK_THE_PROVIDER)
    orphans = select(Receipt.id).where(
        Receipt.once_key.startswith("card:"), ~exists().where(CardReceipt.receipt_id == Receipt.id)
    )
    for receipt_id in session.scalars(orphans.order_by(Receipt.id)):
        said = "It came by card, and is not marked with the provider’s payment."
        yield Problem("card_receipt_off", f"payment {receipt_id}", said, _ASK_THE_PROVIDER)
    yield from _refunds(session)
    lost = (
        select(CardDispute.dispute_id, CardDispute.amount, Refund.amount)
        .join(Refund, Refund.id == CardDispute.chargeback_id)
        .where(or_(Refund.method != "chargeback", Refund.receipt_id != CardDispute.receipt_id))
        .order_by(CardDispute.id)
    )
    for dispute_id, amount, back in session.execute(lost):
        said = (
            f"{pounds(amount)} was disputed, and what is recorded as lost ({pounds(back)}) is something else."
        )
        yield Problem("card_dispute_off", f"dispute {dispute_id}", said, _ASK_THE_PROVIDER)


def _refunds(session: Session) -> Iterator[Problem]:
    undo = aliased(Refund)
    undone = exists().where(undo.reverses_id == Refund.id)
    failed = (
        select(Refund.receipt_id, Refund.amount, CardRefundOrder.status)
        .join(CardRefundOrder, CardRefundOrder.refund_id == Refund.id)
        .where(
            or_(
                Refund.method != "card",
                (CardRefundOrder.status == "failed") & ~undone,
                (CardRefundOrder.status != "failed") & undone,
            )
        )
        .order_by(Refund.id)
    )
    for receipt_id, amount, status in session.execute(failed):
        said = f"The refund of {pounds(amount)} is {status} at the card provider, and is recorded otherwise here."
        yield Problem("card_refund_off", f"payment {receipt_id}", said, _ASK_THE_PROVIDER)
