"""Promised: quotes, orders and agreements, their lines, tranches, the day ledger, variations, the year close.

What was signed never changes: triggers freeze an agreement and its lines from the order on, and every row of
tranche, ledger, acceptance and instalment from the moment it is written.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy import false as sa_false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sla_manager.agreements.rules.ledger import EntryKind
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.statuses import AgreementStatus, Origin
from sla_manager.catalogue.models import Offering
from sla_manager.catalogue.rules.charging import ChargingMethod
from sla_manager.catalogue.rules.families import Family
from sla_manager.catalogue.rules.shapes import PriceShape
from sla_manager.catalogue.rules.vat import Route, VatCode
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.people.models import Customer, School, TradingService
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.columns import enum_column
from sla_manager.store.tables import Numbered


class Agreement(Numbered):
    """A quote, an order or an agreement: one thing that moves through `AgreementStatus`.

    `ends_on` is the last day, included, as it is printed. Figures are those of the documents that will be issued.
    """

    __tablename__ = "agreement"
    __table_args__ = (
        CheckConstraint("ends_on >= starts_on", name="ends_after_start"),
        CheckConstraint("paid_from IN ('budget', 'private_fund')", name="paid_from"),
        CheckConstraint("net >= 0 AND vat >= 0 AND gross = net + vat", name="totals"),
        CheckConstraint("version > 0", name="version"),
        Index("ix_agreement_list", "service_id", "status", "id"),
        Index("ix_agreement_customer", "customer_id", "status"),
    )

    reference: Mapped[str] = mapped_column(unique=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    school_id: Mapped[int] = mapped_column(ForeignKey("school.id"), index=True)
    status: Mapped[AgreementStatus] = mapped_column(enum_column(AgreementStatus))
    customer_class: Mapped[CustomerClass] = mapped_column(enum_column(CustomerClass))
    paid_from: Mapped[str] = mapped_column(default="budget")
    schedule: Mapped[Schedule] = mapped_column(enum_column(Schedule))
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    purchase_order: Mapped[str] = mapped_column(default="")
    net: Mapped[Money]
    vat: Mapped[Money]
    gross: Mapped[Money]
    quoted_at: Mapped[datetime | None]
    valid_until: Mapped[date | None]
    ordered_at: Mapped[datetime | None]
    agreed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    status_reason: Mapped[str] = mapped_column(default="")
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("agreement.id"), unique=True)
    version: Mapped[int] = mapped_column(default=1)
    prepared_by: Mapped[str]
    prepared_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    once_key: Mapped[str | None] = mapped_column(unique=True)
    """The form's one-time key: a double click places one order."""
    origin: Mapped[Origin] = mapped_column(
        enum_column(Origin, constraint=False), default=Origin.QUOTE, server_default="quote"
    )
    notice_months: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many months' notice ends it early; 0: it runs to its last day."""
    renews: Mapped[bool] = mapped_column(default=False, server_default=sa_false())
    """Whether it renews by itself for a further year unless notice is given in time."""
    ends_early_on: Mapped[date | None]
    """The last day of one that is ended early; set after signing, once."""

    service: Mapped[TradingService] = relationship(lazy="raise")
    customer: Mapped[Customer] = relationship(lazy="raise")
    school: Mapped[School] = relationship(lazy="raise")
    lines: Mapped[list[AgreementLine]] = relationship(
        lazy="raise", order_by="AgreementLine.position", back_populates="agreement"
    )


