"""A line that several agreements share: each gets its part of the money, the time and the quantity, exactly.

Money and minutes are cut by largest remainder, ties to the earliest, so that the parts add up; the quantity is
shown to three decimals, cut the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sla_manager.agreements.rules.tranches import TranchePart, years_of
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money, apportion
from sla_manager.kernel.periods import Period, months_weight
from sla_manager.kernel.quantities import minutes_of

_THOUSAND = 1000


@dataclass(frozen=True, slots=True)
class LineShare:
    """One partner's place in a joint line: the weights of all, and which is this one (0 is the first)."""

    weights: tuple[int, ...]
    position: int

    def __post_init__(self) -> None:
        if not self.weights or min(self.weights) <= 0 or not 0 <= self.position < len(self.weights):
            raise Refused("Each partner has a part above nothing. Check the shares.", field="weights")

    @property
    def words(self) -> str:
        """The share as an explanation says it.

        >>> LineShare((50, 30, 20), 1).words
        '30 of 100 parts'
        """
        return f"{self.weights[self.position]} of {sum(self.weights)} parts"

    def facts(self) -> dict[str, Any]:
        """Return what is stored with a line."""
        return {"weights": list(self.weights), "position": self.position}

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> LineShare:
        """Return the share that was stored."""
        return cls(tuple(facts["weights"]), int(facts["position"]))


@dataclass(frozen=True, slots=True)
class SharedLine:
    """One partner's part of a joint line. `minutes` is None where time is not counted."""

    quantity: Decimal
    minutes: Minutes | None
    net: Money


def shared_line(share: LineShare, quantity: Decimal, *, unit: Minutes | None, net: Money) -> SharedLine:
    """Return one partner's part.

    >>> thirds = [shared_line(LineShare((1, 1, 1), place), Decimal(1), unit=Minutes(444), net=Money(368_00))
    ...           for place in range(3)]
    >>> [(str(one.net), one.minutes.minutes, str(one.quantity)) for one in thirds]
    [('122.67', 148, '0.334'), ('122.67', 148, '0.333'), ('122.66', 148, '0.333')]
    """
    thousandths = apportion(int(quantity * _THOUSAND), share.weights)[share.position]
    if not thousandths:
        raise Refused("A part is too small to be written down. Give this partner more.", field="weights")
    minutes = None
    if unit is not None:
        minutes = Minutes(apportion(minutes_of(quantity, unit).minutes, share.weights)[share.position])
    return SharedLine(Decimal(thousandths).scaleb(-3), minutes, net.split(share.weights)[share.position])


def tranches_of_share(line: SharedLine, term: Period, *, start_month: int = 4) -> tuple[TranchePart, ...]:
    """Cut a partner's part by financial years, by the months in each: money, minutes and quantity alike."""
    years = years_of(term, start_month=start_month)
    weights = [months_weight(part) for _, part in years]
    quantities = apportion(int(line.quantity * _THOUSAND), weights)
    minutes = None if line.minutes is None else apportion(line.minutes.minutes, weights)
    nets = line.net.split(weights)
    return tuple(
        TranchePart(
            year=year,
            period=period,
            quantity=Decimal(quantities[place]).scaleb(-3),
            minutes=None if minutes is None else Minutes(minutes[place]),
            net=nets[place],
        )
        for place, (year, period) in enumerate(years)
        if quantities[place] or nets[place] or (minutes and minutes[place])
    )
