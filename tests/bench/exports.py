"""A batch of 10,000 documents in every ready layout: time, statements, size, memory; and the same bytes again."""

from __future__ import annotations

import resource
import time
from datetime import date
from typing import Any

from sqlalchemy import Table as SqlTable
from sqlalchemy import insert, select

from sla_manager.billing.models import Document, DocumentLine, DocumentVat
from sla_manager.billing.runs import run
from sla_manager.finance.commands import make_batch
from sla_manager.finance.commands.coding import enter_school_code, enter_service_code
from sla_manager.finance.queries import batch, waiting_count
from sla_manager.finance.queries.layouts import layout
from sla_manager.finance.rules.ready import READY
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.references import document_number, sha256
from sla_manager.people.models import TradingService
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.database import Database
from tests.bench.databases import lent, statements
from tests.builders import a_school
from tests.rooms.owing import BY, agree

DOCUMENTS = 10_000
DAY = date(2025, 10, 14)
AT = as_at(date(2026, 1, 14))


def rows() -> list[tuple[str, str]]:
    """Return how long a batch takes in each layout, on both databases, and whether it downloads as it was made."""
    found = []
    for kind in ("SQLite", "PostgreSQL"):
        with lent(kind) as database:
            _fill(database)
            for name in READY:
                found += _measured(database, kind, name)
    return found


def _measured(database: Database, kind: str, name: str) -> list[tuple[str, str]]:
    with database.reading() as session:
        waiting = waiting_count(session, name, layout(session, name).scope)
    before = _megabytes()
    with statements(database) as count:
        started = time.perf_counter()
        with database.transaction() as session:
            made = make_batch(session, name, by=BY, at=AT)
        took = time.perf_counter() - started
    assert made.count == waiting == DOCUMENTS // 2 or made.count == waiting == DOCUMENTS, (name, made.count)
    size, grown = len(made.content) / 1_048_576, _megabytes() - before
    started = time.perf_counter()
    with database.reading() as session:
        again = bytes(batch(session, made.id, with_content=True).content)
    download = (time.perf_counter() - started) * 1000
    assert sha256(again) == made.sha256
    return [
        (
            f"{kind}: {name}, {made.count:,} documents",
            ", ".join(
                (
                    f"{took:.2f} s",
                    f"{made.count / took:,.0f} documents a second",
                    f"{count.number} statements",
                    f"{size:.1f} MB",
                    f"memory {grown:+d} MB",
                )
            ),
        ),
        (f"{kind}: {name}, the same bytes again", f"{download:.0f} ms"),
    ]


def _megabytes() -> int:
    """Return the most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _fill(database: Database) -> None:
    """Issue an invoice and a recharge note, and copy each until there are as many as wanted."""
    with database.transaction() as session:
        school = a_school(session, 900_900, customer_class=CustomerClass.OWN_MAINTAINED)
    agree(database)
    agree(database, school=school)
    run(database, as_at=DAY, by=BY, at=as_at(DAY))
    with database.transaction() as session:
        service = session.scalars(select(TradingService)).one()
        codes = {"income_centre": "EWS01", "income_code": "91001", "charge_code": "43210"}
        enter_service_code(session, service.id, training=False, **codes, by=BY, at=AT)
        for one in session.scalars(select(Document)).all():
            enter_school_code(session, one.customer_id, cost_centre="S0001", by=BY, at=AT)
    for model in (Document, DocumentLine, DocumentVat):
        _copy(database, model)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()


def _copy(database: Database, model: type[Any]) -> None:
    table = model.__table__
    assert isinstance(table, SqlTable)
    with database.transaction() as session:
        originals = [dict(row) for row in session.execute(select(table).order_by(table.c.id)).mappings()]
        free = max(row["id"] for row in originals) + 1
        copies = []
        for number in range(3, DOCUMENTS + 1):
            source = 1 + (number - 1) % 2
            for row in originals:
                if row["id" if model is Document else "document_id"] == source:
                    copies.append(row | _changed(model, row, number, free))
                    free += 1
        session.execute(insert(table), copies)


def _changed(model: type[Any], row: dict[str, Any], number: int, free: int) -> dict[str, Any]:
    if model is not Document:
        return {"id": free, "document_id": number}
    name = document_number(row["series"], FinancialYear(2025), number)
    return {"id": number, "sequence": number, "number": name, "hash": f"{number:064d}"}
