"""The year end at 1,200, 12,000 and 120,000 documents: each report and the rehearsal, milliseconds and questions.

Three documents an agreement, four deliveries of each, nineteen documents in twenty paid, as in a council's books.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Table as SqlTable
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from sla_manager.agreements.models import Agreement, AgreementLine, LedgerEntry, Tranche
from sla_manager.agreements.rules.ledger import EntryKind
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.billing.models import Document, DocumentLine, DocumentVat
from sla_manager.billing.runs import run
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.references import document_number
from sla_manager.reports.aged_debtors import debtors_report
from sla_manager.reports.cost_recovery import recovery_report
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
CHUNK = 5_000
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
        first = {
            model: [dict(row) for row in session.execute(select(_table(model))).mappings()]
            for model in (Agreement, AgreementLine, Tranche, LedgerEntry, Document, DocumentLine, DocumentVat)
        }
    _insert(database, LedgerEntry, _deliveries(1, first[LedgerEntry][0]))
    _copy_agreements(database, size // 3, first)
    _copy_documents(database, size // 3, first)
    with database.engine.connect() as connection:
        connection.exec_driver_sql(PAID)
        connection.exec_driver_sql("ANALYZE")
        connection.commit()


def _copy_agreements(database: Database, count: int, first: dict[type[Any], list[dict[str, Any]]]) -> None:
    [agreement], [line], [tranche], [entry] = (
        first[model] for model in (Agreement, AgreementLine, Tranche, LedgerEntry)
    )
    numbers = range(2, count + 1)
    _insert(database, Agreement, (
        agreement
        | {
            "id": one, "reference": f"EWS-SLA/COPY/{one:06d}", "once_key": None, "replaces_id": None,
            "status": AgreementStatus.DRAFT,
        }
        for one in numbers
    ))  # fmt: skip
    _insert(database, AgreementLine, (line | {"id": one, "agreement_id": one} for one in numbers))
    with database.transaction() as session:
        for status in (AgreementStatus.QUOTED, AgreementStatus.ORDERED, AgreementStatus.AGREED):
            session.execute(update(Agreement).where(Agreement.id > 1).values(status=status))
    _insert(database, Tranche, (tranche | {"id": one, "line_id": one} for one in numbers))
    _insert(database, LedgerEntry, (
        row for one in numbers for row in (_entry(entry, one, {}), *_deliveries(one, entry))
    ))  # fmt: skip


def _deliveries(tranche: int, entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for place in range(1, DELIVERIES + 1):
        yield _entry(entry, tranche, {
            "kind": EntryKind.DELIVERED, "minutes": Minutes(-2 * 444), "cause": f"delivery:{place}",
            "effective_on": date(2025, 11, 3) + timedelta(days=14 * place),
        })  # fmt: skip


def _entry(entry: dict[str, Any], tranche: int, changed: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "id"} | {"tranche_id": tranche} | changed


def _copy_documents(database: Database, count: int, first: dict[type[Any], list[dict[str, Any]]]) -> None:
    documents, lines, vats = first[Document], first[DocumentLine], first[DocumentVat]
    numbers = [(one, place) for one in range(2, count + 1) for place in range(len(documents))]

    def key(one: int, place: int) -> int:
        return len(documents) * (one - 1) + place + 1

    _insert(database, Document, (
        documents[place]
        | {
            "id": key(one, place), "agreement_id": one, "sequence": key(one, place), "hash": f"{key(one, place):064d}",
            "number": document_number("EWS", YEAR, key(one, place)),
        }
        for one, place in numbers
    ))  # fmt: skip
    for model, rows_of in ((DocumentLine, lines), (DocumentVat, vats)):
        _insert(database, model, (
            rows_of[place]
            | {"id": key(one, place), "document_id": key(one, place)}
            | ({"line_id": one} if model is DocumentLine else {})
            for one, place in numbers
        ))  # fmt: skip


def _table(model: type[Any]) -> SqlTable:
    table = model.__table__
    assert isinstance(table, SqlTable)
    return table


def _insert(database: Database, model: type[Any], made: Iterator[dict[str, Any]]) -> None:
    waiting: list[dict[str, Any]] = []
    with database.transaction() as session:
        for row in made:
            waiting.append(row)
            if len(waiting) == CHUNK:
                session.execute(insert(_table(model)), waiting)
                waiting = []
        if waiting:
            session.execute(insert(_table(model)), waiting)
