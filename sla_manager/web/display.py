"""How pages say money, dates, times, days and hours; the templates' filters and globals.

Templates print and compute nothing: whatever needs working out before it is shown is worked out here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from pathlib import Path
from re import findall, fullmatch
from typing import Any

from flask import Flask, url_for
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader
from werkzeug.routing import BuildError

from sla_manager.kernel.clock import LONDON
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import Period
from sla_manager.kernel.quantities import plain
from sla_manager.web import charts

MINUS = "−"
STANDARD_COLOUR = "#1d5c63"
STATIC = Path(__file__).resolve().parent / "static"


def money(amount: Money | None) -> str:
    """Say an amount with its pence, thousands apart, and a real minus.

    >>> money(Money(4416_00)), money(Money(-207_63)), money(Money(0)), money(None)
    ('£4,416.00', '−£207.63', '£0.00', '')
    """
    if amount is None:
        return ""
    pounds, pence = divmod(abs(amount.pence), 100)
    return f"{MINUS if amount.pence < 0 else ''}£{pounds:,}.{pence:02d}"


def day(value: date | None) -> str:
    """Say a date; an instant is said in London's time.

    >>> day(date(2026, 3, 31))
    '31 March 2026'
    """
    found = _london_date(value)
    return f"{found.day} {found:%B %Y}" if found else ""


def short_day(value: date | None) -> str:
    """Say a date where there is little room.

    >>> short_day(date(2026, 3, 31))
    '31 Mar 2026'
    """
    found = _london_date(value)
    return f"{found.day} {found:%b %Y}" if found else ""


def weekday(value: date | None) -> str:
    """Say a date with its day of the week.

    >>> weekday(date(2026, 3, 31))
    'Tuesday 31 March 2026'
    """
    found = _london_date(value)
    return f"{found:%A} {found.day} {found:%B %Y}" if found else ""


def month(value: date | None) -> str:
    """Say the month of a date.

    >>> month(date(2026, 3, 31))
    'March 2026'
    """
    found = _london_date(value)
    return f"{found:%B %Y}" if found else ""


def clock_time(value: time | datetime | None) -> str:
    """Say a time of day; an instant is said in London's time.

    >>> clock_time(time(9, 30)), clock_time(time(14)), clock_time(time(12)), clock_time(time(0))
    ('9:30am', '2pm', 'midday', 'midnight')
    """
    if value is None:
        return ""
    found = value.astimezone(LONDON).time() if isinstance(value, datetime) else value
    if (found.hour, found.minute) in ((12, 0), (0, 0)):
        return "midday" if found.hour else "midnight"
    minutes = f":{found.minute:02d}" if found.minute else ""
    return f"{(found.hour - 1) % 12 + 1}{minutes}{'am' if found.hour < 12 else 'pm'}"


def moment(value: datetime | None) -> str:
    """Say an instant as people in London do.

    >>> from datetime import UTC
    >>> moment(datetime(2026, 3, 31, 23, 30, tzinfo=UTC))
    '1 April 2026 at 12:30am'
    """
    return f"{day(value)} at {clock_time(value)}" if value else ""


def period(value: Period | None) -> str:
    """Say a period by its first and last day.

    >>> period(Period.through(date(2025, 4, 1), date(2026, 3, 31)))
    '1 April 2025 to 31 March 2026'
    """
    return f"{day(value.start)} to {day(value.last)}" if value else ""


def number(value: Decimal | int | None) -> str:
    """Say a number with thousands apart, a real minus, and no trailing noughts.

    >>> number(Decimal("-1234.50")), number(12000), number(None)
    ('−1,234.5', '12,000', '')
    """
    if value is None:
        return ""
    if isinstance(value, bool | float):
        raise TypeError(f"pages show exact numbers, not {type(value).__name__}")
    whole_part, _, fraction = plain(abs(Decimal(value))).partition(".")
    sign = MINUS if value < 0 else ""
    return f"{sign}{int(whole_part):,}{f'.{fraction}' if fraction else ''}"


def counted(value: Decimal | int | None, one: str, many: str | None = None) -> str:
    """Say how many of something.

    >>> counted(1, "visit"), counted(Decimal("8.5"), "day"), counted(0, "child", "children")
    ('1 visit', '8.5 days', '0 children')
    """
    if value is None:
        return ""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def days(length: Minutes | None, day_length: Minutes | int) -> str:
    """Say a length of time in days of a given length, rounded for showing only.

    >>> days(Minutes(3774), Minutes(444)), days(Minutes(444), 444), days(Minutes(-222), 444)
    ('8.5 days', '1 day', '−0.5 days')
    """
    if length is None:
        return ""
    unit = day_length if isinstance(day_length, Minutes) else Minutes(day_length)
    return counted(length.shown_in_units(unit), "day")


def hours(length: Minutes | None) -> str:
    """Say a length of time in hours and minutes.

    >>> hours(Minutes(200))
    '3 hours 20 minutes'
    """
    return length.hours_and_minutes() if length is not None else ""


def percentage(basis_points: int | None) -> str:
    """Say a rate that is kept in hundredths of one per cent.

    >>> percentage(2000), percentage(1225), percentage(50)
    ('20%', '12.25%', '0.5%')
    """
    return "" if basis_points is None else f"{number(Decimal(basis_points).scaleb(-2))}%"


def colour(text: str | None) -> str:
    """Return a council's colour when it is one, else the standard colour: nothing else reaches a style sheet.

    >>> colour("#A1004B"), colour("red;}"), colour(None)
    ('#a1004b', '#1d5c63', '#1d5c63')
    """
    return text.lower() if text and fullmatch(r"#[0-9A-Fa-f]{6}", text) else STANDARD_COLOUR


def ink(background: str | None) -> str:
    """Return black or white, whichever is easier to read on a colour (WCAG relative luminance).

    >>> ink("#1d5c63"), ink("#ffdd00")
    ('#ffffff', '#0b0c0c')
    """
    chosen = colour(background)
    channels = [_linear(int(chosen[i : i + 2], 16)) for i in (1, 3, 5)]
    luminance = (2126 * channels[0] + 7152 * channels[1] + 722 * channels[2]).scaleb(-4)
    return "#ffffff" if luminance < Decimal("0.179") else "#0b0c0c"


def asset(name: str) -> str:
    """Return the address of a built style sheet or script; its name changes with its content."""
    return url_for("static", filename=_built(STATIC / "manifest.json").get(name, name))


def minutes(length: Minutes | None) -> str:
    """Say a length of time in minutes alone, as ledgers keep it.

    >>> minutes(Minutes(4329)), minutes(Minutes(-1))
    ('4,329 minutes', '−1 minute')
    """
    if length is None:
        return ""
    return f"{MINUS if length.minutes < 0 else ''}{counted(abs(length.minutes), 'minute')}"


def slug(text: str) -> str:
    """Return an id for an element that is named by its words.

    >>> slug("Invoices of 2025/26: £")
    'invoices-of-2025-26'
    """
    return "-".join(findall(r"[a-z0-9]+", text.lower())) or "table"


def address_of(endpoint: str, **values: Any) -> str:
    """Return the address of a page, or nothing where this installation has no such page."""
    try:
        return url_for(endpoint, **values)
    except BuildError:
        return ""


def register(app: Flask) -> None:
    """Give every template the design system's macros, and the filters and globals of this file."""
    design_systems = {name: PackageLoader(name) for name in ("govuk_frontend_jinja", "govuk_frontend_wtf")}
    own = app.jinja_loader
    if own is None:
        raise RuntimeError("the application has no template folder")
    app.jinja_loader = ChoiceLoader([own, PrefixLoader(design_systems)])
    app.jinja_env.filters.update(
        clock_time=clock_time,
        colour=colour,
        counted=counted,
        date=day,
        days=days,
        hours=hours,
        ink=ink,
        minutes=minutes,
        moment=moment,
        money=money,
        month=month,
        number=number,
        percentage=percentage,
        period=period,
        short_date=short_day,
        slug=slug,
        time=clock_time,
        weekday=weekday,
    )
    app.jinja_env.globals.update(address_of=address_of, asset=asset, charts=charts)


def _london_date(value: date | None) -> date | None:
    if isinstance(value, datetime):
        return value.astimezone(LONDON).date()
    return value


def _linear(channel: int) -> Decimal:
    share = Decimal(channel) / 255
    return (
        share / Decimal("12.92")
        if share <= Decimal("0.04045")
        else ((share + Decimal("0.055")) / Decimal("1.055")) ** Decimal("2.4")
    )


@cache
def _built(manifest: Path) -> Mapping[str, Any]:
    if not manifest.is_file():
        return {}
    found: Mapping[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
    return found
