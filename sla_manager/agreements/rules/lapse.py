"""The end of a financial year: what is unused is gone, is never carried forward, and is never credited."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from sla_manager.agreements.rules.ledger import Balance
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes, total_minutes
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.words import long_date


def lapse_value(lapsed: Minutes, whole: Minutes, net: Money) -> Money:
    """Return what lapsed time had cost, when `whole` minutes cost `net`: once rounded, half up.

    Give the tranche's bought minutes and net, so that all of it lapsing is worth exactly its net.

    >>> str(lapse_value(Minutes(1110), Minutes(4440), Money(3680_00)))  # 2.5 of 10 days at £368
    '920.00'
    """
    if not whole:
        return Money(0)
    return net.times(Fraction(lapsed.minutes, whole.minutes))


@dataclass(frozen=True, slots=True)
class ClosingTranche:
    """A tranche of the year that is to be closed; `net` is what its bought time cost, variations included."""

    balance: Balance
    net: Money

    @property
    def lapsing(self) -> Minutes:
        """The time that lapses: all that is left. After a close that is nothing, so a second does nothing."""
        return self.balance.balance

    @property
    def value(self) -> Money:
        """What that time had cost."""
        return lapse_value(self.lapsing, self.balance.bought, self.net)


@dataclass(frozen=True, slots=True)
class ClosePreview:
    """What closing a year does, and how many tranches an earlier close has already emptied."""

    tranches: int
    lapsed: Minutes
    value: Money
    already: int


def close_preview(tranches: Iterable[ClosingTranche]) -> ClosePreview:
    """Add up what closing a year would lapse; changes nothing."""
    every = list(tranches)
    open_ones = [tranche for tranche in every if tranche.lapsing]
    return ClosePreview(
        tranches=len(open_ones),
        lapsed=total_minutes(tranche.lapsing for tranche in open_ones),
        value=total(tranche.value for tranche in open_ones),
        already=sum(1 for tranche in every if tranche.balance.lapsed and not tranche.lapsing),
    )


class YearIsClosed(Refused):
    """Something was to be entered into a year that is closed."""

    def __init__(self, year: FinancialYear, closed_on: date) -> None:
        super().__init__(
            f"The financial year {year} was closed on {long_date(closed_on)}, so nothing more can be entered "
            "in it. Ask the service manager, who can credit time that was lost through the council's fault.",
            field="delivered_on",
        )


def refuse_closed_year(year: FinancialYear, *, closed_on: date | None) -> None:
    """Refuse an entry into a year that was closed; None means that it is open."""
    if closed_on is not None:
        raise YearIsClosed(year, closed_on)
