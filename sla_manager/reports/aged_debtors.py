"""Who owes how much since when, on any day: reckoned back from what is open now by what happened since."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from sla_manager.billing.models import Document
from sla_manager.billing.rules.kinds import DocumentKind
from sla_manager.billing.rules.locks import end_of
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.words import long_date
from sla_manager.payments.models import Allocation, DocumentBalance, Hold, HoldRelease, Receipt, Refund
from sla_manager.payments.rules.ageing import Age, age_of
from sla_manager.people.models import Customer, School, Trust
from sla_manager.reports.earned import NOTHING
from sla_manager.reports.sheets import About, Picture, Report, Sheet, Value, totals


@dataclass(slots=True)
class Debtor:
    """A customer's open invoices by age, and beside them: held, overpaid, on account, recharges without a journal."""

    customer_id: int
    name: str = ""
    account: str = ""
    ages: dict[Age, Money] = field(default_factory=lambda: dict.fromkeys(Age, NOTHING))
    held: Money = NOTHING
    overpaid: Money = NOTHING
    on_account: Money = NOTHING
    recharges: Money = NOTHING

    @property
    def owed(self) -> Money:
        """All open invoices."""
        return total(self.ages.values())

    @property
    def overdue(self) -> Money:
        """Those that should have been paid."""
        return self.owed - self.ages[Age.NOT_DUE]


def open_on(session: Session, on: date) -> dict[int, Money]:
    """Return what was open on each document at the end of a day, below nothing where too much was paid.

    What is open now, and what was paid or credited after that day, put back.
    """
    issued = select(Document.id).where(Document.issued_on <= on)
    now = (
        select(DocumentBalance.document_id, DocumentBalance.open)
        .join(Document, Document.id == DocumentBalance.document_id)
        .where(Document.issued_on <= on, or_(DocumentBalance.open > NOTHING, DocumentBalance.open < NOTHING))
    )
    paid = (
        select(Allocation.document_id, func.sum(Allocation.amount))
        .where(Allocation.allocated_at >= end_of(on), Allocation.document_id.in_(issued))
        .group_by(Allocation.document_id)
    )
    credited = (
        select(Document.credits_id, func.sum(Document.gross))
        .where(Document.credits_id.in_(issued), Document.issued_on > on)
        .group_by(Document.credits_id)
    )
    found: dict[int, Money] = defaultdict(lambda: NOTHING)
    for document, amount in session.execute(now):
        found[document] += amount
    for document, amount in session.execute(paid):
        found[document] += amount
    for of, amount in session.execute(credited):
        if of is not None:
            found[of] -= amount
    return {document: amount for document, amount in found.items() if amount}


def debtors(session: Session, on: date) -> list[Debtor]:
    """Return everybody who owes, or has money with the council, at the end of a day, the largest debt first."""
    still_open = open_on(session, on)
    held = _held(session, on)
    found: dict[int, Debtor] = {}

    def of(customer_id: int) -> Debtor:
        return found.setdefault(customer_id, Debtor(customer_id))

    for document, customer_id, kind, due_on in _documents(session, still_open):
        one, amount = of(customer_id), still_open[document]
        if amount < NOTHING:
            one.overpaid -= amount
        elif kind is DocumentKind.RECHARGE_NOTE:
            one.recharges += amount
        else:
            one.ages[age_of(due_on, on)] += amount
            one.held += amount if document in held else NOTHING
    for customer_id, amount in _on_account(session, on).items():
        of(customer_id).on_account = amount
    _name(session, found)
    return sorted(found.values(), key=lambda one: (-one.owed.pence, one.name, one.customer_id))


def _documents(
    session: Session, wanted: dict[int, Money]
) -> list[tuple[int, int, DocumentKind, date | None]]:
    rows: list[tuple[int, int, DocumentKind, date | None]] = []
    ids = sorted(wanted)
    for start in range(0, len(ids), 5_000):
        query = select(
            DocumentBalance.document_id,
            DocumentBalance.customer_id,
            DocumentBalance.kind,
            DocumentBalance.due_on,
        ).where(DocumentBalance.document_id.in_(ids[start : start + 5_000]))
        rows += [(one, customer, kind, due) for one, customer, kind, due in session.execute(query)]
    return rows


