"""Locked periods: what is reported to the outside does not change any more."""

from __future__ import annotations

from datetime import date, datetime, time

from sla_manager.kernel.clock import london_date, london_time
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.periods import ONE_DAY
from sla_manager.kernel.words import long_date


class PeriodIsLocked(Refused):
    """Something was to be dated in a period whose books are locked."""

    def __init__(self, day: date, through: date, *, field: str | None = None) -> None:
        super().__init__(
            f"The books are locked up to {long_date(through)}, so nothing can be dated {long_date(day)}. "
            f"Use {long_date(through + ONE_DAY)} or later, or reopen the period.",
            field=field,
        )


class PeriodNotOver(Refused):
    """Only days that are over are locked."""

    def __init__(self, through: date, today: date) -> None:
        super().__init__(
            f"{long_date(through)} is not over yet. Lock up to {long_date(today - ONE_DAY)} or earlier.",
            field="through",
        )


class LockedFurther(Refused):
    """The books are locked that far already."""

    def __init__(self, through: date, locked: date) -> None:
        super().__init__(
            f"The books are locked up to {long_date(locked)} already. "
            f"Choose a day after it, not {long_date(through)}.",
            field="through",
        )


def refuse_locked(day: date, through: date | None, *, field: str | None = None) -> None:
    """Refuse a date that lies in the locked period; None means that nothing is locked.

    >>> refuse_locked(date(2026, 4, 1), date(2026, 3, 31))
    """
    if through is not None and day <= through:
        raise PeriodIsLocked(day, through, field=field)


def refuse_lock(through: date, *, locked: date | None, at: datetime) -> None:
    """Refuse to lock a day that is not over in London, or one that is locked already."""
    today = london_date(at)
    if through >= today:
        raise PeriodNotOver(through, today)
    if locked is not None and through <= locked:
        raise LockedFurther(through, locked)


def end_of(through: date) -> datetime:
    """Return the instant at which a London day is over.

    >>> end_of(date(2026, 3, 31)).isoformat()
    '2026-03-31T23:00:00+00:00'
    """
    return london_time(through + ONE_DAY, time(0))
