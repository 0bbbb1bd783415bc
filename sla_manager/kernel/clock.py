"""The one clock: UTC instants, London dates. Tests and `--as-at` hand in another."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sla_manager.kernel.minutes import Minutes

LONDON = ZoneInfo("Europe/London")

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return this instant in UTC."""
    return datetime.now(UTC)


def as_utc(at: datetime) -> datetime:
    """Return an aware instant in UTC; a naive one is a mistake."""
    if at.tzinfo is None:
        raise ValueError("an instant must carry its time zone")
    return at.astimezone(UTC)


def london_date(at: datetime) -> date:
    """Return the civil date in London.

    >>> london_date(datetime(2026, 3, 31, 23, 30, tzinfo=UTC))
    datetime.date(2026, 4, 1)
    """
    return as_utc(at).astimezone(LONDON).date()


def london_time(day: date, of_day: time, *, fold: int = 0) -> datetime:
    """Return the UTC instant of a London wall-clock time.

    In the hour that comes twice in October, `fold=1` means the second; the hour that never comes in March is
    taken as if the clocks had not yet changed.
    """
    return datetime.combine(day, of_day, tzinfo=LONDON).replace(fold=fold).astimezone(UTC)


def fixed_clock(at: datetime) -> Clock:
    """Return a clock that stands still."""
    stopped = as_utc(at)
    return lambda: stopped


def as_at(day: date) -> datetime:
    """Return noon in London on a day: the instant that `--as-at DATE` means."""
    return london_time(day, time(12, 0))


def elapsed(starts_at: datetime, ends_at: datetime) -> Minutes:
    """Return the whole minutes that really pass between two instants, whatever the clocks on the wall do.

    >>> elapsed(london_time(date(2026, 10, 25), time(0, 30)), london_time(date(2026, 10, 25), time(2, 30)))
    Minutes(minutes=180)
    """
    seconds = (as_utc(ends_at) - as_utc(starts_at)) // timedelta(seconds=1)
    return Minutes(seconds // 60)
