"""Whether the books are in order: everything that must be true of ledgers, numbers, hashes, totals and files.

Each check asks the database a fixed number of questions however many rows there are, and reads long tables in
chunks. A finding names the thing, says what is wrong and what to do. Finding nothing is the normal answer (N10).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import groupby

from sqlalchemy import exists, func, select, true
from sqlalchemy.orm import Session, selectinload

from sla_manager.agreements.models import (
    Agreement,
    AgreementFile,
    AgreementLine,
    AgreementVersion,
    Instalment,
    InstalmentPart,
    LedgerEntry,
    TakenRow,
    Tranche,
)
from sla_manager.agreements.rules.ledger import EntryKind
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.billing.models import Billed, Document, DocumentFile, DocumentVat, EInvoice, OneOffCharge
from sla_manager.billing.rules.chain import HEAD_FIELDS, LINE_FIELDS, START, VAT_FIELDS, document_hash
from sla_manager.billing.rules.kinds import DocumentKind, series_of
from sla_manager.catalogue.rules.vat import VatCode
from sla_manager.finance.models import ExportBatch, ExportedDocument
from sla_manager.kernel.errors import Broken
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.references import canonical_json, document_number, sha256
from sla_manager.people.models import TradingService
from sla_manager.reports.collected_integrity import collected_problems
from sla_manager.reports.findings import Files, Problem
from sla_manager.reports.money_integrity import money_problems
from sla_manager.store.numbers import NumberSeries
from sla_manager.visits.models import ExtraTime

CHUNK = 500


Tell = Callable[[int], None]
"""Is told how many more documents or files were looked at."""


def problems(session: Session, archive: Files) -> Iterator[Problem]:
    """Yield everything that is off, documents first."""
    for _, found in checks(session, archive):
        yield from found


def checks(
    session: Session, archive: Files, tell: Tell = lambda looked_at: None
) -> Iterator[tuple[str, Iterator[Problem]]]:
    """Yield each check's title with what it finds; nothing is asked before it is looked at."""
    yield "Issued documents: hashes, lines, VAT, no number missing", document_problems(session, tell)
    yield "Number series: each counter is the number of its documents", series_problems(session)
    yield "What is billed: it exists, once, and for as much as was agreed", billed_problems(session)
    yield "Ledgers of time: as agreed at first, never below nothing", ledger_problems(session)
    yield "Agreements: years, instalments, signed texts", agreement_problems(session)
    yield "Money: what is open, allocations, payments, refunds", money_problems(session)
    yield "Bank lines and card payments: matches, receipts, refunds, disputes", collected_problems(session)
    yield "Export batches: bytes and control totals", batch_problems(session)
    yield "Files of the archive: there, and byte for byte as kept", file_problems(session, archive, tell)


def to_look_at(session: Session) -> int:
    """Return how many documents and files the checks go through, for their progress."""
    tables = (Document, DocumentFile, AgreementFile, EInvoice)
    return sum(session.scalar(select(func.count()).select_from(table)) or 0 for table in tables)


def document_problems(session: Session, tell: Tell = lambda looked_at: None) -> Iterator[Problem]:
    """Check every document against its own hash, the one before it, its lines and its VAT rows."""
    query = (
        select(Document)
        .options(selectinload(Document.lines), selectinload(Document.vat_rows))
        .order_by(Document.series, Document.year, Document.sequence)
        .execution_options(yield_per=CHUNK)
    )
    for (series, year), chain in groupby(session.scalars(query), key=lambda one: (one.series, one.year)):
        previous, expected = START, 1
        for document in chain:
            if document.sequence != expected:
                missing = document_number(series, FinancialYear(year), expected)
                yield Problem("number_gap", document.number, f"{missing} is missing before it.")
            yield from one_document_problems(document, previous)
            previous, expected = document.hash, document.sequence + 1
            tell(1)


def one_document_problems(document: Document, previous: str) -> Iterator[Problem]:
    """Check one document, with its lines and VAT rows, against its hash; `previous` is the hash before it."""
    if document.previous_hash != previous:
        yield Problem("chain_broken", document.number, "It does not follow the document before it.")
    found = document_hash(
        document.previous_hash,
        {name: getattr(document, name) for name in HEAD_FIELDS},
        [{name: getattr(line, name) for name in LINE_FIELDS} for line in document.lines],
        [{name: getattr(row, name) for name in VAT_FIELDS} for row in document.vat_rows],
    )
    if found != document.hash:
        yield Problem("document_changed", document.number, "It was changed after it was issued.")
    if total(line.net for line in document.lines) != document.net:
        yield Problem("lines_off", document.number, f"Its lines do not add up to its net, £{document.net}.")
    yield from _vat(document)


