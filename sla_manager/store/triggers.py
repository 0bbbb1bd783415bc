"""Rules that the database itself holds, written once for SQLite and PostgreSQL.

Used by migrations only. A migration that rebuilds a table (SQLite's batch mode) must put its triggers back.
"""

from __future__ import annotations

from typing import Protocol


class Operations(Protocol):
    """The part of Alembic's `op` that is used here."""

    def execute(self, sqltext: str) -> object: ...
    def get_context(self) -> _Context: ...


class _Context(Protocol):
    @property
    def dialect(self) -> _Dialect: ...


class _Dialect(Protocol):
    @property
    def name(self) -> str: ...


def refuse_when(
    op: Operations, name: str, *, table: str, event: str, when: str, says: str, lock: str | None = None
) -> None:
    """Make the database refuse an INSERT, UPDATE or DELETE for which the condition `when` holds.

    `when` is PostgreSQL's SQL and may use NEW and OLD; "IS DISTINCT FROM" is put in SQLite's words. An INSERT is
    judged after it happened, so that the condition may count the new row. `says` names the rule (a constraint
    name that `sla_manager.store.constraints` turns into a sentence). `lock` is a SELECT … FOR UPDATE that
    PostgreSQL runs first, where two transactions could otherwise each see only their own half.
    """
    timing = "AFTER" if event == "INSERT" else "BEFORE"
    if op.get_context().dialect.name == "sqlite":
        condition = when.replace("IS DISTINCT FROM", "IS NOT")
        op.execute(
            f"CREATE TRIGGER {name} {timing} {event} ON {table} FOR EACH ROW WHEN {condition} "
            f"BEGIN SELECT RAISE(ABORT, '{says}'); END"
        )
        return
    locking = f"PERFORM {lock.removeprefix('SELECT ')};" if lock else ""
    returned = "NULL" if timing == "AFTER" else ("OLD" if event == "DELETE" else "NEW")
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {locking} IF {when} THEN "
        f"RAISE EXCEPTION USING ERRCODE = '23514', MESSAGE = '{says}', CONSTRAINT = '{says}'; END IF; "
        f"RETURN {returned}; END $$"
    )
    op.execute(f"CREATE TRIGGER {name} {timing} {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")


def allow_again(op: Operations, name: str, *, table: str) -> None:
    """Take a rule made by `refuse_when` away (for a downgrade)."""
    if op.get_context().dialect.name == "sqlite":
        op.execute(f"DROP TRIGGER IF EXISTS {name}")
        return
    op.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")
    op.execute(f"DROP FUNCTION IF EXISTS {name}()")


def append_only(op: Operations, table: str) -> None:
    """Make a table of facts: rows may be inserted, never changed or deleted."""
    for event in ("UPDATE", "DELETE"):
        name = f"{table}_no_{event.lower()}"
        refuse_when(op, name, table=table, event=event, when="1 = 1", says=f"append_only_{table}")


def not_append_only(op: Operations, table: str) -> None:
    """Undo `append_only` (for a downgrade)."""
    for event in ("UPDATE", "DELETE"):
        allow_again(op, f"{table}_no_{event.lower()}", table=table)


def after_insert(op: Operations, name: str, *, table: str, does: str, when: str = "1 = 1") -> None:
    """Let an INSERT be followed by another statement in the same transaction: a figure kept beside its facts.

    `does` is one statement that may use NEW; `when` is a condition on NEW. Undone by `allow_again`.
    """
    if op.get_context().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER {name} AFTER INSERT ON {table} FOR EACH ROW WHEN {when} BEGIN {does}; END"
        )
        return
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {when} THEN {does}; END IF; "
        "RETURN NULL; END $$"
    )
    op.execute(f"CREATE TRIGGER {name} AFTER INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
