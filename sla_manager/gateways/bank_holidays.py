"""The bank holidays of England and Wales, from the kept `holidays` library.

Where a holiday falls on a weekend the library lists both it and its substitute; the weekend one is harmless,
because a weekend is no working day anyway.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import holidays


@lru_cache(maxsize=64)
def bank_holidays(year: int) -> frozenset[date]:
    """Return the bank holidays of a calendar year in England and Wales, substitutes included.

    >>> date(2026, 5, 4) in bank_holidays(2026), date(2026, 5, 5) in bank_holidays(2026)
    (True, False)
    """
    return frozenset(holidays.country_holidays("GB", subdiv="ENG", years=year))


def is_bank_holiday(day: date) -> bool:
    """Say whether a date is a bank holiday in England and Wales.

    Hand this to the rules of working days.

    >>> is_bank_holiday(date(2026, 12, 28))
    True
    """
    return day in bank_holidays(day.year)
