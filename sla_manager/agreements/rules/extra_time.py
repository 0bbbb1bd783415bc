"""Time beyond the balance: recorded at once, charged only after the school approves, never silently."""

from __future__ import annotations

from collections.abc import Sequence

from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money


def extra_time_value(extra: Minutes, unit: Minutes, unit_price: Money) -> Money:
    """Return what extra time costs at the line's price, rounded half up to the penny.

    >>> str(extra_time_value(Minutes(222), Minutes(444), Money(368_00)))
    '184.00'
    """
    return unit_price.times(extra.in_units(unit))


def absorbed(added: Minutes, proposals: Sequence[Minutes]) -> tuple[Minutes, ...]:
    """Return how much of each proposal, oldest first, time that is added by a variation takes up.

    >>> absorbed(Minutes(300), [Minutes(222), Minutes(222)])
    (Minutes(minutes=222), Minutes(minutes=78))
    """
    left = max(Minutes(0), added)
    taken = []
    for proposal in proposals:
        taken.append(min(proposal, left))
        left -= taken[-1]
    return tuple(taken)
