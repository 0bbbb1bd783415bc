"""What an electronic invoice says: the facts of a document as the terms of EN 16931, with no new sum.

Terms are numbered BT-n (one term) and BG-n (a group of terms). Every amount is the text that the document stores;
a credit note says it without the minus sign, because its type (381) already takes it back.

Sources: EN 16931-1:2017; Peppol BIS Billing 3.0 (May 2026).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.location_numbers import is_gln
from sla_manager.kernel.money import Money

INVOICE_TYPE, CREDIT_TYPE = "380", "381"
CREDIT_TRANSFER = "30"
CURRENCY, COUNTRY = "GBP", "GB"
PEPPOL_PROCESS = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
EINVOICED = ("invoice", "credit_note")
ONE = "C62"
UNITS = {"day": "DAY", "days": "DAY", "hour": "HUR", "hours": "HUR", "pupil": "C62", "pupils": "C62"}
"""Units of UN/ECE Recommendation 20; anything else is counted as ones."""
_POSTCODE = re.compile(r"^(.*?)[\s,]*\b([A-Z]{1,2}\d[A-Z\d]?\s*\d[A-Z]{2})$", re.IGNORECASE)
_UNFIT = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML file may hold, and the controls between."""


class NotAnElectronicInvoice(Refused):
    """A charge inside the council is not an invoice to another person."""

    def __init__(self, number: str) -> None:
        super().__init__(
            f"{number} is a charge within the council, outside the scope of VAT. It is not sent as an electronic "
            "invoice. Hand it over to the ledger with the other recharges."
        )


class ElectronicInvoiceIncomplete(Refused):
    """Something that the standard asks for is missing: what, and where it is filled in."""

    def __init__(self, number: str, missing: Sequence[Missing]) -> None:
        said = " ".join(one.sentence for one in missing)
        super().__init__(
            f"{number} cannot leave as an electronic invoice yet. {said}", field=missing[0].field
        )
        self.missing = tuple(missing)