def _vat(document: Document) -> Iterator[Problem]:
    rows: list[DocumentVat] = document.vat_rows
    if (total(row.net for row in rows), total(row.vat for row in rows)) != (document.net, document.vat):
        yield Problem("vat_off", document.number, "Its VAT rows do not add up to its totals.")
    lines: Counter[tuple[VatCode, int]] = Counter()
    for line in document.lines:
        lines[line.vat_code, line.vat_rate] += line.net.pence
    if any(lines[row.code, row.rate] != row.net.pence for row in rows):
        yield Problem("vat_off", document.number, "Its VAT rows are not the sums of its lines.")
    if document.net + document.vat != document.gross:
        yield Problem("totals_off", document.number, "Its net and VAT do not add up to its gross.")


def series_problems(session: Session) -> Iterator[Problem]:
    """Compare each counter of money documents with the documents that carry its numbers."""
    counted = {
        (series, year): (count, last)
        for series, year, count, last in session.execute(
            select(Document.series, Document.year, func.count(), func.max(Document.sequence)).group_by(
                Document.series, Document.year
            )
        )
    }
    counters = {(one.series, one.year): one.last for one in session.scalars(select(NumberSeries))}
    for (series, year), (count, last) in counted.items():
        name = f"{series} {FinancialYear(year)}"
        if count != last:
            yield Problem(
                "numbers_missing", name, f"It has {count} documents, and its last number is {last}."
            )
        if counters.get((series, year)) != last:
            yield Problem(
                "counter_off",
                name,
                f"Its counter says {counters.get((series, year))}, its last document {last}.",
            )
    known = [
        series_of(series, kind)
        for series in session.scalars(select(TradingService.series))
        for kind in DocumentKind
    ]
    for (series, year), last in counters.items():
        if last and series in known and (series, year) not in counted:
            name = f"{series} {FinancialYear(year)}"
            yield Problem("numbers_missing", name, f"Its counter says {last}, and it has no document.")


def billed_problems(session: Session) -> Iterator[Problem]:
    """Compare documents with what they bill: each bills something that exists, and for as much as was agreed."""
    charges = Document.kind.in_((DocumentKind.INVOICE, DocumentKind.RECHARGE_NOTE))
    bills = exists().where(Billed.document_id == Document.id)
    for number in session.scalars(select(Document.number).where(charges, ~bills).order_by(Document.id)):
        yield Problem(
            "bills_nothing", number, "It is not marked as billing anything, so a run would bill it again."
        )
    agreed = (
        select(Document.number, Document.net, func.sum(InstalmentPart.net))
        .join(Billed, Billed.document_id == Document.id)
        .join(InstalmentPart, InstalmentPart.instalment_id == Billed.source_id)
        .join(AgreementLine, AgreementLine.id == InstalmentPart.line_id)
        .where(charges, Billed.purpose.in_(("instalment", "variation")), AgreementLine.route == Billed.route)
        .group_by(Document.id)
        .order_by(Document.id)
    )
    for number, net, planned in session.execute(agreed):
        if net != planned:
            yield Problem("billed_off", number, f"It is £{net}, but what it bills was agreed at £{planned}.")
    for purposes, source in _SOURCES:
        orphans = (
            select(Billed.purpose, Billed.source_id, Document.number)
            .join(Document, Document.id == Billed.document_id)
            .where(Billed.purpose.in_(purposes), ~exists().where(source == Billed.source_id))
            .order_by(Billed.id)
        )
        for purpose, source_id, number in session.execute(orphans):
            said = f"It bills {purpose.replace('_', ' ')} {source_id}, which is not there."
            yield Problem("billed_without_source", number, said)


_SOURCES = (
    (("instalment", "variation"), Instalment.id),
    (("delivery", "cancellation"), LedgerEntry.id),
    (("extra_time",), ExtraTime.id),
    (("one_off",), OneOffCharge.id),
)


def ledger_problems(session: Session, among: Collection[int] | None = None) -> Iterator[Problem]:
    """Check that every balance (of some agreements, or all) is at least nothing and begins as agreed."""
    contracted = func.sum(LedgerEntry.minutes).filter(LedgerEntry.kind == EntryKind.CONTRACTED)
    query = (
        select(Tranche.id, Tranche.minutes, Agreement.reference, func.sum(LedgerEntry.minutes), contracted)
        .join(AgreementLine, AgreementLine.id == Tranche.line_id)
        .join(Agreement, Agreement.id == AgreementLine.agreement_id)
        .outerjoin(LedgerEntry, LedgerEntry.tranche_id == Tranche.id)
        .where(Tranche.minutes.is_not(None), true() if among is None else Agreement.id.in_(among))
        .group_by(Tranche.id, Agreement.id)
        .order_by(Tranche.id)
    )
    nothing = Minutes(0)
    for tranche_id, minutes, reference, balance, agreed in session.execute(query):
        about = f"{reference}, tranche {tranche_id}"
        if (balance or nothing) < nothing:
            yield Problem("balance_below_nothing", about, f"Its balance is {balance.hours_and_minutes()}.")
        if (agreed or nothing) != (minutes or nothing):
            yield Problem("contracted_off", about, "Its ledger does not begin with what was agreed.")


