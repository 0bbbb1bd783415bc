"""Documents found: a page of the list, a school's, one with everything, what waits, what is parked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from sla_manager.agreements.models import Agreement, AgreementLine, Variation
from sla_manager.billing.models import Document, DocumentFile, DocumentLine, Parked
from sla_manager.billing.rules.kinds import DocumentKind, series_of
from sla_manager.kernel.errors import NotFound
from sla_manager.kernel.money import Money
from sla_manager.people.models import Customer, School, TradingService
from sla_manager.store.numbers import NumberSeries

PAGE = 50
_CHUNK = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRow:
    """One row of a list of documents."""

    id: int
    number: str
    kind: DocumentKind
    customer_id: int
    customer: str
    issued_on: date
    due_on: date | None
    net: Money
    vat: Money
    gross: Money
    credits_id: int | None
    printed: bool


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """A page of documents, the newest first; `after` asks for the next page and is "" on the last."""

    rows: tuple[DocumentRow, ...]
    after: str


_PRINTED = exists().where(DocumentFile.document_id == Document.id).correlate(Document)
_COLUMNS = (
    Document.id, Document.number, Document.kind, Document.customer_id, Document.customer_name, Document.issued_on,
    Document.due_on, Document.net, Document.vat, Document.gross, Document.credits_id,
)  # fmt: skip


def documents_page(
    session: Session,
    *,
    kind: DocumentKind | None = None,
    year: int | None = None,
    customer: str = "",
    where: ColumnElement[bool] | None = None,
    after: str = "",
    limit: int = PAGE,
) -> DocumentPage:
    """Return a page of documents. `customer` is a part of a name or number; `where` a condition of a higher room."""
    query = select(*_COLUMNS, _PRINTED)
    if kind is not None:
        query = query.where(Document.kind == kind)
    if year is not None:
        query = query.where(Document.year == year)
    if customer.strip():
        part = customer.strip()
        query = query.where(
            or_(
                func.lower(Document.customer_name).contains(part.lower(), autoescape=True),
                Document.number.contains(part.upper(), autoescape=True),
            )
        )
    if where is not None:
        query = query.where(where)
    return _page(session, query, after=after, limit=limit)


def school_documents(
    session: Session,
    school_id: int,
    *,
    after: str = "",
    limit: int = PAGE,
    where: ColumnElement[bool] | None = None,
) -> DocumentPage:
    """Return a page of the documents of a school's agreements, whoever pays, and of what it pays outside of them."""
    query = select(*_COLUMNS, _PRINTED).where(
        or_(
            Document.agreement_id.in_(select(Agreement.id).where(Agreement.school_id == school_id)),
            and_(
                Document.agreement_id.is_(None),
                Document.customer_id.in_(select(Customer.id).where(Customer.school_id == school_id)),
            ),
        )
    )
    return _page(session, query if where is None else query.where(where), after=after, limit=limit)


def _page(session: Session, query: Select[*tuple[object, ...]], *, after: str, limit: int) -> DocumentPage:
    place = _place(after)
    if place is not None:
        day, last = place
        query = query.where(
            or_(Document.issued_on < day, and_(Document.issued_on == day, Document.id < last))
        )
    query = query.order_by(Document.issued_on.desc(), Document.id.desc()).limit(limit + 1)
    rows = [_row(tuple(row)) for row in session.execute(query)]
    more = rows[limit - 1] if len(rows) > limit else None
    return DocumentPage(tuple(rows[:limit]), f"{more.issued_on.isoformat()}.{more.id}" if more else "")


def _place(after: str) -> tuple[date, int] | None:
    day, _, number = after.partition(".")
    try:
        return (date.fromisoformat(day), int(number)) if after else None
    except ValueError as error:
        raise NotFound from error


def _row(row: tuple[object, ...]) -> DocumentRow:
    names = (
        "id", "number", "kind", "customer_id", "customer", "issued_on", "due_on", "net", "vat", "gross", "credits_id",
        "printed",
    )  # fmt: skip
    return DocumentRow(**dict(zip(names, row, strict=True)))  # type: ignore[arg-type]  # one column a field


