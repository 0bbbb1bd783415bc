"""What an electronic invoice says, read back from its XML: every amount as it stands there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line (BG-25). Empty text where the file says nothing."""

    id: str
    quantity: str
    unit: str
    price: str
    net: str
    code: str
    rate: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The VAT of one category and rate (BG-23)."""

    code: str
    rate: str
    net: str
    vat: str
    reason: str
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A seller or buyer: name, country, identifiers (BT-29 or BT-46), VAT number, electronic address."""

    name: str
    country: str
    identifiers: tuple[str, ...]
    vat_number: str
    scheme: str
    endpoint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """An electronic invoice as a receiver reads it. Empty text where the file says nothing."""

    syntax: str
    profile: str
    process: str
    number: str
    kind: str
    issued_on: str
    tax_point: str
    due_on: str
    terms: str
    currencies: frozenset[str]
    notes: int
    buyer_reference: str
    order: str
    preceding: tuple[tuple[str, str], ...]
    seller: Party
    buyer: Party
    means: str
    account: str
    lines: tuple[Line, ...]
    rows: tuple[Row, ...]
    line_total: str
    allowances: str
    charges: str
    without_vat: str
    vat: str
    with_vat: str
    prepaid: str
    rounding: str
    due: str
    empty_elements: int
