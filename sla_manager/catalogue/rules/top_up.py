"""What a change of a signed quantity costs: more, or less, of what was agreed."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sla_manager.catalogue.rules.shapes import PriceShape, TopUp, tier_price, tiers_of
from sla_manager.kernel.money import Money

NOTHING = Money(0)


def change_net(
    change: Decimal,
    *,
    now: Decimal,
    now_net: Money,
    unit_price: Money,
    shape: PriceShape,
    facts: Mapping[str, Any],
    is_lowered: bool,
) -> Money:
    """Return what a change costs; below nothing, what is given back.

    `now` and `now_net` are the quantity and net as they stand, variations included. Where the price falls with the
    quantity, the agreed top-up rule decides what more costs. What is added to a line whose price was lowered costs
    the list price of the day of signing. Taking away gives back its part of what was agreed, never more; by the
    cumulative rule it gives back what the whole then costs less, and never costs anything.

    >>> tiers = {"tiers": [["1", "565.00"], ["4", "500.00"]], "top_up": "cumulative"}
    >>> str(change_net(Decimal(1), now=Decimal(3), now_net=Money(1695_00), unit_price=Money(565_00),
    ...                shape=PriceShape.TIERS, facts=tiers, is_lowered=False))
    '305.00'
    """
    tiers = tiers_of(facts) if shape is PriceShape.TIERS and "tiers" in facts else []
    rule = TopUp(str(facts.get("top_up", TopUp.ORIGINAL.value)))
    part = Fraction(str(facts.get("part_of_year", 1)))
    if change < 0:
        if tiers and rule is TopUp.CUMULATIVE and not is_lowered:
            return min(_whole(tiers, now + change, part) - now_net, NOTHING)
        return now_net.times(Fraction(change) / Fraction(now)) if now > 0 else NOTHING
    if tiers and rule is TopUp.CUMULATIVE:
        before = _whole(tiers, now, part) if is_lowered else now_net
        return _whole(tiers, now + change, part) - before
    each = tier_price(tiers, change) if tiers and rule is TopUp.STAND_ALONE else unit_price
    return each.times(Fraction(change) * part)


def _whole(tiers: list[tuple[Decimal, Money]], quantity: Decimal, part: Fraction) -> Money:
    return tier_price(tiers, quantity).times(Fraction(quantity) * part)
