"""What a cancelled visit or a locked door costs, by clear working days of notice.

Core work is never charged, and nor is what the council itself cancels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import half_up
from sla_manager.kernel.words import counted
from sla_manager.kernel.working_days import Holidays, add_working_days

_NOTHING = Minutes(0)


@dataclass(frozen=True, slots=True)
class Band:
    """With fewer than this many clear working days of notice, this percentage of booked time is charged."""

    below: int
    per_cent: int


class BandsRefused(Refused):
    """Bands that do not make sense."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"{reason} Enter rows of working days and a percentage, shortest notice first, like 5 and 100.",
            field="cancellation_bands",
        )


def read_bands(rows: Iterable[Sequence[int]]) -> tuple[Band, ...]:
    """Read stored rows of [fewer than this many days, per cent], shortest notice first.

    >>> read_bands([[5, 100], [20, 50]])
    (Band(below=5, per_cent=100), Band(below=20, per_cent=50))
    """
    bands: list[Band] = []
    for row in rows:
        if len(row) != 2 or any(type(number) is not int for number in row):
            raise BandsRefused(f"{list(row)} is not a number of days and a percentage.")
        band = Band(*row)
        if not 0 <= band.per_cent <= 100:
            raise BandsRefused(f"{band.per_cent} per cent is not between 0 and 100.")
        if band.below <= (bands[-1].below if bands else 0):
            raise BandsRefused(f"{counted(band.below, 'day')} is not more than the row before.")
        bands.append(band)
    return tuple(bands)


def band_of(clear_days: int, bands: Sequence[Band]) -> Band | None:
    """Return the band that a notice falls in; longer notice than every band is free (None)."""
    return next((band for band in bands if clear_days < band.below), None)


@dataclass(frozen=True, slots=True)
class CancellationCharge:
    """What a cancellation takes off the balance, shown before it is confirmed."""

    clear_days: int
    per_cent: int
    charged: Minutes
    why: str


def cancellation_charge(
    booked: Minutes,
    clear_days: int,
    bands: Sequence[Band],
    *,
    core: bool = False,
    by_provider: bool = False,
) -> CancellationCharge:
    """Return the charge for cancelling a booked visit, minutes rounded half up.

    >>> bands = read_bands([[5, 100], [20, 50]])
    >>> cancellation_charge(Minutes(222), 5, bands).charged
    Minutes(minutes=111)
    >>> cancellation_charge(Minutes(222), 4, bands).why
    '4 clear working days of notice, fewer than 5: 100 % of 3 hours 42 minutes'
    """
    if core:
        return CancellationCharge(clear_days, 0, _NOTHING, "Core work is free, and is never charged")
    if by_provider:
        return CancellationCharge(clear_days, 0, _NOTHING, "We cancelled it, so nothing is charged")
    notice = f"{counted(clear_days, 'clear working day')} of notice"
    band = band_of(clear_days, bands)
    if band is None or not band.per_cent:
        return CancellationCharge(clear_days, 0, _NOTHING, f"{notice}: nothing is charged")
    charged = Minutes(half_up(Fraction(booked.minutes * band.per_cent, 100)))
    share = f"{band.per_cent} % of {booked.hours_and_minutes()}"
    why = f"{notice}, fewer than {band.below}: {share}"
    return CancellationCharge(clear_days, band.per_cent, charged, why)


def no_access_charge(booked: Minutes, *, core: bool = False) -> CancellationCharge:
    """Return the charge when the officer is on site and the school is not ready: all that was booked.

    A no-show fee is never raised for a core event.
    """
    if core:
        return CancellationCharge(0, 0, _NOTHING, "Core work is free, and is never charged")
    why = f"The officer was on site: 100 % of {booked.hours_and_minutes()}"
    return CancellationCharge(0, 100, booked, why)


def is_rearranged_in_time(
    cancelled_visit_on: date, delivered_on: date, *, within: int, holidays: Holidays
) -> bool:
    """Say whether a visit that was re-arranged *and delivered* makes its late cancellation free.

    It does when it is delivered no later than `within` working days after the day the visit was to be.

    >>> is_rearranged_in_time(date(2026, 5, 6), date(2026, 6, 4), within=20, holidays={date(2026, 5, 25)})
    True
    """
    return delivered_on <= add_working_days(cancelled_visit_on, within, holidays)
