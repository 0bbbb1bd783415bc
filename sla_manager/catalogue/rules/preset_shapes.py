"""What a preset says about a service, as frozen facts: who, what is free, what is sold, what is promised."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, time
from decimal import Decimal
from enum import StrEnum

from sla_manager.catalogue.rules.charging import ChargingMethod
from sla_manager.catalogue.rules.families import CoreDuty, Family
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.people.rules.customer_classes import CustomerClass


class Origin(StrEnum):
    """Where a sentence comes from."""

    DOCUMENT = "document"
    """The council's own document, at `line`."""
    PUBLISHED = "published"
    """Another publication of that council, such as its price list."""
    PRODUCT = "product"
    """Ours: the document says nothing, and a service level agreement needs something."""


class Basis(StrEnum):
    """The kind of year a document is for."""

    FINANCIAL = "financial"
    ACADEMIC = "academic"
    UNSTATED = "unstated"


class Phase(StrEnum):
    """A phase of education, by its name in the national register."""

    NURSERY = "Nursery"
    PRIMARY = "Primary"
    MIDDLE_DEEMED_PRIMARY = "Middle deemed primary"
    SECONDARY = "Secondary"
    MIDDLE_DEEMED_SECONDARY = "Middle deemed secondary"
    SIXTEEN_PLUS = "16 plus"
    ALL_THROUGH = "All-through"
    NOT_APPLICABLE = "Not applicable"


class Side(StrEnum):
    """Who promises: the council or the school."""

    PROVIDER = "provider"
    SCHOOL = "school"


class Unit(StrEnum):
    """What an offering is counted in."""

    DAY = "day"
    HOUR = "hour"
    SESSION = "session"
    ITEM = "item"
    REFERRAL = "referral"
    CASE = "case"
    DELEGATE = "delegate"
    AUDIT = "audit"
    PACKAGE = "package"
    YEAR = "year"


