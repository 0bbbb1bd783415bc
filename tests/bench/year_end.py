"""The year end at 1,200, 12,000 and 120,000 documents: each report and the rehearsal, milliseconds and questions.

Three documents an agreement, four deliveries of each, nineteen documents in twenty paid, as in a council's books.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from sla_manager.agreements.commands import enter
from sla_manager.agreements.models import Agreement, AgreementLine, LedgerEntry, Tranche
from sla_manager.agreements.rules.ledger import EntryKind
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.billing.models import Document, DocumentLine, DocumentVat
from sla_manager.billing.runs import run
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.periods import FinancialYear
from sla_manager.reports.aged_debtors import debtors_report
from sla_manager.reports.cost_recovery import recovery_report
from sla_manager.reports.dashboard import dashboard
from sla_manager.reports.deferral_report import deferrals_report
from sla_manager.reports.income_report import income_report
from sla_manager.reports.lapsed_report import lapsed_report
from sla_manager.reports.rehearsal import rehearse
from sla_manager.reports.vat_summary import vat_report
from sla_manager.store.database import Database
from tests.bench.databases import lent, statements
from tests.rooms.owing import BY, agree_many

SIZES = (1_200, 12_000, 120_000)
YEAR = FinancialYear(2025)
MARCH_31, AFTER = date(2026, 3, 31), date(2026, 4, 10)
DELIVERIES = 4
PAID = "UPDATE document_balance SET open = 0 WHERE MOD(document_id, 20) <> 0 AND open > 0"
REPORTS: tuple[tuple[str, Callable[[Session], object]], ...] = (
    ("VAT summary", lambda session: vat_report(session, YEAR.period, str(YEAR))),
    ("aged debtors", lambda session: debtors_report(session, MARCH_31)),
    ("deferred and accrued", lambda session: deferrals_report(session, YEAR, AFTER)),
    ("lapsed time", lambda session: lapsed_report(session, YEAR)),
    ("income by class", lambda session: income_report(session, YEAR, AFTER, "class")),
    ("cost recovery", lambda session: recovery_report(session, YEAR, AFTER)),
)


def rows() -> list[tuple[str, str]]:
    """Return the time and the questions of each report at each size, on both databases."""
    found = []
    for kind in ("SQLite", "PostgreSQL"):
        for size in SIZES:
            with lent(kind) as database:
                _fill(database, size)
                whole = 0
                for name, report in REPORTS:
                    spent, count = _measure(database, report)
                    whole += spent
                    found.append((f"{kind}: {name}, {size:,} documents", f"{spent:,} ms, {count} questions"))
                spent, count = _measure(database, lambda session: dashboard(session, AFTER))
                found.append((f"{kind}: dashboard, {size:,} documents", f"{spent:,} ms, {count} questions"))
                found.append((f"{kind}: the whole pack, {size:,} documents", f"{whole:,} ms"))
                began = time.perf_counter_ns()
                rehearse(database, YEAR, at=as_at(AFTER))
                spent = (time.perf_counter_ns() - began) // 1_000_000
                found.append((f"{kind}: rehearsal on a copy, {size:,} documents", f"{spent:,} ms"))
    return found


def _measure(database: Database, report: Callable[[Session], object]) -> tuple[int, int]:
    """Return the better of two runs, and how many questions one asks."""
    times = []
    for _ in range(2):
        with database.reading() as session, statements(database) as count:
            began = time.perf_counter_ns()
            report(session)
            times.append((time.perf_counter_ns() - began) // 1_000_000)
    return min(times), count.number


def _fill(database: Database, size: int) -> None:
    """Copy one agreement with its ledger and documents until there are as many documents as wanted."""
    agree_many(database, 1)
    for day in (date(2025, 10, 14), date(2026, 1, 1), date(2026, 3, 1)):
        run(database, as_at=day, by=BY, at=as_at(day))
    with database.transaction() as session:
        _deliver(session)
        for model, changed in _COPIES:
            _copy(session, model, size // 3, changed)
            if model is AgreementLine:
                for status in (AgreementStatus.QUOTED, AgreementStatus.ORDERED, AgreementStatus.AGREED):
                    session.execute(update(Agreement).where(Agreement.id > 1).values(status=status))
    with database.engine.connect() as connection:
        connection.exec_driver_sql(PAID)
        connection.exec_driver_sql("ANALYZE")
        connection.commit()


def _deliver(session: Session) -> None:
    tranche = session.scalars(select(Tranche.id)).one()
    for place in range(1, DELIVERIES + 1):
        day = date(2025, 11, 3) + timedelta(days=14 * place)
        enter(
            session, tranche, EntryKind.DELIVERED, Minutes(2 * 444), effective_on=day, cause=f"delivery:{place}",
            by=BY, at=as_at(day),
        )  # fmt: skip
    session.flush()


_KEY = "3 * (many.i - 1) + one.id"
_COPIES: tuple[tuple[type[Any], dict[str, str | None]], ...] = (
    (
        Agreement,
        {
            "id": "many.i",
            "reference": "'EWS-SLA/COPY/' || many.i",
            "once_key": "NULL",
            "replaces_id": "NULL",
            "status": "'draft'",
        },
    ),
    (AgreementLine, {"id": "many.i", "agreement_id": "many.i"}),
    (Tranche, {"id": "many.i", "line_id": "many.i"}),
    (LedgerEntry, {"id": None, "tranche_id": "many.i"}),
    (
        Document,
        {
            "id": _KEY,
            "agreement_id": "many.i",
            "sequence": _KEY,
            "number": f"'EWS/COPY/' || ({_KEY})",
            "hash": f"'copy ' || ({_KEY})",
        },
    ),
    (DocumentLine, {"id": _KEY, "document_id": "3 * (many.i - 1) + one.document_id", "line_id": "many.i"}),
    (DocumentVat, {"id": _KEY, "document_id": "3 * (many.i - 1) + one.document_id"}),
)
"""What is different in each copy; None lets the database give the key."""


def _copy(session: Session, model: type[Any], count: int, changed: dict[str, str | None]) -> None:
    table = model.__table__
    columns = [column.name for column in table.columns if changed.get(column.name, "") is not None]
    values = ", ".join(changed.get(name) or f"one.{name}" for name in columns)
    session.connection().exec_driver_sql(
        f"INSERT INTO {table.name} ({', '.join(columns)}) WITH RECURSIVE many(i) AS "  # noqa: S608 (our own names)
        f"(SELECT 2 UNION ALL SELECT i + 1 FROM many WHERE i < {count}) "
        f"SELECT {values} FROM many CROSS JOIN {table.name} AS one ORDER BY many.i, one.id"
    )
