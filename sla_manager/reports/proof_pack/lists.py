"""The lists of a proof pack: visits, time, payments, hand-over. No officer, no visitor, no free note stands in them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from sla_manager.agreements.models import Acceptance, LedgerEntry
from sla_manager.agreements.queries import TrancheBalance, balances
from sla_manager.agreements.queries.balances import ledger
from sla_manager.agreements.rules.ledger import EntryKind
from sla_manager.billing.models import Document
from sla_manager.finance.models import ExportBatch, ExportedDocument
from sla_manager.gateways.spreadsheets import Cell, write_csv
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.money import Money
from sla_manager.kernel.words import long_date, pounds
from sla_manager.payments.commands import METHODS
from sla_manager.payments.models import Allocation, Receipt, Refund
from sla_manager.people.models import Customer
from sla_manager.reports.proof_pack.scope import Scope
from sla_manager.visits.models import Visit
from sla_manager.visits.queries.diary import WITH_EVERYTHING
from sla_manager.visits.queries.records import VisitRecord, visit_records

ANSWERS = {"agree": "Agreed", "query": "Questioned", "settled": "Settled after a question"}
REFUNDED = {
    "card": "Card",
    "bank_transfer": "Bank transfer",
    "cheque": "Cheque",
    "journal": "Journal",
    "chargeback": "Taken back by the card’s bank",
}


@dataclass(frozen=True, slots=True)
class Listed:
    """One list: a title, where its file stands in the pack, names of columns, rows, and what to say when empty."""

    key: str
    title: str
    path: str
    names: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    empty: str

    def csv(self) -> bytes:
        """Return it as CSV."""
        return write_csv(self.names, self.rows)


def acceptance_facts(accepted: Acceptance, reference: str) -> dict[str, str]:
    """Return who accepted what and when; the network address stays with the council."""
    return {
        "agreement": reference,
        "accepted_by": accepted.name,
        "role": accepted.role,
        "statement": accepted.statement,
        "accepted_at": f"{accepted.accepted_at:%Y-%m-%dT%H:%M:%SZ}",
        "document_sha256": accepted.document_sha256,
    }


def visits_listed(session: Session, scope: Scope) -> Listed:
    """Return every visit of the year: planned, delivered, cancelled, met by a locked door."""
    query = (
        select(Visit)
        .where(
            Visit.school_id == scope.school.id,
            Visit.day >= scope.year.period.start,
            Visit.day < scope.year.period.end,
        )
        .options(*WITH_EVERYTHING)
        .order_by(Visit.day, Visit.starts_at, Visit.id)
    )
    records = visit_records(session, list(session.scalars(query)))
    names = (
        "Visit", "Day", "What for", "Agreement", "State", "Minutes booked", "Free minutes given",
        "Bought minutes given", "Minutes taken off", "Extra minutes", "Extra time", "School’s answer",
    )  # fmt: skip
    return Listed(
        "visits", "Visits", "visits.csv", names, [_visit(one) for one in records],
        "No visit was planned in this year.",
    )  # fmt: skip


def _visit(record: VisitRecord) -> Sequence[Cell]:
    visit, given, extra = record.visit, record.delivery, record.extra
    line = None if visit.tranche is None else visit.tranche.line
    bought = line.description if line is not None else ""
    return (
        visit.id,
        visit.day,
        f"Free: {visit.duty.title}" if visit.duty is not None else bought,
        line.agreement.reference if line is not None else "",
        visit.status.title,
        visit.booked.minutes,
        given.core.minutes if given is not None else 0,
        given.worked.minutes if given is not None else 0,
        record.deducted.minutes,
        extra.minutes.minutes if extra is not None else 0,
        extra.status.title if extra is not None else "",
        ANSWERS[record.answer.answer] if record.answer is not None else "",
    )


def time_listed(session: Session, scope: Scope) -> list[tuple[TrancheBalance, Listed]]:
    """Return the ledger of each agreement line in the year, each entry with the balance after it."""
    found = []
    ids = {one.id for one in scope.agreements}
    for balance in balances(session, school_id=scope.school.id, year=scope.year.first):
        if balance.agreement_id not in ids:
            continue
        entries = ledger(session, balance.tranche_id)
        rows = [
            (
                row.entry.effective_on,
                row.entry.kind.title,
                described(row.entry, [one.entry for one in entries]),
                row.entry.minutes.minutes,
                row.balance.minutes,
            )
            for row in entries
        ]
        listed = Listed(
            f"time-{balance.tranche_id}",
            f"{balance.reference}: {balance.description}",
            f"{scope.folder(balance.agreement_id)}/time-{balance.tranche_id}.csv",
            ("Day", "Entry", "What for", "Minutes", "Minutes left"),
            rows,
            "Nothing was bought.",
        )
        found.append((balance, listed))
    return found


def described(entry: LedgerEntry, among: Sequence[LedgerEntry]) -> str:
    """Say what an entry is for, without what anybody typed."""
    if entry.kind is EntryKind.REVERSAL:
        undone = next((one for one in among if one.id == entry.reverses_id), None)
        return f"Undoes the entry of {long_date(undone.effective_on)}" if undone is not None else "Undone"
    if entry.visit_id is not None:
        return f"Visit {entry.visit_id}"
    return {
        EntryKind.CONTRACTED: "As agreed",
        EntryKind.VARIED: "Change of the agreement",
        EntryKind.CREDITED: "Lost through the council, given back as money",
        EntryKind.LAPSED: "Unused when the year was closed",
    }.get(entry.kind, "")


def documents_listed(scope: Scope) -> Listed:
    """Return the documents of money with their totals and where their files are."""
    names = (
        "Number", "Kind", "Issued", "Due", "Agreement", "Credits", "Net", "VAT", "Gross", "SHA-256 of the PDF", "Hash",
    )  # fmt: skip
    numbers = {one.id: one.number for one in scope.documents}
    references = {one.id: one.reference for one in scope.agreements}
    rows = [
        (
            one.number, one.kind.title, one.issued_on, one.due_on,
            references.get(one.agreement_id or 0, str(one.facts.get("agreement", ""))),
            numbers.get(one.credits_id or 0, _credited(one)), one.net, one.vat, one.gross,
            scope.files[one.id].sha256 if one.id in scope.files else "Not printed yet", one.hash,
        )
        for one in scope.documents
    ]  # fmt: skip
    empty = "Nothing was invoiced or recharged in this year."
    return Listed("documents", "Invoices, recharges and credits", "documents.csv", names, rows, empty)


def _credited(document: Document) -> str:
    credited = document.facts.get("credits")
    return str(credited.get("number", "")) if isinstance(credited, dict) else ""


def payments_listed(session: Session, scope: Scope) -> Listed:
    """Return what was set against the documents, and what was taken off them again."""
    numbers = {one.id: one.number for one in scope.documents}
    query = (
        select(Allocation)
        .where(Allocation.document_id.in_(numbers))
        .options(joinedload(Allocation.receipt))
        .order_by(Allocation.id)
    )
    rows = []
    for one in session.scalars(query):
        receipt = one.receipt
        rows.append(
            (
                numbers[one.document_id],
                f"Payment {receipt.id}" if receipt is not None else "A credit note",
                receipt.received_on if receipt is not None else None,
                METHODS[receipt.method] if receipt is not None else "",
                london_date(one.allocated_at),
                one.amount,
                "Taken off again" if one.reverses_id is not None else "",
            )
        )
    names = ("Document", "What", "Received", "How", "Set against on", "Amount", "Note")
    empty = "Nothing was paid on these documents."
    return Listed("payments", "Payments", "payments.csv", names, rows, empty)


def refunds_listed(session: Session, scope: Scope) -> Listed:
    """Return what went back from the school's own payments in the year."""
    query = (
        select(Refund)
        .join(Receipt, Receipt.id == Refund.receipt_id)
        .join(Customer, Customer.id == Receipt.customer_id)
        .where(
            Customer.school_id == scope.school.id,
            Refund.refunded_on >= scope.year.period.start,
            Refund.refunded_on < scope.year.period.end,
        )
        .order_by(Refund.id)
    )
    rows = [
        (
            f"Payment {one.receipt_id}", one.refunded_on, REFUNDED[one.method], one.amount,
            "Undoes one that failed" if one.reverses_id is not None else "",
        )
        for one in session.scalars(query)
    ]  # fmt: skip
    names = ("Payment", "Refunded", "How", "Amount", "Note")
    return Listed("refunds", "Refunds", "refunds.csv", names, rows, "Nothing was refunded.")


