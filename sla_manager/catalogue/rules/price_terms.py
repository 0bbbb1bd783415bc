"""What the terms of a price must be: no gap, no overlap, nothing below nothing, nothing that is not a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

from sla_manager.catalogue.rules.shapes import BANDED_BY, PriceShape, TopUp
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.money import Money
from sla_manager.kernel.quantities import plain, read_quantity
from sla_manager.kernel.words import pounds

_MOST_PUPILS = 100_000


class TermsRefused(Refused):
    """Terms of a price that leave a gap, overlap, or make no sense; the message says which."""


def check_terms(shape: PriceShape, terms: Mapping[str, Any], *, minimum: Decimal) -> None:
    """Refuse terms that leave a gap, overlap or are below nothing; `minimum` is the least that can be ordered.

    A later tier may be dearer than an earlier one; nothing is said of it, because nobody is then told to buy more.

    >>> check_terms(PriceShape.TIERS, {"tiers": [["5", "9.00"]]}, minimum=Decimal(1))
    Traceback (most recent call last):
    sla_manager.catalogue.rules.price_terms.TermsRefused: The first price begins at 5, but 1 can be ordered. Begin at 1.
    """
    if shape is PriceShape.UNIT:
        if terms:
            raise TermsRefused("A price for each has no terms. Choose how it is built.", field="shape")
    elif shape is PriceShape.TIERS:
        _check_tiers(terms, minimum)
    elif shape is PriceShape.PER_PUPIL:
        _check_pupils(terms)
    else:
        _check_bands(terms)


def _amount(value: object, field: str) -> Money:
    """Read an amount of the terms, which are text; nothing below £0.00."""
    if not isinstance(value, str):
        raise TermsRefused("Enter an amount in pounds and pence, like 368.00.", field=field)
    amount = Money.parse(value, field=field)
    if amount.pence < 0:
        raise TermsRefused(f"A price cannot be below £0.00, and {pounds(amount)} is.", field=field)
    return amount


def _number(value: object, field: str) -> Decimal:
    if not isinstance(value, str):
        raise TermsRefused("Enter a number, like 10.", field=field)
    number = read_quantity(value, field=field)
    if number < 0:
        raise TermsRefused(f"{plain(number)} is below 0. Enter 0 or more.", field=field)
    return number


def _rows(terms: Mapping[str, Any], field: str) -> Sequence[Any]:
    rows = terms.get(field)
    if not isinstance(rows, list | tuple) or not rows:
        raise TermsRefused(f"Enter at least one {'price' if field == 'tiers' else 'band'}.", field=field)
    return rows


def _check_pupils(terms: Mapping[str, Any]) -> None:
    base, each = _amount(terms.get("base"), "base"), _amount(terms.get("each"), "each")
    if not base and not each:
        raise TermsRefused("Enter a base or an amount for each pupil above £0.00.", field="base")
    fallback = terms.get("fallback_pupils")
    if fallback is not None and (type(fallback) is not int or not 1 <= fallback <= _MOST_PUPILS):
        raise TermsRefused(
            f"Enter a whole number of pupils between 1 and {_MOST_PUPILS:,}, or leave it empty.",
            field="fallback_pupils",
        )


def _check_tiers(terms: Mapping[str, Any], minimum: Decimal) -> None:
    rows = _rows(terms, "tiers")
    if any(not isinstance(row, list | tuple) or len(row) != 2 for row in rows):
        raise TermsRefused("Each line has a quantity and a price.", field="tiers")
    if terms.get("top_up", "original") not in {one.value for one in TopUp}:
        raise TermsRefused("Choose what more of it costs later in the year.", field="top_up")
    starts = [_number(least, "tiers") for least, _ in rows]
    for _, price in rows:
        _amount(price, "tiers")
    if starts[0] > minimum:
        raise TermsRefused(
            f"The first price begins at {plain(starts[0])}, but {plain(minimum)} can be ordered. "
            f"Begin at {plain(minimum)}.",
            field="tiers",
        )
    for earlier, later in pairwise(starts):
        if later <= earlier:
            raise TermsRefused(
                f"{plain(later)} comes after {plain(earlier)}: two prices would hold for one quantity. "
                "Let each line begin at a larger quantity than the line before.",
                field="tiers",
            )


def _check_bands(terms: Mapping[str, Any]) -> None:
    by = terms.get("by")
    if by not in BANDED_BY:
        raise TermsRefused("Choose what the price depends on.", field="by")
    bands = _rows(terms, "bands")
    if any(not isinstance(band, Mapping) for band in bands):
        raise TermsRefused("Each band has a beginning and a price.", field="bands")
    for band in bands:
        _amount(band.get("price"), "bands")
    if by == "phase":
        _check_phases(bands)
    else:
        _check_numbers(bands)


def _check_phases(bands: Sequence[Mapping[str, Any]]) -> None:
    named = [str(band.get("phase") or "").strip().lower() for band in bands]
    if not all(named):
        raise TermsRefused("Enter the phase of each price.", field="bands")
    twice = next((name for name in named if named.count(name) > 1), None)
    if twice:
        raise TermsRefused(f"“{twice.capitalize()}” has two prices. Leave one of them out.", field="bands")


def _check_numbers(bands: Sequence[Mapping[str, Any]]) -> None:
    """Hold that bands, each from a number up to (not including) another, cover every number from 0 on once."""
    expected = Decimal(0)
    for place, band in enumerate(bands):
        begins = _number(band.get("from"), "bands")
        ends = None if band.get("to") is None else _number(band.get("to"), "bands")
        if begins != expected:
            what = "a gap" if begins > expected else "an overlap"
            raise TermsRefused(
                f"The bands have {what} at {plain(min(begins, expected))}: this one should begin at "
                f"{plain(expected)}, and begins at {plain(begins)}.",
                field="bands",
            )
        is_last = place == len(bands) - 1
        if (ends is None) != is_last or (ends is not None and ends <= begins):
            raise TermsRefused(
                "Each band ends where the next begins, and the last has no end. Check the numbers.",
                field="bands",
            )
        expected = ends if ends is not None else expected
