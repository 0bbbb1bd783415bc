"""Takeovers without pages: from the terminal, and by the worker when somebody went away half-way."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sla_manager.agreements.commands.takeovers import begin_takeover, take_over_some
from sla_manager.cli.commands import program
from sla_manager.jobs.worker import Work
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from tests import builders
from tests.databases import test_settings as settings_of
from tests.rooms.taking_over import a_file, agreements, kept, row, world


@pytest.fixture
def books(sqlite: Database) -> Database:
    """A service that sells days, to two schools."""
    with sqlite.transaction() as session:
        world(session)
        builders.a_school(session, 900_101, customer_class=CustomerClass.ACADEMY)
        builders.a_school(session, 900_102)
    return sqlite


def command(books: Database, folder: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    """Run a command against the test's database."""
    monkeypatch.setenv("DATABASE_URL", books.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("SLA_ARCHIVE", str(folder / "invoices"))
    return CliRunner().invoke(program, ["import", "agreements", *words])


def test_a_spreadsheet_is_taken_over_from_the_terminal_and_only_once(
    books: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "buy-back.csv"
    file.write_bytes(a_file(row(900_101), row(900_102, Days="1.2"), row(900_102)))
    options = (str(file), "--taken-on", "2025-10-14", "--as-at", "2025-10-14", "--json")

    def answered(*more: str) -> dict[str, Any]:
        result = command(books, tmp_path, monkeypatch, *options, *more)
        assert result.exit_code == 0, result.output
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    dry = answered("--dry-run", "--keep-as", "Sheet")
    assert (dry["rows"], dry["taken"], dry["refused"]) == (3, 2, 1)
    assert dry["findings"][0]["field"] == "Quantity bought"
    with books.reading() as session:
        assert agreements(session) == []
    first, again = (
        answered("--mapping", "Sheet", "--column", "notes=Notes"),
        answered("--bill-from", "2026-01-01"),
    )
    assert (first["taken"], first["already"]) == (2, 0)
    assert (again["taken"], again["already"]) == (0, 2)


def test_the_terminal_says_each_finding_and_refuses_an_unknown_mapping(
    books: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "buy-back.csv"
    file.write_bytes(a_file(row(900_999)))
    said = command(books, tmp_path, monkeypatch, str(file), "--as-at", "2025-10-14")
    assert "Row 2, URN: No school has the URN 900999." in said.output
    assert "1 rows: 0 taken over, 1 refused" in said.output
    unknown = command(books, tmp_path, monkeypatch, str(file), "--mapping", "Nobody's")
    assert (unknown.exit_code, "There is no mapping “Nobody's”" in unknown.output) == (1, True)


def test_the_worker_goes_on_where_a_person_left_in_her_name(
    books: Database, tmp_path: Path, by: Actor, at: datetime
) -> None:
    with books.transaction() as session:
        found = kept(session, a_file(row(900_101), row(900_102)), by=by, at=at)
        begin_takeover(session, found.id, service_id=found.service_id, by=by, at=at)
        take_over_some(session, found.id, most=1, by=by, at=at)
    work = Work(books, settings_of("sqlite://", tmp_path), lambda: at)
    assert work.take_over() == "1 spreadsheets taken over"
    assert work.take_over() == "0 spreadsheets taken over"
    with books.reading() as session:
        assert [one.prepared_by for one in agreements(session)] == ["Test", "Test"]
