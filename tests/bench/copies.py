"""Thousands of agreements in seconds: one is made by the product, the others are its rows with other keys."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from sqlalchemy import Table as SqlTable
from sqlalchemy import func, insert, select, text

from sla_manager.agreements.models import Agreement, AgreementLine, Instalment, InstalmentPart, Tranche
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.store.database import Database
from tests.rooms.owing import agree

_LINKS: tuple[tuple[type[Any], dict[str, type[Any]]], ...] = (
    (Agreement, {}),
    (AgreementLine, {"agreement_id": Agreement}),
    (Tranche, {"line_id": AgreementLine}),
    (Instalment, {"agreement_id": Agreement}),
    (InstalmentPart, {"instalment_id": Instalment, "line_id": AgreementLine}),
)
"""What is copied, and which of its columns name another copied row. A run reads nothing else of an agreement."""


def agree_in_bulk(database: Database, count: int, **more: Any) -> None:
    """Make as many agreements as wanted of one school: 12 days in three instalments, or as `more` says."""
    agree(database, **more)
    with database.transaction() as session:
        firsts: dict[type[Any], list[dict[str, Any]]] = {}
        for model, _ in _LINKS:
            table = _table(model)
            firsts[model] = [
                dict(row) for row in session.execute(select(table).order_by(table.c.id)).mappings()
            ]
        lasts = {model: max(row["id"] for row in rows) for model, rows in firsts.items()}
        for model, links in _LINKS:
            rows = [
                _copy(row, number, model, links, firsts, lasts)
                for number in range(1, count)
                for row in firsts[model]
            ]
            for start in range(0, len(rows), 5_000):
                session.execute(insert(_table(model)), rows[start : start + 5_000])
            if session.get_bind().dialect.name == "postgresql":
                name = model.__tablename__
                top = session.scalar(select(func.max(_table(model).c.id)))
                session.execute(
                    text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :top)"),
                    {"name": name, "top": top},
                )
        steps = (
            AgreementStatus.DRAFT,
            AgreementStatus.QUOTED,
            AgreementStatus.ORDERED,
            AgreementStatus.AGREED,
        )
        status = _table(Agreement).c.status
        for before, after in pairwise(steps):
            session.execute(_table(Agreement).update().where(status == before).values(status=after))
    with database.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()


def _copy(
    row: dict[str, Any],
    number: int,
    model: type[Any],
    links: dict[str, type[Any]],
    firsts: dict[type[Any], list[dict[str, Any]]],
    lasts: dict[type[Any], int],
) -> dict[str, Any]:
    """Return a row as the copy of this number: every key moves on by the rows of its table for each copy."""
    changed: dict[str, Any] = {"id": _key(row["id"], number, firsts[model], lasts[model])}
    for column, other in links.items():
        changed[column] = _key(row[column], number, firsts[other], lasts[other])
    if model is Agreement:
        changed |= {"reference": f"EWS-SLA/COPY/{number:06d}", "once_key": None, "replaces_id": None}
        changed["status"] = AgreementStatus.DRAFT  # lines come only to a draft
    return row | changed


def _key(first: int, number: int, rows: list[dict[str, Any]], last: int) -> int:
    return last + (number - 1) * len(rows) + [row["id"] for row in rows].index(first) + 1


def _table(model: type[Any]) -> SqlTable:
    table = model.__table__
    assert isinstance(table, SqlTable)
    return table
