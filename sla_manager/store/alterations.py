"""Changes of tables that hold data, written once for SQLite and PostgreSQL. Used by migrations only.

SQLite can add a column to a table, but not change a check: the usual way round it builds the table anew, which
loses its triggers and needs its foreign keys switched off. Here the check's own text is exchanged in the schema,
as SQLite's documentation describes for changes that do not touch the rows ("Making Other Kinds Of Table Schema
Changes"); rows, triggers and keys stay as they are.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa


def add_column(op: Any, table: str, column: sa.Column[Any]) -> None:
    """Add a column; one that may not be empty needs a `server_default`, which is for the rows there are."""
    op.add_column(table, column)


def drop_column(op: Any, table: str, name: str) -> None:
    """Take a column away again (for a downgrade)."""
    op.execute(f"ALTER TABLE {table} DROP COLUMN {name}")


def change_check(op: Any, table: str, name: str, condition: str) -> None:
    """Give a table's check another condition. Rows that there are must fulfil it already."""
    if op.get_context().dialect.name != "sqlite":
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition})")
        return
    connection = op.get_bind()
    written = connection.scalar(
        sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :name"), {"name": table}
    )
    changed = with_condition(str(written), name, condition)
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.execute(
        sa.text("UPDATE sqlite_master SET sql = :sql WHERE type = 'table' AND name = :name"),
        {"sql": changed, "name": table},
    )
    connection.exec_driver_sql(f"PRAGMA schema_version = {int(version) + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")
    found = connection.exec_driver_sql("PRAGMA integrity_check").scalar()
    if found != "ok":
        raise RuntimeError(f"The check {name} of {table} could not be changed: {found}")


def with_condition(written: str, name: str, condition: str) -> str:
    """Return a table's text with another condition in the check of a name.

    >>> with_condition("CREATE TABLE t (a INT, CONSTRAINT ck_t_a CHECK (a IN (1, 2)), b INT)", "ck_t_a", "a > 0")
    'CREATE TABLE t (a INT, CONSTRAINT ck_t_a CHECK (a > 0), b INT)'
    """
    opening = f"CONSTRAINT {name} CHECK ("
    begins = written.find(opening)
    if begins < 0:
        raise LookupError(f"There is no check {name} in: {written[:200]}")
    position = start = begins + len(opening)
    depth, quoted = 1, False
    while depth:
        letter = written[position]
        quoted ^= letter == "'"
        depth += 0 if quoted else (letter == "(") - (letter == ")")
        position += 1
    return written[:start] + condition + written[position - 1 :]