class AgreementLine(Numbered):
    """One offering in an agreement, with everything that was true of it when it was quoted."""

    __tablename__ = "agreement_line"
    __table_args__ = (
        UniqueConstraint("agreement_id", "position"),
        UniqueConstraint("id", "family"),
        ForeignKeyConstraint(["offering_id", "family"], ["offering.id", "offering.family"]),
        CheckConstraint("family <> 'core'", name="core_is_free"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("unit_price >= 0 AND net >= 0", name="money"),
        CheckConstraint(
            "(route = 'recharge') = (vat_code = 'outside_scope')", name="recharge_is_outside_scope"
        ),
        CheckConstraint("step > 0", name="step"),
    )

    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreement.id"))
    position: Mapped[int]
    offering_id: Mapped[int]
    family: Mapped[Family] = mapped_column(enum_column(Family))
    description: Mapped[str]
    quantity: Mapped[Decimal]
    """The whole agreed quantity (a package of 12 hours a term for 3 terms is 36)."""
    unit: Mapped[str]
    unit_minutes: Mapped[Minutes | None]
    step: Mapped[Decimal]
    unit_price: Mapped[Money]
    net: Mapped[Money]
    route: Mapped[Route] = mapped_column(enum_column(Route))
    vat_code: Mapped[VatCode] = mapped_column(enum_column(VatCode))
    vat_reason: Mapped[str] = mapped_column(default="")
    charging_method: Mapped[ChargingMethod] = mapped_column(enum_column(ChargingMethod))
    block_minutes: Mapped[Minutes | None]
    counts_preparation: Mapped[bool]
    counts_report: Mapped[bool]
    counts_travel: Mapped[bool]
    explanation: Mapped[str]
    price_shape: Mapped[PriceShape] = mapped_column(
        enum_column(PriceShape, constraint=False), default=PriceShape.UNIT, server_default="unit"
    )
    price_facts: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """What the price stood on, frozen: the terms of the shape, the census figure, the pattern, the shares."""
    discount: Mapped[Money] = mapped_column(default=Money(0), server_default="0")
    """What was taken off; `net` is after it."""
    package: Mapped[str] = mapped_column(default="", server_default="")
    """The name of the package that it is part of, or nothing."""
    year_shares: Mapped[list[Any]]
    """How the quantity is cut by financial years: rows of year, starts_on, ends_on, quantity, minutes, net."""

    agreement: Mapped[Agreement] = relationship(lazy="raise", back_populates="lines")
    offering: Mapped[Offering] = relationship(lazy="raise")


class Tranche(Numbered):
    """The part of a line that belongs to one financial year. Never changed; the ledger says what became of it.

    `year` is the calendar year in which the financial year starts. `minutes` is None where time is not counted.
    """

    __tablename__ = "tranche"
    __table_args__ = (
        UniqueConstraint("line_id", "year"),
        ForeignKeyConstraint(["line_id", "family"], ["agreement_line.id", "agreement_line.family"]),
        CheckConstraint("family <> 'core'", name="core_is_free"),
        CheckConstraint("quantity >= 0 AND net >= 0", name="not_negative"),
        Index("ix_tranche_year", "year"),
    )

    line_id: Mapped[int]
    family: Mapped[Family] = mapped_column(enum_column(Family))
    year: Mapped[int]
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    quantity: Mapped[Decimal]
    minutes: Mapped[Minutes | None]
    net: Mapped[Money]

    line: Mapped[AgreementLine] = relationship(lazy="raise")


class LedgerEntry(Numbered):
    """Time given to or taken from a tranche. The sum of a tranche's entries is its balance, and is never below 0.

    `visit_id` and `delivery_id` name what the entry is for; they carry no foreign key because visits stand above.
    """

    __tablename__ = "ledger_entry"
    __table_args__ = (
        UniqueConstraint("id", "tranche_id"),
        UniqueConstraint("reverses_id"),
        ForeignKeyConstraint(["reverses_id", "tranche_id"], ["ledger_entry.id", "ledger_entry.tranche_id"]),
        CheckConstraint("(kind = 'reversal') = (reverses_id IS NOT NULL)", name="reversal_names_its_entry"),
        CheckConstraint("kind NOT IN ('contracted') OR minutes > 0", name="contracted_adds"),
        CheckConstraint(
            "kind NOT IN ('delivered', 'charged', 'credited', 'lapsed') OR minutes < 0", name="use_takes_away"
        ),
        CheckConstraint("minutes <> 0", name="not_nothing"),
        Index(
            "uq_ledger_entry_contracted",
            "tranche_id",
            unique=True,
            sqlite_where=text("kind = 'contracted'"),
            postgresql_where=text("kind = 'contracted'"),
        ),
        Index(
            "uq_ledger_entry_lapsed",
            "tranche_id",
            unique=True,
            sqlite_where=text("kind = 'lapsed'"),
            postgresql_where=text("kind = 'lapsed'"),
        ),
        Index("uq_ledger_entry_cause", "tranche_id", "cause", unique=True),
        Index("ix_ledger_entry_visit", "visit_id"),
    )

    tranche_id: Mapped[int] = mapped_column(ForeignKey("tranche.id"), index=True)
    kind: Mapped[EntryKind] = mapped_column(enum_column(EntryKind))
    minutes: Mapped[Minutes]
    effective_on: Mapped[date]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    cause: Mapped[str]
    """What caused it, once: "contract", "variation:3", "delivery:17", "cancellation:4", "close", "reversal:9"."""
    reason: Mapped[str] = mapped_column(default="")
    visit_id: Mapped[int | None]
    delivery_id: Mapped[int | None]
    reverses_id: Mapped[int | None]

    tranche: Mapped[Tranche] = relationship(lazy="raise")


class Acceptance(Numbered):
    """Evidence that somebody with authority accepted a quote: who, as what, when, from where, and of which text."""

    __tablename__ = "acceptance"

    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreement.id"), unique=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    name: Mapped[str]
    role: Mapped[str]
    statement: Mapped[str]
    accepted_at: Mapped[datetime]
    address: Mapped[str]
    document_sha256: Mapped[str]
    """SHA-256 of the canonical facts that were on the page when it was accepted."""


class AgreementVersion(Numbered):
    """The frozen facts of an agreement's document: the quote, the signed text, each variation."""

    __tablename__ = "agreement_version"
    __table_args__ = (
        UniqueConstraint("agreement_id", "number"),
        CheckConstraint("kind IN ('quote', 'agreement', 'variation')", name="kind"),
    )

    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreement.id"))
    number: Mapped[int]
    kind: Mapped[str]
    facts: Mapped[dict[str, Any]]
    sha256: Mapped[str]
    frozen_at: Mapped[datetime]


class AgreementFile(Numbered):
    """The printed PDF of a version: written once. A version without one is waiting to be printed."""

    __tablename__ = "agreement_file"

    version_id: Mapped[int] = mapped_column(ForeignKey("agreement_version.id"), unique=True)
    path: Mapped[str]
    sha256: Mapped[str]
    printed_at: Mapped[datetime]


class Variation(Numbered):
    """A dated change of a line's quantity after signing."""

    __tablename__ = "variation"
    __table_args__ = (CheckConstraint("quantity <> 0", name="not_nothing"),)

    line_id: Mapped[int] = mapped_column(ForeignKey("agreement_line.id"), index=True)
    year: Mapped[int]
    quantity: Mapped[Decimal]
    net: Mapped[Money]
    effective_on: Mapped[date]
    signed_at: Mapped[datetime]
    signed_by: Mapped[str]
    reason: Mapped[str]
    absorbed: Mapped[Minutes]
    """Proposed extra time that this variation took up."""
    once_key: Mapped[str | None] = mapped_column(unique=True)

    line: Mapped[AgreementLine] = relationship(lazy="raise")


class Instalment(Numbered):
    """A document that is to be issued: when, for what, how much of each line.

    `purpose` is instalment or variation. A variation's may be negative: it becomes a credit note.
    """

    __tablename__ = "instalment"
    __table_args__ = (
        UniqueConstraint("agreement_id", "purpose", "position"),
        CheckConstraint("purpose IN ('instalment', 'variation')", name="purpose"),
        CheckConstraint("net <> 0", name="not_nothing"),
        Index("ix_instalment_due", "due_on"),
    )

    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreement.id"))
    purpose: Mapped[str]
    position: Mapped[int]
    count: Mapped[int]
    due_on: Mapped[date]
    """The date of the document (its tax point), not of the payment."""
    net: Mapped[Money]
    variation_id: Mapped[int | None] = mapped_column(ForeignKey("variation.id"))

    agreement: Mapped[Agreement] = relationship(lazy="raise")
    parts: Mapped[list[InstalmentPart]] = relationship(lazy="raise", order_by="InstalmentPart.id")


class InstalmentPart(Numbered):
    """One line's part of an instalment."""

    __tablename__ = "instalment_part"
    __table_args__ = (UniqueConstraint("instalment_id", "line_id"),)

    instalment_id: Mapped[int] = mapped_column(ForeignKey("instalment.id"))
    line_id: Mapped[int] = mapped_column(ForeignKey("agreement_line.id"), index=True)
    net: Mapped[Money]

    line: Mapped[AgreementLine] = relationship(lazy="raise")


class YearClose(Numbered):
    """A financial year that is closed: after it nothing more goes into that year's ledgers."""

    __tablename__ = "year_close"

    year: Mapped[int] = mapped_column(unique=True)
    closed_at: Mapped[datetime]
    closed_by: Mapped[str]
    tranches: Mapped[int]
    lapsed_minutes: Mapped[Minutes]
    lapsed_value: Mapped[Money]
