"""Renewals of 600 schools prepared in one act: milliseconds and questions a school; the board at 600 and 6,000."""

from __future__ import annotations

import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import Table as SqlTable
from sqlalchemy import func, insert, select

from sla_manager.agreements.commands.renewals import prepare_renewals
from sla_manager.agreements.models import Agreement, Renewal
from sla_manager.app import create_app
from sla_manager.kernel.clock import as_at, fixed_clock
from sla_manager.people.models import School
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.store.database import Database
from tests import builders
from tests.bench.databases import lent, statements
from tests.conftest import sign_in_as
from tests.databases import test_settings
from tests.rooms.renewing import BY, PREPARED, a_season, last_year

SCHOOLS, MORE = 600, 6_000
TIMES = 9
CLASSES = (CustomerClass.ACADEMY, CustomerClass.OWN_MAINTAINED, CustomerClass.VOLUNTARY_AIDED)


def rows() -> list[tuple[str, str]]:
    """Return the time and the questions of preparing, and of the board at both sizes, on both databases."""
    found = []
    for kind in ("SQLite", "PostgreSQL"):
        with lent(kind) as database, tempfile.TemporaryDirectory() as folder:
            client = _client(database, Path(folder))
            season_id = _last_year(database)
            with statements(database) as count:
                started = time.perf_counter()
                done = prepare_renewals(database, season_id, by=BY, at=PREPARED)
                seconds = time.perf_counter() - started
            assert done.prepared == SCHOOLS, done.words
            found += [
                (f"{kind}: {SCHOOLS} renewals prepared", f"{seconds:.1f} s"),
                (f"{kind}: for each school", f"{seconds * 1000 / SCHOOLS:.1f} ms"),
                (f"{kind}: questions for each school", f"{count.number / SCHOOLS:.1f}"),
            ]
            for size in (SCHOOLS, MORE):
                _fill(database, size)
                middle, asked = _board(client, database, season_id)
                found.append(
                    (f"{kind}: season board, {size:,} schools", f"{middle:.1f} ms, {asked} questions")
                )
    return found


def _last_year(database: Database) -> int:
    with database.transaction() as session:
        builders.terms(session)
        for number in range(SCHOOLS):
            school = builders.a_school(session, customer_class=CLASSES[number % len(CLASSES)])
            last_year(session, school, str(2 + number % 12))
        return a_season(session).id


def _client(database: Database, folder: Path) -> FlaskClient:
    app = create_app(
        test_settings("sqlite://", folder), clock=fixed_clock(as_at(date(2026, 2, 3))), database=database
    )
    with database.transaction() as session:
        person = builders.a_person(session, Role.SERVICE_MANAGER, email="both@council.example")
    client = app.test_client()
    sign_in_as(client, person.id)
    return client


def _board(client: FlaskClient, database: Database, season_id: int) -> tuple[float, int]:
    times = []
    for _ in range(TIMES):
        with statements(database) as count:
            started = time.perf_counter()
            answer = client.get(f"/service/ews/seasons/{season_id}")
            times.append((time.perf_counter() - started) * 1000)
        assert answer.status_code == 200, answer.status
    return sorted(times)[TIMES // 2], count.number


def _fill(database: Database, size: int) -> None:
    """Copy the last school, its quote and its renewal until there are as many as wanted."""
    with database.transaction() as session:
        have = session.scalar(select(func.count(Renewal.id))) or 0
    _copy(database, School, size - have, lambda n: {"urn": 2_000_000 + n, "name": f"Copied School {n:05}"})
    _copy(
        database, Agreement, size - have,
        lambda n: {"reference": f"COPY/{n:06}", "once_key": None, "replaces_id": None},
    )  # fmt: skip
    with database.transaction() as session:
        schools = session.scalars(select(School.id).order_by(School.id.desc()).limit(size - have)).all()
        quotes = session.scalars(select(Agreement.id).order_by(Agreement.id.desc()).limit(size - have)).all()
        table = Renewal.__table__
        assert isinstance(table, SqlTable)
        first = dict(session.execute(select(table).order_by(table.c.id.desc()).limit(1)).mappings().one())
        made = [
            first
            | {"id": first["id"] + place, "school_id": school_id, "quote_id": quote, "agreement_id": quote}
            for place, (school_id, quote) in enumerate(zip(schools, quotes, strict=True), start=1)
        ]
        if made:
            session.execute(insert(table), made)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()


def _copy(database: Database, model: type[Any], more: int, changed: Any) -> None:
    table = model.__table__
    assert isinstance(table, SqlTable)
    if not more:
        return
    with database.transaction() as session:
        last = dict(session.execute(select(table).order_by(table.c.id.desc()).limit(1)).mappings().one())
        copies = [last | {"id": last["id"] + n} | changed(last["id"] + n) for n in range(1, more + 1)]
        session.execute(insert(table), copies)
