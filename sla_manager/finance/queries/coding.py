"""Cost centres and codes: what the council entered, what is missing, and what each line is coded as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Row, Select, case, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from sla_manager.agreements.models import AgreementLine
from sla_manager.billing.models import Billed, Document, DocumentLine, OneOffCharge, OneOffLine
from sla_manager.catalogue.models import Offering
from sla_manager.catalogue.rules.families import Family
from sla_manager.finance.models import SchoolCode, ServiceCode
from sla_manager.finance.queries.batches import waits
from sla_manager.finance.rules.coding import CFR_CODES, NO_CODING, RETURN_LINES, Coding, suggested
from sla_manager.kernel.errors import NotFound
from sla_manager.people.models import Customer, School, TradingService
from sla_manager.people.rules.customer_classes import CustomerClass

_PORTION = 5_000


@dataclass(frozen=True, slots=True)
class SchoolRow:
    """A school that pays, with its place in the council's ledger, which may be missing."""

    customer_id: int
    urn: int
    school: str
    account: str
    cost_centre: str
    account_code: str


def school_codes(
    session: Session, *, after: int = 0, search: str = "", missing: bool = False, limit: int = 50
) -> list[SchoolRow]:
    """Return schools in the order of their URN, after one of them."""
    query = _schools().where(School.urn > after).order_by(School.urn).limit(limit)
    if search:
        like = f"%{search.lower()}%"
        query = query.where(or_(func.lower(School.name).like(like), SchoolCode.cost_centre == search))
    if missing:
        query = query.where(SchoolCode.id.is_(None), _is_own(School))
    return [_row(one) for one in session.execute(query)]


def school_row(session: Session, customer_id: int) -> SchoolRow:
    """Return one school that pays."""
    found = session.execute(_schools().where(Customer.id == customer_id)).one_or_none()
    if found is None:
        raise NotFound
    return _row(found)


def _schools() -> Select[int, int, str, str, str, str]:
    return (
        select(
            Customer.id, School.urn, School.name, Customer.account_reference, SchoolCode.cost_centre,
            SchoolCode.account_code,
        )
        .join(School, School.id == Customer.school_id)
        .outerjoin(SchoolCode, SchoolCode.customer_id == Customer.id)
    )  # fmt: skip


def _row(found: Row[int, int, str, str, str, str]) -> SchoolRow:
    one, urn, name, account, centre, code = found
    return SchoolRow(one, urn, name, account, centre or "", code or "")


def _is_own(school: type[School]) -> ColumnElement[bool]:
    """Return the condition of schools that this authority maintains."""
    own = [one for one in CustomerClass if one.is_own]
    return func.coalesce(school.customer_class_override, school.derived_class).in_(own)


def service_codes(session: Session) -> dict[tuple[int, bool], ServiceCode]:
    """Return the codes of services, for training and for everything else."""
    return {(one.service_id, one.training): one for one in session.scalars(select(ServiceCode))}


def services(session: Session) -> list[TradingService]:
    """Return every service, by name."""
    return list(session.scalars(select(TradingService).order_by(TradingService.name)))


def without_cost_centre(session: Session, target: str, scope: str) -> list[tuple[int, str]]:
    """Return the customers, with their names, whose documents wait for a cost centre before a journal takes them."""
    has = exists().where(SchoolCode.customer_id == Document.customer_id)
    query = select(Document.customer_id, func.max(Document.customer_name)).where(waits(target, scope), ~has)
    return [(one, name) for one, name in session.execute(query.group_by(Document.customer_id))]


@dataclass(frozen=True, slots=True)
class WithCodes:
    """Documents whose codes are known; the names of the customers and services that lack theirs."""

    ids: list[int]
    customers_without: list[str]
    services_without: list[str]


def documents_with_codes(session: Session, ids: Sequence[int]) -> WithCodes:
    """Sort documents by whether both sides of a journal are known for them."""
    coded = set(session.scalars(select(SchoolCode.customer_id)))
    services_coded = set(session.scalars(select(ServiceCode.service_id).where(~ServiceCode.training)))
    kept: list[int] = []
    customers: dict[str, None] = {}
    without: dict[str, None] = {}
    for start in range(0, len(ids), _PORTION):
        query = (
            select(Document.id, Document.customer_id, Document.customer_name, Document.service_id,
                   TradingService.name)
            .join(TradingService, TradingService.id == Document.service_id)
            .where(Document.id.in_(ids[start : start + _PORTION]))
            .order_by(Document.id)
        )  # fmt: skip
        for one, customer_id, customer, service_id, service in session.execute(query):
            if service_id not in services_coded:
                without[service] = None
            if customer_id in coded:
                kept.append(one)
            else:
                customers[customer] = None
    return WithCodes(kept, list(customers), list(without))


