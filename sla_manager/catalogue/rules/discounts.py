"""What is taken off a price: early bird, take-all, subscriber; and the free item from a threshold.

Of several that would lower one line the one that takes off most counts, never two together. A free item is added
besides. What is taken off is rounded once, half up, for the line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from sla_manager.kernel.money import Money
from sla_manager.kernel.titles import Titled
from sla_manager.kernel.words import counted, long_date, per_cent, pounds
from sla_manager.people.rules.customer_classes import CustomerClass


class DiscountKind(Titled):
    """For what a price is lowered."""

    EARLY_BIRD = "early_bird", "Early bird: ordered by a day"
    TAKE_ALL = "take_all", "All of a list is bought"
    SUBSCRIBER = "subscriber", "Another agreement runs"
    BUNDLE = "bundle", "A free item from a quantity on"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscountRule:
    """A discount as rules see it. Empty sets of offerings and classes mean all of them."""

    kind: DiscountKind
    name: str
    percent: int | None = None
    unit_price: Money | None = None
    threshold: Decimal | None = None
    free_quantity: Decimal | None = None
    offering_ids: frozenset[int] = frozenset()
    needs_ids: frozenset[int] = frozenset()
    customer_classes: frozenset[CustomerClass] = frozenset()
    starts_on: date
    ends_on: date | None = None

    def can_be_had(self, on: date, customer_class: CustomerClass) -> bool:
        """Say whether it can be had on a day, its last day included, by a kind of customer."""
        in_time = self.starts_on <= on and (self.ends_on is None or on <= self.ends_on)
        return in_time and (not self.customer_classes or customer_class in self.customer_classes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basket:
    """What discounts look at: what is bought together, what the school has running, the day, the customer."""

    bought: Mapping[int, Decimal]
    running: frozenset[int] = frozenset()
    on: date
    customer_class: CustomerClass


@dataclass(frozen=True, slots=True)
class TakenOff:
    """What a discount takes off a line, and its sentence; `last_day` is the last on which it can be had."""

    amount: Money
    words: str
    last_day: date | None


def best_discount(
    rules: Iterable[DiscountRule],
    basket: Basket,
    *,
    offering_id: int,
    quantity: Decimal,
    net: Money,
    part: Fraction = Fraction(1),
) -> TakenOff | None:
    """Return the discount that takes off most of a line, or None; of two alike, the older.

    `part` is how many yearly prices the line pays: another price is for as many.

    >>> early = DiscountRule(kind=DiscountKind.EARLY_BIRD, name="Early bird", percent=500,
    ...                      starts_on=date(2026, 1, 5), ends_on=date(2026, 2, 28))
    >>> basket = Basket(bought={7: Decimal(10)}, on=date(2026, 2, 28), customer_class=CustomerClass.ACADEMY)
    >>> off = best_discount([early], basket, offering_id=7, quantity=Decimal(10), net=Money(3680_00))
    >>> str(off.amount), off.words
    ('184.00', 'Early bird 5 % until 28 February 2026: −£184.00')
    """
    found = [
        off
        for rule in rules
        if (off := _taken_off(rule, basket, offering_id, Fraction(quantity) * part, net)) is not None
    ]
    return max(found, key=lambda off: off.amount.pence) if found else None


def _taken_off(
    rule: DiscountRule, basket: Basket, offering_id: int, quantity: Fraction, net: Money
) -> TakenOff | None:
    if rule.kind is DiscountKind.BUNDLE or not rule.can_be_had(basket.on, basket.customer_class):
        return None
    if rule.offering_ids and offering_id not in rule.offering_ids:
        return None
    if not _earned(rule, basket):
        return None
    if rule.unit_price is not None:
        amount = net - rule.unit_price.times(quantity)
        how = f"{pounds(rule.unit_price)} each"
    else:
        amount = net.per_cent(rule.percent or 0)
        how = per_cent(rule.percent or 0)
    if amount.pence <= 0:
        return None
    until = rule.ends_on if rule.kind is DiscountKind.EARLY_BIRD else None
    when = f" until {long_date(until)}" if until else ""
    return TakenOff(amount, f"{rule.name} {how}{when}: −{pounds(amount)}", until)


def _earned(rule: DiscountRule, basket: Basket) -> bool:
    if rule.kind is DiscountKind.TAKE_ALL:
        return bool(rule.needs_ids) and rule.needs_ids <= set(basket.bought)
    if rule.kind is DiscountKind.SUBSCRIBER:
        return bool(rule.needs_ids & (basket.running | set(basket.bought)))
    return True


@dataclass(frozen=True, slots=True)
class FreeItem:
    """An item that comes free with what is bought, and why."""

    offering_id: int
    quantity: Decimal
    words: str


def free_items(rules: Iterable[DiscountRule], basket: Basket, *, units: Mapping[int, str]) -> list[FreeItem]:
    """Return what comes free: `units` names what each offering is counted in.

    >>> bundle = DiscountRule(kind=DiscountKind.BUNDLE, name="Free audit", threshold=Decimal(10),
    ...                       free_quantity=Decimal(1), offering_ids=frozenset({9}), needs_ids=frozenset({7}),
    ...                       starts_on=date(2026, 1, 1))
    >>> basket = Basket(bought={7: Decimal(12)}, on=date(2026, 2, 1), customer_class=CustomerClass.ACADEMY)
    >>> [(one.offering_id, one.words) for one in free_items([bundle], basket, units={7: "day", 9: "audit"})]
    [(9, 'Free audit: 1 audit at no charge from 10 days on')]
    """
    found: dict[int, FreeItem] = {}
    for rule in rules:
        if rule.kind is not DiscountKind.BUNDLE or not rule.can_be_had(basket.on, basket.customer_class):
            continue
        bought = sum((basket.bought.get(one, Decimal(0)) for one in rule.needs_ids), Decimal(0))
        if rule.threshold is None or rule.free_quantity is None or bought < rule.threshold:
            continue
        unit = units.get(next(iter(sorted(rule.needs_ids)), 0), "unit")
        for offering_id in sorted(rule.offering_ids):
            known = found.get(offering_id)
            if known is None or known.quantity < rule.free_quantity:
                words = (
                    f"{rule.name}: {counted(rule.free_quantity, units.get(offering_id, 'item'))} at no charge "
                    f"from {counted(rule.threshold, unit)} on"
                )
                found[offering_id] = FreeItem(offering_id, rule.free_quantity, words)
    return list(found.values())