class LimitBasis(StrEnum):
    """What the smallest and largest quantity are counted over."""

    AGREEMENT = "agreement"
    TERM = "term"


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetSource:
    """Where something comes from: the line of the document's text, and a few words that stand there."""

    origin: Origin
    line: int | None
    quote: str

    def __str__(self) -> str:
        """Say it in one line.

        >>> str(PresetSource(origin=Origin.DOCUMENT, line=36, quote="Preparation of court summons"))
        'line 36: “Preparation of court summons”'
        """
        return f"line {self.line}: “{self.quote}”" if self.line else f"{self.origin.value}: {self.quote}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetItem:
    """A paragraph, a list entry or an activity."""

    text: str
    source: PresetSource


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetDocument:
    """The document behind a preset: its title, its year as written, and the dates where it says which year.

    `ends_on` is the first day after it.
    """

    title: str
    file: str
    year: str
    basis: Basis
    starts_on: date | None
    ends_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetCharging:
    """How time becomes a charge, and which time besides the work counts; `source` where one says so."""

    method: ChargingMethod
    block_minutes: Minutes | None
    counts_preparation: bool
    counts_report: bool
    counts_travel: bool
    source: PresetSource | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetOffering:
    """Something in the catalogue. Core has a `duty` and no quantity: its unit is "item", step and minimum 1.

    `section` is the heading it stands under. No `phases` or `customer_classes` means all of them.
    `minimum_per_week` is a smallest quantity for every school week, where the source sets one.
    """

    code: str
    name: str
    description: str
    section: str
    family: Family
    duty: CoreDuty | None
    unit: Unit
    unit_minutes: Minutes | None
    step: Decimal
    minimum_quantity: Decimal
    maximum_quantity: Decimal | None
    minimum_per_week: Decimal | None
    limit_basis: LimitBasis
    charging: PresetCharging
    phases: tuple[Phase, ...]
    customer_classes: tuple[CustomerClass, ...]
    activities: tuple[PresetItem, ...]
    source: PresetSource

    @property
    def is_core(self) -> bool:
        """Whether every school has this free."""
        return self.family is Family.CORE


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetPrice:
    """The price of an offering for a customer class from a date, up to `ends_on` or until it is replaced."""

    offering: str
    customer_class: CustomerClass
    unit_price: Money
    starts_on: date
    ends_on: date | None
    source: PresetSource


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetObligation:
    """Something the council (P1 …) or the school (C1 …) promises, with its finer points."""

    side: Side
    ref: str
    heading: str
    wording: str
    items: tuple[PresetItem, ...]
    source: PresetSource


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetRole:
    """A role in the service, what it answers for and how to reach it; never a person's name."""

    title: str
    responsibilities: tuple[PresetItem, ...]
    email: str
    phone: str
    source: PresetSource


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetHours:
    """When the service is open on a weekday (0 is Monday), London time."""

    weekday: int
    opens: time
    closes: time
    source: PresetSource


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetPassage:
    """A headed part of the service's own words that is neither an offering nor a promise."""

    key: str
    heading: str
    paragraphs: tuple[PresetItem, ...]
    points: tuple[PresetItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetCancellationBand:
    """With fewer than so many clear working days' notice, so many per cent of the time is charged."""

    fewer_than: int
    per_cent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetPolicy:
    """A part of the terms, in paragraphs."""

    key: str
    title: str
    paragraphs: tuple[str, ...]
    source: PresetSource

    @property
    def wording(self) -> str:
        """The paragraphs, an empty line between them."""
        return "\n\n".join(self.paragraphs)


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetPolicies:
    """The terms: figures that decide, and texts for documents. None where the source gives nothing."""

    carry_forward: bool
    cancellation_bands: tuple[PresetCancellationBand, ...] | None
    rearrangement_days: int | None
    quote_valid_days: int | None
    termination_notice_months: int | None
    core_introduction: PresetPolicy | None
    link_officer: PresetPolicy | None
    referrals: PresetPolicy | None
    delivery: PresetPolicy | None
    cover: PresetPolicy | None
    variation: PresetPolicy | None
    cancellation: PresetPolicy | None
    termination: PresetPolicy | None
    no_carry_forward: PresetPolicy | None
    partner_purchase: PresetPolicy | None
    bespoke: PresetPolicy | None
    supervision: PresetPolicy | None
    performance: PresetPolicy | None
    complaints: PresetPolicy | None
    data_protection: PresetPolicy | None

    @property
    def texts(self) -> tuple[PresetPolicy, ...]:
        """The texts that there are, in the order of a document."""
        found = (getattr(self, field.name) for field in fields(self))
        return tuple(policy for policy in found if isinstance(policy, PresetPolicy))


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A service as its document describes it. `sha256` is the hash of the preset file's bytes.

    `refs_from_source` is False where the document does not number its promises and the references are ours.
    """

    name: str
    sha256: str
    council: str
    service: str
    service_code: str
    series: str
    email: str
    contact_role: str
    introduced_by: str | None
    refs_from_source: bool
    document: PresetDocument
    introduction: tuple[PresetItem, ...]
    description: tuple[PresetItem, ...]
    passages: tuple[PresetPassage, ...]
    offerings: tuple[PresetOffering, ...]
    prices: tuple[PresetPrice, ...]
    obligations: tuple[PresetObligation, ...]
    roles: tuple[PresetRole, ...]
    hours: tuple[PresetHours, ...]
    policies: PresetPolicies

    @property
    def core(self) -> tuple[PresetOffering, ...]:
        """What every school has free."""
        return tuple(offering for offering in self.offerings if offering.is_core)

    @property
    def chargeable(self) -> tuple[PresetOffering, ...]:
        """What may be bought, priced or not."""
        return tuple(offering for offering in self.offerings if not offering.is_core)

    def offering(self, code: str) -> PresetOffering:
        """Return the offering of a code; `KeyError` when there is none."""
        return {offering.code: offering for offering in self.offerings}[code]

    def promises(self, side: Side) -> tuple[PresetObligation, ...]:
        """Return what one side promises, in order."""
        return tuple(obligation for obligation in self.obligations if obligation.side is side)

    def cite(self, source: PresetSource) -> str:
        """Say where something comes from, with the document's title when it is the document."""
        return f"{self.document.title}, {source}" if source.line else str(source)


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetExample:
    """A rate that a council published, for the demonstration; `preset` is its service where there is one."""

    council: str
    year: str
    preset: str | None
    weeks: int | None
    day_minutes: Minutes | None
    unit_price: Money
    offering: PresetOffering
