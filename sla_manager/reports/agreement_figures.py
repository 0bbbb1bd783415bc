"""How one agreement's figures come about: its parts by line and year, and the documents that invoiced it."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from sla_manager.agreements.models import Agreement, AgreementLine
from sla_manager.billing.models import Document, DocumentLine
from sla_manager.kernel.errors import NotFound
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.words import long_date, pounds
from sla_manager.reports.deferrals import deferrals
from sla_manager.reports.earnings import earned_parts
from sla_manager.reports.sheets import About, Report, Sheet, Value, totals


def agreement_report(session: Session, agreement_id: int, on: date, start_month: int) -> Report:
    """Return what an agreement earned and what was invoiced of it by the end of a day, part by part."""
    wanted = [joinedload(Agreement.school)]
    agreement = session.get(Agreement, agreement_id, options=wanted)
    if agreement is None:
        raise NotFound
    row = next((one for one in deferrals(session, on).rows if one.agreement_id == agreement_id), None)
    if row is None:
        raise NotFound
    return Report(
        key="deferred",
        title=f"{agreement.reference}, {agreement.school.name}",
        about=f"How its figures at the end of {long_date(on)} come about.",
        lead=(
            ("Invoiced", row.invoiced), ("Earned", row.earned), ("Deferred", row.deferred), ("Accrued", row.accrued),
        ),
        sheets=(_parts(session, agreement_id, on, start_month), _documents(session, agreement_id, on)),
        notes=(
            f"Earned is delivered + charged + lapsed − waived = {pounds(row.earned)}.",
            f"Invoiced − earned = {pounds(row.invoiced - row.earned)}. Above £0.00 it is deferred, below accrued.",
        ),
        filename=f"{agreement.reference}-{on}".replace("/", "-"),
    )  # fmt: skip


def _parts(session: Session, agreement_id: int, on: date, start_month: int) -> Sheet:
    names = {
        row[0]: row[1]
        for row in session.execute(
            select(AgreementLine.id, AgreementLine.description).where(
                AgreementLine.agreement_id == agreement_id
            )
        )
    }
    cells: tuple[tuple[Value, ...], ...] = tuple(
        (
            names[part.line_id], str(FinancialYear(part.year, start_month)), part.net,
            part.worth.delivered + part.worth.passed, part.extra, part.worth.charged, part.worth.lapsed,
            part.worth.credited, part.worth.left,
        )
        for part in earned_parts(session, on, lines=names)
    )  # fmt: skip
    return Sheet(
        title="What became of each line and year",
        names=(
            "Line", "Year", "Bought for", "Delivered", "Extra time", "Charged", "Lapsed", "Given back", "Unused",
        ),
        rows=cells,
        numeric=frozenset(range(2, 9)),
        totals=totals("Total", cells, 9, range(2, 9)),
        empty="It has not begun.",
    )  # fmt: skip


def _documents(session: Session, agreement_id: int, on: date) -> Sheet:
    query = (
        select(Document.id, Document.number, Document.kind, Document.issued_on, func.sum(DocumentLine.net))
        .join(DocumentLine, DocumentLine.document_id == Document.id)
        .join(AgreementLine, AgreementLine.id == DocumentLine.line_id)
        .where(AgreementLine.agreement_id == agreement_id, Document.issued_on <= on)
        .group_by(Document.id)
        .order_by(Document.id)
    )
    found: list[Any] = [tuple(row) for row in session.execute(query)]
    cells: tuple[tuple[Value, ...], ...] = tuple(
        (number, kind.title, issued, net) for _, number, kind, issued, net in found
    )
    return Sheet(
        title="What was invoiced",
        names=("Number", "Kind", "Issued", "Net"),
        rows=cells,
        numeric=frozenset((3,)),
        totals=totals("Total", cells, 4, (3,)),
        abouts=tuple(About("document", row[0]) for row in found),
        empty="Nothing was invoiced here by then.",
    )
