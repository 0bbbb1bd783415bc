"""One document issued: number, head, lines, VAT and what it bills, in the transaction that is open.

The number's row is locked from the draw until the commit, so everything slow (facts, sums, words) is made before.
Plain inserts, because a run issues thousands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import Table as SqlTable
from sqlalchemy import insert
from sqlalchemy.orm import Session

import sla_manager.billing.constraints  # noqa: F401  (the rules' sentences are known wherever documents are issued)
from sla_manager.billing.facts import numbered
from sla_manager.billing.models import Billed, Document, DocumentLine, DocumentVat
from sla_manager.billing.rules.chain import START, document_hash
from sla_manager.billing.rules.kinds import DocumentKind, series_of
from sla_manager.catalogue.rules.vat import Route, Totals, VatCode
from sla_manager.kernel.clock import as_utc
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.references import document_number
from sla_manager.kernel.words import pounds
from sla_manager.store.audit import Actor, AuditEntry
from sla_manager.store.numbers import draw_number_with

_document, _line, _vat, _billed, _audit = (
    cast(SqlTable, model.__table__) for model in (Document, DocumentLine, DocumentVat, Billed, AuditEntry)
)
_INSERT_DOCUMENT = insert(_document).returning(_document.c.id)
_INSERT_LINES, _INSERT_VAT, _INSERT_BILLED, _INSERT_AUDIT = (
    insert(_line),
    insert(_vat),
    insert(_billed),
    insert(_audit),
)


_HASH_BEFORE = {
    "sqlite": "(SELECT hash FROM document WHERE document.series = number_series.series "
    "AND document.year = number_series.year AND document.sequence = number_series.last - 1)",
    "postgresql": "document_hash_before(number_series.series, number_series.year, number_series.last)",
}
"""The hash of the document before, read in the statement that locks and draws the number.

On PostgreSQL by a function that looks afresh after waiting for the lock; on SQLite nobody writes meanwhile.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftLine:
    """A line that is to be issued."""

    line_id: int | None
    description: str
    quantity: Decimal
    unit: str
    unit_price: Money
    net: Money
    vat_code: VatCode
    vat_rate: int
    explanation: tuple[str, ...]
    credits_line_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A document that is to be issued: complete but for its number."""

    kind: DocumentKind
    service_id: int
    service_series: str
    customer_id: int
    customer_name: str
    agreement_id: int | None
    tax_point: date
    issued_on: date
    due_on: date | None
    purchase_order: str
    lines: tuple[DraftLine, ...]
    totals: Totals
    facts: dict[str, Any]
    sources: tuple[tuple[str, int], ...] = ()
    source_route: Route | None = None
    credits_id: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedDocument:
    """A document as a run reports it. In a preview it has no number and no id."""

    id: int | None
    number: str
    kind: DocumentKind
    customer: str
    net: Money
    vat: Money
    gross: Money


def issue(session: Session, draft: Draft, *, start_month: int, by: Actor, at: datetime) -> IssuedDocument:
    """Issue one document: the number, the document and what it bills come to be together, or not at all (N9)."""
    year = FinancialYear.of(draft.issued_on, start_month=start_month)
    series = series_of(draft.service_series, draft.kind)
    sequence, before = draw_number_with(
        session, series, _HASH_BEFORE[session.get_bind().dialect.name], year=year, on=draft.issued_on
    )
    number = document_number(series, year, sequence)
    head = _head(draft, series, year, sequence, number, by=by, at=at)
    lines, rows = _line_rows(draft.lines), _vat_rows(draft.totals)
    previous = str(before) if sequence > 1 else START
    head |= {"previous_hash": previous, "hash": document_hash(previous, head, lines, rows)}
    connection = session.connection()
    document_id = int(connection.execute(_INSERT_DOCUMENT, head).scalar_one())
    if lines:
        connection.execute(_INSERT_LINES, [{"document_id": document_id, **line} for line in lines])
    if rows:
        connection.execute(_INSERT_VAT, [{"document_id": document_id, **row} for row in rows])
    _mark_billed(session, draft, document_id)
    _audit_issue(session, draft, document_id, number, by=by, at=at)
    totals = draft.totals
    return IssuedDocument(
        id=document_id, number=number, kind=draft.kind, customer=draft.customer_name,
        net=totals.net, vat=totals.vat, gross=totals.gross,
    )  # fmt: skip


def _head(
    draft: Draft, series: str, year: FinancialYear, sequence: int, number: str, *, by: Actor, at: datetime
) -> dict[str, Any]:
    totals = draft.totals
    return {
        "kind": draft.kind,
        "series": series,
        "year": year.first,
        "sequence": sequence,
        "number": number,
        "service_id": draft.service_id,
        "customer_id": draft.customer_id,
        "customer_name": draft.customer_name,
        "agreement_id": draft.agreement_id,
        "credits_id": draft.credits_id,
        "reason": draft.reason,
        "tax_point": draft.tax_point,
        "issued_on": draft.issued_on,
        "issued_at": as_utc(at),
        "issued_by": by.name,
        "due_on": draft.due_on,
        "purchase_order": draft.purchase_order,
        "net": totals.net,
        "vat": totals.vat,
        "gross": totals.gross,
        "facts": numbered(draft.facts, number),
    }


def _line_rows(lines: Sequence[DraftLine]) -> list[dict[str, Any]]:
    return [
        {
            "position": position,
            "line_id": line.line_id,
            "credits_line_id": line.credits_line_id,
            "description": line.description,
            "quantity": line.quantity,
            "unit": line.unit,
            "unit_price": line.unit_price,
            "net": line.net,
            "vat_code": line.vat_code,
            "vat_rate": line.vat_rate,
            "explanation": list(line.explanation),
        }
        for position, line in enumerate(lines, start=1)
    ]


def _vat_rows(totals: Totals) -> list[dict[str, Any]]:
    return [
        {"code": row.code, "rate": row.rate, "net": row.net, "vat": row.vat, "reason": row.reason}
        for row in totals.rows
    ]


def _mark_billed(session: Session, draft: Draft, document_id: int) -> None:
    if draft.sources:
        route = draft.source_route or draft.kind.route
        rows = [
            {"purpose": purpose, "source_id": source_id, "route": route, "document_id": document_id}
            for purpose, source_id in draft.sources
        ]
        session.connection().execute(_INSERT_BILLED, rows)


def _audit_issue(
    session: Session, draft: Draft, document_id: int, number: str, *, by: Actor, at: datetime
) -> None:
    session.connection().execute(
        _INSERT_AUDIT,
        {
            "at": at,
            "person_id": by.person_id,
            "actor": by.name,
            "address": by.address,
            "action": "issue_document",
            "about": "document",
            "about_id": document_id,
            "summary": f"{draft.kind.title} {number} for {draft.customer_name}: {pounds(draft.totals.gross)}.",
            "details": {
                "net": str(draft.totals.net),
                "vat": str(draft.totals.vat),
                "gross": str(draft.totals.gross),
            },
        },
    )
