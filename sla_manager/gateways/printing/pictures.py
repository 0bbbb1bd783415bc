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
from sla_manager.gateways.printing.wording import in_units, pounds, short_date
from sla_manager.kernel.money import Money, apportion

LONGEST_SCHEDULE_DRAWN = 12
BAR_WIDTH = 1_000
"""Units in a full bar; the drawing is scaled to the width of the text."""

Filling = Literal["solid", "striped", "plain", "dotted", "crossed", "grey"]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a bar: where it lies, how it is filled and what it says."""

    left: int
    width: int
    filling: Filling
    words: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar and the sentence that says the same in words."""

    parts: tuple[Part, ...]
    sentence: str


def _bar(shares: Sequence[tuple[int, Filling, str]], sentence: str) -> Bar | None:
    drawn = [share for share in shares if share[0] > 0]
    if not drawn:
        return None
    parts: list[Part] = []
    left = 0
    widths = apportion(BAR_WIDTH, [size for size, _, _ in drawn])
    for (_, filling, words), width in zip(drawn, widths, strict=True):
        parts.append(Part(left, width, filling, words))
        left += width
    return Bar(tuple(parts), sentence)


def balance_bar(tranche: TrancheStatement) -> Bar | None:
    """Draw where the time of a tranche went: used, charged, credited, lost, booked and free to book."""
    sizes: tuple[tuple[int, Filling, str], ...] = (
        (tranche.delivered, "solid", "delivered"),
        (tranche.charged, "grey", "charged"),
        (tranche.credited, "dotted", "credited"),
        (tranche.lapsed, "crossed", "lapsed"),
        (tranche.booked, "striped", "booked"),
        (tranche.free_to_book, "plain", "free to book"),
    )
    shares = [
        (size, filling, f"{in_units(size, tranche.unit_minutes, tranche.unit)} {word}")
        for size, filling, word in sizes
    ]
    told = ", ".join(words for size, _, words in shares if size > 0)
    return _bar(shares, f"{tranche.offering}, {tranche.year}: {told}.")


def schedule_bar(schedule: Sequence[PaymentDue], *, shows_vat: bool) -> Bar | None:
    """Draw the payment schedule: one part for each document, as wide as its amount."""
    if not 2 <= len(schedule) <= LONGEST_SCHEDULE_DRAWN:
        return None
    fillings: tuple[Filling, Filling] = ("solid", "grey")
    shares: list[tuple[int, Filling, str]] = []
    for index, payment in enumerate(schedule):
        amount = payment.gross if shows_vat else payment.net
        words = f"{payment.label}, {short_date(payment.issued_on)}: {pounds(amount)}"
        shares.append((Money.parse(amount).pence, fillings[index % 2], words))
    return _bar(shares, f"Payment schedule. {'; '.join(words for _, _, words in shares)}.")