def centres_of(session: Session, customer_ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Return customers' cost centres and account codes."""
    query = select(SchoolCode.customer_id, SchoolCode.cost_centre, SchoolCode.account_code)
    return {
        one: (centre, code)
        for one, centre, code in session.execute(query.where(SchoolCode.customer_id.in_(customer_ids)))
    }


def classes_of(session: Session, customer_ids: Sequence[int]) -> dict[int, CustomerClass]:
    """Return what kind of payer customers are: a trust is paid for as its academies are."""
    kind = case(
        (Customer.trust_id.is_not(None), CustomerClass.ACADEMY.value),
        else_=func.coalesce(School.customer_class_override, School.derived_class),
    )
    query = select(Customer.id, kind).outerjoin(School, School.id == Customer.school_id)
    rows = session.execute(query.where(Customer.id.in_(customer_ids)))
    return {one: CustomerClass(value) for one, value in rows}


def training_lines(session: Session, document_ids: Sequence[int]) -> set[int]:
    """Return which lines of documents are for training: by their offering, or by the charge's kind.

    A credit note's line is what the line that it takes back is.
    """
    charged = aliased(DocumentLine)
    of_agreement = (
        select(DocumentLine.id)
        .outerjoin(charged, charged.id == DocumentLine.credits_line_id)
        .join(AgreementLine, AgreementLine.id == func.coalesce(DocumentLine.line_id, charged.line_id))
        .where(DocumentLine.document_id.in_(document_ids), AgreementLine.family == Family.TRAINING)
    )
    one_off = (
        select(DocumentLine.id)
        .outerjoin(charged, charged.id == DocumentLine.credits_line_id)
        .join(Billed, Billed.document_id == func.coalesce(charged.document_id, DocumentLine.document_id))
        .join(OneOffCharge, OneOffCharge.id == Billed.source_id)
        .outerjoin(
            OneOffLine,
            (OneOffLine.charge_id == OneOffCharge.id)
            & (OneOffLine.position == func.coalesce(charged.position, DocumentLine.position)),
        )
        .outerjoin(Offering, Offering.id == OneOffLine.offering_id)
        .where(
            DocumentLine.document_id.in_(document_ids),
            Billed.purpose == "one_off",
            or_(OneOffCharge.kind == "training", Offering.family == Family.TRAINING),
        )
    )
    return set(session.scalars(of_agreement)) | set(session.scalars(one_off))


def coding_of(
    codes: Mapping[tuple[int, bool], ServiceCode],
    service_id: int,
    customer_class: CustomerClass | None,
    *,
    training: bool,
) -> Coding:
    """Return how a line is coded: the council's own codes, the suggested ones for what the school reports."""
    own = codes.get((service_id, training)) or codes.get((service_id, False))
    if customer_class is None:
        return NO_CODING
    usual = suggested(customer_class, training=training)
    if own is None:
        return Coding(cfr_code=usual.cfr_code, return_line=usual.return_line)
    mine = own if own.training == training else None
    return Coding(
        income_centre=own.income_centre,
        income_code=own.income_code,
        charge_code=own.charge_code,
        cfr_code=((mine and mine.cfr_code) or usual.cfr_code) if usual.cfr_code else "",
        return_line=((mine and mine.return_line) or usual.return_line) if usual.return_line else "",
    )


def reported_as(session: Session, document_id: int) -> str:
    """Return the codes that the school reports a document's lines by, in words; empty where it reports none."""
    document = session.get_one(Document, document_id)
    customer_class = classes_of(session, [document.customer_id]).get(document.customer_id)
    training, codes = training_lines(session, [document_id]), service_codes(session)
    lines = session.scalars(select(DocumentLine.id).where(DocumentLine.document_id == document_id))
    named: dict[str, None] = {}
    for line_id in lines:
        coding = coding_of(codes, document.service_id, customer_class, training=line_id in training)
        if coding.cfr_code:
            named[f"{coding.cfr_code} {CFR_CODES.get(coding.cfr_code, '')}".strip()] = None
        if coding.return_line:
            named[f"{coding.return_line} {RETURN_LINES.get(coding.return_line, '')}".strip()] = None
    return ", ".join(named)
