"""What a basket holds: a line for each offering, written as it was asked for, not as it is priced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.catalogue.rules.patterns import VisitPattern
from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.quantities import plain, read_quantity

MOST_LINES = 40
KEYS_KEPT = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class BasketLine:
    """So much of one offering, or a weekly pattern of it; `year_split` says how much belongs to which year."""

    offering_id: int
    quantity: Decimal
    pattern: VisitPattern | None = None
    year_split: Mapping[FinancialYear, Decimal] | None = None

    def stored(self) -> dict[str, Any]:
        """Return the line as it is kept.

        >>> BasketLine(offering_id=3, quantity=Decimal("12.50")).stored()["quantity"]
        '12.5'
        """
        split = {
            f"{year.first}/{year.start_month}": plain(part) for year, part in (self.year_split or {}).items()
        }
        return {
            "offering": self.offering_id,
            "quantity": plain(self.quantity),
            "pattern": self.pattern.facts() if self.pattern is not None else None,
            "year_split": split or None,
        }

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> BasketLine:
        """Return a line that was kept."""
        split = row.get("year_split") or {}
        return cls(
            offering_id=int(row["offering"]),
            quantity=read_quantity(str(row["quantity"])),
            pattern=VisitPattern.of(row["pattern"]) if row.get("pattern") else None,
            year_split={_year(key): read_quantity(str(part)) for key, part in sorted(split.items())} or None,
        )


def _year(key: str) -> FinancialYear:
    first, _, month = key.partition("/")
    return FinancialYear(int(first), int(month))


@dataclass(frozen=True, slots=True, kw_only=True)
class BasketWanted:
    """Everything that a basket's page asks for."""

    lines: tuple[BasketLine, ...]
    starts_on: date
    ends_on: date
    schedule: Schedule
    paid_from: str = "budget"
    payer_id: int | None = None
    purchase_order: str = ""


class BasketChanged(Conflict):
    """Somebody else saved the basket first (N11); `version` is the one that is kept now."""

    def __init__(self, who: str, version: int) -> None:
        super().__init__(
            f"{who} changed this basket while you had it open. Nothing of yours is lost: it is still below, "
            "with what is saved now beside it. Save yours again, or keep theirs."
        )
        self.version = version


class BasketQuoted(Conflict):
    """The basket has become a quote meanwhile."""

    def __init__(self, who: str, reference: str) -> None:
        super().__init__(f"{who} made the quote {reference} of this basket. Look at it, or change it.")


class BasketFull(Refused):
    """A basket has room for so many different things."""

    def __init__(self) -> None:
        super().__init__(
            f"A basket holds at most {MOST_LINES} different services. Make a quote of these first."
        )


def with_more(lines: Sequence[BasketLine], added: BasketLine) -> tuple[BasketLine, ...]:
    """Return the lines with one more, or with more of what is there; a pattern takes the place of a number.

    >>> line = BasketLine(offering_id=3, quantity=Decimal(6))
    >>> [str(one.quantity) for one in with_more([line], line)]
    ['12']
    """
    if all(one.offering_id != added.offering_id for one in lines):
        if len(lines) >= MOST_LINES:
            raise BasketFull
        return (*lines, added)
    return tuple(_joined(one, added) if one.offering_id == added.offering_id else one for one in lines)


def _joined(old: BasketLine, added: BasketLine) -> BasketLine:
    if old.pattern is not None or added.pattern is not None:
        return added
    return replace(added, quantity=old.quantity + added.quantity)


def without(lines: Iterable[BasketLine], offering_id: int) -> tuple[BasketLine, ...]:
    """Return the lines without an offering, or `NotFound` when it is not among them."""
    kept = tuple(lines)
    left = tuple(one for one in kept if one.offering_id != offering_id)
    if len(left) == len(kept):
        raise NotFound("This is not in the basket any more.")
    return left