def agreement_problems(session: Session) -> Iterator[Problem]:
    """Check that tranches and instalments of every agreement add up to its lines, and its text to its hash."""
    shares = (
        select(Agreement.reference, AgreementLine.description, AgreementLine.net, func.sum(Tranche.net))
        .join(AgreementLine, AgreementLine.agreement_id == Agreement.id)
        .join(Tranche, Tranche.line_id == AgreementLine.id)
        .group_by(AgreementLine.id, Agreement.id)
        .order_by(AgreementLine.id)
    )
    for reference, description, net, shared in session.execute(shares):
        if net != shared:
            yield Problem(
                "tranches_off", reference, f"The years of “{description}” add up to £{shared}, not £{net}."
            )
    parts = (
        select(Agreement.reference, func.coalesce(TakenRow.to_bill, Agreement.net), func.sum(Instalment.net))
        .join(Instalment, Instalment.agreement_id == Agreement.id)
        .outerjoin(TakenRow, TakenRow.agreement_id == Agreement.id)
        .where(Instalment.purpose == "instalment", Agreement.schedule != Schedule.ON_DELIVERY)
        .group_by(Agreement.id, TakenRow.id)
        .order_by(Agreement.id)
    )
    for reference, net, planned in session.execute(parts):
        if net != planned:
            yield Problem("instalments_off", reference, f"Its instalments add up to £{planned}, not £{net}.")
    versions = select(AgreementVersion).order_by(AgreementVersion.id).execution_options(yield_per=CHUNK)
    for version in session.scalars(versions):
        if sha256(canonical_json(version.facts)) != version.sha256:
            about = f"agreement {version.agreement_id}, version {version.number}"
            yield Problem("text_changed", about, "Its text was changed after it was frozen.")


def batch_problems(session: Session) -> Iterator[Problem]:
    """Check every export batch: its bytes, its count, its totals, and that it holds what it says."""
    held = {
        batch_id: figures
        for batch_id, *figures in session.execute(
            select(
                ExportedDocument.batch_id,
                func.count(),
                func.sum(Document.net),
                func.sum(Document.vat),
                func.sum(Document.gross),
            )
            .join(Document, Document.id == ExportedDocument.document_id)
            .group_by(ExportedDocument.batch_id)
        )
    }
    query = select(ExportBatch, ExportBatch.content).order_by(ExportBatch.id).execution_options(yield_per=20)
    for batch, content in session.execute(query):
        if sha256(bytes(content)) != batch.sha256:
            yield Problem("batch_changed", batch.filename, "Its file is not the one that was handed over.")
        said = [batch.count, batch.net, batch.vat, batch.gross]
        if held.get(batch.id, [0, Money(0), Money(0), Money(0)]) != said:
            yield Problem("batch_off", batch.filename, "Its control totals are not those of its documents.")


def file_problems(session: Session, archive: Files, tell: Tell = lambda looked_at: None) -> Iterator[Problem]:
    """Check that every archived file is there, byte for byte, and that nothing billed lacks its document."""
    documents = select(Document.number, DocumentFile).join(
        DocumentFile, DocumentFile.document_id == Document.id
    )
    for number, file in session.execute(documents.order_by(Document.id).execution_options(yield_per=CHUNK)):
        yield from _file(archive, number, ((file.path, file.sha256), (file.facts_path, file.facts_sha256)))
        tell(1)
    texts = (
        select(Agreement.reference, AgreementFile)
        .join(AgreementVersion, AgreementVersion.id == AgreementFile.version_id)
        .join(Agreement, Agreement.id == AgreementVersion.agreement_id)
    )
    for reference, printed in session.execute(
        texts.order_by(AgreementFile.id).execution_options(yield_per=CHUNK)
    ):
        yield from _file(archive, reference, ((printed.path, printed.sha256),))
        tell(1)
    left = select(Document.number, EInvoice).join(EInvoice, EInvoice.document_id == Document.id)
    for number, made in session.execute(left.order_by(EInvoice.id).execution_options(yield_per=CHUNK)):
        yield from _file(archive, number, ((made.path, made.sha256),))
        tell(1)
    orphans = select(func.count()).select_from(Billed).outerjoin(Document).where(Document.id.is_(None))
    if session.scalar(orphans):
        yield Problem("billed_without_document", "billed", "Something is marked as billed by no document.")


def _file(archive: Files, about: str, kept: Iterable[tuple[str, str]]) -> Iterator[Problem]:
    for path, fingerprint in kept:
        try:
            archive.read(path, fingerprint)
        except Broken as error:
            yield Problem(
                "file_off", about, error.message, "Put the file back from the backup of the archive."
            )
