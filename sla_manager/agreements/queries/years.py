"""Financial years: which are closed, and what would lapse if one were closed now."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.models import YearClose
from sla_manager.agreements.queries.balances import balances
from sla_manager.agreements.rules.lapse import ClosingTranche
from sla_manager.kernel.minutes import Minutes, total_minutes
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.periods import FinancialYear


@dataclass(frozen=True, slots=True, kw_only=True)
class LapsingTranche:
    """Time of one tranche that is unused at the end of its year, and what it cost."""

    tranche_id: int
    agreement_id: int
    reference: str
    school_id: int
    school: str
    description: str
    unit: str
    unit_minutes: Minutes
    minutes: Minutes
    value: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class YearClosePreview:
    """What closing a year does: the tranches that lapse, in all how much. `closed` is set when it was done.

    `already` counts the tranches that an earlier close has emptied.
    """

    year: FinancialYear
    rows: tuple[LapsingTranche, ...]
    already: int
    closed: YearClose | None

    @property
    def tranches(self) -> int:
        """How many tranches have something left to lapse."""
        return len(self.rows)

    @property
    def lapsed_minutes(self) -> Minutes:
        """The time that lapses."""
        return total_minutes(row.minutes for row in self.rows)

    @property
    def lapsed_value(self) -> Money:
        """What that time cost."""
        return total(row.value for row in self.rows)


def year_close(session: Session, year: FinancialYear | int) -> YearClose | None:
    """Return when and by whom a year was closed, or None."""
    first = year if isinstance(year, int) else year.first
    return session.scalar(select(YearClose).where(YearClose.year == first))


def is_closed(session: Session, year: FinancialYear | int) -> bool:
    """Say whether a financial year is closed."""
    return year_close(session, year) is not None


def year_close_preview(session: Session, year: FinancialYear) -> YearClosePreview:
    """Return what would lapse if the year were closed now. Writes nothing."""
    every = balances(session, year=year.first)
    open_balances = [one for one in every if one.balance]
    already = sum(1 for one in every if one.figures.lapsed)
    rows = tuple(
        LapsingTranche(
            tranche_id=one.tranche_id,
            agreement_id=one.agreement_id,
            reference=one.reference,
            school_id=one.school_id,
            school=one.school,
            description=one.description,
            unit=one.unit,
            unit_minutes=one.unit_minutes,
            minutes=one.balance,
            value=ClosingTranche(one.figures, one.net).value,
        )
        for one in open_balances
    )
    return YearClosePreview(year=year, rows=rows, already=already, closed=year_close(session, year))
