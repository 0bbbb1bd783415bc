"""Printing what is issued and not yet printed, after the fact: a document is owed whether or not it is on paper.

Nothing is remembered but the archive and one row a document, so a crash anywhere leaves it waiting, and two
printers at once leave one file (N8).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.exc import IntegrityError

from sla_manager.billing.models import Document, DocumentFile
from sla_manager.gateways.archive import Archive
from sla_manager.gateways.printing import PrintingUnavailable, Prints
from sla_manager.kernel.errors import Broken, GatewayFailed
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.references import canonical_json
from sla_manager.people.queries import the_provider
from sla_manager.store.database import Database

_AT_ONCE = 100


def print_waiting(database: Database, *, archive: Archive, printer: Prints, at: datetime) -> int:
    """Print every document without a file, the oldest first; return how many were printed.

    One that cannot be printed now keeps waiting and does not hold up the others. Without a printing library
    nothing can be printed at all: that is raised.
    """
    printed = 0
    for document_id, number, year, kind, facts in _waiting(database):
        try:
            _print_one(
                database, document_id, number, year, kind, facts, archive=archive, printer=printer, at=at
            )
            printed += 1
        except PrintingUnavailable:
            raise
        except (GatewayFailed, Broken):
            continue
    return printed


def _waiting(database: Database) -> Iterator[tuple[int, str, str, str, dict[str, Any]]]:
    """Yield what waits, in pieces, so that facts of thousands are never held at once."""
    last = 0
    while True:
        query = (
            select(Document.id, Document.number, Document.year, Document.kind, Document.facts)
            .where(Document.id > last, ~exists().where(DocumentFile.document_id == Document.id))
            .order_by(Document.id)
            .limit(_AT_ONCE)
        )
        with database.reading() as session:
            rows = [tuple(row) for row in session.execute(query)]
            start_month = the_provider(session).financial_year_start_month if rows else 4
        for document_id, number, year, kind, facts in rows:
            yield document_id, number, str(FinancialYear(year, start_month)), kind.printed_as, facts
        if len(rows) < _AT_ONCE:
            return
        last = rows[-1][0]


def _print_one(
    database: Database,
    document_id: int,
    number: str,
    year: str,
    kind: str,
    facts: dict[str, Any],
    *,
    archive: Archive,
    printer: Prints,
    at: datetime,
) -> None:
    name = number.replace("/", "-")
    paper = archive.keep(year=year, name=f"{name}.pdf", content=printer.print(kind, facts))
    said = archive.keep(year=year, name=f"{name}.json", content=canonical_json(facts))
    try:
        with database.transaction() as session:
            if session.scalar(select(DocumentFile.id).where(DocumentFile.document_id == document_id)) is None:
                session.add(
                    DocumentFile(
                        document_id=document_id, path=paper.path, sha256=paper.sha256,
                        facts_path=said.path, facts_sha256=said.sha256, printed_at=at,
                    )
                )  # fmt: skip
    except IntegrityError:
        return
