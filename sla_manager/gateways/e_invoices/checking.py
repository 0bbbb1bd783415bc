"""The business rules of EN 16931 and of Peppol that touch amounts, held exactly: to the penny, without slack.

The official rules let a VAT amount be up to a pound from the product of its base and rate (BR-CO-17) and a line
two pence (PEPPOL-EN16931-R120). Ours let nothing pass but the half-up product, save that the VAT of a credit note
is what was left of its document's. Rules bear the names under which a receiver's software would refuse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from sla_manager.gateways.e_invoices.figures import Figures, Line, Row
from sla_manager.gateways.e_invoices.writing import EN_16931, PEPPOL
from sla_manager.kernel.errors import Broken
from sla_manager.kernel.location_numbers import is_gln
from sla_manager.kernel.money import half_up

_AMOUNT = re.compile(r"-?\d{1,13}(\.\d{1,2})?")
_NUMBER = re.compile(r"-?\d{1,13}(\.\d{1,6})?")
_POUND = 100
CATEGORIES = ("S", "Z", "E", "O")
UNITS = ("DAY", "HUR", "C62")


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that does not hold, by its official name, and the figures that show it."""

    rule: str
    sentence: str


class RulesBroken(Broken):
    """The file would be refused by its receiver: it stays here."""

    def __init__(self, number: str, breaches: list[Breach]) -> None:
        said = "; ".join(f"{one.rule}: {one.sentence}" for one in breaches[:5])
        super().__init__(
            f"The electronic invoice of {number} breaks the standard's rules and was not sent. {said}."
        )
        self.breaches = tuple(breaches)


def check(figures: Figures) -> None:
    """Raise `RulesBroken` unless every rule holds."""
    found = breaches(figures)
    if found:
        raise RulesBroken(figures.number, found)


def breaches(figures: Figures) -> list[Breach]:
    """Return every rule that does not hold. Amounts that are no amounts end the search, for nothing can be added."""
    form = [*_presence(figures), *_decimals(figures)]
    if any(one.rule.startswith("BR-DEC") for one in form):
        return form
    return [
        *form,
        *_sums(figures),
        *_lines(figures),
        *_rows(figures),
        *_categories(figures),
        *_parties(figures),
    ]


def _pence(text: str) -> int:
    """Return a checked amount in pence; nothing where it is not said."""
    return int(Fraction(text or "0") * _POUND)


def _presence(figures: Figures) -> Iterator[Breach]:
    wanted = {
        "BR-01": figures.profile, "BR-02": figures.number, "BR-03": figures.issued_on, "BR-04": figures.kind,
        "BR-06": figures.seller.name, "BR-07": figures.buyer.name, "BR-09": figures.seller.country,
        "BR-11": figures.buyer.country, "BR-12": figures.line_total, "BR-13": figures.without_vat,
        "BR-14": figures.with_vat, "BR-15": figures.due, "BR-53": figures.vat,
    }  # fmt: skip
    for rule, value in wanted.items():
        if not value:
            yield Breach(rule, "it is missing")
    if figures.currencies != {"GBP"}:
        yield Breach("BR-05", f"amounts are in {', '.join(sorted(figures.currencies))}, not in pounds alone")
    if not figures.lines:
        yield Breach("BR-16", "there is no line")
    if figures.kind not in ("380", "381"):
        yield Breach("BR-CL-01", f"“{figures.kind}” is neither an invoice (380) nor a credit note (381)")
    if figures.kind == "381" and not figures.preceding:
        yield Breach("BR-55", "a credit note names the invoice that it takes back")
    if any(not number for number, _ in figures.preceding):
        yield Breach("BR-55", "a preceding invoice has no number")
    if figures.means == "30" and not figures.account:
        yield Breach("BR-50", "there is no account to transfer to")
    if figures.empty_elements:
        yield Breach("PEPPOL-EN16931-R008", f"{figures.empty_elements} elements are empty")


