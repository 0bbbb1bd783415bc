"""`sla-manager quote CASES.jsonl`: prices cases without a database, a JSON line in, a JSON line out.

In: `customer_class`, `unit_price`, `quantity`, `step` (text), `day_minutes` (whole number), `start`, `end`
(both included), `schedule` (single, three, seven-five, monthly), `vat` (standard, exempt); other keys are
ignored. A price of another shape than so much for each is said by `shape` (tiers, per_pupil, bands) and `terms`
as the price list keeps them, with the school's `pupils` (whole number), `phase` and `absence` (text) where it
stands on them; `unit_price` is then not asked for. `part_year` (full, months, days) says that the price is for a
year. Out: `net`, `vat`, `gross`, `route`, `documents` and `tranches`, with `explanation` and `hint` where `shape`
or `part_year` is given, or `{"error": "…"}` for a line that is refused. Amounts are text, minutes whole numbers;
documents and tranches of nothing are left out; blank lines are skipped.

It imports rules only, so that it starts at once, and decides nothing itself: it reads, asks and writes.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, NoReturn, TextIO, TypeVar

from sla_manager.agreements.rules.schedules import Schedule, instalment_dates, instalment_weights
from sla_manager.agreements.rules.tranches import tranches_by_months
from sla_manager.catalogue.rules.part_year import part_of_year
from sla_manager.catalogue.rules.price_terms import check_terms
from sla_manager.catalogue.rules.pricing import line_net
from sla_manager.catalogue.rules.shapes import PartYear, PriceShape, SchoolFigures, plainest, price_quantity
from sla_manager.catalogue.rules.vat import Treatment, VatCode, rate_at, treatment
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.periods import Period
from sla_manager.people.rules.customer_classes import CustomerClass

LONGEST_LINE = 100_000
"""Bytes: no case is that long, and a line without an end shall not fill the memory."""

FIRST_DAY, LAST_DAY = date(1991, 4, 1), date(2199, 12, 31)
"""The dates that can be priced: from the first rate of VAT that is known."""

_AMOUNT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,2})?")
_QUANTITY = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,3})?")
_AMOUNT_OF_ABSENCE = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3})?")
_MOST_PUPILS = 100_000
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CLASSES = {one.value: one for one in CustomerClass}
_SCHEDULES = {one.value: one for one in Schedule if one is not Schedule.ON_DELIVERY}
_MANY: dict[type, str] = {dict: "an object", list: "a list"}
_SHAPES = {one.value: one for one in PriceShape}
_PARTS = {one.value: one for one in PartYear}
_VAT = {"standard": False, "exempt": True}

Known = TypeVar("Known")

_rate = lru_cache(maxsize=4096)(rate_at)
_treatment: Callable[[CustomerClass, bool], Treatment] = lru_cache(maxsize=64)(
    lambda customer_class, exempt: treatment(customer_class, exempt=exempt)
)


class CaseRefused(Refused):
    """A case that cannot be priced; the message names the key, the value and what is allowed."""

    def __init__(self, key: str, value: object, allowed: str) -> None:
        shown = _MANY.get(type(value)) or json.dumps(value)
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        super().__init__(f"{key} is {shown}. It must be {allowed}.", field=key)


def _text(case: dict[str, object], key: str, allowed: str) -> str:
    value = _value(case, key, allowed)
    if not isinstance(value, str):
        raise CaseRefused(key, value, allowed)
    return value


def _value(case: dict[str, object], key: str, allowed: str) -> object:
    if key not in case:
        raise Refused(f"{key} is missing. It must be {allowed}.", field=key)
    return case[key]


def _one_of(case: dict[str, object], key: str, words: dict[str, Known]) -> Known:
    allowed = f"one of {', '.join(words)}"
    word = _text(case, key, allowed)
    if word not in words:
        raise CaseRefused(key, word, allowed)
    return words[word]


def _price_of_a_unit(case: dict[str, object]) -> Money:
    allowed = 'pounds and pence as text, not below 0, like "368.00"'
    text = _text(case, "unit_price", allowed)
    if not _AMOUNT.fullmatch(text):
        raise CaseRefused("unit_price", text, allowed)
    return Money.parse(text, field="unit_price")


def _decimal(case: dict[str, object], key: str) -> Decimal:
    allowed = 'a number above 0 as text, with at most three decimals, like "4.5"'
    text = _text(case, key, allowed)
    if not _QUANTITY.fullmatch(text) or not (number := Decimal(text)) > 0:
        raise CaseRefused(key, text, allowed)
    return number


def _length_of_a_day(case: dict[str, object]) -> Minutes:
    allowed = "a whole number of minutes between 1 and 1440"
    value = _value(case, "day_minutes", allowed)
    if type(value) is not int or not 1 <= value <= 1440:
        raise CaseRefused("day_minutes", value, allowed)
    return Minutes(value)


@lru_cache(maxsize=4096)
def _date_in(text: str) -> date | None:
    try:
        day = date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None
    return day if day is not None and FIRST_DAY <= day <= LAST_DAY else None


def _day(case: dict[str, object], key: str) -> date:
    allowed = f'a date from {FIRST_DAY} to {LAST_DAY} as text, like "2025-10-14"'
    text = _text(case, key, allowed)
    day = _date_in(text)
    if day is None:
        raise CaseRefused(key, text, allowed)
    return day


def _term(case: dict[str, object]) -> Period:
    start, end = _day(case, "start"), _day(case, "end")
    if end < start:
        raise CaseRefused("end", str(end), f"on or after the start, {start}")
    return Period.through(start, end)


def price_case(case: dict[str, object]) -> dict[str, object]:
    """Return what a case comes to; raises `Refused` with the reason.

    >>> case = {"customer_class": "academy", "unit_price": "368.00", "quantity": "12", "step": "0.5",
    ...     "day_minutes": 444, "start": "2025-10-14", "end": "2026-03-31", "schedule": "three",
    ...     "vat": "standard"}
    >>> answer = price_case(case)
    >>> answer["gross"], answer["documents"][0], answer["tranches"]
    ('5299.20', {'net': '1472.00', 'vat': '294.40', 'gross': '1766.40'}, \
[{'year': '2025-26', 'minutes': 5328, 'net': '4416.00'}])
    """
    decided = _treatment(_one_of(case, "customer_class", _CLASSES), _one_of(case, "vat", _VAT))
    schedule, term = _one_of(case, "schedule", _SCHEDULES), _term(case)
    quantity, step, day = _decimal(case, "quantity"), _decimal(case, "step"), _length_of_a_day(case)
    net, said = _shaped(case, quantity, step, term)
    tranches = tranches_by_months(quantity, step, term, net=net, unit=day)
    documents = _documents(net, schedule, term, decided.code)
    vat = total(tax for _, tax in documents)
    return {
        "net": str(net),
        "vat": str(vat),
        "gross": str(net + vat),
        "route": decided.route.value,
        "documents": [
            {"net": str(part), "vat": str(tax), "gross": str(part + tax)} for part, tax in documents
        ],
        "tranches": [
            {
                "year": str(part.year),
                "minutes": part.minutes.minutes if part.minutes else 0,
                "net": str(part.net),
            }
            for part in tranches
        ],
        **said,
    }


def _shaped(
    case: dict[str, object], quantity: Decimal, step: Decimal, term: Period
) -> tuple[Money, dict[str, object]]:
    """Return the net, and what is said of it where a case names a shape or a part of a year."""
    if "shape" not in case and "part_year" not in case:
        return line_net(quantity, _price_of_a_unit(case)), {}
    shape = _one_of(case, "shape", _SHAPES) if "shape" in case else PriceShape.UNIT
    terms = _value(case, "terms", "an object") if shape is not PriceShape.UNIT else {}
    if not isinstance(terms, dict):
        raise CaseRefused("terms", terms, "an object")
    check_terms(shape, terms, minimum=quantity)
    each = _price_of_a_unit(case) if shape is PriceShape.UNIT else plainest(shape, terms)
    found = price_quantity(shape, each, terms, quantity, unit="unit", figures=_figures(case), step=step)
    part = Fraction(1)
    if "part_year" in case:
        part = part_of_year(_one_of(case, "part_year", _PARTS), term)
    return Money.rounded(found.pence * part), {"explanation": found.words, "hint": found.hint}


def _figures(case: dict[str, object]) -> SchoolFigures:
    """Return the school's figures; what a case leaves out is not published."""
    pupils = case.get("pupils")
    if pupils is not None and (type(pupils) is not int or not 0 <= pupils <= _MOST_PUPILS):
        raise CaseRefused("pupils", pupils, f"a whole number between 0 and {_MOST_PUPILS}")
    allowed = 'a percentage as text, with at most three decimals, like "21.4"'
    absence = _text(case, "absence", allowed) if case.get("absence") is not None else None
    if absence is not None and not _AMOUNT_OF_ABSENCE.fullmatch(absence):
        raise CaseRefused("absence", absence, allowed)
    return SchoolFigures(
        phase=_text(case, "phase", "a phase of education as text") if "phase" in case else "",
        pupils=pupils if type(pupils) is int else None,
        absence=None if absence is None else Decimal(absence),
    )


