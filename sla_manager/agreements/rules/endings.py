"""What stays payable when an agreement ends before its last day, and which documents follow from it.

An end by notice, by consent or by the closure of a school: each financial year's part is payable by its months, and
never less than what was delivered. A transfer to another customer: what was delivered is payable, the rest goes on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from sla_manager.agreements.rules.lapse import lapse_value
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money, half_up, total
from sla_manager.kernel.periods import Period, add_months, months_weight
from sla_manager.kernel.words import counted, long_date

_NO_TIME = Minutes(0)


class NoEarlyEnd(Refused):
    """An agreement without notice runs to its last day, unless both sides consent."""

    def __init__(self, reference: str, ends_on: date) -> None:
        super().__init__(
            f"{reference} has no notice period: it runs to {long_date(ends_on)}. "
            "It can end earlier only when both sides consent, with a recorded reason.",
            field="cause",
        )


class EndsByItself(Refused):
    """Notice that runs out after the last day changes nothing."""

    def __init__(self, months: int, runs_out: date, ends_on: date) -> None:
        super().__init__(
            f"{counted(months, 'month')} of notice run to {long_date(runs_out)}. "
            f"The agreement ends by itself on {long_date(ends_on)}.",
            field="notice_on",
        )


def notice_runs_to(notice_on: date, months: int) -> date:
    """Return the last day of an agreement of which notice was given on a day.

    >>> str(notice_runs_to(date(2025, 8, 31), 3))
    '2025-11-30'
    """
    return add_months(notice_on, months)


def end_by_notice(reference: str, *, starts_on: date, ends_on: date, months: int, notice_on: date) -> date:
    """Return the last day after notice, or refuse: without a notice period, or when it runs past the end."""
    if not months:
        raise NoEarlyEnd(reference, ends_on)
    last = notice_runs_to(max(notice_on, starts_on), months)
    if last >= ends_on:
        raise EndsByItself(months, last, ends_on)
    return last


@dataclass(frozen=True, slots=True, kw_only=True)
class YearPart:
    """One financial year's part of a line, variations included. Time is None where it is not counted.

    `used` is what was delivered, charged, credited or has lapsed: it cannot be taken back.
    """

    starts_on: date
    ends_on: date
    net: Money
    bought: Minutes | None = None
    used: Minutes = _NO_TIME

    @property
    def used_net(self) -> Money:
        """What the used time cost: all of it used is exactly its net."""
        return Money(0) if self.bought is None else lapse_value(self.used, self.bought, self.net)


@dataclass(frozen=True, slots=True)
class Kept:
    """What of a year's part stays: time (None where it is not counted) and money."""

    minutes: Minutes | None
    net: Money


def share_until(part: YearPart, last: date) -> Fraction:
    """Return how much of a part lies on or before a day, by months.

    >>> year = YearPart(starts_on=date(2025, 4, 1), ends_on=date(2026, 3, 31), net=Money(4416_00))
    >>> share_until(year, date(2025, 11, 30))
    Fraction(2, 3)
    """
    if last >= part.ends_on:
        return Fraction(1)
    if last < part.starts_on:
        return Fraction(0)
    return months_weight(Period.through(part.starts_on, last)) / months_weight(
        Period.through(part.starts_on, part.ends_on)
    )


def kept_by_months(part: YearPart, last: date) -> Kept:
    """Return what is payable when it ends on a day: by months, half up, and never less than what was used.

    >>> year = YearPart(starts_on=date(2025, 4, 1), ends_on=date(2026, 3, 31), net=Money(4416_00),
    ...                 bought=Minutes(12 * 444), used=Minutes(10 * 444))
    >>> str(kept_by_months(year, date(2025, 11, 30)).net)
    '3680.00'
    """
    share = share_until(part, last)
    net = part.net.times(share)
    if part.bought is None:
        return Kept(None, net)
    minutes = Minutes(half_up(part.bought.minutes * share))
    return Kept(max(minutes, part.used), max(net, part.used_net))


def kept_by_delivery(part: YearPart, last: date) -> Kept:
    """Return what stays with the customer until a day when the rest goes on elsewhere: what was used.

    A year that is over by then keeps everything (it lapses there). What is not counted in time is cut by months.

    >>> part = YearPart(starts_on=date(2025, 10, 14), ends_on=date(2026, 3, 31), net=Money(4416_00),
    ...                 bought=Minutes(12 * 444), used=Minutes(7 * 444))
    >>> str(kept_by_delivery(part, date(2025, 12, 31)).net)
    '2576.00'
    """
    if last >= part.ends_on:
        return Kept(part.bought, part.net)
    if part.bought is None:
        return Kept(None, part.net.times(share_until(part, last)))
    return Kept(part.used, part.used_net)


@dataclass(frozen=True, slots=True)
class PlannedDocument:
    """A document of the agreement as it was arranged: which, when, and each line's part in it."""

    instalment_id: int
    purpose: str
    due_on: date
    parts: Mapping[int, Money]


@dataclass(frozen=True, slots=True)
class Settlement:
    """Which documents count, which are dropped, and per line what is still to be charged (or credited)."""

    counted: tuple[int, ...]
    dropped: tuple[int, ...]
    issued: Mapping[int, Money]
    differences: Mapping[int, Money]

    @property
    def difference(self) -> Money:
        """The sum of what is to be charged; below nothing, a credit."""
        return total(self.differences.values())


def settle(
    payable: Mapping[int, Money],
    documents: Sequence[PlannedDocument],
    *,
    billed: Collection[int],
    through: date,
    elsewhere: Mapping[int, Money] | None = None,
) -> Settlement:
    """Compare what is payable of each line with what was billed or still will be until a day.

    Counted: what is billed already, what is due by then, and every variation's own document. Everything later is
    dropped. What was counted and the differences always add up to what is payable. `elsewhere` is what another system
    billed of a line before it was taken over.

    >>> planned = [PlannedDocument(1, "instalment", date(2025, 10, 14), {7: Money(1472_00)}),
    ...            PlannedDocument(2, "instalment", date(2026, 1, 1), {7: Money(1472_00)}),
    ...            PlannedDocument(3, "instalment", date(2026, 3, 1), {7: Money(1472_00)})]
    >>> found = settle({7: Money(2576_00)}, planned, billed={1, 2}, through=date(2025, 12, 31))
    >>> found.dropped, str(found.difference)
    ((3,), '-368.00')
    """
    counts = [
        one
        for one in documents
        if one.purpose != "instalment" or one.instalment_id in billed or one.due_on <= through
    ]
    counted = {one.instalment_id for one in counts}
    before = elsewhere or {}
    issued = {
        line: before.get(line, Money(0)) + total(one.parts.get(line, Money(0)) for one in counts)
        for line in payable
    }
    return Settlement(
        counted=tuple(one.instalment_id for one in counts),
        dropped=tuple(one.instalment_id for one in documents if one.instalment_id not in counted),
        issued=issued,
        differences={line: net - issued[line] for line, net in payable.items() if net != issued[line]},
    )
