"""Pounds sterling as whole pence.

A float can never become money, nor money a float: `Money(1.5)` and `Money(100) * 0.2` raise `TypeError`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from sla_manager.kernel.errors import Refused

_AMOUNT = re.compile(r"^(-?)(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d{1,2}))?$")
LARGEST_PENCE = 10**13
"""£100 billion: anything larger is a slip of the keyboard."""


def whole(number: object, what: str) -> int:
    """Return `number` when it is a plain integer, else raise `TypeError` (bool and float are none)."""
    if type(number) is not int:
        raise TypeError(f"{what} must be a whole number (int), not {type(number).__name__}: {number!r}")
    return number


def half_up(value: Fraction | Decimal | int) -> int:
    """Round to the nearest whole number, halves away from zero.

    >>> half_up(Fraction(415_25, 2)), half_up(Fraction(-415_25, 2)), half_up(Decimal("2.4"))
    (20763, -20763, 2)
    """
    if isinstance(value, float):
        raise TypeError("a float cannot be rounded to money or time")
    exact = Fraction(value)
    magnitude = (2 * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)
    return magnitude if exact >= 0 else -magnitude


@dataclass(frozen=True, order=True, slots=True)
class Money:
    """An amount of pounds sterling, held as integer pence."""

    pence: int

    def __post_init__(self) -> None:
        whole(self.pence, "pence")

    @classmethod
    def parse(cls, text: str, *, field: str | None = None) -> Money:
        """Read "4416", "4,416.00", "£4,416.00" or "-1.50"; refuse anything with more than two decimals.

        >>> Money.parse("£4,416.5").pence
        441650
        """
        if not isinstance(text, str):
            raise TypeError(f"money is read from text, not from {type(text).__name__}")
        cleaned = text.strip().replace("−", "-").replace("£", "", 1).strip()
        match = _AMOUNT.match(cleaned) if len(cleaned) <= 24 and cleaned.isascii() else None
        if match is None:
            raise Refused(
                f"“{text[:40]}” is not an amount of money. Enter pounds and pence, like 368.00.", field=field
            )
        sign, pounds, pence = match.groups()
        amount = int(pounds.replace(",", "")) * 100 + int((pence or "0").ljust(2, "0"))
        if amount > LARGEST_PENCE:
            raise Refused(f"“{text[:40]}” is too large. Enter an amount under £100 billion.", field=field)
        return cls(-amount if sign else amount)

    @classmethod
    def rounded(cls, pence: Fraction | Decimal | int) -> Money:
        """Round an exact number of pence half up."""
        return cls(half_up(pence))

    def __str__(self) -> str:
        pounds, pence = divmod(abs(self.pence), 100)
        return f"{'-' if self.pence < 0 else ''}{pounds}.{pence:02d}"

    def __bool__(self) -> bool:
        return self.pence != 0

    def __add__(self, other: Money) -> Money:
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.pence + other.pence)

    def __sub__(self, other: Money) -> Money:
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.pence - other.pence)

    def __neg__(self) -> Money:
        return Money(-self.pence)

    def __abs__(self) -> Money:
        return Money(abs(self.pence))

    def times(self, factor: int | Decimal | Fraction) -> Money:
        """Multiply by an exact factor and round once, half up to the penny.

        >>> str(Money(415_25).times(Decimal("0.5")))
        '207.63'
        """
        if isinstance(factor, bool | float) or not isinstance(factor, int | Decimal | Fraction):
            raise TypeError(f"money is multiplied by an exact number, not by {type(factor).__name__}")
        return Money.rounded(Fraction(factor) * self.pence)

    def per_cent(self, basis_points: int) -> Money:
        """Return a percentage given in basis points (20 % = 2000), rounded half up.

        >>> str(Money(858_67).per_cent(2000))
        '171.73'
        """
        return self.times(Fraction(whole(basis_points, "basis points"), 10_000))

    def split(self, weights: Sequence[int | Fraction]) -> tuple[Money, ...]:
        """Cut into parts by largest remainder, ties to the earliest: the parts add up to the penny.

        >>> [str(part) for part in Money(2576_00).split([1, 1, 1])]
        ['858.67', '858.67', '858.66']
        >>> [str(part) for part in Money(5000_00).split([7, 5])]
        ['2916.67', '2083.33']
        """
        return tuple(Money(part) for part in apportion(self.pence, weights))


def total(amounts: Iterable[Money]) -> Money:
    """Add amounts up; nothing is £0.00."""
    return Money(sum(amount.pence for amount in amounts))


def apportion(whole_amount: int, weights: Sequence[int | Fraction]) -> tuple[int, ...]:
    """Share a whole number by weights: largest remainder, ties to the earliest.

    Negative amounts mirror positive ones, so that a credit undoes its invoice to the penny.

    >>> apportion(547, [1, 1, 1]), apportion(-547, [1, 1, 1])
    ((183, 182, 182), (-183, -182, -182))
    """
    whole(whole_amount, "the amount to share")
    exact = [Fraction(weight) for weight in weights]
    if not exact or any(weight < 0 for weight in exact) or not any(exact):
        raise ValueError(f"weights must be zero or more, with at least one above zero: {list(weights)}")
    sign, magnitude, everything = (-1 if whole_amount < 0 else 1), abs(whole_amount), sum(exact)
    quotas = [magnitude * weight / everything for weight in exact]
    parts = [quota.numerator // quota.denominator for quota in quotas]
    by_remainder = sorted(range(len(parts)), key=lambda i: (parts[i] - quotas[i], i))
    for index in by_remainder[: magnitude - sum(parts)]:
        parts[index] += 1
    return tuple(sign * part for part in parts)


def apportion_table(rows: Sequence[int], weights: Sequence[int | Fraction]) -> tuple[tuple[int, ...], ...]:
    """Share several amounts by the same weights so that the columns too are the exact shares of the total.

    Each row adds up to its amount, each column to its part of `apportion(sum(rows), weights)`, and no cell
    is further than one from its exact share. Used where an agreement of several lines is paid in instalments.

    >>> apportion_table([547, 547], [1, 1, 1])
    ((183, 182, 182), (182, 183, 182))
    """
    columns = apportion(sum(rows), weights)
    everything = sum(Fraction(weight) for weight in weights)
    if any(row < 0 for row in rows):
        raise ValueError("apportion_table shares amounts of zero or more")
    floors = [[int(row * Fraction(weight) / everything) for weight in weights] for row in rows]
    wanting = [columns[k] - sum(row[k] for row in floors) for k in range(len(weights))]
    for row, amount in zip(floors, rows, strict=True):
        divisible = [(amount * Fraction(weight) / everything).denominator == 1 for weight in weights]
        order = sorted(range(len(weights)), key=lambda k: (divisible[k], -wanting[k], k))
        for k in order[: amount - sum(row)]:
            row[k] += 1
            wanting[k] -= 1
    return tuple(tuple(row) for row in floors)
