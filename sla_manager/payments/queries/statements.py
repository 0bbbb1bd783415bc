"""A customer's account: everything that was asked for and paid, in order, and what is open of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.billing.models import Document
from sla_manager.billing.rules.kinds import DocumentKind
from sla_manager.kernel.errors import NotFound
from sla_manager.kernel.money import Money, total
from sla_manager.payments.models import Allocation, DocumentBalance, Receipt, Refund
from sla_manager.payments.queries.holds import holds_in_force
from sla_manager.payments.queries.payers import customer_with_payer
from sla_manager.payments.queries.receipts import customer_words
from sla_manager.payments.rules.ageing import Age, age_of
from sla_manager.people.models import Customer

MOST = 500
"""How many movements one statement lists; earlier ones are in its opening balance."""
_METHODS = {"bank_transfer": "by bank transfer", "cheque": "by cheque", "card": "by card", "cash": "in cash"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One thing that changed the account. `amount` is above nothing where it is asked for, below where it is paid."""

    on: date
    what: str
    number: str
    document_id: int | None = None
    receipt_id: int | None = None
    amount: Money
    balance: Money = Money(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDocument:
    """A document that is not settled: what is open, whether it is late or held."""

    id: int
    number: str
    kind: DocumentKind
    issued_on: date
    due_on: date | None
    gross: Money
    open: Money
    age: Age
    held: bool

    @property
    def is_overdue(self) -> bool:
        """Whether it is late; a recharge never is."""
        return self.age is not Age.NOT_DUE


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The account of a customer from a day (None: from its beginning) to a day with it."""

    customer: Customer
    name: str
    since: date | None
    until: date
    opening: Money
    movements: tuple[Movement, ...]
    closing: Money
    open: tuple[OpenDocument, ...]
    on_account: Money

    @property
    def to_pay(self) -> Money:
        """What is open on invoices, late or not."""
        return total(one.open for one in self.open if one.kind is DocumentKind.INVOICE)

    @property
    def overdue(self) -> Money:
        """What of it is late."""
        return total(one.open for one in self.open if one.is_overdue)

    @property
    def by_journal(self) -> Money:
        """What still moves between the council's own budgets: nothing for the school to pay."""
        return total(one.open for one in self.open if one.kind is DocumentKind.RECHARGE_NOTE)

    @property
    def ages(self) -> tuple[tuple[Age, Money], ...]:
        """What is open on invoices, by age."""
        invoices = [one for one in self.open if one.kind is DocumentKind.INVOICE]
        return tuple((age, total(one.open for one in invoices if one.age is age)) for age in Age)


def statement(session: Session, customer_id: int, *, since: date | None, today: date) -> Statement:
    """Return a customer's account as it stands today; a few queries, however long it is."""
    customer = customer_with_payer(session, customer_id)
    if customer is None:
        raise NotFound
    moved = sorted(_movements(session, customer_id), key=lambda one: one.on)
    first = next((place for place, one in enumerate(moved) if since is None or one.on >= since), len(moved))
    first = max(first, len(moved) - MOST)
    opening = total(one.amount for one in moved[:first])
    listed = _with_balances(moved[first:], opening)
    return Statement(
        customer=customer,
        name=customer_words(customer),
        since=since if first == 0 or since is not None else moved[first].on,
        until=today,
        opening=opening,
        movements=listed,
        closing=listed[-1].balance if listed else opening,
        open=tuple(_open(session, customer_id, today)),
        on_account=_on_account(session, customer_id),
    )


def _with_balances(moved: Sequence[Movement], opening: Money) -> tuple[Movement, ...]:
    listed, balance = [], opening
    for one in moved:
        balance += one.amount
        listed.append(
            Movement(
                on=one.on, what=one.what, number=one.number, document_id=one.document_id,
                receipt_id=one.receipt_id, amount=one.amount, balance=balance,
            )
        )  # fmt: skip
    return tuple(listed)


def _movements(session: Session, customer_id: int) -> Iterator[Movement]:
    documents = select(Document.id, Document.number, Document.kind, Document.issued_on, Document.gross)
    mine = documents.where(Document.customer_id == customer_id).order_by(Document.id)
    for document_id, number, kind, issued_on, gross in session.execute(mine):
        yield Movement(on=issued_on, what=kind.title, number=number, document_id=document_id, amount=gross)
    receipts = select(Receipt).where(Receipt.customer_id == customer_id).order_by(Receipt.id)
    for one in session.scalars(receipts):
        yield Movement(
            on=one.received_on, what=f"Payment {_METHODS.get(one.method, 'by journal')}", number=one.reference,
            receipt_id=one.id, amount=-one.amount,
        )  # fmt: skip
    refunds = (
        select(Refund)
        .join(Receipt, Receipt.id == Refund.receipt_id)
        .where(Receipt.customer_id == customer_id)
        .order_by(Refund.id)
    )
    for back in session.scalars(refunds):
        what = "Taken back by the card’s bank" if back.method == "chargeback" else "Paid back"
        yield Movement(
            on=back.refunded_on, what="Pay-back that failed" if back.reverses_id else what, number=back.reference,
            receipt_id=back.receipt_id, amount=back.amount,
        )  # fmt: skip


def _open(session: Session, customer_id: int, today: date) -> Iterator[OpenDocument]:
    query = (
        select(
            Document.id, Document.number, Document.kind, Document.issued_on, Document.due_on, Document.gross,
            DocumentBalance.open,
        )
        .join(DocumentBalance, DocumentBalance.document_id == Document.id)
        .where(DocumentBalance.customer_id == customer_id, DocumentBalance.open != Money(0))
        .order_by(Document.issued_on, Document.id)
    )  # fmt: skip
    rows = session.execute(query).all()
    held = holds_in_force(session, [row.id for row in rows])
    for row in rows:
        yield OpenDocument(
            id=row.id, number=row.number, kind=row.kind, issued_on=row.issued_on, due_on=row.due_on,
            gross=row.gross, open=row.open, held=row.id in held,
            age=age_of(row.due_on, today) if row.open > Money(0) else Age.NOT_DUE,
        )  # fmt: skip


def _on_account(session: Session, customer_id: int) -> Money:
    received = select(Receipt.amount).where(Receipt.customer_id == customer_id)
    of_customer = select(Receipt.id).where(Receipt.customer_id == customer_id)
    allocated = select(Allocation.amount).where(Allocation.receipt_id.in_(of_customer))
    refunded = select(Refund.amount).where(Refund.receipt_id.in_(of_customer))
    return (
        total(session.scalars(received))
        - total(session.scalars(allocated))
        - total(session.scalars(refunded))
    )
