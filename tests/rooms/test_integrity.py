"""Whether the books are in order: nothing is found where nothing was done, and each change by hand is named (N10)."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.billing.commands import issue_credit_note
from sla_manager.billing.prints import print_waiting
from sla_manager.finance.commands import make_batch
from sla_manager.gateways.archive import Archive
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.money import Money
from sla_manager.reports.integrity import Problem, problems
from sla_manager.store.database import Database
from tests.conftest import NOON
from tests.rooms.owing import BY, FIRST, THIRD, agree, agree_many, documents, run_on

AT = as_at(date(2026, 3, 5))
ONE, TWO, THREE = (f"EWS/25-26/00000{place}" for place in (1, 2, 3))


class Paper:
    """Prints the number."""

    def print(self, kind: str, facts: Any) -> bytes:
        return f"%PDF {kind} {facts['number']}".encode()


def books(database: Database, folder: Path) -> Archive:
    """Fill the books: three invoices, a credit, a batch, files."""
    agree(database)
    run_on(database, THIRD)
    with database.transaction() as session:
        issue_credit_note(
            session, documents(database)[0].id, amounts={1: Money(184_00)}, reason="Ill", by=BY, at=AT
        )
    with database.transaction() as session:
        make_batch(session, "plain", by=BY, at=AT)
    archive = Archive(folder / "invoices")
    print_waiting(database, archive=archive, printer=Paper(), at=NOON)
    return archive


def found(database: Database, archive: Archive) -> list[Problem]:
    """Return what is off."""
    with database.reading() as session:
        return list(problems(session, archive))


def by_hand(database: Database, table: str, statement: str) -> None:
    """Do what the database refuses, as somebody with all keys to it could."""
    with database.transaction() as session:
        if database.is_sqlite:
            for act in ("update", "delete"):
                session.execute(text(f"DROP TRIGGER {table}_no_{act}"))
            session.execute(text("PRAGMA defer_foreign_keys = ON"))
        else:
            session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text(statement))


def test_books_that_nobody_touched_are_in_order(database: Database, tmp_path: Path) -> None:
    assert found(database, books(database, tmp_path)) == []


@pytest.mark.parametrize(
    ("statement", "about", "code"),
    [
        ("UPDATE document SET purchase_order = 'x' WHERE sequence = 2", TWO, "document_changed"),
        ("UPDATE document SET net = net + 1, gross = gross + 1 WHERE sequence = 3", THREE, "lines_off"),
        ("UPDATE document SET customer_name = 'Me' WHERE id = 1", ONE, "document_changed"),
        ("UPDATE document SET hash = previous_hash WHERE id = 2", THREE, "chain_broken"),
        ("UPDATE document_line SET net = net - 1 WHERE document_id = 2", TWO, "lines_off"),
        ("UPDATE document_line SET description = '' WHERE document_id = 3", THREE, "document_changed"),
        ("UPDATE document_vat SET vat = vat + 1 WHERE document_id = 1", ONE, "vat_off"),
        ("UPDATE billed SET source_id = 999 WHERE document_id = 1", ONE, "billed_without_source"),
        ("DELETE FROM billed WHERE document_id = 2", TWO, "bills_nothing"),
        ("UPDATE instalment_part SET net = net + 5 WHERE id = 1", ONE, "billed_off"),
        ("UPDATE document_file SET sha256 = 'x' WHERE document_id = 1", ONE, "file_off"),
        ("UPDATE export_batch SET net = net + 1", "plain-20260305-0001.csv", "batch_off"),
        ("UPDATE export_batch SET sha256 = 'x'", "plain-20260305-0001.csv", "batch_changed"),
    ],
)  # fmt: skip
def test_n10_a_row_changed_by_hand_is_named(
    database: Database, tmp_path: Path, statement: str, about: str, code: str
) -> None:
    archive = books(database, tmp_path)
    table = statement.removeprefix("UPDATE ").removeprefix("DELETE FROM ").split()[0]
    by_hand(database, table, statement)
    assert (about, code) in {(one.about, one.code) for one in found(database, archive)}


def test_n10_a_counter_that_was_moved_is_named(database: Database, tmp_path: Path) -> None:
    archive = books(database, tmp_path)
    with database.transaction() as session:
        session.execute(text("UPDATE number_series SET last = 9 WHERE series = 'EWS'"))
        session.execute(text("INSERT INTO number_series VALUES ('EWS-RN', 2025, 4, '2026-03-01')"))
    said = {(one.about, one.code) for one in found(database, archive)}
    assert said == {("EWS 2025-26", "counter_off"), ("EWS-RN 2025-26", "numbers_missing")}


def test_a_file_that_was_changed_or_lost_is_named(database: Database, tmp_path: Path) -> None:
    archive = books(database, tmp_path)
    first, second, *_ = sorted((tmp_path / "invoices" / "2025-26").glob("EWS-25*.pdf"))
    first.chmod(0o644)
    first.write_bytes(b"%PDF other")
    second.unlink()
    said = [(one.about, one.code) for one in found(database, archive)]
    assert said == [(ONE, "file_off"), (TWO, "file_off")]


def test_the_check_asks_as_many_questions_of_many_documents_as_of_few(
    sqlite: Database, tmp_path: Path
) -> None:
    archive = books(sqlite, tmp_path)
    counted: list[str] = []

    @event.listens_for(sqlite.engine, "before_cursor_execute")
    def _count(_c: object, _cursor: object, statement: str, *_: object) -> None:
        counted.append(statement)

    assert found(sqlite, archive) == []
    few = len(counted)
    agree_many(sqlite, 8, schedule=Schedule.SINGLE)
    with sqlite.transaction() as session:
        session.execute(text("UPDATE number_series SET last_on = '2025-10-14' WHERE series = 'EWS'"))
    run_on(sqlite, FIRST)
    counted.clear()
    assert found(sqlite, archive) == []
    assert len(counted) == few