def _held(session: Session, on: date) -> set[int]:
    query = (
        select(Hold.document_id)
        .outerjoin(HoldRelease, HoldRelease.hold_id == Hold.id)
        .where(
            Hold.placed_at < end_of(on), or_(HoldRelease.id.is_(None), HoldRelease.released_at >= end_of(on))
        )
    )
    return set(session.scalars(query))


def _on_account(session: Session, on: date) -> dict[int, Money]:
    """Return what was received by a day and was then neither set against a document nor given back."""
    found: dict[int, Money] = defaultdict(lambda: NOTHING)
    received = (
        select(Receipt.customer_id, func.sum(Receipt.amount))
        .where(Receipt.received_on <= on)
        .group_by(Receipt.customer_id)
    )
    allocated = (
        select(Receipt.customer_id, func.sum(Allocation.amount))
        .join(Receipt, Receipt.id == Allocation.receipt_id)
        .where(Receipt.received_on <= on, Allocation.allocated_at < end_of(on))
        .group_by(Receipt.customer_id)
    )
    refunded = (
        select(Receipt.customer_id, func.sum(Refund.amount))
        .join(Receipt, Receipt.id == Refund.receipt_id)
        .where(Receipt.received_on <= on, Refund.refunded_on <= on)
        .group_by(Receipt.customer_id)
    )
    for customer, amount in session.execute(received):
        found[customer] += amount
    for query in (allocated, refunded):
        for customer, amount in session.execute(query):
            found[customer] -= amount
    return {customer: amount for customer, amount in found.items() if amount}


def _name(session: Session, found: dict[int, Debtor]) -> None:
    query = (
        select(Customer.id, func.coalesce(Trust.name, School.name), Customer.account_reference)
        .outerjoin(Trust, Trust.id == Customer.trust_id)
        .outerjoin(School, School.id == Customer.school_id)
    )
    for customer_id, name, account in session.execute(query):
        if customer_id in found:
            found[customer_id].name, found[customer_id].account = name, account


def debtors_report(session: Session, on: date) -> Report:
    """Return the aged debtors of a day, by customer."""
    rows = debtors(session, on)
    owing = [one for one in rows if one.owed]
    return Report(
        key="debtors",
        title="Aged debtors",
        about=f"Open invoices by customer and age at the end of {long_date(on)}.",
        lead=(
            ("Owed", total(one.owed for one in rows)),
            ("Overdue", total(one.overdue for one in rows)),
            ("Held or disputed", total(one.held for one in rows)),
            ("Money on account", total(one.on_account for one in rows)),
        ),
        sheets=(_sheet(rows, on),),
        notes=(
            "The age is counted from the due date. Held and disputed invoices are counted with their age too.",
            "Recharges move by journal, so they have no age.",
            "Money on account was received and is not set against an invoice. It is not taken off the ages.",
        ),
        picture=Picture(
            "The largest debtors, by age",
            tuple(age.title for age in Age),
            tuple((one.name, tuple(one.ages[age] for age in Age)) for one in owing[:10]),
            "Customer",
        )
        if owing
        else None,
        filename=f"aged-debtors-{on}",
    )


def _sheet(rows: Sequence[Debtor], on: date) -> Sheet:
    cells: tuple[tuple[Value, ...], ...] = tuple(
        (
            one.name, one.account, *(one.ages[age] for age in Age), one.owed, one.held, one.on_account,
            one.overpaid, one.recharges,
        )
        for one in rows
    )  # fmt: skip
    return Sheet(
        title=f"Debtors at the end of {long_date(on)}",
        names=(
            "Customer", "Account", *(age.title for age in Age), "Owed", "Of it held", "On account", "Overpaid",
            "Recharges to journal",
        ),
        rows=cells,
        numeric=frozenset(range(2, 12)),
        totals=totals("Total", cells, 12, range(2, 12)),
        abouts=tuple(About("customer", one.customer_id) for one in rows),
        empty="Nobody owes anything.",
    )  # fmt: skip