@dataclass(frozen=True, slots=True)
class Missing:
    """A term that is not filled in: its number, the sentence that says where it is, the place's own name."""

    term: str
    field: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where an electronic invoice comes from and goes to; empty text where nothing is known.

    Schemes are of the code list EAS (9932: a United Kingdom VAT number; 0088: a GLN). `seller_reference` is the
    council's code in the national register, for documents that may not show a VAT number.
    """

    seller_scheme: str = ""
    seller_id: str = ""
    seller_reference: str = ""
    buyer_scheme: str = ""
    buyer_id: str = ""
    buyer_reference: str = ""


def terms(facts: Mapping[str, Any], addresses: Addresses) -> dict[str, Any]:
    """Return the facts of an invoice or credit note as terms of EN 16931.

    Raises `NotAnElectronicInvoice` for a recharge. What is missing is found by `missing`.
    """
    if facts["route"] != "invoice" or facts["kind"] not in EINVOICED:
        raise NotAnElectronicInvoice(facts["number"])
    is_credit = facts["kind"] == "credit_note"
    codes = {row["code"] for row in facts["vat_rows"]}
    said: dict[str, Any] = {
        "BT-1": facts["number"],
        "BT-2": facts["issued_on"],
        "BT-3": CREDIT_TYPE if is_credit else INVOICE_TYPE,
        "BT-5": CURRENCY,
        "BT-7": facts["tax_point"] if facts["tax_point"] != facts["issued_on"] else None,
        "BT-9": None if is_credit else facts["due_on"],
        "BT-10": clean(addresses.buyer_reference),
        "BT-12": clean(facts["agreement"]),
        "BT-13": clean(facts["purchase_order"] or ""),
        "BT-20": clean(facts["payment_terms"]),
        "BT-23": PEPPOL_PROCESS,
        "BG-1": _note(facts),
        "BG-3": _preceding(facts),
        "BG-4": _seller(facts, addresses, shows_vat_number="O" not in codes),
        "BG-7": _buyer(facts, addresses),
        "BG-13": {"name": clean(facts["school"] or facts["customer"]["name"]), "country_code": COUNTRY},
        **_payment(facts),
        **_totals(facts, is_credit=is_credit),
        "BG-23": [_vat_row(row, is_credit=is_credit) for row in facts["vat_rows"]],
        "BG-25": [_line(place, line, is_credit=is_credit) for place, line in enumerate(facts["lines"], 1)],
    }
    return {term: value for term, value in said.items() if value not in (None, "", [])}


def missing(facts: Mapping[str, Any], addresses: Addresses) -> list[Missing]:
    """Return what an electronic invoice of these facts lacks for the Peppol network, in the order to fill it in."""
    found = missing_in_document(facts, addresses)
    council, customer = facts["supplier"]["name"], facts["customer"]["name"]
    if not (addresses.seller_scheme and addresses.seller_id):
        found.append(
            Missing(
                "BT-34",
                "seller_endpoint",
                f"{council} has no electronic address: enter it under How we ask for money.",
            )
        )
    if not (addresses.buyer_scheme and addresses.buyer_id):
        found.append(
            Missing(
                "BT-49",
                "buyer_endpoint",
                f"{customer} has no electronic address: enter it under Electronic invoices.",
            )
        )
    if not addresses.buyer_reference and not facts["purchase_order"]:
        found.append(
            Missing(
                "BT-10", "buyer_reference",
                f"There is no purchase order and no reference of {customer}: enter one under Electronic invoices.",
            )
        )  # fmt: skip
    return found


def missing_in_document(facts: Mapping[str, Any], addresses: Addresses) -> list[Missing]:
    """Return what the document itself lacks for EN 16931: it was issued so, and only a new one can say more."""
    found = []
    codes = {row["code"] for row in facts["vat_rows"]}
    if not codes:
        found.append(Missing("BG-23", "vat_rows", "It has no VAT rows. Credit it and issue it again."))
    if "O" in codes and len(codes) > 1:
        found.append(
            Missing(
                "BR-O-11", "vat_rows",
                "It has lines outside the scope of VAT beside others, which the standard forbids. "
                "Credit it and issue two documents.",
            )
        )  # fmt: skip
    if codes - {"O"} and not vat_identifier(facts["supplier"]["vat_number"] or ""):
        found.append(
            Missing(
                "BT-31", "vat_number",
                "It was issued without the council's VAT number. Enter the number, credit it and issue it again.",
            )
        )  # fmt: skip
    if "O" in codes and not addresses.seller_reference:
        found.append(
            Missing(
                "BT-29",
                "seller_reference",
                "The council has no authority code: enter it with the council's name.",
            )
        )
    if any(row["code"] in ("E", "O") and not row["reason"] for row in facts["vat_rows"]):
        found.append(
            Missing(
                "BT-120", "vat_reason", "It does not say why there is no VAT. Credit it and issue it again."
            )
        )
    return found


def clean(text: str) -> str:
    """Return text that an XML file can hold: no control characters, no space around it.

    >>> clean("  A\\x00B ")
    'AB'
    """
    return _UNFIT.sub("", text).strip()


def vat_identifier(number: str) -> str:
    """Return a VAT number as the standard wants it, with its country.

    >>> vat_identifier("123 4567 89"), vat_identifier("GB123456789"), vat_identifier("")
    ('GB123456789', 'GB123456789', '')
    """
    plain = re.sub(r"[^0-9A-Za-z]", "", number).upper()
    return plain if not plain or plain.startswith(COUNTRY) else f"{COUNTRY}{plain}"


def _note(facts: Mapping[str, Any]) -> list[dict[str, str]]:
    credited = facts["credits"]
    parts = [credited["reason"] if credited else "", facts["route_reason"]]
    said = " ".join(part for part in (clean(part) for part in parts) if part)
    return [{"BT-22": said}] if said else []


def _preceding(facts: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the documents that this one follows: what a credit takes back, what a debit adds to."""
    named = facts["credits"] or facts.get("supplements")
    return [{"BT-25": named["number"], "BT-26": named["date"]}] if named else []


