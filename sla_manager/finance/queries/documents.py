"""Documents as they are handed over, read in portions, so that a batch of any size needs the memory of one portion."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session, aliased

from sla_manager.agreements.models import Agreement
from sla_manager.billing.models import Document, DocumentLine, DocumentVat
from sla_manager.finance.queries.coding import (
    centres_of,
    classes_of,
    coding_of,
    service_codes,
    training_lines,
)
from sla_manager.finance.rules.coding import Coding
from sla_manager.finance.rules.exported import ExportDocument, ExportLine, share_vat
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import FinancialYear
from sla_manager.people.models import Customer, School, TradingService
from sla_manager.people.queries import the_provider

PORTION = 1_000
_Rows = dict[int, list[Any]]


def export_documents(session: Session, ids: Sequence[int]) -> list[ExportDocument]:
    """Return documents as they are handed over, in the order of their ids."""
    return list(stream_documents(session, ids))


def stream_documents(session: Session, ids: Sequence[int]) -> Iterator[ExportDocument]:
    """Yield documents as they are handed over, in the order of their ids, read in portions of a thousand."""
    start_month = the_provider(session).financial_year_start_month
    for start in range(0, len(ids), PORTION):
        yield from _portion(session, ids[start : start + PORTION], start_month)


def _portion(session: Session, ids: Sequence[int], start_month: int) -> Iterator[ExportDocument]:
    lines, vat_rows = _grouped(session, DocumentLine, ids), _grouped(session, DocumentVat, ids)
    heads = session.execute(_heads().where(Document.id.in_(ids)).order_by(Document.id)).all()
    coded = _Coded(session, ids, sorted({row.customer_id for row in heads}))
    for row in heads:
        cost_centre, account_code = coded.centres.get(row.customer_id, ("", ""))
        yield ExportDocument(
            id=row.id,
            number=row.number,
            kind=row.kind,
            series=row.series,
            financial_year=str(FinancialYear(row.year, start_month)),
            issued_on=row.issued_on,
            tax_point=row.tax_point,
            due_on=row.due_on,
            account_reference=row.facts["customer"]["reference"],
            customer=row.customer_name,
            school=row.school_name or "",
            urn=row.urn,
            service=row.service_name,
            agreement=row.facts["agreement"],
            purchase_order=row.purchase_order,
            credits_number=row.credits_number or "",
            reason=row.reason,
            net=row.net,
            vat=row.vat,
            gross=row.gross,
            lines=tuple(_lines(row, lines[row.id], vat_rows[row.id], coded)),
            email=row.email,
            address=tuple(row.facts["customer"].get("address") or ()),
            cost_centre=cost_centre,
            account_code=account_code,
        )


class _Coded:
    """The codes of a portion's documents."""

    def __init__(self, session: Session, ids: Sequence[int], customer_ids: Sequence[int]) -> None:
        self.centres = centres_of(session, customer_ids)
        self.classes = classes_of(session, customer_ids)
        self.services = service_codes(session)
        self.training = training_lines(session, ids)
        credited = aliased(DocumentLine)
        places = (
            select(DocumentLine.id, credited.position)
            .join(credited, credited.id == DocumentLine.credits_line_id)
            .where(DocumentLine.document_id.in_(ids))
        )
        self.credited = {row.id: row.position for row in session.execute(places)}

    def of(self, head: Row[Any], line_id: int) -> Coding:
        """Return how one line is coded."""
        return coding_of(
            self.services,
            head.service_id,
            self.classes.get(head.customer_id),
            training=line_id in self.training,
        )


def _heads() -> Any:
    """Return what stands once on each document, with the words of its service and school."""
    original = aliased(Document)
    return (
        select(
            Document.id, Document.number, Document.kind, Document.series, Document.year, Document.issued_on,
            Document.tax_point, Document.due_on, Document.customer_name, Document.purchase_order, Document.reason,
            Document.net, Document.vat, Document.gross, Document.facts, Document.service_id, Document.customer_id,
            original.number.label("credits_number"), School.name.label("school_name"), School.urn,
            TradingService.name.label("service_name"), Customer.email,
        )
        .join(TradingService, TradingService.id == Document.service_id)
        .join(Customer, Customer.id == Document.customer_id)
        .outerjoin(original, original.id == Document.credits_id)
        .outerjoin(Agreement, Agreement.id == Document.agreement_id)
        .outerjoin(School, School.id == Agreement.school_id)
    )  # fmt: skip


def _grouped(session: Session, model: type[DocumentLine | DocumentVat], ids: Sequence[int]) -> _Rows:
    """Return the plain rows of a document's part, by document, in their order."""
    columns = [
        getattr(model, attribute.key)
        for attribute in model.__mapper__.column_attrs
        if attribute.key != "explanation"
    ]
    order = DocumentLine.position if model is DocumentLine else DocumentVat.id
    found: _Rows = defaultdict(list)
    for row in session.execute(select(*columns).where(model.document_id.in_(ids)).order_by(order)):
        found[row.document_id].append(row)
    return found


def _lines(
    head: Row[Any], lines: Sequence[Row[Any]], vat_rows: Sequence[Row[Any]], coded: _Coded
) -> Iterator[ExportLine]:
    groups: dict[tuple[object, int], list[int]] = defaultdict(list)
    for place, line in enumerate(lines):
        groups[line.vat_code, line.vat_rate].append(place)
    vats: dict[int, Money] = {}
    for row in vat_rows:
        places = groups[row.code, row.rate]
        vats |= dict(zip(places, share_vat([lines[place].net for place in places], row.vat), strict=True))
    for place, line in enumerate(lines):
        yield ExportLine(
            position=line.position, description=line.description, quantity=line.quantity, unit=line.unit,
            unit_price=line.unit_price, vat_code=line.vat_code, vat_rate=line.vat_rate, net=line.net,
            vat=vats.get(place, Money(0)), credits_position=coded.credited.get(line.id),
            coding=coded.of(head, line.id),
        )  # fmt: skip