def _decimals(figures: Figures) -> Iterator[Breach]:
    amounts = {
        "BR-DEC-09": figures.line_total, "BR-DEC-10": figures.allowances, "BR-DEC-11": figures.charges,
        "BR-DEC-12": figures.without_vat, "BR-DEC-13": figures.vat, "BR-DEC-14": figures.with_vat,
        "BR-DEC-16": figures.prepaid, "BR-DEC-17": figures.rounding, "BR-DEC-18": figures.due,
    }  # fmt: skip
    told = list(amounts.items())
    told += [
        (rule, text)
        for row in figures.rows
        for rule, text in (("BR-DEC-19", row.net), ("BR-DEC-20", row.vat))
    ]
    told += [("BR-DEC-23", line.net) for line in figures.lines]
    for rule, text in told:
        if text and _AMOUNT.fullmatch(text) is None:
            yield Breach(rule, f"“{text[:20]}” is no amount with two decimals")
    for text in (text for line in figures.lines for text in (line.price, line.quantity, line.rate)):
        if text and _NUMBER.fullmatch(text) is None:
            yield Breach("BR-DEC", f"“{text[:20]}” is no number")
    for row in figures.rows:
        if row.rate and _NUMBER.fullmatch(row.rate) is None:
            yield Breach("BR-DEC", f"“{row.rate[:20]}” is no rate")


def _sums(figures: Figures) -> Iterator[Breach]:
    lines = sum(_pence(line.net) for line in figures.lines)
    vat = sum(_pence(row.vat) for row in figures.rows)
    line_total, without = _pence(figures.line_total), _pence(figures.without_vat)
    other = _pence(figures.charges) - _pence(figures.allowances)
    for rule, what, said, right in (
        ("BR-CO-10", "the sum of the lines", line_total, lines),
        ("BR-CO-11", "the sum of allowances", _pence(figures.allowances), 0),
        ("BR-CO-12", "the sum of charges", _pence(figures.charges), 0),
        ("BR-CO-13", "the total without VAT", without, line_total + other),
        ("BR-CO-14", "the VAT", _pence(figures.vat), vat),
        ("BR-CO-15", "the total with VAT", _pence(figures.with_vat), without + _pence(figures.vat)),
        (
            "BR-CO-16", "the amount due", _pence(figures.due),
            _pence(figures.with_vat) - _pence(figures.prepaid) + _pence(figures.rounding),
        ),
    ):  # fmt: skip
        if said != right:
            yield Breach(rule, f"{what} is {_pounds(said)}, and its parts come to {_pounds(right)}")
    if _pence(figures.due) > 0 and figures.kind == "380" and not (figures.due_on or figures.terms):
        yield Breach("BR-CO-25", "there is neither a due date nor a sentence on payment")
    if figures.kind == "381" and _pence(figures.due) < 0:
        yield Breach("SIGN", "a credit note says what it takes back without a minus sign")


def _lines(figures: Figures) -> Iterator[Breach]:
    ids = [line.id for line in figures.lines]
    if len(set(ids)) != len(ids):
        yield Breach("PEPPOL-EN16931-R061", "two lines have the same identifier")
    for line in figures.lines:
        yield from _line(line)


def _line(line: Line) -> Iterator[Breach]:
    where = f"line {line.id}"
    wanted = {
        "BR-21": line.id, "BR-22": line.quantity, "BR-23": line.unit, "BR-24": line.net, "BR-25": line.name,
        "BR-26": line.price, "BR-CO-04": line.code,
    }  # fmt: skip
    for rule, value in wanted.items():
        if not value:
            yield Breach(rule, f"{where}: it is missing")
    if line.unit not in UNITS:
        yield Breach("BR-CL-23", f"{where}: “{line.unit}” is no unit that is used here")
    if Fraction(line.price or "0") < 0:
        yield Breach("BR-27", f"{where}: the price {line.price} is below nothing")
    right = half_up(Fraction(line.quantity or "0") * Fraction(line.price or "0") * _POUND)
    if _pence(line.net) != right:
        yield Breach(
            "PEPPOL-EN16931-R120",
            f"{where}: {line.quantity} × {line.price} is {_pounds(right)}, and it says {line.net}",
        )
    yield from _rate(line.code, line.rate, "05", where)


def _rate(code: str, rate: str, rule: str, where: str) -> Iterator[Breach]:
    if code not in CATEGORIES:
        yield Breach("BR-CL-17", f"{where}: “{code}” is no VAT category that is used here")
    elif code == "O":
        if rate:
            yield Breach(f"BR-O-{rule}", f"{where}: outside the scope there is no rate, and it says {rate}")
    elif not rate:
        yield Breach("BR-48", f"{where}: there is no rate")
    elif (Fraction(rate) > 0) != (code == "S"):
        yield Breach(f"BR-{code}-{rule}", f"{where}: the rate {rate} does not fit category {code}")


