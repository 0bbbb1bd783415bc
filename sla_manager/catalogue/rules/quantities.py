"""How much may be ordered: minimum, maximum, step, for the whole agreement or for each term."""

from __future__ import annotations

from decimal import Decimal

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.quantities import first_step, is_on_step, plain, read_quantity

_STEP_WORDS = {"0.5": "half", "0.25": "quarter", "0.1": "tenth"}


class QuantityRefused(Refused):
    """A quantity outside its limits or off its step; the message says what is allowed."""

    def __init__(
        self, unit: str, minimum: Decimal, maximum: Decimal | None, step: Decimal, basis: str
    ) -> None:
        super().__init__(quantity_hint(unit, minimum, maximum, step, basis), field="quantity")


def quantity_hint(unit: str, minimum: Decimal, maximum: Decimal | None, step: Decimal, basis: str) -> str:
    """Say what may be entered.

    >>> quantity_hint("day", Decimal(1), Decimal(40), Decimal("0.5"), "agreement")
    'Enter a number of days between 1 and 40, in half days, like 4.5.'
    """
    units = f"{unit}s"
    limits = (
        f"between {plain(minimum)} and {plain(maximum)}"
        if maximum is not None
        else f"of {plain(minimum)} or more"
    )
    each = " for each term" if basis == "term" else ""
    if step == 1:
        in_steps = "whole " + units
    else:
        part = _STEP_WORDS.get(plain(step))
        in_steps = f"{part} {units}" if part else f"steps of {plain(step)}"
    first = first_step(minimum, step)
    example = first + step * 7 if maximum is None or first + step * 7 <= maximum else first
    return f"Enter a number of {units}{each} {limits}, in {in_steps}, like {plain(example)}."


def check_quantity(
    quantity: Decimal,
    *,
    unit: str,
    minimum: Decimal,
    maximum: Decimal | None,
    step: Decimal,
    basis: str = "agreement",
) -> None:
    """Refuse a quantity (per term where `basis` is term) that is off its step or outside its limits."""
    too_large = maximum is not None and quantity > maximum
    if quantity <= 0 or quantity < minimum or too_large or not is_on_step(quantity, step):
        raise QuantityRefused(unit, minimum, maximum, step, basis)


def read_within(
    text: str,
    *,
    unit: str,
    minimum: Decimal,
    maximum: Decimal | None,
    step: Decimal,
    basis: str = "agreement",
) -> Decimal:
    """Read what was typed; anything that may not be ordered is refused with what may.

    >>> read_within("4.5", unit="day", minimum=Decimal(1), maximum=Decimal(40), step=Decimal("0.5"))
    Decimal('4.5')
    """
    try:
        quantity = read_quantity(text)
    except Refused as not_a_number:
        raise QuantityRefused(unit, minimum, maximum, step, basis) from not_a_number
    check_quantity(quantity, unit=unit, minimum=minimum, maximum=maximum, step=step, basis=basis)
    return quantity


class NoTerm(Refused):
    """Something that is ordered for each term needs an agreement with at least one."""

    def __init__(self) -> None:
        super().__init__("These dates do not touch a school term. Choose other dates.", field="starts_on")


def whole_quantity(quantity: Decimal, *, basis: str, terms: int) -> Decimal:
    """Return the quantity of the whole agreement: what is ordered for each term counts once for each.

    >>> whole_quantity(Decimal(12), basis="term", terms=3)
    Decimal('36')
    >>> whole_quantity(Decimal(12), basis="agreement", terms=3)
    Decimal('12')
    """
    if basis != "term":
        return quantity
    if terms < 1:
        raise NoTerm
    return quantity * terms
