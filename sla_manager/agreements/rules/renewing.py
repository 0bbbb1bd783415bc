"""Agreements that renew by themselves: the last day for notice, when schools are warned, how long it may go on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.periods import ONE_DAY, Period, add_months
from sla_manager.kernel.words import long_date

WARN_DAYS = (60, 30)
"""How many days before the last day for notice the school and the service are warned."""
FIRST_YEARS, LATER_YEARS = 3, 5
FORGOTTEN_AFTER = timedelta(days=31)
"""An agreement that ended longer ago than this no longer renews by itself."""


class NoticeTooLate(Refused):
    """Notice counts until its last day, midnight in London."""

    def __init__(self, reference: str, last_day: date) -> None:
        super().__init__(
            f"The last day to give notice on {reference} was {long_date(last_day)}, so it renews for another year. "
            "Ask the service if you need to change it.",
            field="given_on",
        )


def last_notice_day(ends_on: date, notice_months: int) -> date:
    """Return the last day on which notice stops an agreement from renewing.

    >>> str(last_notice_day(date(2027, 3, 31), 3)), str(last_notice_day(date(2027, 8, 31), 6))
    ('2026-12-31', '2027-02-28')
    """
    return add_months(ends_on + ONE_DAY, -notice_months) - ONE_DAY


def warning_on(last_day: date, today: date) -> int | None:
    """Return which warning counts today (60 or 30 days), the tightest only; None before and after.

    >>> warning_on(date(2026, 12, 31), date(2026, 11, 1)), warning_on(date(2026, 12, 31), date(2026, 12, 31))
    (60, 30)
    >>> warning_on(date(2026, 12, 31), date(2026, 11, 1) + timedelta(days=70)) is None
    True
    """
    left = (last_day - today).days
    passed = [days for days in WARN_DAYS if 0 <= left <= days]
    return min(passed) if passed else None


def next_period(ends_on: date) -> Period:
    """Return the further year for which an agreement renews.

    >>> next_period(date(2027, 3, 31)).last
    datetime.date(2028, 3, 31)
    """
    starts_on = ends_on + ONE_DAY
    return Period(starts_on, add_months(starts_on, 12))


def is_within_years(chain: Sequence[Period], further: Period, years: int) -> bool:
    """Say whether a maintained school's buy-back stays within its years when it goes on by itself.

    `chain` is what was agreed and what renewed by itself since, in order: nobody consented again in between.

    >>> years = [Period.through(date(y, 4, 1), date(y + 1, 3, 31)) for y in (2024, 2025, 2026, 2027)]
    >>> is_within_years(years[:2], years[2], 3), is_within_years(years[:3], years[3], 3)
    (True, False)
    """
    begins = min((one.start for one in chain), default=further.start)
    return further.end <= add_months(begins, 12 * years)
