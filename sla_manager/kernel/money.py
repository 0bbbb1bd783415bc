"""Pounds sterling as whole pence.

A float can never become money, nor money a float: `Money(1.5)` and `Money(100) * 0.2` raise `TypeError`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import lcm

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
    return _half_up(exact.numerator, exact.denominator)


def _half_up(numerator: int, denominator: int) -> int:
    """Divide and round half away from zero; the denominator is above 0."""
    magnitude = (2 * abs(numerator) + denominator) // (2 * denominator)
    return magnitude if numerator >= 0 else -magnitude


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
        return Money(_half_up(self.pence * whole(basis_points, "basis points"), 10_000))

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


def _whole_weights(weights: Sequence[int | Fraction]) -> list[int]:
    """Return whole numbers in the proportion of the weights; floats and negative weights are mistakes."""
    if any(type(weight) is not int and type(weight) is not Fraction for weight in weights):
        raise TypeError(f"weights are whole numbers or fractions: {list(weights)}")
    common = lcm(*(weight.denominator for weight in weights))
    numbers = [weight.numerator * (common // weight.denominator) for weight in weights]
    if not numbers or min(numbers) < 0 or not any(numbers):
        raise ValueError(f"weights must be zero or more, with at least one above zero: {list(weights)}")
    return numbers


def apportion(whole_amount: int, weights: Sequence[int | Fraction]) -> tuple[int, ...]:
    """Share a whole number by weights: largest remainder, ties to the earliest.

    Negative amounts mirror positive ones, so that a credit undoes its invoice to the penny.

    >>> apportion(547, [1, 1, 1]), apportion(-547, [1, 1, 1])
    ((183, 182, 182), (-183, -182, -182))
    """
    whole(whole_amount, "the amount to share")
    numbers = _whole_weights(weights)
    sign, magnitude, everything = (-1 if whole_amount < 0 else 1), abs(whole_amount), sum(numbers)
    shares = [divmod(magnitude * number, everything) for number in numbers]
    parts = [part for part, _ in shares]
    by_remainder = sorted(range(len(parts)), key=lambda i: (-shares[i][1], i))
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
    if any(row < 0 for row in rows):
        raise ValueError("apportion_table shares amounts of zero or more")
    numbers = _whole_weights(weights)
    columns, everything = apportion(sum(rows), numbers), sum(numbers)
    shares = [[divmod(row * number, everything) for number in numbers] for row in rows]
    floors = [[part for part, _ in row] for row in shares]
    extra = [[0] * len(numbers) for _ in rows]
    wanting = [column - sum(row[k] for row in floors) for k, column in enumerate(columns)]
    for given, row, amount in zip(extra, shares, rows, strict=True):
        order = sorted(range(len(numbers)), key=lambda k: (row[k][1] == 0, -wanting[k], k))
        for k in order[: amount - sum(part for part, _ in row)]:
            given[k] += 1
            wanting[k] -= 1
    _settle_columns(extra, wanting)
    return tuple(
        tuple(part + one for part, one in zip(row, given, strict=True))
        for row, given in zip(floors, extra, strict=True)
    )


def _settle_columns(extra: list[list[int]], wanting: list[int]) -> None:
    """Move units along rows, from columns that have too much to those that want some."""
    while any(want > 0 for want in wanting):
        source = next(k for k, want in enumerate(wanting) if want < 0)
        came_from: dict[int, tuple[int, int]] = {}
        reached = [source]
        for column in reached:
            for index, row in enumerate(extra):
                if row[column]:
                    for k in range(len(row)):
                        if not row[k] and k != source and k not in came_from:
                            came_from[k] = (column, index)
                            reached.append(k)
        column = target = next(k for k in reached if wanting[k] > 0)
        while column != source:
            previous, index = came_from[column]
            extra[index][previous], extra[index][column] = 0, 1
            column = previous
        wanting[source] += 1
        wanting[target] -= 1
