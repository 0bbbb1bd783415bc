"""What is paid and what is open: per document, per receipt, per age."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import BigInteger, ColumnElement, and_, func, literal_column, or_, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload

from sla_manager.agreements.models import Agreement
from sla_manager.billing.models import Document
from sla_manager.billing.rules.kinds import DocumentKind
from sla_manager.kernel.errors import NotFound
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.titles import Titled
from sla_manager.payments.models import Allocation, DocumentBalance, Receipt, Refund
from sla_manager.payments.rules.ageing import Age, age_of
from sla_manager.people.models import Customer, School, Trust

PAGE = 50
CHARGES = (DocumentKind.INVOICE, DocumentKind.RECHARGE_NOTE)


class DocumentState(Titled):
    """What became of a document that asks for money."""

    OPEN = "open", "Open"
    OVERDUE = "overdue", "Overdue"
    PAID = "paid", "Paid or credited"
    OVERPAID = "overpaid", "Paid more than is owed"


def _sum_of(amount: InstrumentedAttribute[Money]) -> ColumnElement[int]:
    """Return the sum of an amount in pence, 0 of nothing."""
    return func.coalesce(func.sum(type_coerce(amount, BigInteger)), 0)


def state_is(state: DocumentState, today: date) -> ColumnElement[bool]:
    """Return the condition of a list of documents in a state."""
    if state is DocumentState.OVERPAID:
        over = select(DocumentBalance.document_id).where(literal_column("document_balance.open < 0"))
        return Document.id.in_(over)
    if state is DocumentState.PAID:
        settled = select(DocumentBalance.document_id).where(DocumentBalance.open <= Money(0))
        return settled.where(DocumentBalance.document_id == Document.id).exists()
    still_open = select(DocumentBalance.document_id).where(
        DocumentBalance.kind.in_(CHARGES), literal_column("document_balance.open > 0")
    )
    if state is DocumentState.OVERDUE:
        still_open = still_open.where(DocumentBalance.due_on < today)
    return Document.id.in_(still_open)


def open_amounts(session: Session, ids: Collection[int]) -> dict[int, Money]:
    """Return what is open on documents; below nothing where more was paid than is owed after credits. One query."""
    query = select(DocumentBalance.document_id, DocumentBalance.open).where(
        DocumentBalance.document_id.in_(ids)
    )
    return {row.document_id: row.open for row in session.execute(query)}


def open_amount(session: Session, document_id: int) -> Money:
    """Return what is open on one document."""
    return open_amounts(session, [document_id]).get(document_id, Money(0))


def _money(pence: int | None) -> Money:
    return Money(int(pence or 0))


@dataclass(frozen=True, slots=True)
class AgedDebt:
    """What is open at one age: the sum and how many documents."""

    age: Age
    amount: Money
    documents: int


def debtors_by_age(
    session: Session, today: date, *, kind: DocumentKind = DocumentKind.INVOICE
) -> list[AgedDebt]:
    """Return what customers owe by age, every age in order. Recharges move by journal and are no debt."""
    query = (
        select(DocumentBalance.due_on, func.sum(DocumentBalance.open), func.count())
        .where(DocumentBalance.kind == kind, DocumentBalance.open > Money(0))
        .group_by(DocumentBalance.due_on)
    )
    sums = dict.fromkeys(Age, (0, 0))
    for due_on, amount, count in session.execute(query):
        pence, number = sums[age_of(due_on, today)]
        sums[age_of(due_on, today)] = (pence + amount.pence, number + count)
    return [AgedDebt(age, Money(pence), number) for age, (pence, number) in sums.items()]


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """A payment received: how much of it is allocated, how much went back, and how much is on account."""

    receipt: Receipt
    customer: str
    allocated: Money
    refunded: Money = Money(0)

    @property
    def left(self) -> Money:
        """What is neither allocated nor given back."""
        return self.receipt.amount - self.allocated - self.refunded


def _allocated() -> ColumnElement[int]:
    paid = select(_sum_of(Allocation.amount)).where(Allocation.receipt_id == Receipt.id)
    return paid.correlate(Receipt).scalar_subquery()


def _refunded() -> ColumnElement[int]:
    back = select(_sum_of(Refund.amount)).where(Refund.receipt_id == Receipt.id)
    return back.correlate(Receipt).scalar_subquery()


_WITH_CUSTOMER = (
    joinedload(Receipt.customer).joinedload(Customer.school),
    joinedload(Receipt.customer).joinedload(Customer.trust),
)


def receipts_page(
    session: Session, *, customer_id: int | None = None, unallocated: bool = False, before: int | None = None
) -> list[ReceiptRow]:
    """Return a page of payments, the latest first; `before` is the last id of the page before."""
    query = select(Receipt, _allocated(), _refunded()).options(*_WITH_CUSTOMER)
    query = query.order_by(Receipt.id.desc()).limit(PAGE)
    if customer_id is not None:
        query = query.where(Receipt.customer_id == customer_id)
    if unallocated:
        query = query.where(_allocated() + _refunded() < type_coerce(Receipt.amount, BigInteger))
    if before is not None:
        query = query.where(Receipt.id < before)
    return [
        ReceiptRow(one, customer_words(one.customer), _money(paid), _money(back))
        for one, paid, back in session.execute(query)
    ]


def receipt(session: Session, receipt_id: int) -> ReceiptRow:
    """Return one payment."""
    query = (
        select(Receipt, _allocated(), _refunded()).options(*_WITH_CUSTOMER).where(Receipt.id == receipt_id)
    )
    row = session.execute(query).one_or_none()
    if row is None:
        raise NotFound
    return ReceiptRow(row[0], customer_words(row[0].customer), _money(row[1]), _money(row[2]))


def customer_words(customer: Customer) -> str:
    """Return a customer's name (loaded with school and trust)."""
    payer = customer.trust or customer.school
    return payer.name if payer is not None else customer.account_reference


