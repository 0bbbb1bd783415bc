"""How much of something a package includes."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.money import half_up
from sla_manager.kernel.quantities import is_on_step, plain


class PartOffStep(Refused):
    """A package's included quantity that its offering cannot be sold in."""

    def __init__(self, package: str, part: str, quantity: Decimal, step: Decimal) -> None:
        super().__init__(
            f"“{package}” would include {plain(quantity)} of “{part}”, which is sold in steps of {plain(step)}. "
            "Choose another number.",
            field="quantity",
        )


def included(quantity: Decimal, part: Fraction, *, step: Decimal, package: str, name: str) -> Decimal:
    """Return how much of an offering is included, when a part of the yearly package is bought.

    A whole package includes exactly what it says. A part of one includes its part to the nearest step, half up,
    and never less than one step.

    >>> str(included(Decimal(10), Fraction(5, 12), step=Decimal("0.5"), package="Gold", name="Day"))
    '4.0'
    >>> str(included(Decimal(1), Fraction(1, 12), step=Decimal(1), package="Gold", name="Audit"))
    '1'
    """
    if part == 1:
        if not is_on_step(quantity, step):
            raise PartOffStep(package, name, quantity, step)
        return quantity
    return max(half_up(Fraction(quantity) * part / Fraction(step)), 1) * step
