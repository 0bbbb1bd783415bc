"""What a price says, in words: for price lists, comparison tables and the brochure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sla_manager.catalogue.rules.shapes import PriceShape
from sla_manager.kernel.money import Money
from sla_manager.kernel.words import pounds


def price_words(
    shape: PriceShape, unit_price: Money, terms: Mapping[str, Any], *, unit: str
) -> tuple[str, ...]:
    """Return what a price says, the plainest first.

    >>> price_words(PriceShape.UNIT, Money(368_00), {}, unit="day")
    ('£368.00 for each day',)
    >>> price_words(PriceShape.TIERS, Money(565_00), {"tiers": [["1", "565.00"], ["4", "500.00"]]}, unit="audit")
    ('£565.00 for each audit', '£500.00 for each from 4 audits on')
    >>> price_words(PriceShape.PER_PUPIL, Money(466_14), {"base": "466.14", "each": "1.14"}, unit="year")
    ('£466.14 and £1.14 for each pupil',)
    """
    if shape is PriceShape.TIERS:
        first, *later = terms["tiers"]
        return (
            f"{_pounds(first[1])} for each {unit}",
            *(f"{_pounds(price)} for each from {least} {unit}s on" for least, price in later),
        )
    if shape is PriceShape.PER_PUPIL:
        words = f"{_pounds(terms['base'])} and {_pounds(terms['each'])} for each pupil"
        fallback = terms.get("fallback_pupils")
        return (
            (words, f"A school without a published figure counts as {fallback} pupils")
            if fallback
            else (words,)
        )
    if shape is PriceShape.BANDS:
        return tuple(f"{_band(band, str(terms['by']))}: {_pounds(band['price'])}" for band in terms["bands"])
    return (f"{pounds(unit_price)} for each {unit}",)


def _pounds(text: str) -> str:
    return pounds(Money.parse(text))


def _band(band: Mapping[str, Any], by: str) -> str:
    if by == "phase":
        return str(band["phase"])
    what = "pupils" if by == "pupils" else "% persistent absence"
    if band.get("to") is None:
        return f"{band['from']} {what} or more"
    return f"From {band['from']} to under {band['to']} {what}"
