"""Time beyond the balance: recorded at once, charged only after the school approves, never silently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sla_manager.agreements.rules.ledger import deduct
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money


def extra_time_value(extra: Minutes, unit: Minutes, unit_price: Money) -> Money:
    """Return what extra time costs at the line's price, rounded half up to the penny.

    >>> str(extra_time_value(Minutes(222), Minutes(444), Money(368_00)))
    '184.00'
    """
    return unit_price.times(extra.in_units(unit))


@dataclass(frozen=True, slots=True)
class SplitDelivery:
    """A delivery on a tranche: what its balance takes, what is proposed extra time, and the net of that."""

    deducted: Minutes
    extra: Minutes
    net: Money


def split_delivery(
    delivered: Minutes, balance: Minutes, *, unit: Minutes, unit_price: Money
) -> SplitDelivery:
    """Take a delivery off what is left, and price the rest; logging is never refused for lack of balance.

    >>> split = split_delivery(Minutes(4662), Minutes(4440), unit=Minutes(444), unit_price=Money(368_00))
    >>> split.deducted, split.extra, str(split.net)
    (Minutes(minutes=4440), Minutes(minutes=222), '184.00')
    """
    split = deduct(delivered, balance)
    return SplitDelivery(split.deducted, split.extra, extra_time_value(split.extra, unit, unit_price))


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