def _seller(facts: Mapping[str, Any], addresses: Addresses, *, shows_vat_number: bool) -> dict[str, Any]:
    supplier, questions = facts["supplier"], facts["questions"]
    number = vat_identifier(supplier["vat_number"] or "") if shows_vat_number else ""
    contact = {"name": questions["name"], "phone": questions["phone"], "email": questions["email"]}
    return _filled(
        name=clean(supplier["name"]),
        identifiers=None if number or not addresses.seller_reference else {None: addresses.seller_reference},
        vat_identifier=number,
        contacts=[{key: clean(text) for key, text in contact.items() if clean(text)}],
        **_address(supplier["address"]),
        **_endpoint(addresses.seller_scheme, addresses.seller_id),
    )


def _buyer(facts: Mapping[str, Any], addresses: Addresses) -> dict[str, Any]:
    customer = facts["customer"]
    reference = clean(customer["reference"])
    return _filled(
        name=clean(customer["name"]),
        identifiers={None: reference} if reference else None,
        **_address(customer["address"]),
        **_endpoint(addresses.buyer_scheme, addresses.buyer_id),
    )


def _endpoint(scheme: str, identifier: str) -> dict[str, str]:
    if not (scheme and identifier):
        return {}
    return {"einvoicing_addr": identifier, "einvoicing_addr_schemeid": scheme}


def _filled(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "", [], [{}])}


def _address(lines: Sequence[str]) -> dict[str, str]:
    """Return an address as street, town and postcode: the last line is the postcode, the one before the town.

    >>> _address(["Civic Centre", "12 Market Square", "Aldermere", "AM1 4QZ"])["city"]
    'Aldermere'
    """
    rest = [line for line in (clean(line) for line in lines) if line]
    found: dict[str, str] = {"country_code": COUNTRY}
    match = _POSTCODE.match(rest[-1]) if rest else None
    if match is not None:
        found["postcode"] = match.group(2).upper()
        rest = [*rest[:-1], *([match.group(1)] if match.group(1) else [])]
    if len(rest) > 1:
        found["city"] = rest.pop()
    found |= dict(zip(("addr_l1", "addr_l2"), rest, strict=False))
    if len(rest) > 2:
        found["addr_l3"] = ", ".join(rest[2:])
    return found


def _payment(facts: Mapping[str, Any]) -> dict[str, str]:
    bank = facts["bank"]
    if not bank or not bank["account_number"]:
        return {}
    return _filled(
        **{
            "BT-81": CREDIT_TRANSFER,
            "BT-83": clean(bank["payment_reference"]),
            "BT-84": re.sub(r"\s", "", bank["account_number"]),
            "BT-85": clean(bank["account_name"]),
            "BT-86": re.sub(r"\D", "", bank["sort_code"]),
        }
    )


def _amount(text: str, *, is_credit: bool) -> str:
    """Return a stored amount; of a credit, what it takes back."""
    amount = Money.parse(text)
    return str(-amount if is_credit else amount)


def _totals(facts: Mapping[str, Any], *, is_credit: bool) -> dict[str, str]:
    net, vat, gross = (_amount(facts[name], is_credit=is_credit) for name in ("net", "vat", "gross"))
    return {"BT-106": net, "BT-109": net, "BT-110": vat, "BT-112": gross, "BT-115": gross}


def _rate(code: str, rate: str | None) -> str | None:
    """Return the rate that the standard wants: none outside the scope, nought where exempt."""
    return None if code == "O" else (rate or "0")


