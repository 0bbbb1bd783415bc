"""Which of the time that was given counts, and how it is rounded for charging.

Blocks are rounded once for a whole delivery, never for each activity. Core time is never counted here.
"""

from __future__ import annotations

from sla_manager.kernel.errors import Broken
from sla_manager.kernel.minutes import Minutes, blocks_nearest, blocks_up
from sla_manager.kernel.titles import Titled

_NOTHING = Minutes(0)


class ChargingMethod(Titled):
    """How worked time becomes charged time."""

    ACTUAL = "actual", "The minutes worked"
    BLOCKS_UP = "blocks_up", "Whole blocks, rounded up"
    BLOCKS_NEAREST = "blocks_nearest", "Whole blocks, to the nearest"


def counted(
    *,
    work: Minutes,
    preparation: Minutes = _NOTHING,
    report: Minutes = _NOTHING,
    travel: Minutes = _NOTHING,
    counts_preparation: bool,
    counts_report: bool,
    counts_travel: bool,
) -> Minutes:
    """Return the time that counts: work always, the rest as the policy says.

    >>> rules = {"counts_preparation": True, "counts_report": True, "counts_travel": False}
    >>> counted(work=Minutes(200), report=Minutes(40), travel=Minutes(30), **rules)
    Minutes(minutes=240)
    """
    time = work
    if counts_preparation:
        time += preparation
    if counts_report:
        time += report
    if counts_travel:
        time += travel
    return time


def charged_time(worked: Minutes, *, method: ChargingMethod, block: Minutes | None = None) -> Minutes:
    """Return the time that is charged for time that counts; nothing worked is nothing charged.

    >>> charged_time(Minutes(240), method=ChargingMethod.BLOCKS_UP, block=Minutes(222))
    Minutes(minutes=444)
    >>> charged_time(Minutes(240), method=ChargingMethod.BLOCKS_NEAREST, block=Minutes(222))
    Minutes(minutes=222)
    """
    if method is ChargingMethod.ACTUAL:
        return worked
    if block is None or block.minutes <= 0:
        raise Broken("Charging in blocks needs the length of a block.")
    return blocks_up(worked, block) if method is ChargingMethod.BLOCKS_UP else blocks_nearest(worked, block)


def explain_charge(worked: Minutes, *, method: ChargingMethod, block: Minutes | None = None) -> str:
    """Say how charged time came about.

    >>> explain_charge(Minutes(240), method=ChargingMethod.BLOCKS_UP, block=Minutes(222))
    '4 hours counted; in blocks of 3 hours 42 minutes, rounded up: 7 hours 24 minutes'
    """
    charged = charged_time(worked, method=method, block=block)
    start = f"{worked.hours_and_minutes()} counted"
    if method is ChargingMethod.ACTUAL or block is None:
        return f"{start}; the minutes worked are charged"
    how = "rounded up" if method is ChargingMethod.BLOCKS_UP else "to the nearest"
    return f"{start}; in blocks of {block.hours_and_minutes()}, {how}: {charged.hours_and_minutes()}"
