"""How much time, in the words of what was bought: days where days were bought, else hours and minutes."""

from __future__ import annotations

from typing import Protocol

from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.quantities import plain


class Bought(Protocol):
    """What this needs to know of an agreement line."""

    @property
    def unit(self) -> str: ...
    @property
    def unit_minutes(self) -> Minutes | None: ...


def in_units(time: Minutes, line: Bought) -> str:
    """Say a length of time as the school bought it.

    >>> from types import SimpleNamespace
    >>> in_units(Minutes(222), SimpleNamespace(unit="day", unit_minutes=Minutes(444)))
    '0.5 days'
    >>> in_units(Minutes(200), SimpleNamespace(unit="hour", unit_minutes=Minutes(60)))
    '3 hours 20 minutes'
    """
    if line.unit != "day" or line.unit_minutes is None:
        return time.hours_and_minutes()
    days = plain(time.shown_in_units(line.unit_minutes))
    return f"{days.replace('-', '−')} day{'' if days == '1' else 's'}"
