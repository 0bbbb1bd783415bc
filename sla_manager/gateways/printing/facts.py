"""What a printed document says: frozen facts, nothing to work out.

A room that issues a document builds one of these, stores it as JSON (`plain`) and hands the JSON to a
printer. Amounts are exact decimals written by the books ("4416.00"), dates are "2026-03-31", instants are
UTC and end in "Z", lengths of time are whole minutes. A template adds the pound sign and the commas and
computes nothing, so what is printed is what is stored.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import Annotated, Literal

from sla_manager.kernel.errors import Broken

Amount = Annotated[str, "amount"]
"""Pounds and pence as the books write them: "4416.00", "-207.63"."""
Day = Annotated[str, "day"]
"""A civil date in London: "2026-03-31"."""
Instant = Annotated[str, "instant"]
"""A moment in UTC: "2026-02-28T23:59:00Z"."""
Colour = Annotated[str, "colour"]
"""Six hexadecimal digits: "#12436d"."""
Prose = Annotated[str, "prose"]
"""Text of one or more sentences; anything else is a name or a label and is kept much shorter on paper."""

Route = Literal["invoice", "recharge"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Somebody to ask: an officer, a team or a duty desk."""

    name: str
    role: str
    phone: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplier:
    """The council and the service that issue the document, as its letterhead says them.

    `colour` is the council's own, for rules and pictures only: no word is ever set in it. `vat_number` is
    None where there is none; it is never printed on a recharge.
    """

    name: str
    service: str
    address: tuple[str, ...]
    vat_number: str | None
    email: str
    phone: str
    colour: Colour


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Who pays, as frozen on the document. `reference` is the account at the council's ledger."""

    name: str
    address: tuple[str, ...]
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLine:
    """One line of an invoice, recharge note or credit note.

    `unit` is the word that reads right after `quantity` ("12" "days", "1" "day"). `vat_rate` is a percentage
    ("20") or None where none applies. `explanation` is the *why* of the amount, such as "12 days × £368.00 =
    £4,416.00, instalment 1 of 3"; it may be empty.
    """

    description: Prose
    period: str
    quantity: str
    unit: str
    unit_price: Amount
    net: Amount
    vat_code: str
    vat_rate: str | None
    explanation: Prose


@dataclass(frozen=True, slots=True, kw_only=True)
class VatRow:
    """The VAT of one code and rate on this document; `reason` is the legal reference of an exemption."""

    code: str
    label: str
    rate: str | None
    net: Amount
    vat: Amount
    reason: Prose | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BankDetails:
    """Where money is paid to, and what the payer must quote."""

    account_name: str
    sort_code: str
    account_number: str
    payment_reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Credited:
    """The document that a credit note takes back, wholly or in part, and why."""

    number: str
    date: Day
    reason: Prose


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyDocumentFacts:
    """An invoice, a recharge note or a credit note.

    `route` decides whether VAT is shown: a recharge note, and a credit note for one, never carry a VAT number
    nor a VAT column. `school` names the school when the customer is a trust. `agreement` is the reference of
    what was agreed. `route_reason` says why there is VAT or none. `how_to_pay` and `payment_terms` are
    sentences; `bank` is None for a recharge. A credit note has `credits` and amounts below nothing.
    """

    kind: Literal["invoice", "recharge_note", "credit_note"]
    route: Route
    number: str
    issued_on: Day
    tax_point: Day
    due_on: Day | None
    supplier: Supplier
    customer: Customer
    school: str | None
    purchase_order: str | None
    agreement: str
    lines: tuple[DocumentLine, ...]
    vat_rows: tuple[VatRow, ...]
    net: Amount
    vat: Amount
    gross: Amount
    payment_terms: Prose
    bank: BankDetails | None
    how_to_pay: Prose
    questions: Contact
    credits: Credited | None
    route_reason: Prose
    supplements: Credited | None = None
    """The document that this one adds to: it is then called a debit note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementEntry:
    """One entry of the day ledger: signed minutes, and the balance after it."""

    date: Day
    kind: str
    description: Prose
    minutes: int
    balance: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrancheStatement:
    """One tranche's balance and every entry that led to it, all in whole minutes.

    `unit` is "day" or "hour" and `unit_minutes` its length. `delivered`, `charged`, `credited` and `lapsed`
    are how much was taken off (never below nothing); `varied` is signed. `outlook` is the sentence on pace,
    such as "8.5 days left, 9 school weeks to 31 March"; it may be empty.
    """

    offering: str
    year: str
    starts_on: Day
    ends_on: Day
    unit: Literal["day", "hour"]
    unit_minutes: int
    contracted: int
    varied: int
    delivered: int
    charged: int
    credited: int
    lapsed: int
    balance: int
    booked: int
    free_to_book: int
    outlook: Prose
    entries: tuple[StatementEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayStatementFacts:
    """The statement of a school's days: what was bought, used, booked, left and lost, entry by entry."""

    kind: Literal["day_statement"]
    stated_on: Day
    supplier: Supplier
    customer: Customer
    school: str | None
    agreement: str
    tranches: tuple[TrancheStatement, ...]
    how_to_read: Prose
    questions: Contact


def plain(facts: object) -> dict[str, object]:
    """Return facts as what JSON can hold: dictionaries, lists, text, whole numbers, booleans and None.

    >>> plain(Credited(number="EWS/25-26/000012", date="2025-10-14", reason="Officer was ill"))["date"]
    '2025-10-14'
    """
    if not is_dataclass(facts) or isinstance(facts, type):
        raise Broken(f"Only facts can be printed, not {type(facts).__name__}.")
    return {field.name: _plain(getattr(facts, field.name)) for field in fields(facts)}


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, str | int):
        return value
    return plain(value)
