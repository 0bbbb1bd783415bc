"""Handing over: a batch takes everything that waits, once, and its file never changes again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

import sla_manager.finance.constraints  # noqa: F401  (gives the database its sentences)
from sla_manager.finance.models import ColumnMapping, ExportBatch, ExportedDocument
from sla_manager.finance.queries.batches import waiting_for
from sla_manager.finance.queries.coding import documents_with_codes
from sla_manager.finance.queries.documents import stream_documents
from sla_manager.finance.queries.layouts import layout, mapping
from sla_manager.finance.rules.layouts import Column, Layout, LayoutNotUsable, check_layout, column_data
from sla_manager.finance.rules.ready import LAYOUTS, READY
from sla_manager.finance.rules.settings import SAGE50
from sla_manager.finance.rules.writing import write
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.references import sha256
from sla_manager.kernel.words import pounds
from sla_manager.store.audit import Actor, record

_INSERTED = 5_000


class NothingToExport(Refused):
    """Everything is handed over already."""

    def __init__(self, target: str) -> None:
        super().__init__(
            f"Every document is in a batch for {target} already. There is nothing to export. "
            "Download an earlier batch again, or issue documents first."
        )


class CodesMissing(Refused):
    """A journal that would not know which cost centre to take the money from, or where to put it."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} Nothing was made. Enter it at “Cost centres and codes”, then make the batch."
        )


def make_batch(session: Session, layout_name: str, *, by: Actor, at: datetime) -> ExportBatch:
    """Put every document that is in no batch of this layout into a new one, and freeze its file.

    Two people at once get disjoint batches: one waits for the other, and a document is in one batch of a target by
    the database's own key (X1).
    """
    chosen = layout(session, layout_name)
    _wait_for_turn(session, chosen.name)
    ids = waiting_for(session, chosen.name, chosen.scope)
    if not ids:
        raise NothingToExport(chosen.name)
    if chosen.rows == "journal":
        ids = _with_codes(session, ids)
    done = write(chosen, stream_documents(session, ids))
    batch = ExportBatch(
        target=chosen.name,
        filename=_filename(session, chosen.name, done.ending, at),
        made_at=at,
        made_by=by.name,
        count=done.count,
        net=done.net,
        vat=done.vat,
        gross=done.gross,
        sha256=sha256(done.content),
        content=done.content,
        layout=chosen.as_data(),
    )
    session.add(batch)
    session.flush()
    for start in range(0, len(ids), _INSERTED):
        rows = [
            {"batch_id": batch.id, "target": chosen.name, "document_id": one}
            for one in ids[start : start + _INSERTED]
        ]
        session.execute(insert(ExportedDocument), rows)
    record(
        session, "make_batch", about="export_batch", about_id=batch.id, by=by, at=at,
        summary=f"{batch.filename}: {batch.count} documents, {pounds(batch.gross)}.",
        details={"net": str(batch.net), "vat": str(batch.vat), "gross": str(batch.gross), "sha256": batch.sha256},
    )  # fmt: skip
    return batch


def _with_codes(session: Session, ids: Sequence[int]) -> list[int]:
    """Return the documents that both sides' codes are known for; those without a cost centre go on waiting."""
    coded = documents_with_codes(session, ids)
    if coded.services_without:
        raise CodesMissing(f"The income code of {', '.join(coded.services_without)} is not entered yet.")
    if not coded.ids:
        names = ", ".join(coded.customers_without[:5])
        more = f" and {len(coded.customers_without) - 5} more" if len(coded.customers_without) > 5 else ""
        raise CodesMissing(f"No cost centre is entered for {names}{more}.")
    return coded.ids


def _wait_for_turn(session: Session, target: str) -> None:
    """Let one batch of a target be made at a time; on SQLite a transaction that changes anything is alone anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:what))"), {"what": f"export:{target}"})


def _filename(session: Session, target: str, ending: str, at: datetime) -> str:
    made = (
        session.scalar(select(func.count()).select_from(ExportBatch).where(ExportBatch.target == target)) or 0
    )
    return f"{target}-{london_date(at):%Y%m%d}-{made + 1:04d}{ending}"


def save_layout(
    session: Session,
    *,
    name: str,
    title: str,
    columns: Sequence[Column],
    options: dict[str, Any],
    by: Actor,
    at: datetime,
) -> ColumnMapping:
    """Save a layout of the council's own. Batches that were made keep the layout that they were made with."""
    if name in READY:
        raise LayoutNotUsable(
            "This name belongs to a layout that is ready. Choose another name.", field="name"
        )
    check_layout(Layout(name=name, title=title, columns=tuple(columns), **options))
    data = [column_data(one) for one in columns]
    return _kept(session, name, data, {**options, "title": title.strip()[:200]}, by=by, at=at)


def save_ready(
    session: Session, name: str, *, options: dict[str, Any], by: Actor, at: datetime
) -> ColumnMapping:
    """Save the council's own settings of a ready layout; batches that were made keep theirs."""
    if name not in LAYOUTS or not LAYOUTS[name].settings:
        raise NotFound
    return _kept(session, name, [], LAYOUTS[name].checked(options), by=by, at=at)


def save_sage50(session: Session, *, options: dict[str, Any], by: Actor, at: datetime) -> ColumnMapping:
    """Save the council's own codes for Sage 50: nominal, department, form of dates, tax codes."""
    return save_ready(session, SAGE50, options=options, by=by, at=at)


def _kept(
    session: Session, name: str, columns: list[Any], options: dict[str, Any], *, by: Actor, at: datetime
) -> ColumnMapping:
    stored = mapping(session, name)
    if stored is None:
        stored = ColumnMapping(name=name, columns=columns, options=options, changed_at=at, changed_by=by.name)
        session.add(stored)
    stored.columns, stored.options, stored.changed_at, stored.changed_by = columns, options, at, by.name
    session.flush()
    record(
        session, "save_layout", about="column_mapping", about_id=stored.id, by=by, at=at,
        summary=f"Layout {name} saved.", details={"columns": len(columns)},
    )  # fmt: skip
    return stored
