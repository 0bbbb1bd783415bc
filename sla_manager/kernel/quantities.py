"""How many: exact decimals of at most three places, on a step."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from math import ceil

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes

PLACES = 3
_NUMBER = re.compile(r"^-?\d{1,9}(?:\.\d{1,3})?$")


class StepNotWholeMinutes(Refused):
    """A step of an offering must be a whole number of minutes, or the ledger would have to round."""

    def __init__(self, step: Decimal, unit: Minutes) -> None:
        super().__init__(
            f"A step of {plain(step)} × {unit.minutes} minutes is not a whole number of minutes. "
            "Choose another step or another length.",
            field="step",
        )


def read_quantity(text: str, *, field: str | None = "quantity") -> Decimal:
    """Read "12", "4.5" or "0.25" exactly; more than three decimals, signs of plus and exponents are refused."""
    if not isinstance(text, str):
        raise TypeError(f"a quantity is read from text, not from {type(text).__name__}")
    cleaned = text.strip().replace("½", ".5").replace("¼", ".25").replace("¾", ".75")
    cleaned = "0" + cleaned if cleaned.startswith(".") else cleaned
    if not (cleaned.isascii() and _NUMBER.match(cleaned)):
        raise Refused(f"“{text[:40]}” is not a quantity. Enter a number like 4.5.", field=field)
    return Decimal(cleaned)


def plain(quantity: Decimal) -> str:
    """Write a quantity without trailing noughts.

    >>> plain(Decimal("12.500")), plain(Decimal("100"))
    ('12.5', '100')
    """
    text = f"{quantity:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def is_on_step(quantity: Decimal, step: Decimal) -> bool:
    """Say whether a quantity is a whole number of steps."""
    return (Fraction(quantity) / Fraction(step)).denominator == 1


def first_step(least: Decimal, step: Decimal) -> Decimal:
    """Return the smallest whole number of steps that is not below a quantity.

    >>> str(first_step(Decimal("10.25"), Decimal("0.5"))), str(first_step(Decimal(4), Decimal(1)))
    ('10.5', '4')
    """
    return ceil(Fraction(least) / Fraction(step)) * step


def step_minutes(step: Decimal, unit: Minutes) -> Minutes:
    """Return the whole minutes of one step, or refuse the pair.

    >>> step_minutes(Decimal("0.5"), Minutes(444))
    Minutes(minutes=222)
    """
    exact = Fraction(step) * unit.minutes
    if step <= 0 or exact.denominator != 1:
        raise StepNotWholeMinutes(step, unit)
    return Minutes(exact.numerator)


def minutes_of(quantity: Decimal, unit: Minutes) -> Minutes:
    """Return a quantity of units as whole minutes; a fraction of a minute is refused."""
    exact = Fraction(quantity) * unit.minutes
    if exact.denominator != 1:
        raise StepNotWholeMinutes(quantity, unit)
    return Minutes(exact.numerator)