def allocations_of(
    session: Session, *, receipt_id: int | None = None, document_id: int | None = None
) -> list[Allocation]:
    """Return what a payment was set against, or what was set against a document, in order."""
    query = select(Allocation).options(
        joinedload(Allocation.document), joinedload(Allocation.receipt).joinedload(Receipt.customer)
    )
    if receipt_id is not None:
        query = query.where(Allocation.receipt_id == receipt_id)
    if document_id is not None:
        query = query.where(Allocation.document_id == document_id)
    return list(session.scalars(query.order_by(Allocation.id)))


def reversed_ids(allocations: Sequence[Allocation]) -> set[int]:
    """Return which of these allocations were reversed."""
    return {one.reverses_id for one in allocations if one.reverses_id is not None}


def open_documents(session: Session, customer_id: int) -> list[tuple[Document, Money]]:
    """Return a customer's documents with something open, the oldest first."""
    query = (
        select(Document, DocumentBalance.open)
        .join(DocumentBalance, DocumentBalance.document_id == Document.id)
        .where(DocumentBalance.customer_id == customer_id, DocumentBalance.open > Money(0))
        .order_by(Document.issued_on, Document.id)
    )
    return [(one, amount) for one, amount in session.execute(query)]


def unallocated_total(session: Session) -> Money:
    """Return all money on account."""
    received = session.scalar(select(_sum_of(Receipt.amount)))
    allocated = session.scalar(select(_sum_of(Allocation.amount)).where(Allocation.receipt_id.is_not(None)))
    back = session.scalar(select(_sum_of(Refund.amount)))
    return _money(received) - _money(allocated) - _money(back)


def open_of_school(session: Session, school_id: int) -> Money:
    """Return what is open on a school's documents: those of its agreements, and what it pays outside of them."""
    query = (
        select(DocumentBalance.open)
        .join(Document, Document.id == DocumentBalance.document_id)
        .where(
            or_(
                Document.agreement_id.in_(select(Agreement.id).where(Agreement.school_id == school_id)),
                and_(
                    Document.agreement_id.is_(None),
                    Document.customer_id.in_(select(Customer.id).where(Customer.school_id == school_id)),
                ),
            )
        )
    )
    return total(session.scalars(query))


def customers_matching(session: Session, part: str) -> list[Customer]:
    """Return customers whose name or account reference contains some letters, twenty at most."""
    wanted = part.strip().lower()
    query = (
        select(Customer)
        .outerjoin(School, School.id == Customer.school_id)
        .outerjoin(Trust, Trust.id == Customer.trust_id)
        .where(
            or_(
                func.lower(School.name).contains(wanted, autoescape=True),
                func.lower(Trust.name).contains(wanted, autoescape=True),
                func.lower(Customer.account_reference) == wanted,
            )
        )
        .options(joinedload(Customer.school), joinedload(Customer.trust))
        .order_by(func.coalesce(School.name, Trust.name), Customer.id)
        .limit(20)
    )
    return list(session.scalars(query))
