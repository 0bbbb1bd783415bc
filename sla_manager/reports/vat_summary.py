"""VAT by period, code and rate, from what was issued: each document counts once, and a reported period stands still.

A document counts on its tax point. One whose tax point lay in a period that was locked when it was issued counts on
the day of its issue instead: it is an adjustment in the next return.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session

from sla_manager.billing.models import Document, DocumentVat, PeriodLock, PeriodReopening
from sla_manager.catalogue.rules.vat import Route, VatCode
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.periods import Period, calendar_months, month_of
from sla_manager.kernel.words import per_cent
from sla_manager.reports.sheets import About, Picture, Report, Sheet, totals

_REOPENED_BEFORE = (
    exists()
    .where(PeriodReopening.lock_id == PeriodLock.id, PeriodReopening.reopened_at <= Document.issued_at)
    .correlate(PeriodLock, Document)
)
_IS_LATE: ColumnElement[bool] = exists().where(
    PeriodLock.through >= Document.tax_point, PeriodLock.locked_at <= Document.issued_at, ~_REOPENED_BEFORE
)
_COUNTS_ON: ColumnElement[date] = case((_IS_LATE, Document.issued_on), else_=Document.tax_point)


@dataclass(frozen=True, slots=True, kw_only=True)
class VatRow:
    """One month's documents of one code and rate. Credits are below nothing; `late` is what was adjusted."""

    month: Period
    route: Route
    code: VatCode
    rate: int
    documents: int
    charged: Money
    credited: Money
    vat: Money
    late: Money

    @property
    def net(self) -> Money:
        """What was charged less what was credited."""
        return self.charged + self.credited

    @property
    def words(self) -> str:
        """The code and its rate, or that it is a recharge."""
        if self.route is Route.RECHARGE:
            return "Recharges, outside the scope"
        return (
            f"{self.code.title}, {per_cent(self.rate)}" if self.code is VatCode.STANDARD else self.code.title
        )


def vat_rows(session: Session, period: Period) -> list[VatRow]:
    """Return the months of a period by code and rate, in order. One question."""
    query = (
        select(
            _COUNTS_ON, Document.kind, DocumentVat.code, DocumentVat.rate, _IS_LATE,
            func.count(), func.sum(DocumentVat.net), func.sum(DocumentVat.vat),
        )
        .join(Document, Document.id == DocumentVat.document_id)
        .where(_in(period))
        .group_by(_COUNTS_ON, Document.kind, DocumentVat.code, DocumentVat.rate, _IS_LATE)
    )  # fmt: skip
    grouped: dict[tuple[Period, Route, VatCode, int], list[Any]] = defaultdict(list)
    for day, kind, code, rate, *figures in session.execute(query):
        if day in period:
            grouped[month_of(day), kind.route, code, rate].append((kind, *figures))
    order = list(VatCode)
    keys = sorted(grouped, key=lambda key: (key[0], key[1] is Route.RECHARGE, order.index(key[2]), -key[3]))
    return [_vat_row(key, grouped[key]) for key in keys]


def _in(period: Period) -> ColumnElement[bool]:
    return or_(
        and_(Document.tax_point >= period.start, Document.tax_point < period.end),
        and_(Document.issued_on >= period.start, Document.issued_on < period.end),
    )


def _vat_row(key: tuple[Period, Route, VatCode, int], found: Sequence[Any]) -> VatRow:
    month, route, code, rate = key
    return VatRow(
        month=month, route=route, code=code, rate=rate,
        documents=sum(count for _, _, count, _, _ in found),
        charged=total(net for kind, _, _, net, _ in found if not kind.is_credit),
        credited=total(net for kind, _, _, net, _ in found if kind.is_credit),
        vat=total(vat for *_, vat in found),
        late=total(vat for _, late, _, _, vat in found if late),
    )  # fmt: skip


def vat_documents(session: Session, period: Period) -> list[tuple[Any, ...]]:
    """Return every VAT row of a period: the day it counts on, id, number, customer, tax point, code, rate, net, VAT."""
    query = (
        select(
            _COUNTS_ON, Document.id, Document.number, Document.customer_name, Document.tax_point,
            Document.issued_on, DocumentVat.code, DocumentVat.rate, DocumentVat.net, DocumentVat.vat,
        )
        .join(DocumentVat, DocumentVat.document_id == Document.id)
        .where(_in(period))
        .order_by(Document.id, DocumentVat.id)
    )  # fmt: skip
    return [tuple(row) for row in session.execute(query) if row[0] in period]


def vat_report(session: Session, period: Period, title: str, *, documents: bool = False) -> Report:
    """Return the VAT of a period by month and code; of one month the documents too, when asked."""
    rows = vat_rows(session, period)
    in_scope = [row for row in rows if row.code is not VatCode.OUTSIDE_SCOPE]
    sheets = [_summary(rows, title)]
    if documents:
        sheets.insert(0, _documents(session, period, title))
    months = list(calendar_months(period))
    drawn = tuple(
        (f"{month.start:%b %y}", (total(row.vat for row in rows if row.month == month),)) for month in months
    )
    return Report(
        key="vat",
        title="VAT summary",
        about="What was charged and credited, by month, VAT code and rate.",
        lead=(
            ("VAT due on sales (box 1)", total(row.vat for row in rows)),
            ("Sales without VAT (box 6)", total(row.net for row in in_scope)),
            ("Of it from earlier, locked periods (VAT)", total(row.late for row in rows)),
        ),
        sheets=tuple(sheets),
        notes=(
            "A document counts on its tax point.",
            "If that period was locked when it was issued, it counts on the day of issue.",
            "Recharges between budgets of the council are outside the scope of VAT.",
            "They are listed to agree with the books, and are not in box 6.",
        ),
        picture=Picture("VAT by month", ("VAT",), drawn, "Month", side_by_side=True)
        if len(months) > 1
        else None,
        filename=f"vat-{period.start}-{period.last}",
    )


def _summary(rows: Sequence[VatRow], title: str) -> Sheet:
    cells = tuple(
        (
            f"{row.month.start:%B} {row.month.start.year}", row.words, row.documents, row.charged, row.credited,
            row.net, row.vat, row.net + row.vat,
        )
        for row in rows
    )  # fmt: skip
    return Sheet(
        title=f"VAT by month and code, {title}",
        names=("Month", "VAT code", "Documents", "Charged", "Credited", "Net", "VAT", "Gross"),
        rows=cells,
        numeric=frozenset(range(2, 8)),
        totals=totals("Total", cells, 8, range(3, 8)),
        abouts=tuple(About("vat_month", f"{row.month.start:%Y-%m}") for row in rows),
        empty="Nothing was issued in this period.",
    )


def _documents(session: Session, period: Period, title: str) -> Sheet:
    found = vat_documents(session, period)
    cells = tuple(
        (number, customer, issued, tax_point, counts_on, code.title, per_cent(rate), net, vat)
        for counts_on, _, number, customer, tax_point, issued, code, rate, net, vat in found
    )
    return Sheet(
        title=f"Documents of {title}",
        names=("Number", "Customer", "Issued", "Tax point", "Counts on", "VAT code", "Rate", "Net", "VAT"),
        rows=cells,
        numeric=frozenset((6, 7, 8)),
        totals=totals("Total", cells, 9, (7, 8)),
        abouts=tuple(About("document", row[1]) for row in found),
        empty="Nothing was issued in this period.",
    )
