"""What lapsed of a financial year: time that was bought, not used, and is never carried forward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.models import Agreement, AgreementLine
from sla_manager.agreements.queries import is_closed
from sla_manager.agreements.rules.lapse import lapse_value
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.periods import FinancialYear
from sla_manager.people.models import School
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.reports.earnings import earned_parts
from sla_manager.reports.sheets import About, Picture, Report, Sheet, Value, days_of, totals


@dataclass(frozen=True, slots=True, kw_only=True)
class LapsedRow:
    """A year's part of a line with time that lapsed, or is unused and will."""

    agreement_id: int
    reference: str
    school: str
    customer_class: CustomerClass
    description: str
    unit_minutes: Minutes | None
    lapsed: Minutes
    value: Money
    unused: Minutes
    unused_value: Money
    charged: bool
    """Whether it was paid for; what is paid on delivery lapses without a charge."""


def lapsed_rows(session: Session, year: FinancialYear) -> list[LapsedRow]:
    """Return what lapsed of a financial year, and what is unused of it, at what it had cost."""
    parts = {
        part.tranche_id: part
        for part in earned_parts(session, year.period.last, year=year.first)
        if part.balance is not None and (part.balance.lapsed or part.balance.balance)
    }
    lines = {part.line_id for part in parts.values()}
    query = (
        select(
            AgreementLine.id, AgreementLine.description, AgreementLine.unit_minutes, Agreement.id,
            Agreement.reference, Agreement.schedule, Agreement.customer_class, School.name,
        )
        .join(Agreement, Agreement.id == AgreementLine.agreement_id)
        .join(School, School.id == Agreement.school_id)
        .order_by(School.name, Agreement.id, AgreementLine.position)
    )  # fmt: skip
    by_line: dict[int, Any] = {row[0]: row[1:] for row in session.execute(query) if row[0] in lines}
    order = {line: place for place, line in enumerate(by_line)}
    rows = []
    for part in sorted(parts.values(), key=lambda one: order[one.line_id]):
        said, unit, agreement, reference, schedule, customer_class, school = by_line[part.line_id]
        balance = part.balance
        if balance is None:
            continue
        rows.append(
            LapsedRow(
                agreement_id=agreement, reference=reference, school=school, customer_class=customer_class,
                description=said, unit_minutes=unit, lapsed=balance.lapsed,
                value=lapse_value(balance.lapsed, balance.bought, part.net), unused=balance.balance,
                unused_value=lapse_value(balance.balance, balance.bought, part.net),
                charged=schedule is not Schedule.ON_DELIVERY,
            )
        )  # fmt: skip
    return rows


def lapsed_report(session: Session, year: FinancialYear) -> Report:
    """Return what lapsed in a financial year, by agreement, with a picture by class of customer."""
    rows = lapsed_rows(session, year)
    paid, unpaid = [row for row in rows if row.charged], [row for row in rows if not row.charged]
    classes = [one for one in CustomerClass if any(row.customer_class is one for row in rows)]
    drawn = tuple(
        (
            one.title,
            (
                total(row.value for row in paid if row.customer_class is one),
                total(row.unused_value for row in paid if row.customer_class is one),
            ),
        )
        for one in classes
    )
    return Report(
        key="lapsed",
        title="Lapsed time",
        about=f"Time that was bought for {year} and not used. It is never carried forward.",
        lead=(
            ("Lapsed, and earned", total(row.value for row in paid)),
            ("Unused, and not closed yet", total(row.unused_value for row in paid)),
            (
                "Not used under payment on delivery, never charged",
                total(row.value + row.unused_value for row in unpaid),
            ),
        ),
        sheets=(_lapsed_sheet(rows, year),),
        notes=(
            "Lapsed time stood ready and is paid for. No credit follows.",
            "Time that the council failed to give does not lapse: it is credited.",
        ),
        picture=Picture("Lapsed and unused, by class of customer", ("Lapsed", "Unused"), drawn, "Class")
        if drawn
        else None,
        warning="" if is_closed(session, year) else f"{year} is not closed yet, so nothing of it has lapsed.",
        filename=f"lapsed-{year}",
    )


def _lapsed_sheet(rows: Sequence[LapsedRow], year: FinancialYear) -> Sheet:
    cells: tuple[tuple[Value, ...], ...] = tuple(
        (
            row.school, row.reference, row.customer_class.title, row.description,
            days_of(row.lapsed, row.unit_minutes), row.value, days_of(row.unused, row.unit_minutes),
            row.unused_value, "Yes" if row.charged else "No",
        )
        for row in rows
    )  # fmt: skip
    return Sheet(
        title=f"Unused time of {year}",
        names=(
            "School", "Agreement", "Class", "What", "Units lapsed", "Value lapsed", "Units unused",
            "Value unused", "Paid for",
        ),
        rows=cells,
        numeric=frozenset((4, 5, 6, 7)),
        totals=totals("Total", cells, 9, (5, 7)),
        abouts=tuple(About("agreement", row.agreement_id) for row in rows),
        empty=f"Nothing of {year} is unused.",
    )  # fmt: skip
