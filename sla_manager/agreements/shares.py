"""How a line's quantity is cut by financial years, as it is stored with the line and signed with the quote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from sla_manager.agreements.models import Variation
from sla_manager.agreements.rules.tranches import TranchePart
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.quantities import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class YearShare:
    """One financial year's part of a line. `minutes` is None where time is not counted."""

    year: int
    starts_on: date
    ends_on: date
    quantity: Decimal
    minutes: Minutes | None
    net: Money

    def varied(self, variations: Iterable[Variation]) -> YearShare:
        """Return the share with the year's variations."""
        own = [one for one in variations if one.year == self.year]
        return replace(
            self,
            quantity=self.quantity + sum((one.quantity for one in own), Decimal(0)),
            net=self.net + total(one.net for one in own),
        )


def written_shares(parts: Sequence[TranchePart]) -> list[dict[str, Any]]:
    """Return the parts as facts: amounts and quantities as text."""
    return [
        {
            "year": part.year.first,
            "starts_on": part.period.start.isoformat(),
            "ends_on": part.period.last.isoformat(),
            "quantity": plain(part.quantity),
            "minutes": None if part.minutes is None else part.minutes.minutes,
            "net": str(part.net),
        }
        for part in parts
    ]


def read_shares(stored: Sequence[Mapping[str, Any]]) -> list[YearShare]:
    """Return what was written, in types."""
    return [
        YearShare(
            year=row["year"],
            starts_on=date.fromisoformat(row["starts_on"]),
            ends_on=date.fromisoformat(row["ends_on"]),
            quantity=Decimal(row["quantity"]),
            minutes=None if row["minutes"] is None else Minutes(row["minutes"]),
            net=Money.parse(row["net"]),
        )
        for row in stored
    ]
