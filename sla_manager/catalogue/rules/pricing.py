"""What a line costs, and which version of a price holds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Protocol, TypeVar

from sla_manager.kernel.errors import Broken, Refused
from sla_manager.kernel.money import Money
from sla_manager.kernel.words import counted, long_date, pounds
from sla_manager.people.rules.customer_classes import CustomerClass


class PriceVersion(Protocol):
    """A price for a class that holds from a day until (not including) another."""

    @property
    def customer_class(self) -> CustomerClass: ...
    @property
    def starts_on(self) -> date: ...
    @property
    def ends_on(self) -> date | None: ...


P = TypeVar("P", bound=PriceVersion)


class NoPrice(Refused):
    """An offering without a price cannot be ordered."""

    def __init__(self, name: str, customer_class: CustomerClass, on: date) -> None:
        super().__init__(
            f"{name} has no price for {customer_class.described} on {long_date(on)}, so it cannot "
            "be ordered. Ask the service for a quote.",
            field="offering",
        )


def line_net(quantity: Decimal, unit_price: Money) -> Money:
    """Return quantity × unit price, rounded once, half up to the penny.

    >>> str(line_net(Decimal("0.5"), Money(415_25))), str(line_net(Decimal("288.6"), Money(33_00)))
    ('207.63', '9523.80')
    """
    return unit_price.times(quantity)


def price_on(versions: Iterable[P], *, customer_class: CustomerClass, on: date, name: str) -> P:
    """Return the one version that holds for a class on a day.

    Raises `NoPrice` where there is none, and `Broken` where two hold, which the books forbid.
    """
    holding = [
        version for version in versions if version.customer_class == customer_class and holds_on(version, on)
    ]
    if not holding:
        raise NoPrice(name, customer_class, on)
    if len(holding) > 1:
        raise Broken(f"{len(holding)} prices of {name} hold for {customer_class.value} on {on}.")
    return holding[0]


def holds_on(version: PriceVersion, on: date) -> bool:
    """Say whether a version holds on a day: from its start, up to and not including its end."""
    return version.starts_on <= on and (version.ends_on is None or on < version.ends_on)


def overlap(one: PriceVersion, other: PriceVersion) -> bool:
    """Say whether two versions of a class share a day; versions that only touch do not."""
    return (
        one.customer_class == other.customer_class
        and (other.ends_on is None or one.starts_on < other.ends_on)
        and (one.ends_on is None or other.starts_on < one.ends_on)
    )


class PricesOverlap(Refused):
    """Two prices of a class would hold on the same day."""

    def __init__(self, existing: PriceVersion) -> None:
        until = f" until {long_date(existing.ends_on)}" if existing.ends_on else ""
        super().__init__(
            f"A price already holds for {existing.customer_class.described} from "
            f"{long_date(existing.starts_on)}{until}. End that price first, or choose other dates.",
            field="starts_on",
        )


def refuse_overlap(new: PriceVersion, existing: Iterable[PriceVersion]) -> None:
    """Refuse a new price that would hold together with one that exists."""
    for version in existing:
        if overlap(new, version):
            raise PricesOverlap(version)


def explain_line(quantity: Decimal, unit: str, unit_price: Money) -> str:
    """Say how a line's net came about.

    >>> explain_line(Decimal(12), "day", Money(368_00))
    '12 days × £368.00 = £4,416.00'
    """
    return f"{counted(quantity, unit)} × {pounds(unit_price)} = {pounds(line_net(quantity, unit_price))}"
