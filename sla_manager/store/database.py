"""One database, SQLite or PostgreSQL: how it is opened, read and changed.

A use case is one `transaction()`, opened at the edge. Pages read in `reading()`, where the database itself refuses
to write, so opening a page can never change anything.

>>> database = Database.open("sqlite://")
>>> with database.transaction() as session:
...     session.execute(text("select 1")).scalar_one()
1
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from sla_manager.store.tables import Table

BUSY_TIMEOUT_MS = 15_000
STATEMENTS_KEPT = 1_500
"""How many statements an engine keeps in compiled form: more than the product has."""


class Database:
    """An opened database. `metadata` and `engine` are what the migrations use."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.metadata: MetaData = Table.metadata
        self.is_sqlite = engine.dialect.name == "sqlite"

    @classmethod
    def open(cls, url: str, *, pool_size: int = 8) -> Database:
        """Open a database by its URL; the folder of an SQLite file is created when it is missing."""
        parsed = make_url(
            url.replace("postgres://", "postgresql://", 1) if url.startswith("postgres://") else url
        )
        if parsed.get_backend_name() == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
            return cls(
                create_engine(
                    parsed,
                    pool_size=pool_size,
                    max_overflow=pool_size,
                    pool_pre_ping=True,
                    hide_parameters=True,
                    query_cache_size=STATEMENTS_KEPT,
                )
            )
        options: dict[str, Any] = {
            "connect_args": {"timeout": BUSY_TIMEOUT_MS // 1000, "check_same_thread": False}
        }
        if parsed.database in (None, "", ":memory:"):
            options["poolclass"] = StaticPool
        else:
            Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, hide_parameters=True, query_cache_size=STATEMENTS_KEPT, **options)
        _prepare_sqlite(engine)
        return cls(engine)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Open a session whose changes are all kept, or (when anything is raised) none of them."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a session in which the database refuses to write; everything in it is seen as at one moment."""
        with self.engine.connect() as connection:
            prepared = _read_only(connection, sqlite=self.is_sqlite)
            try:
                with Session(prepared, expire_on_commit=False, autoflush=False) as session:
                    yield session
            finally:
                prepared.rollback()
                if self.is_sqlite:
                    prepared.exec_driver_sql("PRAGMA query_only = OFF")
                    prepared.rollback()

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _read_only(connection: Connection, *, sqlite: bool) -> Connection:
    if sqlite:
        prepared = connection.execution_options(sla_reading=True)
        prepared.exec_driver_sql("PRAGMA query_only = ON")
        return prepared
    return connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _prepare_sqlite(engine: Engine) -> None:
    """Give every connection foreign keys, WAL and a busy timeout; a change takes the write lock at once.

    A deferred transaction that reads and then writes fails with "database is locked" under load; one that begins
    IMMEDIATE waits its turn.
    """

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        reading = connection.get_execution_options().get("sla_reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def check_connection(database: Database) -> None:
    """Ask the database one question; whatever is wrong with it is raised."""
    with database.reading() as session:
        session.execute(text("SELECT 1"))
