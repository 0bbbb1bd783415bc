"""What is left of a document to credit: per line and per VAT row, after the credits that were issued."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from sla_manager.agreements.models import AgreementLine
from sla_manager.billing.models import Document, DocumentLine, DocumentVat
from sla_manager.billing.rules.credits import CreditableLine, CreditableVat
from sla_manager.billing.rules.kinds import DocumentKind
from sla_manager.catalogue.rules.vat import Route
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.money import Money, total


@dataclass(frozen=True, slots=True)
class Creditable:
    """A document with its lines, and what is left of each."""

    document: Document
    lines: tuple[CreditableLine, ...]
    rows: tuple[CreditableVat, ...]

    @property
    def left(self) -> Money:
        """The net that can still be credited."""
        return total(row.net_left for row in self.rows)

    @property
    def everything(self) -> dict[int, Money]:
        """All that is left, by line."""
        return {line.position: line.left for line in self.lines if line.left.pence > 0}


def creditable(session: Session, document_id: int, *, lock: bool = False) -> Creditable:
    """Return what is left of an invoice or recharge note; a credit note itself is not credited."""
    found = _load(session, [document_id], lock=lock)
    if not found:
        raise NotFound
    if found[0].document.kind.is_credit:
        raise Refused("A credit note cannot be credited. Issue a new invoice instead.")
    return found[0]


def creditable_of_agreement(session: Session, agreement_id: int, route: Route) -> list[Creditable]:
    """Return the invoices (or recharge notes) of an agreement, the latest first, held until the transaction ends."""
    kind = DocumentKind.INVOICE if route is Route.INVOICE else DocumentKind.RECHARGE_NOTE
    query = select(Document.id).where(
        Document.kind == kind,
        exists()
        .where(
            DocumentLine.document_id == Document.id,
            DocumentLine.line_id == AgreementLine.id,
            AgreementLine.agreement_id == agreement_id,
        )
        .correlate(Document),
    )
    return _load(session, list(session.scalars(query.order_by(Document.id.desc()))), lock=True)


def _load(session: Session, ids: list[int], *, lock: bool) -> list[Creditable]:
    if lock:
        session.execute(
            select(Document.id).where(Document.id.in_(ids)).order_by(Document.id).with_for_update()
        )
    query = (
        select(Document)
        .where(Document.id.in_(ids))
        .options(selectinload(Document.lines), selectinload(Document.vat_rows), joinedload(Document.service))
        .order_by(Document.id.desc())
    )
    documents = list(session.scalars(query))
    lines = _credited_lines(session, ids)
    rows = _credited_rows(session, ids)
    return [
        Creditable(
            document,
            tuple(
                CreditableLine(line.position, line.net, line.net + lines.get(line.id, Money(0)), line.vat_code,
                               line.vat_rate)
                for line in document.lines
            ),
            tuple(_row_left(row, *rows.get((document.id, row.code, row.rate), (Money(0), Money(0))))
                  for row in document.vat_rows),
        )
        for document in documents
    ]  # fmt: skip


def _row_left(row: DocumentVat, net: Money, vat: Money) -> CreditableVat:
    return CreditableVat(row.code, row.rate, row.net + net, row.vat + vat, row.reason)


def _credited_lines(session: Session, ids: list[int]) -> dict[int, Money]:
    query = (
        select(DocumentLine.credits_line_id, func.sum(DocumentLine.net))
        .join(Document, Document.id == DocumentLine.document_id)
        .where(Document.credits_id.in_(ids))
        .group_by(DocumentLine.credits_line_id)
    )
    return {line_id: net for line_id, net in session.execute(query) if line_id is not None}


def _credited_rows(
    session: Session, ids: list[int]
) -> dict[tuple[int | None, object, int], tuple[Money, Money]]:
    query = (
        select(
            Document.credits_id,
            DocumentVat.code,
            DocumentVat.rate,
            func.sum(DocumentVat.net),
            func.sum(DocumentVat.vat),
        )
        .join(Document, Document.id == DocumentVat.document_id)
        .where(Document.credits_id.in_(ids))
        .group_by(Document.credits_id, DocumentVat.code, DocumentVat.rate)
    )
    return {(document, code, rate): (net, vat) for document, code, rate, net, vat in session.execute(query)}
