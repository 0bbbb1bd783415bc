"""What a quote, a service level agreement or a contract for services says, section by section."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sla_manager.gateways.printing.facts import (
    Amount,
    Contact,
    Customer,
    Day,
    Instant,
    Prose,
    Supplier,
    VatRow,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Obligation:
    """One promise: its reference ("P1", "C3"; may be empty), its text and its finer points.

    `heading` gathers promises that the service lists together, such as "Before a referral"; it may be empty.
    """

    reference: str
    text: Prose
    points: tuple[Prose, ...] = ()
    heading: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A headed part of the service's own words, such as how it works with schools."""

    heading: str
    paragraphs: tuple[Prose, ...]
    points: tuple[Prose, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreItem:
    """One thing that is free: its name, what it is and what belongs to it."""

    name: str
    description: Prose = ""
    points: tuple[Prose, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreDuty:
    """One of the four duties of the core offer, what it means and everything free under it."""

    name: str
    meaning: Prose
    items: tuple[CoreItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoughtLine:
    """One thing bought: `family` is the trading area in words, `includes` what it may be used for.

    `explanation` says how the price comes about, as it was when it was signed; `package` names the bundle that
    it is part of and `discount` what was taken off (`net` is after it).
    """

    description: str
    family: str
    quantity: str
    unit: str
    unit_price: Amount
    net: Amount
    vat_label: str
    includes: tuple[Prose, ...] = ()
    note: Prose = ""
    explanation: Prose = ""
    package: str = ""
    discount: Amount | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySlot:
    """One row of the delivery schedule: when, what, how long and with whom."""

    when: str
    what: str
    length: str
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrancheShare:
    """The part of a bought line that belongs to one financial year, and must be used in it."""

    offering: str
    year: str
    starts_on: Day
    ends_on: Day
    quantity: str
    unit: str
    net: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role in the service, who holds it (may be empty) and what it answers for."""

    title: str
    name: str
    responsibilities: tuple[Prose, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceHours:
    """When the service can be reached: "Monday to Thursday", "8:45am to 5pm"."""

    days: str
    times: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationBand:
    """How much of the booked time a cancellation costs at some notice, both in words."""

    notice: str
    charge: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentDue:
    """One document of the payment schedule, exactly as it will be issued: "Invoice 1 of 3"."""

    label: str
    issued_on: Day
    due_on: Day | None
    net: Amount
    vat: Amount
    gross: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What it costs altogether. `shows_vat` is False for a recharge. Totals are those of the documents."""

    shows_vat: bool
    vat_rows: tuple[VatRow, ...]
    net: Amount
    vat: Amount
    gross: Amount
    route_reason: Prose
    payment_terms: Prose
    schedule: tuple[PaymentDue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """Evidence of who accepted: name, role, moment in UTC, network address and the document's hash."""

    name: str
    role: str
    accepted_at: Instant
    address: str
    document_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementFacts:
    """A quote or a signed agreement.

    `title` follows the customer: an own maintained school has a *Service level agreement* (no legal
    contract), any other legal person a *Contract for services*; `status_reason` says which and why. A quote
    has `valid_until` and no `acceptance`. A part that a service does not have is empty and is left out of
    the paper, its number with it. `acceptance_statement` is what the signer declares.
    """

    kind: Literal["agreement"]
    title: Literal["Service level agreement", "Contract for services"]
    stage: Literal["quote", "agreement"]
    reference: str
    version: int
    issued_on: Day
    valid_until: Day | None
    starts_on: Day
    ends_on: Day
    supplier: Supplier
    customer: Customer
    schools: tuple[str, ...]
    purchase_order: str | None
    status_reason: Prose
    introduction: tuple[Prose, ...]
    introduced_by: Contact | None
    description: tuple[Prose, ...]
    contacts: tuple[Contact, ...]
    passages: tuple[Passage, ...]
    core_introduction: tuple[Prose, ...]
    core_offer: tuple[CoreDuty, ...]
    bought: tuple[BoughtLine, ...]
    delivery: tuple[DeliverySlot, ...]
    delivery_notes: tuple[Prose, ...]
    tranches: tuple[TrancheShare, ...]
    link_officer: Contact | None
    link_officer_note: Prose
    we_will: tuple[Obligation, ...]
    you_will: tuple[Obligation, ...]
    roles: tuple[Role, ...]
    hours: tuple[ServiceHours, ...]
    cancellation: tuple[Prose, ...]
    cancellation_bands: tuple[CancellationBand, ...]
    cover: tuple[Prose, ...]
    no_carry_forward: tuple[Prose, ...]
    variation: tuple[Prose, ...]
    termination: tuple[Prose, ...]
    performance: tuple[Prose, ...]
    complaints: tuple[Prose, ...]
    data_protection: tuple[Prose, ...]
    costs: Costs
    acceptance_statement: Prose
    acceptance: Acceptance | None
    parties: tuple[Prose, ...] = ()
    """Who pays when it is not the school, and who buys together with it."""
    notice: tuple[Prose, ...] = ()
    """How this agreement ends early and whether it renews."""
    agreed_on: Day | None = None
    """When the council agreed; None before that."""
