"""The first page of the long lists at 1,200, 12,000 and 120,000 rows: milliseconds and questions, which must not grow.

Nineteen documents in twenty are paid, as in a council's books; the aim is 20 ms, six questions, flat within 20 %.
"""

from __future__ import annotations

import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import Table as SqlTable
from sqlalchemy import insert, select

from sla_manager.agreements.models import Agreement
from sla_manager.app import create_app
from sla_manager.billing.models import Document
from sla_manager.billing.runs import run
from sla_manager.kernel.clock import as_at, fixed_clock
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.references import document_number
from sla_manager.people.rules.roles import Role
from sla_manager.store.database import Database
from tests import builders
from tests.bench.databases import lent, statements
from tests.conftest import sign_in_as
from tests.databases import test_settings
from tests.rooms.owing import BY, agree_many

SIZES = (1_200, 12_000, 120_000)
TIMES = 15
DAY = date(2025, 10, 14)
LATER = date(2026, 1, 14)
PAGES = (
    ("documents", "/finance/documents"),
    ("overdue documents", "/finance/documents?state=overdue"),
    ("paid documents", "/finance/documents?state=paid"),
    ("agreements", "/service/ews/agreements"),
)
PAID = """
    UPDATE document_balance SET open = 0 WHERE MOD(document_id, 20) <> 0 AND open > 0
"""


def rows() -> list[tuple[str, str]]:
    """Return the time and the questions of each list at each size, on both databases, and how much it grew."""
    found = []
    for kind in ("SQLite", "PostgreSQL"):
        with lent(kind) as database, tempfile.TemporaryDirectory() as folder:
            agree_many(database, 20)
            run(database, as_at=DAY, by=BY, at=as_at(DAY))
            client = _client(database, Path(folder))
            seen: dict[str, list[float]] = {name: [] for name, _ in PAGES}
            for size in SIZES:
                _fill(database, size)
                for name, address in PAGES:
                    middle, count = _measure(client, database, address)
                    seen[name].append(middle)
                    found.append((f"{kind}: {name}, {size:,} rows", f"{middle:.1f} ms, {count} questions"))
            found += [
                (f"{kind}: {name}, a hundred times the rows", f"{times[-1] / times[0]:.2f} times")
                for name, times in seen.items()
            ]
    return found


def _client(database: Database, folder: Path) -> FlaskClient:
    app = create_app(test_settings("sqlite://", folder), clock=fixed_clock(as_at(LATER)), database=database)
    with database.transaction() as session:
        person = builders.a_person(session, Role.FINANCE_OFFICER, email="both@council.example")
        builders.a_person(session, Role.SERVICE_MANAGER, email="both@council.example")
    client = app.test_client()
    sign_in_as(client, person.id)
    return client


def _measure(client: FlaskClient, database: Database, address: str) -> tuple[float, int]:
    times = []
    for _ in range(TIMES):
        with statements(database) as count:
            started = time.perf_counter()
            answer = client.get(address)
            times.append((time.perf_counter() - started) * 1000)
        assert answer.status_code == 200, answer.status
    return sorted(times)[TIMES // 2], count.number


def _fill(database: Database, size: int) -> None:
    """Copy one document and one agreement until there are as many as wanted."""
    _copy(database, Document, size, _next_document)
    _copy(database, Agreement, size, _next_agreement)
    with database.engine.connect() as connection:
        connection.exec_driver_sql(PAID)
        connection.exec_driver_sql("ANALYZE")
        connection.commit()


def _copy(database: Database, model: type[Any], size: int, changed: Any) -> None:
    table = model.__table__
    assert isinstance(table, SqlTable)
    with database.transaction() as session:
        first = dict(session.execute(select(table).order_by(table.c.id).limit(1)).mappings().one())
        last = session.scalar(select(table.c.id).order_by(table.c.id.desc()).limit(1)) or 0
        session.execute(insert(table), [first | changed(number) for number in range(last + 1, size + 1)])


def _next_document(number: int) -> dict[str, Any]:
    name = document_number("EWS", FinancialYear(2025), number)
    return {"id": number, "sequence": number, "number": name, "hash": f"{number:064d}"}


def _next_agreement(number: int) -> dict[str, Any]:
    return {"id": number, "reference": f"EWS-SLA/COPY/{number:06d}", "once_key": None, "replaces_id": None}
