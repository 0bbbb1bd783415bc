"""What the law adds to a debt that is paid late: statutory interest and a fixed sum.

Source: Late Payment of Commercial Debts (Interest) Act 1998, sections 1 to 6, and the Late Payment of Commercial
Debts (Rate of Interest) (No. 3) Order 2002: 8 % over the official dealing rate (Bank Rate) that was in force on
the 30 June or 31 December before the interest starts; simple interest, day by day, a year having 365 days. The
fixed sum of section 5A stands beside it. Neither carries VAT: both are compensation, not payment for a supply.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from sla_manager.kernel.money import Money, total
from sla_manager.kernel.periods import ONE_DAY
from sla_manager.kernel.words import counted, long_date, per_cent, pounds

OVER_BANK_RATE = 800
"""Basis points over Bank Rate."""
DAYS_OF_A_YEAR = 365
FIXED_SUMS = ((Money(1_000_00), Money(40_00)), (Money(10_000_00), Money(70_00)))
"""Debts under the first amount: the second as compensation."""
LARGEST_FIXED_SUM = Money(100_00)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a debt that went on a day: money received, or a credit."""

    on: date
    amount: Money


@dataclass(frozen=True, slots=True)
class Pause:
    """Days on which a debt was held: from the first, until the day on which the hold ended (None: it still holds)."""

    starts_on: date
    ended_on: date | None

    def covers(self, day: date) -> bool:
        """Say whether a day bears no interest; the day on which the hold ended bears it again."""
        return self.starts_on <= day and (self.ended_on is None or day < self.ended_on)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days in a row on which the same was owed; `held` ones bear no interest."""

    starts_on: date
    last: date
    owed: Money
    held: bool

    @property
    def days(self) -> int:
        """How many days, the first and the last with them."""
        return (self.last - self.starts_on).days + 1


def reference_day(starts_on: date) -> date:
    """Return the day whose Bank Rate counts for interest that starts on a date.

    >>> reference_day(date(2026, 6, 30)), reference_day(date(2026, 7, 1))
    (datetime.date(2025, 12, 31), datetime.date(2026, 6, 30))
    """
    return date(starts_on.year - 1, 12, 31) if starts_on.month <= 6 else date(starts_on.year, 6, 30)


def statutory_rate(bank_rate: int) -> int:
    """Return the rate of interest for a Bank Rate, both in basis points.

    >>> statutory_rate(425)
    1225
    """
    if bank_rate < 0:
        raise ValueError(f"Bank Rate was never below nothing: {bank_rate}")
    return bank_rate + OVER_BANK_RATE


def fixed_sum(debt: Money) -> Money:
    """Return the compensation for one debt, by its gross.

    >>> [str(fixed_sum(Money(pence))) for pence in (999_99, 1_000_00, 9_999_99, 10_000_00)]
    ['40.00', '70.00', '70.00', '100.00']
    """
    if debt.pence <= 0:
        raise ValueError(f"only a debt is compensated: {debt}")
    return next((amount for limit, amount in FIXED_SUMS if debt < limit), LARGEST_FIXED_SUM)


def stretches(
    debt: Money, *, after: date, until: date, parts: Sequence[Part] = (), pauses: Sequence[Pause] = ()
) -> tuple[Stretch, ...]:
    """Return the days after `after`, to `until` with it, by what was owed on them.

    A part that went on a day was still owed on that day. Days on which nothing was owed are left out.

    >>> [one.days for one in stretches(Money(100), after=date(2026, 1, 31), until=date(2026, 4, 1))]
    [60]
    """
    turns = {after + ONE_DAY} | {part.on + ONE_DAY for part in parts}
    turns |= {pause.starts_on for pause in pauses} | {
        pause.ended_on for pause in pauses if pause.ended_on is not None
    }
    starts = sorted(day for day in turns if after < day <= until)
    found = []
    for place, day in enumerate(starts):
        last = starts[place + 1] - ONE_DAY if place + 1 < len(starts) else until
        owed = debt - total(part.amount for part in parts if part.on < day)
        if owed.pence > 0:
            found.append(Stretch(day, last, owed, any(pause.covers(day) for pause in pauses)))
    return tuple(found)


def interest(found: Sequence[Stretch], rate: int) -> Money:
    """Return the simple interest of stretches at a rate in basis points, rounded half up once, on the sum.

    >>> str(interest(stretches(Money(5_299_20), after=date(2025, 7, 1), until=date(2025, 8, 30)), 1225))
    '106.71'
    """
    owed_days = sum(one.owed.pence * one.days for one in found if not one.held)
    return Money.rounded(Fraction(owed_days * rate, DAYS_OF_A_YEAR * 10_000))


def explained(found: Sequence[Stretch], rate: int) -> tuple[str, ...]:
    """Return the sum in sentences: each stretch with its days, what it bears, and the rounding."""
    sentences = []
    for one in found:
        days = f"{long_date(one.starts_on)} to {long_date(one.last)}, {counted(one.days, 'day')}"
        if one.held:
            sentences.append(f"{days}: held, so no interest on {pounds(one.owed)}.")
        else:
            sentences.append(
                f"{days}: {pounds(one.owed)} × {per_cent(rate)} × {one.days} ÷ {DAYS_OF_A_YEAR}."
            )
    sentences.append(f"Together {pounds(interest(found, rate))}, rounded to the penny once.")
    return tuple(sentences)
