"""An invoice run of 10,000 agreements beside the bare inserts of the very rows it made, one commit a document.

The aim is at most 3 ms and six statements a document.
"""

from __future__ import annotations

import time
from datetime import date
from typing import Any

from sqlalchemy import Table as SqlTable
from sqlalchemy import insert, select

from sla_manager.billing.models import Billed, Document, DocumentLine, DocumentVat
from sla_manager.billing.runs import run
from sla_manager.kernel.clock import as_at
from sla_manager.store.audit import AuditEntry
from sla_manager.store.database import Database
from tests.bench.copies import agree_in_bulk
from tests.bench.databases import lent, statements
from tests.rooms.owing import BY

AGREEMENTS = 10_000
DAY = date(2025, 10, 14)
_TABLES = (Document, DocumentLine, DocumentVat, Billed)


def rows() -> list[tuple[str, str]]:
    """Return documents a second and questions a document, on both databases, beside the bare inserts."""
    found = []
    for kind in ("SQLite", "PostgreSQL"):
        with lent(kind) as database:
            agree_in_bulk(database, AGREEMENTS)
            with statements(database) as count:
                started = time.perf_counter()
                result = run(database, as_at=DAY, by=BY, at=as_at(DAY))
                ours = time.perf_counter() - started
            made = _made(database)
        with lent(kind) as database:
            agree_in_bulk(database, AGREEMENTS)
            bare = _insert(database, made)
        each = ours * 1000 / result.issued
        found += [
            (f"{kind}: run of {AGREEMENTS:,} agreements", f"{result.issued / ours:,.0f} documents a second"),
            (f"{kind}: each document", f"{each:.1f} ms, {count.number / result.issued:.1f} statements"),
            (f"{kind}: bare inserts of the same rows", f"{len(made) / bare:,.0f} documents a second"),
            (f"{kind}: run against bare inserts", f"{ours / bare:.1f} times"),
        ]
    return found


def _made(database: Database) -> list[list[tuple[SqlTable, list[dict[str, Any]]]]]:
    """Return the rows of each document, as the run stored them."""
    grouped: dict[int, list[tuple[SqlTable, list[dict[str, Any]]]]] = {}
    with database.reading() as session:
        for model in _TABLES:
            table = model.__table__
            assert isinstance(table, SqlTable)
            for row in session.execute(select(table)).mappings():
                key = row["id"] if model is Document else row["document_id"]
                grouped.setdefault(key, []).append((table, [dict(row)]))
        audit = AuditEntry.__table__
        assert isinstance(audit, SqlTable)
        for row in session.execute(select(audit).where(audit.c.about == "document")).mappings():
            if row["about_id"] in grouped:
                grouped[row["about_id"]].append((audit, [dict(row)]))
    return list(grouped.values())


def _insert(database: Database, made: list[list[tuple[SqlTable, list[dict[str, Any]]]]]) -> float:
    """Insert the rows of each document in a transaction of its own, into books with the same agreements."""
    with database.engine.connect() as connection:
        started = time.perf_counter()
        for document in made:
            with connection.begin():
                for table, values in document:
                    connection.execute(insert(table), values)
        return time.perf_counter() - started
