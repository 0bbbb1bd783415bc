"""Cuts a line's quantity into tranches by financial year: what one year does not use, the next never gets.

By months: each calendar month weighs the fraction of it that the term covers, by largest remainder at the
offering's step, ties to the earliest year. Or by an explicit split, agreed before signing. Money follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money, apportion
from sla_manager.kernel.periods import FinancialYear, Period, financial_years, months_weight
from sla_manager.kernel.quantities import is_on_step, minutes_of, plain, step_minutes


@dataclass(frozen=True, slots=True)
class TranchePart:
    """A financial year's part of a line: its dates inside the term, quantity, time and money.

    `minutes` is None where the offering is not counted in time.
    """

    year: FinancialYear
    period: Period
    quantity: Decimal
    minutes: Minutes | None
    net: Money


class QuantityOffStep(Refused):
    """A quantity that is nothing, or no whole number of the offering's steps."""

    def __init__(self, quantity: Decimal, step: Decimal) -> None:
        super().__init__(
            f"{plain(quantity)} is not allowed. Enter more than 0, in steps of {plain(step)}.",
            field="quantity",
        )


class SplitDoesNotAddUp(Refused):
    """An explicit split that is not the whole quantity, or names a year that the term does not touch."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, field="year_split")


def steps_of(quantity: Decimal, step: Decimal) -> int:
    """Return how many whole steps a quantity is; refuse nothing, less than nothing, and off-step quantities.

    >>> steps_of(Decimal(20), Decimal("0.5"))
    40
    """
    if quantity <= 0 or step <= 0 or not is_on_step(quantity, step):
        raise QuantityOffStep(quantity, step)
    return int(Fraction(quantity) / Fraction(step))


@lru_cache(maxsize=1024)
def years_of(term: Period, *, start_month: int = 4) -> tuple[tuple[FinancialYear, Period], ...]:
    """Return the financial years that a term touches, each with the part of the term in it."""
    parts = []
    for year in financial_years(term, start_month=start_month):
        shared = year.period.overlap(term)
        if shared is not None:
            parts.append((year, shared))
    return tuple(parts)


def split_steps_by_months(steps: int, term: Period, *, start_month: int = 4) -> tuple[int, ...]:
    """Share a number of steps among the term's financial years by the months that lie in each.

    >>> from datetime import date
    >>> split_steps_by_months(40, Period.through(date(2025, 9, 1), date(2026, 8, 31)))
    (23, 17)
    """
    return apportion(steps, [months_weight(part) for _, part in years_of(term, start_month=start_month)])


def tranches_by_months(
    quantity: Decimal,
    step: Decimal,
    term: Period,
    *,
    net: Money,
    unit: Minutes | None,
    start_month: int = 4,
) -> tuple[TranchePart, ...]:
    """Cut a line by months; years that get nothing are left out.

    `net` is the line's whole net, `unit` the length of a day or hour (None: not counted in time).

    >>> from datetime import date
    >>> school_year = Period.through(date(2025, 9, 1), date(2026, 8, 31))
    >>> cut = tranches_by_months(
    ...     Decimal(20), Decimal("0.5"), school_year, net=Money(7360_00), unit=Minutes(444)
    ... )
    >>> [(str(part.year), str(part.quantity), str(part.net)) for part in cut]
    [('2025-26', '11.5', '4232.00'), ('2026-27', '8.5', '3128.00')]
    """
    steps = steps_of(quantity, step)
    shares = split_steps_by_months(steps, term, start_month=start_month)
    return _parts(shares, step, term, net=net, unit=unit, start_month=start_month)


def tranches_as_agreed(
    quantity: Decimal,
    step: Decimal,
    term: Period,
    *,
    split: Mapping[FinancialYear, Decimal],
    net: Money,
    unit: Minutes | None,
    start_month: int = 4,
) -> tuple[TranchePart, ...]:
    """Cut a line as both sides agreed before signing; the parts must be on the step and make the whole.

    Raises `QuantityOffStep` and `SplitDoesNotAddUp`.
    """
    years = [year for year, _ in years_of(term, start_month=start_month)]
    for year in split:
        if year not in years:
            raise SplitDoesNotAddUp(
                f"The agreement does not touch the financial year {year}. "
                f"It touches {', '.join(str(one) for one in years)}."
            )
    given = sum(split.values(), Decimal(0))
    if given != quantity:
        raise SplitDoesNotAddUp(
            f"The years add up to {plain(given)}, and the whole quantity is {plain(quantity)}. "
            "Change one of the years."
        )
    steps_of(quantity, step)
    shares = tuple(steps_of(split[year], step) if split.get(year) else 0 for year in years)
    return _parts(shares, step, term, net=net, unit=unit, start_month=start_month)


def _parts(
    shares: tuple[int, ...],
    step: Decimal,
    term: Period,
    *,
    net: Money,
    unit: Minutes | None,
    start_month: int,
) -> tuple[TranchePart, ...]:
    if unit is not None:
        step_minutes(step, unit)
    nets = net.split(shares)
    return tuple(
        TranchePart(
            year=year,
            period=period,
            quantity=share * step,
            minutes=None if unit is None else minutes_of(share * step, unit),
            net=part,
        )
        for (year, period), share, part in zip(
            years_of(term, start_month=start_month), shares, nets, strict=True
        )
        if share
    )
