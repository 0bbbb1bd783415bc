"""How a number in a workbook is shown: as a number, a date or a length of time, written out exactly.

Source: ECMA-376 Part 1, 18.8.30 (numFmt) for the formats that every workbook has, and 18.17.4 for dates.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from enum import Enum

_EXACT = Context(prec=15)
"""Excel shows and keeps 15 places; what follows is how a binary number was written down."""
_OTHER = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!(?:h+|m+|s+)\])[^\]]*\]', re.IGNORECASE)
_MINUTES_A_DAY = 1440


class Shown(Enum):
    """What a style makes of a number."""

    NUMBER = "number"
    DATE = "date"
    TIME = "time"


class DateSystem(Enum):
    """From which day a book counts."""

    FROM_1900 = "1900"
    FROM_1904 = "1904"


def shown_as(number: int, code: str) -> Shown:
    """Return what a format shows, by its number and, where the book made it, its code.

    >>> shown_as(14, "").value, shown_as(164, "[$-809]dd mmmm yyyy").value, shown_as(165, '0.00" days"').value
    ('date', 'date', 'number')
    >>> shown_as(46, "").value, shown_as(166, "[h]:mm").value, shown_as(0, "").value
    ('time', 'time', 'number')
    """
    if not code:
        if 14 <= number <= 17 or number == 22 or 27 <= number <= 36 or 50 <= number <= 58:
            return Shown.DATE
        return Shown.TIME if 18 <= number <= 21 or 45 <= number <= 47 else Shown.NUMBER
    bare = _OTHER.sub("", code.split(";")[0]).lower().replace("general", "")
    if "d" in bare or "y" in bare:
        return Shown.DATE
    if "h" in bare or "s" in bare:
        return Shown.TIME
    return Shown.DATE if "m" in bare else Shown.NUMBER


def number_text(raw: str, shown: Shown, dates: DateSystem) -> str:
    """Return a number as people write it: "4416.1", "2025-09-01", "7:24". What is no number stays as it is.

    >>> number_text("5299.2000000000007", Shown.NUMBER, DateSystem.FROM_1900)
    '5299.2'
    >>> number_text("45901", Shown.DATE, DateSystem.FROM_1900), number_text("1.5", Shown.TIME, DateSystem.FROM_1900)
    ('2025-09-01', '36:00')
    """
    try:
        exact = _EXACT.create_decimal(raw.strip()[:60])
    except InvalidOperation:
        return raw
    if not exact.is_finite() or abs(exact.adjusted()) > 30:
        return raw
    if shown is Shown.DATE and 0 < exact < 2_958_466:
        return _date(exact, dates)
    if shown is Shown.TIME and 0 <= exact < 100_000:
        minutes = int((exact * _MINUTES_A_DAY).to_integral_value(ROUND_HALF_UP))
        return f"{minutes // 60}:{minutes % 60:02d}"
    text = f"{exact:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _date(serial: Decimal, dates: DateSystem) -> str:
    """Return the date of a serial number; Excel's own 29 February 1900 never was."""
    days = int(serial)
    if dates is DateSystem.FROM_1904:
        day = date(1904, 1, 1) + timedelta(days=days)
    else:
        day = date(1899, 12, 30 if days >= 60 else 31) + timedelta(days=days)
    minutes = int(((serial - days) * _MINUTES_A_DAY).to_integral_value(ROUND_HALF_UP))
    return day.isoformat() if not minutes else f"{day.isoformat()} {minutes // 60:02d}:{minutes % 60:02d}"
