"""Bars for paper: shapes in whole units, worked out here so that templates only draw them.

Widths are shared out with the kernel's largest remainder, so the parts fill the bar exactly and the same
facts always draw the same picture. Each part is told from the next by its filling, not by its colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sla_manager.gateways.printing.agreement_facts import PaymentDue
from sla_manager.gateways.printing.facts import TrancheStatement
from sla_manager.gateways.printing.wording import in_units, long_date, pounds
from sla_manager.kernel.money import Money, apportion

BAR_WIDTH = 1_000
"""Units in a full bar; the drawing is scaled to the width of the text."""

Filling = Literal["solid", "striped", "plain", "dotted", "grey"]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a bar: where it lies, how it is filled, its name and what it stands for."""

    left: int
    width: int
    filling: Filling
    label: str
    value: str

    @property
    def middle(self) -> int:
        """The unit at which a word under the part is centred."""
        return self.left + self.width // 2


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar and the sentence that says the same in words."""

    parts: tuple[Part, ...]
    sentence: str


def _bar(shares: Sequence[tuple[int, Filling, str, str]], sentence: str) -> Bar | None:
    drawn = [share for share in shares if share[0] > 0]
    if not drawn:
        return None
    parts: list[Part] = []
    left = 0
    for (_, filling, label, value), width in zip(
        drawn, apportion(BAR_WIDTH, [s[0] for s in drawn]), strict=True
    ):
        parts.append(Part(left, width, filling, label, value))
        left += width
    return Bar(tuple(parts), sentence)


def balance_bar(tranche: TrancheStatement) -> Bar | None:
    """Draw where the time of a tranche went: used, charged, credited, lost, booked and free to book."""
    shares: list[tuple[int, Filling, str]] = [
        (tranche.delivered, "solid", "delivered"),
        (tranche.charged, "grey", "charged"),
        (tranche.credited, "dotted", "credited"),
        (tranche.lapsed, "dotted", "lapsed"),
        (tranche.booked, "striped", "booked"),
        (tranche.free_to_book, "plain", "free to book"),
    ]
    written = [
        (minutes, filling, label, in_units(minutes, tranche.unit_minutes, tranche.unit))
        for minutes, filling, label in shares
    ]
    told = ", ".join(f"{value} {label}" for minutes, _, label, value in written if minutes > 0)
    return _bar(written, f"{tranche.offering}, {tranche.year}: {told}.")


def schedule_bar(schedule: Sequence[PaymentDue], *, shows_vat: bool) -> Bar | None:
    """Draw the payment schedule: one part for each document, as wide as its amount."""
    if not 2 <= len(schedule) <= 12:
        return None
    amounts = [payment.gross if shows_vat else payment.net for payment in schedule]
    fillings: tuple[Filling, Filling] = ("solid", "grey")
    shares = [
        (max(Money.parse(amount).pence, 0), fillings[index % 2], payment.label, pounds(amount))
        for index, (payment, amount) in enumerate(zip(schedule, amounts, strict=True))
    ]
    told = "; ".join(
        f"{p.label}, {long_date(p.issued_on)}: {s[3]}" for p, s in zip(schedule, shares, strict=True)
    )
    return _bar(shares, f"Payment schedule. {told}.")
