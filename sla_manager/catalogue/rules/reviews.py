"""The review of a price list: every price raised by a percentage and rounded by one stated rule.

A price that was agreed for years stays: a review makes new versions from a day on, and changes none.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.money import Money, half_up
from sla_manager.kernel.titles import Titled
from sla_manager.kernel.words import per_cent

LOWEST, HIGHEST = -5_000, 10_000
"""Basis points: a review may halve a price or double it; anything more is a slip of the keyboard."""
_WHOLE = 10_000
_AMOUNTS = ("base", "each", "price")


class Rounding(Titled):
    """To what a reviewed price is rounded, half up."""

    PENNY = "penny", "To the penny"
    TEN_PENCE = "ten_pence", "To the nearest 10p"
    FIFTY_PENCE = "fifty_pence", "To the nearest 50p"
    POUND = "pound", "To the nearest £1"
    FIVE_POUNDS = "five_pounds", "To the nearest £5"

    @property
    def pence(self) -> int:
        """The step in pence."""
        return _STEPS[self]


_STEPS = {
    Rounding.PENNY: 1,
    Rounding.TEN_PENCE: 10,
    Rounding.FIFTY_PENCE: 50,
    Rounding.POUND: 100,
    Rounding.FIVE_POUNDS: 500,
}


class ReviewOutOfBounds(Refused):
    """A percentage that no review has."""

    def __init__(self, basis_points: int) -> None:
        super().__init__(
            f"{per_cent(basis_points)} is not allowed. Enter a percentage between −50 and 100, like 4.2.",
            field="percentage",
        )


def reviewed(price: Money, basis_points: int, rounding: Rounding) -> Money:
    """Return a price after a review, in basis points (4.2 % = 420), rounded half up to the rule's step.

    >>> str(reviewed(Money(368_00), 420, Rounding.PENNY)), str(reviewed(Money(368_00), 420, Rounding.POUND))
    ('383.46', '383.00')
    """
    if not LOWEST <= basis_points <= HIGHEST:
        raise ReviewOutOfBounds(basis_points)
    step = rounding.pence
    return Money(half_up(Fraction(price.pence * (_WHOLE + basis_points), _WHOLE * step)) * step)


def reviewed_terms(terms: Mapping[str, Any], basis_points: int, rounding: Rounding) -> dict[str, Any]:
    """Return the terms of a price's shape after a review: every tier, band, base and price of a pupil.

    Quantities, limits and rules stay. The price of a pupil is rounded to the penny: pounds would be too coarse.

    >>> reviewed_terms({"tiers": [["1", "565.00"], ["4", "500.00"]]}, 420, Rounding.POUND)
    {'tiers': [['1', '589.00'], ['4', '521.00']]}
    >>> reviewed_terms({"base": "466.14", "each": "1.14"}, 420, Rounding.PENNY)
    {'base': '485.72', 'each': '1.19'}
    """
    changed: dict[str, Any] = {}
    for name, value in terms.items():
        if name == "tiers":
            changed[name] = [[least, _amount(price, basis_points, rounding)] for least, price in value]
        elif name == "bands":
            changed[name] = [reviewed_terms(band, basis_points, rounding) for band in value]
        elif name in _AMOUNTS:
            finer = Rounding.PENNY if name == "each" else rounding
            changed[name] = _amount(value, basis_points, finer)
        else:
            changed[name] = value
    return changed


def _amount(text: str, basis_points: int, rounding: Rounding) -> str:
    return str(reviewed(Money.parse(text), basis_points, rounding))


def read_percentage(text: str) -> int:
    """Read a percentage with at most two decimals as basis points.

    >>> read_percentage("4.2"), read_percentage("-1.25 %"), read_percentage("10")
    (420, -125, 1000)
    """
    cleaned = text.strip().removesuffix("%").strip()
    try:
        basis_points = Money.parse(cleaned).pence
    except Refused:
        raise Refused(
            f"“{text[:40]}” is not a percentage. Enter one with at most two decimals, like 4.2.",
            field="percentage",
        ) from None
    if not LOWEST <= basis_points <= HIGHEST:
        raise ReviewOutOfBounds(basis_points)
    return basis_points
