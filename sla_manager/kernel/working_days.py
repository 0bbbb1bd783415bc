"""Working days, given the bank holidays: the kernel knows the rule, a gateway knows the holidays.

A working day is Monday to Friday, less the bank holidays of England and Wales. Notice is counted in *clear*
working days: whole working days strictly between the day on which notice is given and the visit.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from datetime import date, datetime, time

from sla_manager.kernel.clock import LONDON, as_utc
from sla_manager.kernel.periods import ONE_DAY

Holidays = Container[date] | Callable[[date], bool]
"""Bank holidays: a set of dates, or a question about one."""

_SATURDAY = 5


def is_working_day(day: date, holidays: Holidays) -> bool:
    """Say whether a date is a working day.

    >>> is_working_day(date(2026, 5, 4), {date(2026, 5, 4)}), is_working_day(date(2026, 5, 5), set())
    (False, True)
    """
    if day.weekday() >= _SATURDAY:
        return False
    return not (holidays(day) if callable(holidays) else day in holidays)


def next_working_day(day: date, holidays: Holidays) -> date:
    """Return the first working day after a date.

    >>> next_working_day(date(2026, 5, 1), {date(2026, 5, 4)})
    datetime.date(2026, 5, 5)
    """
    return add_working_days(day, 1, holidays)


def add_working_days(day: date, count: int, holidays: Holidays) -> date:
    """Return the `count`-th working day after a date; none (0) is the date itself.

    >>> add_working_days(date(2026, 4, 28), 5, {date(2026, 5, 4)})
    datetime.date(2026, 5, 6)
    """
    if count < 0:
        raise ValueError(f"working days are added, not taken away: {count}")
    while count:
        day += ONE_DAY
        count -= is_working_day(day, holidays)
    return day


def clear_working_days(given_on: date, visit_on: date, holidays: Holidays) -> int:
    """Count the working days strictly between the day of notice and the visit; 0 when there is none.

    >>> clear_working_days(date(2026, 4, 28), date(2026, 5, 6), {date(2026, 5, 4)})
    4
    """
    count, day = 0, given_on + ONE_DAY
    while day < visit_on:
        count += is_working_day(day, holidays)
        day += ONE_DAY
    return count


def notice_day(given_at: datetime, closes: Mapping[int, time], holidays: Holidays) -> date:
    """Return the working day on which notice counts as given: after closing time it is the next working day.

    `closes` is the service's closing time, London, by weekday (0 is Monday); a weekday that is missing is
    one on which the service is shut. With no times at all only the date counts. The very minute of closing
    is still in time.

    >>> from datetime import UTC
    >>> hours = {0: time(17), 1: time(17), 2: time(17), 3: time(17), 4: time(16)}
    >>> notice_day(datetime(2026, 4, 28, 16, 0, tzinfo=UTC), hours, set())  # 17:00 in London
    datetime.date(2026, 4, 28)
    >>> notice_day(datetime(2026, 4, 28, 16, 1, tzinfo=UTC), hours, set())
    datetime.date(2026, 4, 29)
    """
    local = as_utc(given_at).astimezone(LONDON)
    day = local.date()
    if not is_working_day(day, holidays):
        return next_working_day(day, holidays)
    if not closes:
        return day
    closing = closes.get(day.weekday())
    in_time = closing is not None and local.time().replace(second=0, microsecond=0) <= closing
    return day if in_time else next_working_day(day, holidays)
