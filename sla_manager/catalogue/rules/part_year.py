"""What an agreement that does not last a year pays of a price that is for a year."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

from sla_manager.catalogue.rules.shapes import PartYear
from sla_manager.kernel.periods import Period, financial_years, months_weight
from sla_manager.kernel.words import counted, long_date

_MONTHS = 12


def part_of_year(policy: PartYear, term: Period, *, start_month: int = 4) -> Fraction:
    """Return how many yearly prices a term pays.

    Full: one for each year that is begun. By months: twelfths, a month that is begun or ends within counting by
    its days. By days: each financial year's days over the days that year has. A term of several years pays
    several times.

    >>> from datetime import date
    >>> late = Period.through(date(2025, 11, 1), date(2026, 3, 31))
    >>> [str(part_of_year(policy, late)) for policy in PartYear]
    ['1', '5/12', '151/365']
    """
    if policy is PartYear.FULL:
        return Fraction(ceil(months_weight(term) / _MONTHS))
    if policy is PartYear.MONTHS:
        return months_weight(term) / _MONTHS
    parts = Fraction(0)
    for year in financial_years(term, start_month=start_month):
        shared = year.period.overlap(term)
        if shared is not None:
            parts += Fraction(shared.days, year.period.days)
    return parts


def part_words(policy: PartYear, term: Period, *, start_month: int = 4) -> str:
    """Say which part of a yearly price a term pays, or nothing where it is one whole year's.

    >>> from datetime import date
    >>> part_words(PartYear.MONTHS, Period.through(date(2025, 11, 1), date(2026, 3, 31)))
    '5 of 12 months, 1 November 2025 to 31 March 2026'
    """
    part = part_of_year(policy, term, start_month=start_month)
    if part == 1:
        return ""
    dates = f"{long_date(term.start)} to {long_date(term.last)}"
    if policy is PartYear.FULL:
        return f"{counted(int(part), 'year')} begun, {dates}"
    if policy is PartYear.DAYS:
        return f"{term.days} days, {dates}"
    months = part * _MONTHS
    said = str(months.numerator) if months.denominator == 1 else f"{months.numerator}/{months.denominator}"
    return f"{said} of 12 months, {dates}"
