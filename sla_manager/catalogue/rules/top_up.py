"""What a change of a signed quantity costs: more, or less, of what was agreed."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sla_manager.catalogue.rules.shapes import PriceShape, TopUp, tier_price, tiers_of
from sla_manager.kernel.money import Money


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
    quantity, the agreed top-up rule decides. Taking away from a line whose price was lowered gives back its part
    of what was paid, never more.

    >>> tiers = {"tiers": [["1", "565.00"], ["4", "500.00"]], "top_up": "cumulative"}
    >>> str(change_net(Decimal(1), now=Decimal(3), now_net=Money(1695_00), unit_price=Money(565_00),
    ...                shape=PriceShape.TIERS, facts=tiers, is_lowered=False))
    '305.00'
    """
    if change < 0 and is_lowered and now > 0:
        return now_net.times(Fraction(change) / Fraction(now))
    if shape is not PriceShape.TIERS or "tiers" not in facts:
        return unit_price.times(change)
    rule = TopUp(str(facts.get("top_up", TopUp.ORIGINAL.value)))
    tiers = tiers_of(facts)
    if rule is TopUp.CUMULATIVE:
        after = now + change
        return tier_price(tiers, after).times(after) - tier_price(tiers, now).times(now)
    if rule is TopUp.STAND_ALONE and change > 0:
        return tier_price(tiers, change).times(change)
    return unit_price.times(change)