def document(session: Session, document_id: int, *, school_id: int | None = None) -> Document:
    """Return one document with lines, VAT rows and agreement; one of another school is not found."""
    query = (
        select(Document)
        .where(Document.id == document_id)
        .options(
            selectinload(Document.lines),
            selectinload(Document.vat_rows),
            joinedload(Document.customer),
            joinedload(Document.agreement).joinedload(Agreement.school).joinedload(School.trust),
            joinedload(Document.service),
        )
    )
    found = session.scalar(query)
    if found is None or (school_id is not None and school_id != _school_of(found)):
        raise NotFound
    return found


def _school_of(found: Document) -> int | None:
    """Return whose document it is among schools: that of its agreement, else the one that pays."""
    return found.customer.school_id if found.agreement is None else found.agreement.school_id


def document_by_number(session: Session, number: str) -> Document:
    """Return a document by its number."""
    found = session.scalar(select(Document.id).where(Document.number == number.strip().upper()))
    if found is None:
        raise NotFound(f"There is no document with the number “{number[:40]}”.")
    return document(session, found)


def credits_of(session: Session, document_id: int) -> list[DocumentRow]:
    """Return the credit notes that take back a part of a document, oldest first."""
    query = select(*_COLUMNS, _PRINTED).where(Document.credits_id == document_id).order_by(Document.id)
    return [_row(tuple(row)) for row in session.execute(query)]


def file_of(session: Session, document_id: int) -> DocumentFile | None:
    """Return where a document's printed file lies, or None while it waits."""
    return session.scalar(select(DocumentFile).where(DocumentFile.document_id == document_id))


def waiting_to_print(session: Session) -> int:
    """Return how many documents are issued and not yet printed."""
    return session.scalar(select(func.count()).select_from(Document).where(~_PRINTED)) or 0


def years(session: Session) -> list[int]:
    """Return the financial years that have documents, the latest first: those in which a number was drawn."""
    names = [TradingService.series + series_of("", kind) for kind in DocumentKind]
    query = select(NumberSeries.year).join(TradingService, NumberSeries.series.in_(names))
    drawn = query.where(NumberSeries.last > 0).distinct()
    return list(session.scalars(drawn.order_by(NumberSeries.year.desc())))


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedRow:
    """An agreement that a run could not bill, and why."""

    agreement_id: int
    reference: str
    school: str
    reason: str
    since: datetime
    last_tried_at: datetime


def parked(session: Session) -> list[ParkedRow]:
    """Return what is parked, the longest first."""
    query = (
        select(
            Parked.agreement_id,
            Agreement.reference,
            School.name,
            Parked.reason,
            Parked.since,
            Parked.last_tried_at,
        )
        .join(Agreement, Agreement.id == Parked.agreement_id)
        .join(School, School.id == Agreement.school_id)
        .order_by(Parked.since, Parked.agreement_id)
    )
    return [
        ParkedRow(
            agreement_id=agreement_id, reference=reference, school=school, reason=reason, since=since,
            last_tried_at=last_tried_at,
        )
        for agreement_id, reference, school, reason, since, last_tried_at in session.execute(query)
    ]  # fmt: skip


def agreement_values(session: Session, ids: Collection[int]) -> dict[int, tuple[Money, Money]]:
    """Return, for agreements, the net that is agreed with its variations and the net that was billed less credits."""
    wanted: Sequence[int] = sorted(ids)
    agreed: dict[int, Money] = {}
    billed: dict[int, Money] = {}
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        nets = select(Agreement.id, Agreement.net).where(Agreement.id.in_(chunk))
        for agreement_id, net in session.execute(nets):
            agreed[agreement_id] = agreed.get(agreement_id, Money(0)) + net
        varied = (
            select(AgreementLine.agreement_id, func.sum(Variation.net))
            .join(AgreementLine, AgreementLine.id == Variation.line_id)
            .where(AgreementLine.agreement_id.in_(chunk))
            .group_by(AgreementLine.agreement_id)
        )
        for agreement_id, net in session.execute(varied):
            agreed[agreement_id] = agreed.get(agreement_id, Money(0)) + net
        sums = (
            select(AgreementLine.agreement_id, func.sum(DocumentLine.net))
            .join(DocumentLine, DocumentLine.line_id == AgreementLine.id)
            .where(AgreementLine.agreement_id.in_(chunk))
            .group_by(AgreementLine.agreement_id)
        )
        billed |= {row[0]: row[1] for row in session.execute(sums)}
    return {one: (agreed.get(one, Money(0)), billed.get(one, Money(0))) for one in wanted}
