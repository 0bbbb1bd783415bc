"""Counts the questions that are put to a database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from sla_manager.store.database import Database


class Count:
    """How many there were."""

    number = 0


@contextmanager
def queries(database: Database) -> Iterator[Count]:
    """Count the statements that begin with SELECT."""
    count = Count()

    def seen(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        count.number += statement.lstrip().upper().startswith("SELECT")

    event.listen(database.engine, "before_cursor_execute", seen)
    try:
        yield count
    finally:
        event.remove(database.engine, "before_cursor_execute", seen)
