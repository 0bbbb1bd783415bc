"""How a stored fact is written on paper: pound signs, commas, months. Nothing is worked out here."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Literal

from sla_manager.kernel import words
from sla_manager.kernel.errors import Broken
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money

NO_BREAK = "\u00a0"


def pounds(amount: str) -> str:
    """Write an amount as people read it.

    >>> pounds("4416.00"), pounds("-207.63"), pounds("1234567.89")
    ('£4,416.00', '−£207.63', '£1,234,567.89')
    """
    money = Money.parse(amount)
    if str(money) != amount:
        raise Broken(f"“{amount}” is not an amount as the books write it.")
    return words.pounds(money)


def long_date(day: str) -> str:
    """Write a date that no line breaks apart.

    >>> long_date("2026-03-31")
    '31\\xa0March\\xa02026'
    """
    return words.long_date(date.fromisoformat(day)).replace(" ", NO_BREAK)


def short_date(day: str) -> str:
    """Write a date for a narrow column.

    >>> short_date("2026-03-01")
    '1\\xa0Mar\\xa02026'
    """
    given = date.fromisoformat(day)
    return NO_BREAK.join((str(given.day), words.MONTHS[given.month - 1][:3], str(given.year)))


def moment(at: str) -> str:
    """Write an instant in UTC, to the second.

    >>> moment("2026-02-28T23:59:00Z")
    '28\\xa0February\\xa02026, 23:59:00 UTC'
    """
    instant = datetime.fromisoformat(at).astimezone(UTC)
    return f"{long_date(instant.date().isoformat())}, {instant:%H:%M:%S} UTC"


def in_units(minutes: int, unit_minutes: int, unit: Literal["day", "hour"]) -> str:
    """Write a length of time in the days or hours that were bought.

    >>> in_units(4200, 444, "day"), in_units(444, 444, "day"), in_units(-222, 444, "day")
    ('9.46 days', '1 day', '−0.5 days')
    """
    shown = Minutes(minutes).shown_in_units(Minutes(unit_minutes))
    return f"{'−' if shown < 0 else ''}{words.counted(abs(shown), unit)}"


def in_hours(minutes: int) -> str:
    """Write a length of time in hours and minutes.

    >>> in_hours(200)
    '3 hours 20 minutes'
    """
    return Minutes(minutes).hours_and_minutes()


def signed(written: str) -> str:
    """Put a plus sign before what is written of an entry that adds.

    >>> signed("2 days"), signed("−2 days"), signed("0 days")
    ('+2 days', '−2 days', '0 days')
    """
    return written if written[:1] in ("−", "0") and not written.startswith("0.") else f"+{written}"


def per_cent(rate: str | None) -> str:
    """Write a VAT rate; none is a dash.

    >>> per_cent("20"), per_cent(None)
    ('20\\xa0%', '–')
    """
    return "–" if rate is None else f"{rate}{NO_BREAK}%"


def vat_number(number: str) -> str:
    """Write a VAT number in its usual groups; anything else as it is.

    >>> vat_number("GB123456789"), vat_number("none yet")
    ('GB 123 4567 89', 'none yet')
    """
    compact = number.replace(" ", "")
    if len(compact) == 11 and compact.startswith("GB") and compact[2:].isdigit():
        return f"GB {compact[2:5]} {compact[5:9]} {compact[9:]}"
    return number
