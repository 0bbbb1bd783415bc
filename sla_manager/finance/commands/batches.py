"""Handing over: a batch takes everything that waits, once, and its file never changes again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

import sla_manager.finance.constraints  # noqa: F401  (gives the database its sentences)
from sla_manager.finance.models import ColumnMapping, ExportBatch, ExportedDocument
from sla_manager.finance.queries.batches import export_documents, layout, mapping, waiting_for
from sla_manager.finance.rules.cells import DATE_FORMATS, ENCODINGS
from sla_manager.finance.rules.layouts import (
    READY,
    SAGE50,
    Column,
    Layout,
    LayoutNotUsable,
    check_layout,
    render,
)
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.money import total
from sla_manager.kernel.references import sha256
from sla_manager.kernel.words import pounds
from sla_manager.store.audit import Actor, record

_TAX_CODE_LENGTH = 10


class NothingToExport(Refused):
    """Everything is handed over already."""

    def __init__(self, target: str) -> None:
        super().__init__(
            f"Every document is in a batch for {target} already. There is nothing to export. "
            "Download an earlier batch again, or issue documents first."
        )


def make_batch(session: Session, layout_name: str, *, by: Actor, at: datetime) -> ExportBatch:
    """Put every document that is in no batch of this layout into a new one, and freeze its file.

    Two people at once get disjoint batches: one waits for the other, and a document is in one batch of a target by
    the database's own key (X1).
    """
    chosen = layout(session, layout_name)
    _wait_for_turn(session, chosen.name)
    ids = waiting_for(session, chosen.name)
    if not ids:
        raise NothingToExport(chosen.name)
    documents = export_documents(session, ids)
    content = render(chosen, documents)
    batch = ExportBatch(
        target=chosen.name,
        filename=_filename(session, chosen.name, at),
        made_at=at,
        made_by=by.name,
        count=len(documents),
        net=total(one.net for one in documents),
        vat=total(one.vat for one in documents),
        gross=total(one.gross for one in documents),
        sha256=sha256(content),
        content=content,
        layout=chosen.as_data(),
    )
    session.add(batch)
    session.flush()
    rows = [{"batch_id": batch.id, "target": chosen.name, "document_id": one.id} for one in documents]
    session.execute(insert(ExportedDocument), rows)
    record(
        session, "make_batch", about="export_batch", about_id=batch.id, by=by, at=at,
        summary=f"{batch.filename}: {batch.count} documents, {pounds(batch.gross)}.",
        details={"net": str(batch.net), "vat": str(batch.vat), "gross": str(batch.gross), "sha256": batch.sha256},
    )  # fmt: skip
    return batch


def _wait_for_turn(session: Session, target: str) -> None:
    """Let one batch of a target be made at a time; on SQLite a transaction that changes anything is alone anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:what))"), {"what": f"export:{target}"})


def _filename(session: Session, target: str, at: datetime) -> str:
    made = (
        session.scalar(select(func.count()).select_from(ExportBatch).where(ExportBatch.target == target)) or 0
    )
    return f"{target}-{london_date(at):%Y%m%d}-{made + 1:04d}.csv"


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
    data = [
        {"header": one.header, "field": one.field, "constant": one.constant, "longest": one.longest}
        for one in columns
    ]
    return _kept(session, name, data, {**options, "title": title.strip()[:200]}, by=by, at=at)


def save_sage50(session: Session, *, options: dict[str, Any], by: Actor, at: datetime) -> ColumnMapping:
    """Save the council's own codes for Sage 50: nominal, department, form of dates, tax codes."""
    nominal, department = str(options.get("nominal", "")), str(options.get("department", ""))
    if not nominal.isdigit() or len(nominal) > 8:
        raise Refused("Enter a nominal code of 1 to 8 digits, like 4000.", field="nominal")
    if not department.isdigit() or len(department) > 3:
        raise Refused("Enter a department from 0 to 999.", field="department")
    if options.get("date_format") not in DATE_FORMATS or options.get("encoding", "utf-8") not in ENCODINGS:
        raise Refused("Choose one of the list.", field="date_format")
    for code, given in dict(options.get("tax_codes", {})).items():
        if not given or not str(given).isalnum() or len(str(given)) > _TAX_CODE_LENGTH:
            raise Refused(f"Enter the tax code for {code.replace('_', ' ')}, like T1.", field=f"tax_{code}")
    return _kept(session, SAGE50, [], options, by=by, at=at)


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
