"""When an agreement is paid for: how many documents, on which dates, and how much of each line is in each.

Instalments split *net*; each document then computes its own VAT, so that a quote states the total of the
documents that will be issued. A document of nothing does not exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sla_manager.kernel.money import Money, apportion_table, total
from sla_manager.kernel.periods import Period, calendar_months, month_of
from sla_manager.kernel.titles import Titled


class Schedule(Titled):
    """How an agreement is paid for."""

    SINGLE = "single", "One payment"
    THREE = "three", "Three termly payments"
    SEVEN_FIVE = "seven-five", "Two payments: seven twelfths, then five twelfths"
    MONTHLY = "monthly", "Equal monthly payments"
    ON_DELIVERY = "on_delivery", "After each delivery"


@dataclass(frozen=True, slots=True)
class PlannedInstalment:
    """A document that is to be issued: its date (the tax point) and each line's part, in the lines' order."""

    position: int
    count: int
    due_on: date
    parts: tuple[Money, ...]

    @property
    def net(self) -> Money:
        """The sum of the parts."""
        return total(self.parts)

    @property
    def words(self) -> str:
        """Which one it is: "instalment 1 of 3"."""
        return f"instalment {self.position} of {self.count}"


TERM_BEGINNINGS = ((1, 1), (4, 1), (9, 1))
"""Month and day on which a bill for the spring, summer and autumn term is raised."""

_TOO_SOON = timedelta(days=28)


def instalment_weights(schedule: Schedule, term: Period) -> tuple[int, ...]:
    """Return what share of the net each instalment has; on delivery there are none beforehand.

    >>> instalment_weights(Schedule.MONTHLY, Period.through(date(2025, 10, 14), date(2026, 3, 31)))
    (1, 1, 1, 1, 1, 1)
    """
    if schedule is Schedule.SINGLE:
        return (1,)
    if schedule is Schedule.THREE:
        return (1, 1, 1)
    if schedule is Schedule.SEVEN_FIVE:
        return (7, 5)
    return (1,) * sum(1 for _ in calendar_months(term)) if schedule is Schedule.MONTHLY else ()


def instalment_dates(schedule: Schedule, term: Period, *, start_month: int = 4) -> tuple[date, ...]:
    """Return the dates of an agreement's instalments: never before its start, never after its end.

    - `single`: the start.
    - `three`: the start, then the next two term beginnings (1 January, 1 April, 1 September) that lie in the
      agreement and at least four weeks after its start. Where fewer lie in it, what is missing is spread
      evenly over the rest, on the first of a month where one is near.
    - `seven-five`: the start, and the next start of a financial year inside the agreement; without one, seven
      twelfths of the way through, on the first of a month where one is near.
    - `monthly`: the start, and the first of each further calendar month that the agreement touches.

    >>> [str(day) for day in instalment_dates(
    ...     Schedule.THREE, Period.through(date(2025, 10, 14), date(2026, 3, 31)))]
    ['2025-10-14', '2026-01-01', '2026-03-01']
    >>> [str(day) for day in instalment_dates(
    ...     Schedule.SEVEN_FIVE, Period.through(date(2025, 9, 1), date(2026, 8, 31)))]
    ['2025-09-01', '2026-04-01']
    """
    if schedule is Schedule.SINGLE:
        return (term.start,)
    if schedule is Schedule.THREE:
        return _termly(term)
    if schedule is Schedule.SEVEN_FIVE:
        return (term.start, _second_of_two(term, start_month))
    if schedule is Schedule.MONTHLY:
        return tuple(max(month.start, term.start) for month in calendar_months(term))
    return ()


def _termly(term: Period) -> tuple[date, ...]:
    begins = [
        day
        for year in (term.start.year, term.start.year + 1)
        for month, first in TERM_BEGINNINGS
        if (day := date(year, month, first)) in term and day - term.start >= _TOO_SOON
    ]
    dates = [term.start, *begins[:2]]
    missing = 3 - len(dates)
    rest = Period(dates[-1], term.end)
    for number in range(1, missing + 1):
        dates.append(_near_first_of_month(_part_way(rest, number, missing + 1), after=dates[-1], term=term))
    return tuple(dates)


def _second_of_two(term: Period, start_month: int) -> date:
    for year in (term.start.year, term.start.year + 1):
        day = date(year, start_month, 1)
        if day in term and day > term.start:
            return day
    return _near_first_of_month(_part_way(term, 7, 12), after=term.start, term=term)


def _part_way(term: Period, numerator: int, denominator: int) -> date:
    """Return the day that far through a period, rounded up to a whole day, and still inside it."""
    days = -(-term.days * numerator // denominator)
    return min(term.start + timedelta(days=days), term.last)


def _near_first_of_month(day: date, *, after: date, term: Period) -> date:
    """Return the nearest first of a month when it lies in the term and after a date, else the day itself."""
    month = month_of(day)
    nearest = month.start if day - month.start < month.end - day else month.end
    return nearest if nearest > after and nearest in term else day


def plan_instalments(
    schedule: Schedule, term: Period, line_nets: Sequence[Money], *, start_month: int = 4
) -> tuple[PlannedInstalment, ...]:
    """Share the lines' nets among the instalments, leaving out those of nothing.

    Each instalment is the exact share of the whole, and each line's parts add up to the line.

    >>> from datetime import date
    >>> year = Period.through(date(2025, 4, 1), date(2026, 3, 31))
    >>> [str(planned.net) for planned in plan_instalments(Schedule.THREE, year, [Money(2576_00)])]
    ['858.67', '858.67', '858.66']
    """
    weights = instalment_weights(schedule, term)
    if not weights or not line_nets:
        return ()
    table = apportion_table([net.pence for net in line_nets], weights)
    dates = instalment_dates(schedule, term, start_month=start_month)
    columns = [
        (due_on, tuple(Money(row[index]) for row in table))
        for index, due_on in enumerate(dates)
        if any(row[index] for row in table)
    ]
    return tuple(
        PlannedInstalment(position, len(columns), due_on, parts)
        for position, (due_on, parts) in enumerate(columns, start=1)
    )
