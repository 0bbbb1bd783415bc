"""Databases for measurements: SQLite in a file, and the tests' private PostgreSQL; and how questions are counted."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event

from sla_manager.store.database import Database
from tests.databases import postgresql_copy, postgresql_server, sqlite_copy, sqlite_template


@contextmanager
def lent(kind: str) -> Iterator[Database]:
    """Lend a fresh database of a kind."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if kind == "SQLite":
            with sqlite_copy(sqlite_template(folder), folder) as database:
                yield database
        else:
            with postgresql_copy(postgresql_server(folder)) as database:
                yield database


class Count:
    """How many statements were sent."""

    number = 0


@contextmanager
def statements(database: Database) -> Iterator[Count]:
    """Count every statement but the ones that begin and end transactions."""
    count = Count()

    def seen(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        word = statement.lstrip().split(None, 1)[0].upper()
        count.number += word in ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")

    event.listen(database.engine, "before_cursor_execute", seen)
    try:
        yield count
    finally:
        event.remove(database.engine, "before_cursor_execute", seen)
