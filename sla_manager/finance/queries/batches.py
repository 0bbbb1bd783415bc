"""What is handed over already: batches, what is in them, and what waits for one."""

from __future__ import annotations

from sqlalchemy import ColumnElement, exists, func, select, true
from sqlalchemy.orm import Session, joinedload, undefer

from sla_manager.billing.models import Document
from sla_manager.billing.rules.kinds import DocumentKind
from sla_manager.catalogue.rules.vat import Route
from sla_manager.finance.models import ExportBatch, ExportedDocument
from sla_manager.kernel.errors import NotFound

PAGE = 50


def waits(target: str, scope: str) -> ColumnElement[bool]:
    """Return the condition of documents of a scope that are in no batch of a target."""
    handed_over = exists().where(
        ExportedDocument.target == target, ExportedDocument.document_id == Document.id
    )
    return ~handed_over & in_scope(scope)


def in_scope(scope: str) -> ColumnElement[bool]:
    """Return the condition of the documents that a layout hands over."""
    if scope == "all":
        return true()
    route = Route.RECHARGE if scope == "recharges" else Route.INVOICE
    return Document.kind.in_([one for one in DocumentKind if one.route is route])


def waiting_for(session: Session, target: str, scope: str = "all") -> list[int]:
    """Return the documents that are in no batch of a target, in the order of issue."""
    return list(session.scalars(select(Document.id).where(waits(target, scope)).order_by(Document.id)))


def waiting_count(session: Session, target: str, scope: str = "all") -> int:
    """Return how many documents wait for a target."""
    return session.scalar(select(func.count()).select_from(Document).where(waits(target, scope))) or 0


def batches(session: Session, *, before: int | None = None) -> list[ExportBatch]:
    """Return a page of batches, the latest first, without their content."""
    query = select(ExportBatch).order_by(ExportBatch.id.desc()).limit(PAGE)
    return list(session.scalars(query if before is None else query.where(ExportBatch.id < before)))


def batch(session: Session, batch_id: int, *, with_content: bool = False) -> ExportBatch:
    """Return one batch."""
    options = [undefer(ExportBatch.content)] if with_content else []
    found = session.get(ExportBatch, batch_id, options=options)
    if found is None:
        raise NotFound
    return found


def batch_by_filename(session: Session, filename: str) -> ExportBatch:
    """Return one batch with its content, by the name of its file."""
    query = select(ExportBatch).where(ExportBatch.filename == filename)
    found = session.scalar(query.options(undefer(ExportBatch.content)))
    if found is None:
        raise NotFound(f"There is no export batch “{filename[:80]}”. The page of exports lists them all.")
    return found


def batch_documents(session: Session, batch_id: int) -> list[ExportedDocument]:
    """Return what is in a batch, at most the first thousand."""
    query = (
        select(ExportedDocument)
        .where(ExportedDocument.batch_id == batch_id)
        .options(joinedload(ExportedDocument.document).defer(Document.facts))
        .order_by(ExportedDocument.document_id)
        .limit(1_000)
    )
    return list(session.scalars(query))


def batches_of(session: Session, document_id: int) -> list[ExportBatch]:
    """Return the batches that a document is in, one a target."""
    query = (
        select(ExportBatch)
        .join(ExportedDocument, ExportedDocument.batch_id == ExportBatch.id)
        .where(ExportedDocument.document_id == document_id)
        .order_by(ExportBatch.id)
    )
    return list(session.scalars(query))