def _documents(net: Money, schedule: Schedule, term: Period, code: VatCode) -> list[tuple[Money, Money]]:
    """Return net and VAT of each document that is issued, VAT at the rate of its own tax point."""
    parts = net.split(instalment_weights(schedule, term))
    dates = instalment_dates(schedule, term)
    return [
        (part, part.per_cent(_rate(code, tax_point)))
        for part, tax_point in zip(parts, dates, strict=True)
        if part
    ]


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _no_double_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key comes twice")
    return found


_decoder = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_no_double_keys)


def _answer(line: str) -> dict[str, object]:
    try:
        case = _decoder.decode(line)
    except (ValueError, RecursionError) as wrong:
        return {"error": f"This line is not valid JSON: {str(wrong)[:80] or 'too deep'}."}
    if not isinstance(case, dict):
        return {"error": "This line is not a JSON object."}
    try:
        return price_case(case)
    except Refused as refused:
        return {"error": refused.message}


def quote_lines(lines: Iterable[str]) -> Iterator[str]:
    """Yield the answer to each line that is not blank, as JSON in plain ASCII without a line end.

    >>> list(quote_lines(["", "[]"]))
    ['{"error": "This line is not a JSON object."}']
    """
    for line in lines:
        case = line.strip()
        if case:
            yield json.dumps(_answer(case))


def _lines(file: BinaryIO) -> Iterator[str]:
    """Yield a file's lines as text: what is not UTF-8 or too long becomes a line that no case can be."""
    while raw := file.readline(LONGEST_LINE):
        if len(raw) == LONGEST_LINE and not raw.endswith(b"\n"):
            while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                continue
            yield "a line too long"
            continue
        try:
            yield raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            yield "a line that is not UTF-8"


def _opened(path: str) -> BinaryIO:
    try:
        return Path(path).open("rb")
    except OSError as unreadable:
        raise Refused(
            f"“{path}” cannot be read: {unreadable.strerror}. Name a file with a case a line."
        ) from None


def run(path: str, out: TextIO) -> None:
    """Price every line of a file onto `out`; a file that cannot be read is refused."""
    with _opened(path) as file:
        for answer in quote_lines(_lines(file)):
            out.write(answer + "\n")


def main(path: str) -> int:
    """Run the command: 0 when every line has its answer, 1 when there is no such file."""
    try:
        run(path, sys.stdout)
        sys.stdout.flush()
    except Refused as refused:
        sys.stderr.write(refused.message + "\n")
        return 1
    except BrokenPipeError:  # whoever reads the answers has had enough, which is no error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
