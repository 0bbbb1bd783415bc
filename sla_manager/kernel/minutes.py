"""Time worked, as whole minutes, and how pages say it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from sla_manager.kernel.money import whole


@dataclass(frozen=True, order=True, slots=True)
class Minutes:
    """A length of time in whole minutes; negative in a ledger entry that takes time away."""

    minutes: int

    def __post_init__(self) -> None:
        whole(self.minutes, "minutes")

    def __str__(self) -> str:
        return str(self.minutes)

    def __bool__(self) -> bool:
        return self.minutes != 0

    def __add__(self, other: Minutes) -> Minutes:
        if not isinstance(other, Minutes):
            return NotImplemented
        return Minutes(self.minutes + other.minutes)

    def __sub__(self, other: Minutes) -> Minutes:
        if not isinstance(other, Minutes):
            return NotImplemented
        return Minutes(self.minutes - other.minutes)

    def __neg__(self) -> Minutes:
        return Minutes(-self.minutes)

    def __abs__(self) -> Minutes:
        return Minutes(abs(self.minutes))

    def in_units(self, unit: Minutes) -> Fraction:
        """Return the exact number of days (or hours) of `unit` minutes each."""
        if unit.minutes <= 0:
            raise ValueError("a unit of time is longer than nothing")
        return Fraction(self.minutes, unit.minutes)

    def shown_in_units(self, unit: Minutes) -> Decimal:
        """Return days (or hours) rounded half up to two decimals, for showing only: the ledger never rounds.

        >>> Minutes(4200).shown_in_units(Minutes(444))
        Decimal('9.46')
        """
        exact = self.in_units(unit)
        shown = (Decimal(exact.numerator) / exact.denominator).quantize(Decimal("0.01"), ROUND_HALF_UP)
        normal = shown.normalize()
        return normal if normal.as_tuple().exponent in range(-2, 1) else Decimal(int(shown))

    def __format__(self, _spec: str) -> str:
        return self.hours_and_minutes()

    def hours_and_minutes(self) -> str:
        """Say the length in words.

        >>> Minutes(200).hours_and_minutes(), Minutes(-60).hours_and_minutes(), Minutes(0).hours_and_minutes()
        ('3 hours 20 minutes', '−1 hour', '0 minutes')
        """
        hours, minutes = divmod(abs(self.minutes), 60)
        words = []
        if hours:
            words.append(f"{hours} hour{'' if hours == 1 else 's'}")
        if minutes or not hours:
            words.append(f"{minutes} minute{'' if minutes == 1 else 's'}")
        return ("−" if self.minutes < 0 else "") + " ".join(words)


def total_minutes(lengths: Iterable[Minutes]) -> Minutes:
    """Add lengths up; nothing is 0 minutes."""
    return Minutes(sum(length.minutes for length in lengths))


def blocks_up(worked: Minutes, block: Minutes) -> Minutes:
    """Round a worked time up to whole blocks.

    >>> blocks_up(Minutes(240), Minutes(222)), blocks_up(Minutes(46), Minutes(15)), blocks_up(Minutes(45), Minutes(15))
    (Minutes(minutes=444), Minutes(minutes=60), Minutes(minutes=45))
    """
    return Minutes(-(-worked.minutes // block.minutes) * block.minutes)


def blocks_nearest(worked: Minutes, block: Minutes) -> Minutes:
    """Round a worked time to the nearest whole block, halves up.

    >>> blocks_nearest(Minutes(240), Minutes(222))
    Minutes(minutes=222)
    """
    return Minutes((2 * worked.minutes + block.minutes) // (2 * block.minutes) * block.minutes)
