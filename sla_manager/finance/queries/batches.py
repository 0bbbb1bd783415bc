"""What is handed over, what waits for it, and in which layouts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, aliased, joinedload, selectinload, undefer

from sla_manager.agreements.models import Agreement
from sla_manager.billing.models import Document
from sla_manager.finance.models import ColumnMapping, ExportBatch, ExportedDocument
from sla_manager.finance.rules.layouts import (
    PLAIN,
    READY,
    SAGE50,
    Column,
    ExportDocument,
    ExportLine,
    Layout,
    plain_layout,
    sage50_layout,
    share_vat,
)
from sla_manager.kernel.errors import NotFound
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import FinancialYear
from sla_manager.people.queries import the_provider

PAGE = 50
_CHUNK = 2_000


def layout(session: Session, name: str) -> Layout:
    """Return a layout by its name: a ready one, or one of the council's own."""
    stored = session.scalar(select(ColumnMapping).where(ColumnMapping.name == name))
    if name == PLAIN:
        return plain_layout()
    if name == SAGE50:
        return sage50_layout(stored.options if stored is not None else None)
    if stored is None:
        names = ", ".join(one.name for one in layouts(session))
        raise NotFound(f"There is no layout “{name[:40]}”. There are: {names}.")
    return from_stored(stored)


def from_stored(stored: ColumnMapping) -> Layout:
    """Return a layout of the council's own, as it was saved."""
    return Layout(
        name=stored.name,
        title=str(stored.options.get("title") or stored.name),
        columns=tuple(
            Column(
                one.get("header", ""), one.get("field", ""), one.get("constant", ""), one.get("longest", 0)
            )
            for one in stored.columns
        ),
        **{key: value for key, value in stored.options.items() if key != "title"},
    )


def layouts(session: Session) -> list[Layout]:
    """Return every layout: the ready ones first."""
    stored = {one.name: one for one in session.scalars(select(ColumnMapping).order_by(ColumnMapping.name))}
    sage = stored.get(SAGE50)
    ready = [plain_layout(), sage50_layout(sage.options if sage is not None else None)]
    return ready + [from_stored(one) for name, one in stored.items() if name not in READY]


def mapping(session: Session, name: str) -> ColumnMapping | None:
    """Return a stored mapping by its name."""
    return session.scalar(select(ColumnMapping).where(ColumnMapping.name == name))


def waiting_for(session: Session, target: str) -> list[int]:
    """Return the documents that are in no batch of a target, in the order of issue."""
    handed_over = exists().where(
        ExportedDocument.target == target, ExportedDocument.document_id == Document.id
    )
    return list(session.scalars(select(Document.id).where(~handed_over).order_by(Document.id)))


def waiting_count(session: Session, target: str) -> int:
    """Return how many documents wait for a target."""
    handed_over = exists().where(
        ExportedDocument.target == target, ExportedDocument.document_id == Document.id
    )
    return session.scalar(select(func.count()).select_from(Document).where(~handed_over)) or 0


def export_documents(session: Session, ids: Sequence[int]) -> list[ExportDocument]:
    """Return documents as they are handed over, in the order of their ids."""
    start_month = the_provider(session).financial_year_start_month
    found: list[ExportDocument] = []
    for start in range(0, len(ids), _CHUNK):
        found += _chunk(session, ids[start : start + _CHUNK], start_month)
    return found


def _chunk(session: Session, ids: Sequence[int], start_month: int) -> Iterable[ExportDocument]:
    original = aliased(Document)
    query = (
        select(Document, original.number)
        .outerjoin(original, original.id == Document.credits_id)
        .where(Document.id.in_(ids))
        .options(
            selectinload(Document.lines),
            selectinload(Document.vat_rows),
            joinedload(Document.customer),
            joinedload(Document.service),
            joinedload(Document.agreement).joinedload(Agreement.school),
        )
        .order_by(Document.id)
    )
    for document, credits_number in session.execute(query):
        school = document.agreement.school if document.agreement is not None else None
        yield ExportDocument(
            id=document.id,
            number=document.number,
            kind=document.kind,
            series=document.series,
            financial_year=str(FinancialYear(document.year, start_month)),
            issued_on=document.issued_on,
            tax_point=document.tax_point,
            due_on=document.due_on,
            account_reference=document.facts["customer"]["reference"],
            customer=document.customer_name,
            school=school.name if school is not None else "",
            urn=school.urn if school is not None else None,
            service=document.service.name,
            agreement=document.facts["agreement"],
            purchase_order=document.purchase_order,
            credits_number=credits_number or "",
            reason=document.reason,
            net=document.net,
            vat=document.vat,
            gross=document.gross,
            lines=tuple(_lines(document)),
        )


def _lines(document: Document) -> Iterable[ExportLine]:
    groups: dict[tuple[object, int], list[int]] = defaultdict(list)
    for place, line in enumerate(document.lines):
        groups[line.vat_code, line.vat_rate].append(place)
    vats: dict[int, Money] = {}
    for row in document.vat_rows:
        places = groups.get((row.code, row.rate), [])
        shares = share_vat([document.lines[place].net for place in places], row.vat)
        vats |= dict(zip(places, shares, strict=True))
    for place, line in enumerate(document.lines):
        yield ExportLine(
            position=line.position, description=line.description, quantity=line.quantity, unit=line.unit,
            unit_price=line.unit_price, vat_code=line.vat_code, vat_rate=line.vat_rate, net=line.net,
            vat=vats.get(place, Money(0)),
        )  # fmt: skip


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