def exports_listed(session: Session, documents: Collection[Document]) -> Listed:
    """Return which batch handed each document to which finance system."""
    numbers = {one.id: one.number for one in documents}
    query = (
        select(ExportedDocument.document_id, ExportBatch)
        .join(ExportBatch, ExportBatch.id == ExportedDocument.batch_id)
        .where(ExportedDocument.document_id.in_(numbers))
        .order_by(ExportedDocument.document_id, ExportBatch.id)
    )
    rows = [
        (
            numbers[document_id],
            batch.id,
            batch.filename,
            batch.target,
            london_date(batch.made_at),
            batch.sha256,
        )
        for document_id, batch in session.execute(query)
    ]
    names = ("Document", "Batch", "File", "System", "Made", "SHA-256")
    empty = "None of these documents was handed over yet."
    return Listed("exports", "Hand-over to the finance system", "hand-over.csv", names, rows, empty)


def in_words(cell: Cell) -> str:
    """Return a cell as people read it in the pack's own page.

    >>> in_words(Money(-207_63)), in_words(date(2026, 3, 31)), in_words(None)
    ('−£207.63', '31 March 2026', '')
    """
    if cell is None:
        return ""
    if isinstance(cell, Money):
        return pounds(cell)
    return long_date(cell) if isinstance(cell, date) else str(cell)
