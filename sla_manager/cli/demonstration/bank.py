"""The bank of the demonstration: a statement of last week, one of its lines matched, the others waiting; a journal."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.billing.models import Document
from sla_manager.billing.rules.kinds import DocumentKind
from sla_manager.gateways.statements import read_statement
from sla_manager.kernel.money import Money
from sla_manager.kernel.references import sha256
from sla_manager.payments.commands.bank_import import take_statement
from sla_manager.payments.commands.bank_matching import match_line, set_aside
from sla_manager.payments.commands.journals import record_journal
from sla_manager.payments.models import DocumentBalance
from sla_manager.payments.queries.bank import open_lines
from sla_manager.payments.queries.journals import waiting_notes
from sla_manager.payments.queries.proposals import propose
from sla_manager.payments.rules.matching import Sureness
from sla_manager.store.audit import Actor

WANTED, MATCHED, SETTLED = 7, 1, 3
_HEADINGS = (
    "Transaction Date", "Transaction Type", "Sort Code", "Account Number", "Transaction Description", "Debit Amount",
    "Credit Amount", "Balance",
)  # fmt: skip
_FINES = "WEXCOMBE LIBRARIES FINES WEEK 12"
Row = tuple[int, str, Money]
Spelling = Callable[[Document, Money], tuple[str, Money]]


def tell_bank(session: Session, *, today: date, by: Actor, at: datetime) -> None:
    """Take a statement that pays the oldest open invoices in many ways, and match the first of its lines."""
    rows = _rows(_invoices(session))
    content = _file(rows, today)
    take_statement(
        session,
        read_statement(content),
        content_hash=sha256(content),
        file_name="statement.csv",
        by=by,
        at=at,
    )
    lines = open_lines(session)
    sure = [one for one in propose(session, lines).values() if one.sureness is Sureness.SURE]
    for one in sure[:MATCHED]:
        match_line(
            session,
            one.arrived.line_id,
            documents={part.item.document_id: part.amount for part in one.parts},
            once_key=f"demonstration-{one.arrived.line_id}",
            by=by,
            at=at,
        )
    for line in lines:
        if line.line.text == _FINES:
            reason = "Paid in for the library service; passed on."
            set_aside(session, line.line.id, reason=reason, once_key="demonstration-fines", by=by, at=at)
    notes = [one.document.id for one in waiting_notes(session) if not one.held][:SETTLED]
    if notes:
        record_journal(
            session,
            notes,
            reference="JNL 004417",
            journal_on=today - timedelta(days=2),
            once_key="demonstration-journal",
            by=by,
            at=at,
        )


def _invoices(session: Session) -> list[tuple[Document, Money]]:
    """Return open invoices, the oldest first."""
    query = (
        select(Document, DocumentBalance.open)
        .join(DocumentBalance, DocumentBalance.document_id == Document.id)
        .where(Document.kind == DocumentKind.INVOICE, DocumentBalance.open > Money(0))
        .order_by(Document.id)
        .limit(WANTED)
    )
    return [(document, amount) for document, amount in session.execute(query)]


def _rows(invoices: list[tuple[Document, Money]]) -> list[Row]:
    """Return day (back from today), words and amount of each line, as schools' banks write them."""
    spellings: tuple[Spelling, ...] = (
        lambda one, amount: (f"BGC {one.number}", amount),
        lambda one, amount: (f"INV {one.number.replace('/', ' ')} FP 190317", amount),
        lambda one, amount: (
            f"{one.number.replace('/', '').replace('-', '')} PART",
            Money(amount.pence // 2),
        ),
        lambda one, amount: (f"{one.number} AND COURSE", amount + Money(45_00)),
        lambda one, amount: (one.customer_name.upper()[:28], amount),
        lambda one, amount: ("SCHOOLS PAYROLL BUREAU 8831", amount),
        lambda one, amount: (f"{one.number.lower()} thank you", amount),
    )
    rows = [
        (7 - number, *spell(document, amount))
        for number, ((document, amount), spell) in enumerate(zip(invoices, spellings, strict=False))
    ]
    return [*rows, (1, _FINES, Money(38_40)), (1, "COMMERCIAL CHARGES", Money(-16_25))]


def _file(rows: list[Row], today: date) -> bytes:
    """Return a file with the columns of a British bank."""
    written, balance = io.StringIO(), Money(125_000_00)
    writer = csv.writer(written)
    writer.writerow(_HEADINGS)
    for back, words, amount in rows:
        balance = balance + amount
        left, arrived = ("", str(amount)) if amount.pence > 0 else (str(-amount), "")
        day = f"{today - timedelta(days=back):%d/%m/%Y}"
        writer.writerow(
            [day, "BGC" if arrived else "CHG", "'00-00-00", "00000000", words, left, arrived, str(balance)]
        )
    return written.getvalue().encode()
