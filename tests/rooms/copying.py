"""Many agreements quickly: one that was sold is copied by plain inserts, for runs of hundreds or thousands."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table as SqlTable
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from sla_manager.agreements.models import Agreement, AgreementLine, Instalment, InstalmentPart
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.store.database import Database

_CHUNK = 2_000
_NAME = "EWS-SLA/COPY/"


def copied(database: Database, agreement_id: int, count: int) -> None:
    """Add as many copies of an agreement, with its lines and instalments, for the same customer."""
    with database.transaction() as session:
        head = _rows(session, Agreement, Agreement.id == agreement_id)[0]
        lines = _rows(session, AgreementLine, AgreementLine.agreement_id == agreement_id)
        instalments = _rows(session, Instalment, Instalment.agreement_id == agreement_id)
        wanted = InstalmentPart.instalment_id.in_([row["id"] for row in instalments])
        parts = _rows(session, InstalmentPart, wanted)
        last = {
            model: _last(session, model) for model in (Agreement, AgreementLine, Instalment, InstalmentPart)
        }
        for start in range(0, count, _CHUNK):
            made: dict[Any, list[dict[str, Any]]] = {model: [] for model in last}
            for number in range(start, min(start + _CHUNK, count)):
                _one(made, number, last, head, lines, instalments, parts)
            for model, rows in made.items():
                session.execute(insert(model.__table__), rows)
            for status in ("quoted", "ordered", "agreed"):
                moved = update(Agreement).where(Agreement.reference.like(f"{_NAME}%"))
                session.execute(moved.where(Agreement.status != "agreed").values(status=status))


def _one(
    made: dict[Any, list[dict[str, Any]]],
    number: int,
    last: dict[Any, int],
    head: dict[str, Any],
    lines: list[dict[str, Any]],
    instalments: list[dict[str, Any]],
    parts: list[dict[str, Any]],
) -> None:
    agreement_id = last[Agreement] + number + 1
    name = f"{_NAME}{agreement_id:06d}"
    made[Agreement].append(
        head | {"id": agreement_id, "reference": name, "once_key": None, "status": AgreementStatus.DRAFT}
    )
    ids = {}
    for model, rows in ((AgreementLine, lines), (Instalment, instalments)):
        for place, row in enumerate(rows):
            new = last[model] + number * len(rows) + place + 1
            ids[model, row["id"]] = new
            made[model].append(row | {"id": new, "agreement_id": agreement_id})
    for place, row in enumerate(parts):
        own = {
            "id": last[InstalmentPart] + number * len(parts) + place + 1,
            "instalment_id": ids[Instalment, row["instalment_id"]],
            "line_id": ids[AgreementLine, row["line_id"]],
        }
        made[InstalmentPart].append(row | own)


def _rows(session: Session, model: Any, condition: Any) -> list[dict[str, Any]]:
    table = model.__table__
    assert isinstance(table, SqlTable)
    found = session.execute(select(table).where(condition).order_by(table.c.id)).mappings()
    return [dict(row) for row in found]


def _last(session: Session, model: Any) -> int:
    return session.scalar(select(func.max(model.id))) or 0
