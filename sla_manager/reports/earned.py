"""What is earned of an agreement: what was delivered, charged and lapsed, in money; and what follows for the year end.

A part of a tranche is worth its share of the tranche's net, as it is when it lapses. What is left over by rounding
goes to the delivered part, so that the parts always add up to the net.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sla_manager.agreements.rules.ledger import Balance
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money, apportion, total
from sla_manager.kernel.periods import Period, months_weight

NOTHING = Money(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What became of a tranche's net: the first four are earned, `credited` was given back, `left` is unused.

    `passed` is the part of what is not counted in time whose days are over.
    """

    delivered: Money = NOTHING
    charged: Money = NOTHING
    lapsed: Money = NOTHING
    passed: Money = NOTHING
    credited: Money = NOTHING
    left: Money = NOTHING

    @property
    def earned(self) -> Money:
        """What the council has earned: lapsed time is earned, because it stood ready."""
        return self.delivered + self.charged + self.lapsed + self.passed


def worth_of(balance: Balance, net: Money) -> Worth:
    """Value a tranche's figures at its own net. The parts add up to it.

    >>> day = 444
    >>> twelve = Balance(contracted=Minutes(12 * day), delivered=Minutes(9 * day), credited=Minutes(day),
    ...                  lapsed=Minutes(2 * day))
    >>> worth = worth_of(twelve, Money(4416_00))
    >>> str(worth.earned), str(worth.credited), str(worth.lapsed), str(worth.left)
    ('4048.00', '368.00', '736.00', '0.00')
    """
    return worth_of_minutes(
        balance.bought.minutes, balance.delivered.minutes, balance.charged.minutes, balance.lapsed.minutes,
        balance.credited.minutes, net,
    )  # fmt: skip


def worth_of_minutes(
    bought: int, delivered: int, charged: int, lapsed: int, credited: int, net: Money
) -> Worth:
    """Value plain minutes, as `worth_of` does: a report values tens of thousands of tranches.

    >>> worth_of_minutes(4440, 3330, 0, 1110, 0, Money(3680_00)).lapsed  # 2.5 of 10 days
    Money(pence=92000)
    """
    if not bought:
        return Worth(left=net)

    def worth(minutes: int) -> int:
        if minutes in (0, bought):
            return net.pence if minutes else 0
        return half_up_ratio(minutes * net.pence, bought)

    earned, gone_with_the_year = worth(delivered + charged + lapsed), worth(lapsed)
    before = earned - gone_with_the_year
    kept = 0 if not charged else (before if not delivered else min(worth(charged), before))
    gone = worth(delivered + charged + lapsed + credited)
    return Worth(
        delivered=Money(before - kept), charged=Money(kept), lapsed=Money(gone_with_the_year),
        credited=Money(gone - earned), left=Money(net.pence - gone),
    )  # fmt: skip


def half_up_ratio(numerator: int, denominator: int) -> int:
    """Divide and round half away from zero, without a fraction in between; the denominator is above 0.

    >>> half_up_ratio(5, 2), half_up_ratio(-5, 2), half_up_ratio(4, 3)
    (3, -3, 1)
    """
    magnitude = (2 * abs(numerator) + denominator) // (2 * denominator)
    return magnitude if numerator >= 0 else -magnitude


def passed(net: Money, starts_on: date, ends_on: date, on: date) -> Money:
    """Return what of a net without a count of time is earned by the end of a day: evenly, by months.

    >>> str(passed(Money(1200_00), date(2025, 9, 1), date(2026, 8, 31), date(2026, 3, 31)))
    '700.00'
    """
    if on >= ends_on:
        return net
    if on < starts_on:
        return NOTHING
    whole = months_weight(Period.through(starts_on, ends_on))
    return net.times(months_weight(Period.through(starts_on, on)) / whole)


def shared_by_time(value: Money, minutes: Mapping[int, int]) -> dict[int, Money]:
    """Share a value by minutes, largest remainder; of nothing, nobody has anything. Keys are officers.

    >>> {who: str(part) for who, part in shared_by_time(Money(100_00), {4: 60, 9: 30}).items()}
    {4: '66.67', 9: '33.33'}
    """
    wanted = {key: length for key, length in sorted(minutes.items()) if length > 0}
    if not wanted:
        return {}
    parts = apportion(value.pence, list(wanted.values()))
    return {key: Money(part) for key, part in zip(wanted, parts, strict=True)}


@dataclass(frozen=True, slots=True)
class YearOfCost:
    """A service's year: its income, and what it cost to provide. `cost` is None where nobody has entered it."""

    year: int
    income: Money
    cost: Money | None

    @property
    def surplus(self) -> Money | None:
        """Income less cost; below nothing the service was subsidised."""
        return None if self.cost is None else self.income - self.cost


@dataclass(frozen=True, slots=True)
class Recovery:
    """Three years taken together (Local Government Act 2003, section 93(3))."""

    years: tuple[YearOfCost, ...]

    @property
    def known(self) -> tuple[YearOfCost, ...]:
        """The years whose cost is entered: only they are compared."""
        return tuple(one for one in self.years if one.cost is not None)

    @property
    def income(self) -> Money:
        """The income of those years."""
        return total(one.income for one in self.known)

    @property
    def cost(self) -> Money:
        """The cost of those years."""
        return total(one.cost for one in self.known if one.cost is not None)

    @property
    def exceeds(self) -> bool:
        """Whether charges came to more than the cost, taking one year with another."""
        return self.income > self.cost

    @property
    def over(self) -> Money:
        """By how much; nothing when they do not."""
        return max(self.income - self.cost, NOTHING)


def cumulative(years: Sequence[YearOfCost], span: int = 3) -> Recovery:
    """Take the last years together."""
    return Recovery(tuple(sorted(years, key=lambda one: one.year))[-span:])


def cost_of_year(day_cost: Money, worked: Minutes, day_length: Minutes, overhead: Money) -> Money:
    """Return what a service cost: officers' days at their cost, preparation and travel included, and overhead.

    >>> str(cost_of_year(Money(241_50), Minutes(1110), Minutes(444), Money(100_00)))  # 2.5 days
    '703.75'
    """
    return day_cost.times(worked.in_units(day_length)) + overhead