def _vat_row(row: Mapping[str, Any], *, is_credit: bool) -> dict[str, Any]:
    return _filled(
        **{
            "BT-116": _amount(row["net"], is_credit=is_credit),
            "BT-117": _amount(row["vat"], is_credit=is_credit),
            "BT-118": row["code"],
            "BT-119": _rate(row["code"], row["rate"]),
            "BT-120": clean(row["reason"] or "") if row["code"] in ("E", "O") else "",
            "BT-121": "VATEX-EU-O" if row["code"] == "O" else "",
        }
    )


def _line(place: int, line: Mapping[str, Any], *, is_credit: bool) -> dict[str, Any]:
    quantity, unit, price = _figures(line, is_credit=is_credit)
    description = ". ".join(text for text in (clean(line["period"]), clean(line["explanation"])) if text)
    return _filled(
        **{
            "BT-126": str(place),
            "BT-129": quantity,
            "BT-130": unit,
            "BT-131": _amount(line["net"], is_credit=is_credit),
            "BT-146": price,
            "BT-151": line["vat_code"],
            "BT-152": _rate(line["vat_code"], line["vat_rate"]),
            "BT-153": clean(line["description"]) or "Work done",
            "BT-154": description,
        }
    )


def _figures(line: Mapping[str, Any], *, is_credit: bool) -> tuple[str, str, str]:
    """Return quantity, unit and price of a line, whose product is its net to the penny; a price is never below nothing.

    A part of a line (an instalment) is one piece at its value, because a receiver multiplies.
    """
    net = Money.parse(line["net"])
    net = -net if is_credit else net
    sign = -1 if net.pence < 0 else 1
    quantity, price = abs(Decimal(line["quantity"])), abs(Money.parse(line["unit_price"]))
    if price.times(quantity) == abs(net):
        return str(sign * quantity), UNITS.get(line["unit"], ONE), str(price)
    return str(sign), ONE, str(abs(net))


SCHEMES = {
    "9932": "United Kingdom VAT number",
    "0088": "Global location number (GLN)",
    "0060": "D-U-N-S number",
    "0199": "Legal entity identifier (LEI)",
}
"""The electronic addresses that English customers have, by their code in the list EAS."""
_SHAPES = {
    "9932": (r"GB(\d{9}|\d{12}|GD\d{3}|HA\d{3})", "a VAT number with GB and 9 digits, like GB123456789"),
    "0088": (r"\d{13}", "a GLN of 13 digits, like 5060012340001"),
    "0060": (r"\d{9}", "a D-U-N-S number of 9 digits"),
    "0199": (r"[0-9A-Z]{18}\d{2}", "an LEI of 20 letters and digits"),
}
LONGEST_REFERENCE = 100


class EndpointRefused(Refused):
    """An electronic address that no network would find."""

    def __init__(self, said: str, wanted: str, field: str) -> None:
        super().__init__(f"“{said[:40]}” is no electronic address of this kind. Enter {wanted}.", field=field)


def checked_endpoint(scheme: str, identifier: str, *, field: str = "identifier") -> tuple[str, str]:
    """Return an electronic address as it is stored, or nothing twice where none is given.

    >>> checked_endpoint("9932", "123 4567 89"), checked_endpoint("0088", "5060012340001"), checked_endpoint("", "")
    (('9932', 'GB123456789'), ('0088', '5060012340001'), ('', ''))
    """
    plain = re.sub(r"[\s.-]", "", identifier).upper()
    if not scheme and not plain:
        return "", ""
    if scheme not in SCHEMES:
        raise Refused("Choose the kind of electronic address.", field="scheme")
    plain = vat_identifier(plain) if scheme == "9932" else plain
    shape, wanted = _SHAPES[scheme]
    if re.fullmatch(shape, plain, re.ASCII) is None:
        raise EndpointRefused(identifier, wanted, field)
    if scheme == "0088" and not is_gln(plain):
        raise EndpointRefused(
            identifier, "a GLN whose last digit is right: check it against the letter that gave it", field
        )
    return scheme, plain
