"""Printing what is issued and not yet printed, after the fact: a document is owed whether or not it is on paper.

Nothing is remembered but the archive and one row a document, so a crash anywhere leaves it waiting, and two
printers at once leave one file (N8). Several hands print at once; one writes the books, a few rows at a time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.exc import IntegrityError

from sla_manager.billing.e_invoices import hybrid_xml
from sla_manager.billing.models import Document, DocumentFile, EInvoice, EInvoiceForm
from sla_manager.gateways.archive import Archive, Kept
from sla_manager.gateways.printing import PrintingUnavailable, Prints
from sla_manager.kernel.errors import Broken, GatewayFailed, Refused
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.references import canonical_json, sha256
from sla_manager.people.queries import the_provider
from sla_manager.store.audit import SYSTEM
from sla_manager.store.database import Database

_AT_ONCE = 100
_ROWS = 20
"""How many printed documents are noted in one transaction; a crash prints so many again, to the same bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A document without a file, and what its paper needs."""

    id: int
    number: str
    year: str
    kind: str
    facts: dict[str, Any]
    form: str | None
    authority_code: str
    net: Money
    vat: Money
    gross: Money


@dataclass(slots=True)
class DocumentsPrinted:
    """How a round went: how many were printed, why others still wait, and which left without their XML."""

    printed: int = 0
    reasons: list[str] = field(default_factory=list)
    without_xml: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Paper:
    """What the archive holds of one document."""

    document_id: int
    paper: Kept
    said: Kept
    xml: Kept | None
    trouble: str = ""


def print_waiting(database: Database, *, archive: Archive, printer: Prints, at: datetime) -> int:
    """Print every document without a file, the oldest first; return how many were printed."""
    return print_documents(database, archive=archive, printer=printer, at=at).printed


def print_documents(
    database: Database,
    *,
    archive: Archive,
    printer: Prints,
    at: datetime,
    hands: int = 1,
    told: Callable[[int], None] = lambda printed: None,
) -> DocumentsPrinted:
    """Print every document without a file, the oldest first, so many at once as there are `hands`.

    One that cannot be printed now keeps waiting, says why, and does not hold up the others. Without a printing
    library nothing can be printed at all: that is raised. `told` hears how many are printed so far. Killed at any
    moment, the next round goes on with what has no file.
    """
    done = DocumentsPrinted()
    batch: list[_Paper] = []
    going: deque[tuple[Waiting, Future[_Paper]]] = deque()
    pool = ThreadPoolExecutor(hands)
    try:
        for waiting in _waiting(database):
            going.append((waiting, pool.submit(_print_one, waiting, archive, printer)))
            if len(going) > 2 * hands:
                _take(going, batch, done)
            if len(batch) >= _ROWS:
                _note(database, batch, done, at)
                told(done.printed)
        while going:
            _take(going, batch, done)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        if batch:
            _note(database, batch, done, at)
            told(done.printed)
    return done


def _take(going: deque[tuple[Waiting, Future[_Paper]]], batch: list[_Paper], done: DocumentsPrinted) -> None:
    """Wait for the oldest that is being printed."""
    waiting, future = going.popleft()
    try:
        paper = future.result()
    except PrintingUnavailable:
        raise
    except (GatewayFailed, Broken) as reason:
        done.reasons.append(f"{waiting.number}: {reason.message}")
        return
    batch.append(paper)
    if paper.trouble:
        done.without_xml.append(paper.trouble)


def _waiting(database: Database) -> Iterator[Waiting]:
    """Yield what waits, in pieces, so that facts of thousands are never held at once."""
    last = 0
    while True:
        query = (
            select(
                Document.id, Document.number, Document.year, Document.kind, Document.facts, EInvoiceForm.form,
                Document.net, Document.vat, Document.gross,
            )
            .outerjoin(EInvoiceForm, EInvoiceForm.document_id == Document.id)
            .where(Document.id > last, ~exists().where(DocumentFile.document_id == Document.id))
            .order_by(Document.id)
            .limit(_AT_ONCE)
        )  # fmt: skip
        with database.reading() as session:
            rows = session.execute(query).all()
            council = the_provider(session) if rows else None
        for row in rows:
            year = FinancialYear(row.year, council.financial_year_start_month if council else 4)
            yield Waiting(
                id=row.id, number=row.number, year=str(year), kind=row.kind.printed_as, facts=row.facts,
                form=row.form, authority_code=council.authority_code if council else "",
                net=row.net, vat=row.vat, gross=row.gross,
            )  # fmt: skip
        if len(rows) < _AT_ONCE:
            return
        last = rows[-1].id


def _print_one(one: Waiting, archive: Archive, printer: Prints) -> _Paper:
    """Print a document and keep it; touches no database, so that several may at once."""
    name = one.number.replace("/", "-")
    xml, trouble = _xml(one)
    content = printer.print(one.kind, one.facts, xml) if xml else printer.print(one.kind, one.facts)
    paper = archive.keep(year=one.year, name=f"{name}.pdf", content=content)
    said = archive.keep(year=one.year, name=f"{name}.json", content=canonical_json(one.facts))
    kept = None
    if xml:
        kept = archive.keep(year=one.year, name=f"{name}-cii-{sha256(xml)[:12]}.xml", content=xml)
    return _Paper(one.id, paper, said, kept, trouble)


def _xml(one: Waiting) -> tuple[bytes, str]:
    """Return the electronic invoice that the PDF carries; one that lacks something is printed without, and why."""
    if one.form != "hybrid":
        return b"", ""
    try:
        return hybrid_xml(
            one.facts, authority_code=one.authority_code, net=one.net, vat=one.vat, gross=one.gross
        ), ""
    except Refused as reason:
        return b"", reason.message


def _note(database: Database, batch: list[_Paper], done: DocumentsPrinted, at: datetime) -> None:
    """Note what was printed; when another printer was faster with one of them, note the others one by one."""
    papers = list(batch)
    batch.clear()
    try:
        done.printed += _note_all(database, papers, at)
    except IntegrityError:
        for paper in papers:
            try:
                done.printed += _note_all(database, [paper], at)
            except IntegrityError:
                continue


def _note_all(database: Database, papers: list[_Paper], at: datetime) -> int:
    with database.transaction() as session:
        ids = [paper.document_id for paper in papers]
        noted = set(
            session.scalars(select(DocumentFile.document_id).where(DocumentFile.document_id.in_(ids)))
        )
        new = [paper for paper in papers if paper.document_id not in noted]
        for one in new:
            session.add(
                DocumentFile(
                    document_id=one.document_id, path=one.paper.path, sha256=one.paper.sha256,
                    facts_path=one.said.path, facts_sha256=one.said.sha256, printed_at=at,
                )
            )  # fmt: skip
            if one.xml is not None:
                session.add(
                    EInvoice(
                        document_id=one.document_id, syntax="cii", path=one.xml.path, sha256=one.xml.sha256,
                        made_at=at, made_by=SYSTEM.name,
                    )
                )  # fmt: skip
    return len(new)
