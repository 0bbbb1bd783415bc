"""Money received: recorded by hand, set against documents, taken off them again. Rows are only ever added."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

import sla_manager.payments.constraints  # noqa: F401  (gives the database its sentences)
from sla_manager.billing.models import Document
from sla_manager.billing.queries.locks import require_open
from sla_manager.billing.rules.kinds import DocumentKind
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.words import long_date, pounds
from sla_manager.payments.models import Allocation, Receipt
from sla_manager.payments.queries.receipts import open_amount
from sla_manager.payments.queries.receipts import receipt as receipt_row
from sla_manager.people.models import Customer
from sla_manager.store.audit import Actor, record

METHODS = {
    "bank_transfer": "Bank transfer",
    "cheque": "Cheque",
    "card": "Card",
    "journal": "Journal",
    "cash": "Cash",
}
LONGEST_REFERENCE = 200


class MoreThanOpen(Refused):
    """A document takes no more than is open on it."""

    def __init__(self, number: str, wanted: Money, left: Money) -> None:
        super().__init__(
            f"{pounds(wanted)} is more than is open on {number}: {pounds(max(left, Money(0)))}. "
            "Allocate that or less, and leave the rest on account.",
            field="amount",
        )


class MoreThanLeft(Refused):
    """A payment gives no more than is left of it."""

    def __init__(self, wanted: Money, left: Money) -> None:
        super().__init__(
            f"{pounds(wanted)} is more than is left of this payment: {pounds(left)}. Allocate that or less.",
            field="amount",
        )


def record_receipt(
    session: Session,
    customer_id: int,
    *,
    amount: Money,
    received_on: date,
    method: str,
    reference: str = "",
    allocations: Mapping[int, Money] | None = None,
    once_key: str | None = None,
    by: Actor,
    at: datetime,
) -> Receipt:
    """Record a payment, and set it against documents (by id) when that is known; what is left stays on account.

    The same `once_key` gives back the same payment: a double click records one.
    """
    if once_key is not None:
        made = session.scalar(select(Receipt).where(Receipt.once_key == once_key))
        if made is not None:
            return made
    if session.get(Customer, customer_id) is None:
        raise NotFound
    _check(amount, received_on, method, reference, at)
    require_open(session, received_on, field="received_on")
    receipt = Receipt(
        customer_id=customer_id, amount=amount, received_on=received_on, method=method,
        reference=reference.strip(), recorded_at=at, recorded_by=by.name, once_key=once_key,
    )  # fmt: skip
    session.add(receipt)
    session.flush()
    record(
        session, "record_receipt", about="receipt", about_id=receipt.id, by=by, at=at,
        summary=f"{pounds(amount)} received on {long_date(received_on)} by {METHODS[method].lower()}.",
        details={"customer_id": customer_id, "amount": str(amount)},
    )  # fmt: skip
    if allocations:
        allocate(session, receipt.id, allocations, by=by, at=at)
    return receipt


def _check(amount: Money, received_on: date, method: str, reference: str, at: datetime) -> None:
    if amount.pence <= 0:
        raise Refused("Enter an amount above £0.00.", field="amount")
    if received_on > london_date(at):
        raise Refused(
            f"{long_date(received_on)} is in the future. Enter the day on which the money arrived.",
            field="received_on",
        )
    if method not in METHODS:
        raise Refused("Choose how the money came.", field="method")
    if len(reference) > LONGEST_REFERENCE:
        raise Refused(f"Enter a reference of {LONGEST_REFERENCE} characters at most.", field="reference")


def allocate(
    session: Session, receipt_id: int, amounts: Mapping[int, Money], *, by: Actor, at: datetime
) -> list[Allocation]:
    """Set a payment against documents of the same customer, by id. Refused beyond what is open or left.

    Documents are held in the order of their ids, then the payment, so that two people never wait for each other.
    """
    wanted = {document_id: amount for document_id, amount in sorted(amounts.items()) if amount}
    if not wanted:
        raise Refused("Enter an amount for at least one document.", field="amount")
    documents = _held(session, list(wanted))
    session.execute(select(Receipt.id).where(Receipt.id == receipt_id).with_for_update())
    found = receipt_row(session, receipt_id)
    if total(wanted.values()) > found.left:
        raise MoreThanLeft(total(wanted.values()), found.left)
    made = []
    for document_id, amount in wanted.items():
        document = documents.get(document_id)
        if document is None or document.customer_id != found.receipt.customer_id:
            raise NotFound("This customer has no such document.")
        if document.kind not in (DocumentKind.INVOICE, DocumentKind.RECHARGE_NOTE) or amount.pence < 0:
            raise Refused("Money is set against invoices and recharge notes, above £0.00.", field="amount")
        left = open_amount(session, document_id)
        if amount > left:
            raise MoreThanOpen(document.number, amount, left)
        made.append(
            Allocation(
                receipt_id=receipt_id, credit_note_id=None, document_id=document_id, amount=amount,
                reverses_id=None, allocated_at=at, allocated_by=by.name,
            )
        )  # fmt: skip
        session.add(made[-1])
        session.flush()
        record(
            session, "allocate", about="document", about_id=document_id, by=by, at=at,
            summary=f"{pounds(amount)} set against {document.number}.", details={"receipt_id": receipt_id},
        )  # fmt: skip
    return made


def _held(session: Session, ids: list[int]) -> dict[int, Document]:
    query = select(Document).where(Document.id.in_(ids)).order_by(Document.id).with_for_update()
    return {document.id: document for document in session.scalars(query)}


def reverse_allocation(
    session: Session, allocation_id: int, *, reason: str, by: Actor, at: datetime
) -> Allocation:
    """Take an allocation back by another that names it; the money is on account again."""
    first = session.get(Allocation, allocation_id)
    if first is None:
        raise NotFound
    _held(session, [first.document_id])
    undone = session.scalar(select(Allocation.id).where(Allocation.reverses_id == allocation_id))
    if undone is not None or first.reverses_id is not None:
        raise Conflict("This allocation was reversed already.")
    if not reason.strip():
        raise Refused("Enter why it is reversed.", field="reason")
    reversal = Allocation(
        receipt_id=first.receipt_id, credit_note_id=first.credit_note_id, document_id=first.document_id,
        amount=-first.amount, reverses_id=first.id, allocated_at=at, allocated_by=by.name,
    )  # fmt: skip
    session.add(reversal)
    session.flush()
    record(
        session, "reverse_allocation", about="document", about_id=first.document_id, by=by, at=at,
        summary=f"{pounds(first.amount)} taken off again: {reason.strip()}", details={"allocation_id": first.id},
    )  # fmt: skip
    return reversal