def _rows(figures: Figures) -> Iterator[Breach]:
    if not figures.rows:
        yield Breach("BR-CO-18", "there is no VAT row")
    keys = [_key(row) for row in figures.rows]
    if len(set(keys)) != len(keys):
        yield Breach("BR-S-08", "one category and rate has two VAT rows")
    based = {_key(line) for line in figures.lines}
    for line_key in sorted(based - set(keys)):
        yield Breach(f"BR-{line_key[0]}-01", f"lines of category {line_key[0]} have no VAT row of their rate")
    for row in figures.rows:
        yield from _row(row, figures)


def _key(one: Line | Row) -> tuple[str, Fraction]:
    return one.code, Fraction(one.rate or "0")


def _row(row: Row, figures: Figures) -> Iterator[Breach]:
    where = f"VAT row {row.code} {row.rate}".strip()
    yield from _rate(row.code, row.rate, "05", where)
    base = sum(_pence(line.net) for line in figures.lines if _key(line) == _key(row))
    if _pence(row.net) != base:
        yield Breach(
            f"BR-{row.code}-08", f"{where}: its base is {row.net}, and its lines come to {_pounds(base)}"
        )
    right = half_up(Fraction(row.net or "0") * Fraction(row.rate or "0"))
    slack = _POUND - 1 if figures.kind == "381" and row.code == "S" else 0
    if abs(_pence(row.vat) - right) > slack:
        rule = "BR-CO-17" if row.code == "S" else f"BR-{row.code}-09"
        yield Breach(
            rule, f"{where}: {row.rate or '0'} % of {row.net} is {_pounds(right)}, and it says {row.vat}"
        )
    has_reason = bool(row.reason or row.reason_code)
    if has_reason != (row.code in ("E", "O")):
        said = "it says no reason" if not has_reason else "it says a reason where none belongs"
        yield Breach(f"BR-{row.code}-10", f"{where}: {said}")


def _categories(figures: Figures) -> Iterator[Breach]:
    codes = {row.code for row in figures.rows}
    numbers = figures.seller.vat_number, figures.buyer.vat_number
    if "O" in codes:
        if codes != {"O"}:
            yield Breach("BR-O-11", "what is outside the scope may not stand beside other categories")
        if any(line.code != "O" for line in figures.lines):
            yield Breach("BR-O-12", "a line has another category than outside the scope")
        if any(numbers):
            yield Breach("BR-O-02", "a document outside the scope shows a VAT number")
    elif codes and not figures.seller.vat_number:
        yield Breach(f"BR-{min(codes)}-02", "the seller's VAT number is missing")
    for number in numbers:
        if number and re.fullmatch(r"GB[0-9A-Z]{5,12}", number) is None:
            yield Breach("BR-CO-09", f"the VAT number “{number[:20]}” does not begin with its country")
    if not (figures.seller.vat_number or figures.seller.identifiers):
        yield Breach("BR-CO-26", "nothing identifies the seller")


def _parties(figures: Figures) -> Iterator[Breach]:
    """Yield what the Peppol network asks for beyond EN 16931; a hybrid PDF does not travel there."""
    if figures.syntax != "ubl":
        if figures.profile != EN_16931:
            yield Breach("BR-01", f"“{figures.profile[:60]}” is not the profile of EN 16931")
        return
    if figures.profile != PEPPOL:
        yield Breach("PEPPOL-EN16931-R004", f"“{figures.profile[:60]}” is not the profile of Peppol")
    if not figures.process:
        yield Breach("PEPPOL-EN16931-R001", "the business process is missing")
    if figures.notes > 1:
        yield Breach("PEPPOL-EN16931-R002", f"there are {figures.notes} notes, and one is allowed")
    if not (figures.buyer_reference or figures.order):
        yield Breach("PEPPOL-EN16931-R003", "there is neither a buyer's reference nor an order")
    for rule, party in (("PEPPOL-EN16931-R020", figures.seller), ("PEPPOL-EN16931-R010", figures.buyer)):
        if not party.endpoint:
            yield Breach(rule, f"{party.name} has no electronic address")
        elif party.scheme == "0088" and not is_gln(party.endpoint):
            yield Breach("PEPPOL-COMMON-R040", f"“{party.endpoint[:20]}” is no global location number")


def _pounds(pence: int) -> str:
    """Write pence as the file does."""
    sign, size = ("-" if pence < 0 else ""), abs(pence)
    return f"{sign}{size // _POUND}.{size % _POUND:02d}"
