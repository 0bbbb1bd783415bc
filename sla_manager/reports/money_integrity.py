"""Whether what was paid is in order: open amounts, allocations and refunds against the facts they stand for.

Each check is one question whose answer is only what is off, so that large books cost no memory.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlalchemy import ColumnElement, Select, func, literal, or_, select, true
from sqlalchemy.orm import Session, aliased

from sla_manager.billing.models import Document
from sla_manager.billing.rules.kinds import DocumentKind
from sla_manager.kernel.money import Money
from sla_manager.kernel.words import pounds
from sla_manager.payments.models import Allocation, DocumentBalance, Receipt, Refund
from sla_manager.reports.findings import Problem
from sla_manager.store.columns import MoneyColumn

_CHARGES = (DocumentKind.INVOICE, DocumentKind.RECHARGE_NOTE)
_STOP_PAYMENTS = (
    "Stop recording payments, and look for who changed rows by hand. "
    "Compare the payments with the bank statement and with the last backup."
)
_OPEN_AGAIN = (
    "Do not chase this document until it is put right. Compare its payments and credits with the last backup."
)
_NOTHING = Money(0)
_ZERO = literal(_NOTHING, MoneyColumn())


def _one_of(ids: Collection[int] | None) -> ColumnElement[bool]:
    return true() if ids is None else Document.id.in_(ids)


def money_problems(session: Session) -> Iterator[Problem]:
    """Yield what is off in open amounts, allocations and refunds."""
    yield from balance_problems(session)
    yield from allocation_problems(session)
    yield from receipt_problems(session)


def balance_problems(session: Session, among: Collection[int] | None = None) -> Iterator[Problem]:
    """Hold what is kept as open on each document (of some ids, or all) against its gross, credits, allocations."""
    credited = (
        select(Document.credits_id.label("id"), func.sum(Document.gross).label("amount"))
        .where(Document.credits_id.is_not(None))
        .group_by(Document.credits_id)
        .subquery()
    )
    paid = (
        select(Allocation.document_id.label("id"), func.sum(Allocation.amount).label("amount"))
        .group_by(Allocation.document_id)
        .subquery()
    )
    meant = Document.gross + func.coalesce(credited.c.amount, _ZERO) - func.coalesce(paid.c.amount, _ZERO)
    query = (
        select(Document.number, DocumentBalance, Document.gross, credited.c.amount, paid.c.amount)
        .outerjoin(DocumentBalance, DocumentBalance.document_id == Document.id)
        .outerjoin(credited, credited.c.id == Document.id)
        .outerjoin(paid, paid.c.id == Document.id)
        .where(
            _one_of(among),
            Document.kind.in_(_CHARGES),
            or_(
                DocumentBalance.document_id.is_(None),
                DocumentBalance.open != meant,
                DocumentBalance.customer_id != Document.customer_id,
                DocumentBalance.kind != Document.kind,
                DocumentBalance.due_on.is_distinct_from(Document.due_on),
            ),
        )
        .order_by(Document.id)
    )
    for number, balance, gross, given_back, allocated in session.execute(query):
        if balance is None:
            yield Problem("balance_missing", number, "What is open on it is not kept.", _OPEN_AGAIN)
            continue
        left = gross + (given_back or _NOTHING) - (allocated or _NOTHING)
        if balance.open != left:
            said = (
                f"{pounds(balance.open)} is kept as open, but its credits and payments leave {pounds(left)}."
            )
            yield Problem("balance_off", number, said, _OPEN_AGAIN)
        else:
            said = "Its payer, kind or due date is kept differently from the document itself."
            yield Problem("balance_off", number, said, _OPEN_AGAIN)
    strays = (
        select(Document.number)
        .join(DocumentBalance, DocumentBalance.document_id == Document.id)
        .where(_one_of(among), Document.kind.not_in(_CHARGES))
        .order_by(Document.id)
    )
    for number in session.scalars(strays):
        yield Problem(
            "balance_of_credit", number, "A credit is kept as if money were open on it.", _OPEN_AGAIN
        )


def allocation_problems(session: Session, among: Collection[int] | None = None) -> Iterator[Problem]:
    """Check that no document (of some ids, or all) and no credit took more than there is; reversals undo."""
    taken = func.sum(Allocation.amount)
    query = (
        select(Document.number, Document.gross, taken)
        .join(Allocation, Allocation.document_id == Document.id)
        .where(_one_of(among))
        .group_by(Document.id)
        .having(or_(taken > Document.gross, taken < _NOTHING))
        .order_by(Document.id)
    )
    for number, gross, paid in session.execute(query):
        said = f"{pounds(paid)} is set against it, and it asks for {pounds(gross)}."
        yield Problem("allocated_off", number, said, _STOP_PAYMENTS)
    given = (
        select(Document.number, Document.gross, taken)
        .join(Allocation, Allocation.credit_note_id == Document.id)
        .where(_one_of(among))
        .group_by(Document.id)
        .having(or_(taken > -Document.gross, taken < _NOTHING))
        .order_by(Document.id)
    )
    for number, gross, spent in session.execute(given):
        said = f"{pounds(spent)} of this credit is set against documents, and it is for {pounds(-gross)}."
        yield Problem("allocated_off", number, said, _STOP_PAYMENTS)
    yield from _reversals(session, among)
    others = (
        select(Document.number, Allocation.receipt_id)
        .join(Allocation, Allocation.document_id == Document.id)
        .join(Receipt, Receipt.id == Allocation.receipt_id)
        .where(_one_of(among), Receipt.customer_id != Document.customer_id)
        .order_by(Allocation.id)
    )
    for number, receipt_id in session.execute(others):
        said = f"Payment {receipt_id} is another customer’s, and is set against it."
        yield Problem("allocated_to_another", number, said, _STOP_PAYMENTS)


def _reversals(session: Session, among: Collection[int] | None) -> Iterator[Problem]:
    first = aliased(Allocation)
    query = (
        select(Document.number, Allocation.id)
        .join(Document, Document.id == Allocation.document_id)
        .join(first, first.id == Allocation.reverses_id)
        .where(
            _one_of(among),
            or_(
                first.amount != -Allocation.amount,
                first.document_id != Allocation.document_id,
                first.receipt_id.is_distinct_from(Allocation.receipt_id),
                first.credit_note_id.is_distinct_from(Allocation.credit_note_id),
                first.reverses_id.is_not(None),
            ),
        )
        .order_by(Allocation.id)
    )
    for number, allocation_id in session.execute(query):
        said = f"Allocation {allocation_id} says that it undoes another, and is not its opposite."
        yield Problem("reversal_off", number, said, _STOP_PAYMENTS)


def receipt_problems(session: Session) -> Iterator[Problem]:
    """Check that no payment gave more than came, and that an undone refund is the opposite of one that was made."""
    for receipt_id, amount, spent, back in session.execute(_overspent()):
        said = (
            f"{pounds(amount)} came; {pounds(spent or _NOTHING)} of it is allocated "
            f"and {pounds(back or _NOTHING)} refunded."
        )
        yield Problem("receipt_off", f"payment {receipt_id}", said, _STOP_PAYMENTS)
    made = aliased(Refund)
    undone = (
        select(Refund.receipt_id, Refund.id)
        .join(made, made.id == Refund.reverses_id)
        .where(
            or_(
                made.amount != -Refund.amount,
                made.receipt_id != Refund.receipt_id,
                made.reverses_id.is_not(None),
            )
        )
        .order_by(Refund.id)
    )
    for receipt_id, refund_id in session.execute(undone):
        said = f"Refund {refund_id} says that it undoes another, and is not its opposite."
        yield Problem("refund_off", f"payment {receipt_id}", said, _STOP_PAYMENTS)


def _overspent() -> Select[int, Money, Money, Money]:
    spent = (
        select(Allocation.receipt_id.label("id"), func.sum(Allocation.amount).label("amount"))
        .where(Allocation.receipt_id.is_not(None))
        .group_by(Allocation.receipt_id)
        .subquery()
    )
    back = (
        select(Refund.receipt_id.label("id"), func.sum(Refund.amount).label("amount"))
        .group_by(Refund.receipt_id)
        .subquery()
    )
    used, returned = func.coalesce(spent.c.amount, _ZERO), func.coalesce(back.c.amount, _ZERO)
    return (
        select(Receipt.id, Receipt.amount, spent.c.amount, back.c.amount)
        .outerjoin(spent, spent.c.id == Receipt.id)
        .outerjoin(back, back.c.id == Receipt.id)
        .where(or_(used + returned > Receipt.amount, used < _NOTHING, returned < _NOTHING))
        .order_by(Receipt.id)
    )
