"""What each rule of the database says to a person when it is broken.

Rooms add their sentences with `says`; `explain` turns the database's error into a refusal.
"""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError

from sla_manager.kernel.errors import Conflict, Refused

_SENTENCES: dict[str, tuple[str, str | None, type[Refused]]] = {}


def says(rule: str, sentence: str, *, field: str | None = None, kind: type[Refused] = Refused) -> None:
    """Give a constraint, unique index or trigger its sentence (and the form field it belongs to)."""
    _SENTENCES[rule] = (sentence, field, kind)


def explain(error: IntegrityError) -> Refused | None:
    """Return the refusal that a broken rule stands for, or None when it is a defect of ours.

    PostgreSQL names the rule; SQLite names it in the message, or names the columns of a unique key.
    """
    text = str(error.orig)
    name = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    for rule, (sentence, field, kind) in _SENTENCES.items():
        if name == rule or (name is None and (rule in text or _columns(rule) in text)):
            return kind(sentence, field=field)
    return None


def _columns(rule: str) -> str:
    """Return how SQLite names a unique key written "table(column, column)"."""
    table, _, columns = rule.partition("(")
    if not columns:
        return "\0"
    return "UNIQUE constraint failed: " + ", ".join(
        f"{table}.{column.strip()}" for column in columns.rstrip(")").split(",")
    )


says("append_only_audit_entry", "The audit trail cannot be changed.", kind=Conflict)
