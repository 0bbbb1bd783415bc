"""A report as it is shown and handed out: one picture, one table, the same figures on page, in CSV and in Excel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money, total

Value = str | Money | Decimal | int | date | None


@dataclass(frozen=True, slots=True)
class About:
    """What a row is about, so that a page can lead there: the kind of thing and its id."""

    kind: str
    id: int | str


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn: rows of amounts under the names of their parts. `side_by_side` compares, else parts add up."""

    title: str
    parts: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Money, ...]], ...]
    first: str
    side_by_side: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: names of columns, rows of figures, a total row where columns can be added up.

    `abouts` stands beside the rows. `empty` is said instead of a table without rows.
    """

    title: str
    names: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    numeric: frozenset[int]
    totals: tuple[Value, ...] | None = None
    abouts: tuple[About | None, ...] = ()
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report. `key` is its address, `lead` the figures that matter most, `notes` how they come about.

    `warning` is set where somebody must act. The first sheet is the one that is handed out.
    """

    key: str
    title: str
    about: str
    lead: tuple[tuple[str, Value], ...]
    sheets: tuple[Sheet, ...]
    notes: tuple[str, ...] = ()
    picture: Picture | None = None
    warning: str = ""
    filename: str = field(default="")


def totals(
    label: str, rows: Sequence[Sequence[Value]], width: int, added: Sequence[int]
) -> tuple[Value, ...]:
    """Return a total row: the label first, sums where they mean something.

    >>> totals("Total", [("a", Money(1), 2), ("b", Money(2), 3)], 3, [1, 2])
    ('Total', Money(pence=3), 5)
    """
    found: list[Value] = [label, *[None] * (width - 1)]
    for place in added:
        column = [row[place] for row in rows]
        amounts = [cell for cell in column if isinstance(cell, Money)]
        counts = [cell for cell in column if isinstance(cell, int) and not isinstance(cell, bool)]
        found[place] = total(amounts) if amounts or not counts else sum(counts)
    return tuple(found)


def days_of(length: Minutes, unit: Minutes | None) -> Decimal:
    """Return a length in the unit's days or hours for showing; hours where there is no unit."""
    return length.shown_in_units(unit or Minutes(60))


def share_of(part: Money, whole: Money) -> Decimal:
    """Return a part in per cent with one decimal; of nothing, 0.

    >>> share_of(Money(1), Money(3)), share_of(Money(0), Money(0))
    (Decimal('33.3'), Decimal('0'))
    """
    if whole.pence <= 0:
        return Decimal(0)
    return (Decimal(part.pence * 100) / whole.pence).quantize(Decimal("0.1"))
