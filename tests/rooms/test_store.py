"""The database: migrations, append-only facts, reading that cannot write, gap-free numbers."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from sla_manager.kernel.periods import FinancialYear
from sla_manager.store.audit import Actor, record
from sla_manager.store.database import Database
from sla_manager.store.numbers import DateBeforeLastNumber, draw_number
from sla_manager.store.outbox import post
from sla_manager.store.tables import Table
from tests.databases import migrate

YEAR = FinancialYear(2025)


def test_migrations_make_exactly_what_the_models_say(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Table.metadata) == []


def test_b2_every_migration_runs_down_and_up_again(database: Database, tmp_path: Path) -> None:
    migrate(database, tmp_path, to="base", down=True)
    assert inspect(database.engine).get_table_names() == ["alembic_version"]
    migrate(database, tmp_path)
    assert set(Table.metadata.tables) <= set(inspect(database.engine).get_table_names())


def test_s16_the_audit_trail_is_append_only(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        record(session, "test", about="provider", about_id=1, summary="Something happened.", by=by, at=at)
    for statement in ("UPDATE audit_entry SET actor = 'x'", "DELETE FROM audit_entry"):
        with (
            pytest.raises(IntegrityError, match="append_only_audit_entry"),
            database.transaction() as session,
        ):
            session.execute(text(statement))


def test_c8_a_reading_session_cannot_write(database: Database) -> None:
    with pytest.raises(DBAPIError, match=r"read-?only"), database.reading() as session:
        session.execute(text("INSERT INTO trust (name, address) VALUES ('x', '[]')"))
    with database.transaction() as session:
        session.execute(text("INSERT INTO trust (name, address) VALUES ('x', '[]')"))


def test_numbers_rise_without_gaps_and_a_failed_transaction_gives_its_number_back(database: Database) -> None:
    with database.transaction() as session:
        assert draw_number(session, "EWS", year=YEAR, on=date(2025, 10, 1)) == 1
    with pytest.raises(RuntimeError, match="killed"):
        _draw_and_fail(database)
    with database.transaction() as session:
        assert draw_number(session, "EWS", year=YEAR, on=date(2025, 10, 2)) == 2
        assert draw_number(session, "EWS", year=YEAR.next(), on=date(2026, 4, 1)) == 1


def _draw_and_fail(database: Database) -> None:
    with database.transaction() as session:
        assert draw_number(session, "EWS", year=YEAR, on=date(2025, 10, 1)) == 2
        raise RuntimeError("killed")


def test_n4_a_date_before_the_last_number_is_refused_naming_it(database: Database) -> None:
    with database.transaction() as session:
        draw_number(session, "EWS", year=YEAR, on=date(2025, 10, 5))
    earlier = pytest.raises(DateBeforeLastNumber, match=r"EWS/25-26/000001.*5 October 2025")
    with earlier, database.transaction() as session:
        draw_number(session, "EWS", year=YEAR, on=date(2025, 10, 4))


def test_a_mail_with_the_same_key_is_posted_once(database: Database, at: datetime) -> None:
    with database.transaction() as session:
        first = post(session, "k", recipient="a@school.example", subject="S", body="B", at=at)
        session.flush()
        second = post(session, "k", recipient="a@school.example", subject="S", body="B", at=at)
    assert first is not None
    assert second is None
