"""What every test may ask for. A test that takes `database` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from sla_manager.app import create_app
from sla_manager.kernel.clock import fixed_clock
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from tests.databases import postgresql_copy, postgresql_server, sqlite_copy, sqlite_template, test_settings

NOON = datetime(2025, 10, 14, 11, 0, tzinfo=UTC)
"""The moment at which tests stand unless they say otherwise: Tuesday 14 October 2025, noon in London."""


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for the whole run, shared by its worker processes."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if base.name.startswith("popen-") else base


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest, run_folder: Path, tmp_path: Path) -> Iterator[Database]:
    """A fresh, migrated database of either kind; the books are checked when the test is over."""
    if request.param == "sqlite":
        with sqlite_copy(sqlite_template(run_folder), tmp_path) as opened:
            yield opened
    else:
        with postgresql_copy(postgresql_server(run_folder)) as opened:
            yield opened


@pytest.fixture
def sqlite(run_folder: Path, tmp_path: Path) -> Iterator[Database]:
    """A fresh SQLite database, for what does not depend on the kind (pages)."""
    with sqlite_copy(sqlite_template(run_folder), tmp_path) as opened:
        yield opened


@pytest.fixture
def postgresql(run_folder: Path) -> Iterator[Database]:
    """A fresh PostgreSQL database."""
    with postgresql_copy(postgresql_server(run_folder)) as opened:
        yield opened


@pytest.fixture
def at() -> datetime:
    """The moment at which the test stands."""
    return NOON


@pytest.fixture
def by() -> Actor:
    """Who acts when it does not matter."""
    return Actor(None, "Test")


@pytest.fixture
def app(sqlite: Database, tmp_path: Path, at: datetime) -> Flask:
    """The application on SQLite, with the clock stopped and forms without their tokens."""
    made = create_app(
        test_settings("sqlite://", tmp_path / "invoices"), clock=fixed_clock(at), database=sqlite
    )
    made.config.update(TESTING=True, WTF_CSRF_ENABLED=False, RATELIMIT_ENABLED=False)
    made.extensions["sla.limiter"].enabled = False
    return made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Somebody at a browser, not signed in."""
    return app.test_client()


def sign_in_as(client: FlaskClient, person_id: int, session_version: int = 1) -> None:
    """Sign a person in without her password."""
    with client.session_transaction() as session:
        session["_user_id"] = f"{person_id}.{session_version}"
        session["_fresh"] = True
