"""Income by class of customer, trust, family, offering and officer: ready for a freedom-of-information answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy.orm import Session

from sla_manager.kernel.errors import NotFound
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.words import long_date
from sla_manager.reports.earned import NOTHING
from sla_manager.reports.income import IncomePart, income_parts, officer_names
from sla_manager.reports.sheets import Picture, Report, Sheet, Value, share_of, totals

DIMENSIONS = {
    "class": "Class of customer",
    "trust": "Trust",
    "family": "Family",
    "offering": "Offering",
    "officer": "Officer",
}
_SHOWN = 12


@dataclass(slots=True)
class _Group:
    amount: Money = NOTHING
    schools: set[int] = field(default_factory=set)
    agreements: set[int] = field(default_factory=set)


def grouped(session: Session, parts: Sequence[IncomePart], by: str) -> dict[str, _Group]:
    """Return income by the words of a dimension, the largest first."""
    found: dict[str, _Group] = defaultdict(_Group)
    names = officer_names(session) if by == "officer" else {}
    for part in parts:
        for words, amount in _words(part, by, names):
            group = found[words]
            group.amount += amount
            if part.school_id is not None:
                group.schools.add(part.school_id)
            if part.agreement_id is not None:
                group.agreements.add(part.agreement_id)
    return dict(sorted(found.items(), key=lambda one: (-one[1].amount.pence, one[0])))


def _words(part: IncomePart, by: str, names: dict[int, str]) -> list[tuple[str, Money]]:
    if by == "officer":
        return [(names[officer], amount) for officer, amount in part.by_officer.items()]
    words = {
        "class": part.customer_class.title,
        "trust": part.trust or "No trust",
        "family": part.family,
        "offering": part.offering,
    }
    return [(words[by], part.amount)]


def income_report(session: Session, year: FinancialYear, today: date, by: str = "class") -> Report:
    """Return the income of a financial year by one dimension; of a running year up to today."""
    if by not in DIMENSIONS:
        raise NotFound
    on = min(year.period.last, max(today, year.period.start))
    parts = income_parts(session, year, on, officers=by == "officer")
    groups, whole = grouped(session, parts, by), total(part.amount for part in parts)
    cells: tuple[tuple[Value, ...], ...] = tuple(
        (words, len(group.schools), len(group.agreements), group.amount, share_of(group.amount, whole))
        for words, group in groups.items()
    )
    title = DIMENSIONS[by]
    return Report(
        key="income",
        title=f"Income by {title[0].lower()}{title[1:]}",
        about=f"What was earned of {year}, up to {long_date(on)}, without VAT.",
        lead=(("Income", whole),),
        sheets=(
            Sheet(
                title=f"Income of {year} by {title[0].lower()}{title[1:]}",
                names=(title, "Schools", "Agreements", "Income", "Per cent"),
                rows=cells,
                numeric=frozenset((1, 2, 3, 4)),
                totals=totals("Total", cells, 5, (3,)),
                empty=f"Nothing is earned of {year} yet.",
            ),
        ),
        notes=(
            "Income is what was delivered, charged or lapsed, and one-off charges, less credits.",
            "Every grouping adds up to the same income.",
            "Delivered time counts for the officer who gave it.",
        ),
        picture=Picture(
            f"Income of {year}",
            ("Income",),
            tuple((words, (group.amount,)) for words, group in list(groups.items())[:_SHOWN]),
            title,
        )
        if groups
        else None,
        warning="" if on == year.period.last else f"{year} is still running. These are the figures so far.",
        filename=f"income-by-{by}-{year}",
    )
