"""Who: the provider and its services, schools and trusts, customers, persons, roles, officers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.store.columns import enum_column
from sla_manager.store.tables import Numbered


class Provider(Numbered):
    """The council that runs this installation; there is exactly one."""

    __tablename__ = "provider"
    __table_args__ = (
        CheckConstraint("id = 1", name="only_one"),
        CheckConstraint("financial_year_start_month BETWEEN 1 AND 12", name="start_month"),
        CheckConstraint("payment_days BETWEEN 0 AND 365", name="payment_days"),
    )

    name: Mapped[str]
    authority_code: Mapped[str]
    address: Mapped[list[Any]] = mapped_column(default=list)
    email: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    colour: Mapped[str] = mapped_column(default="#1d5c63")
    vat_number: Mapped[str] = mapped_column(default="")
    bank_name: Mapped[str] = mapped_column(default="")
    bank_sort_code: Mapped[str] = mapped_column(default="")
    bank_account: Mapped[str] = mapped_column(default="")
    financial_year_start_month: Mapped[int] = mapped_column(default=4)
    payment_days: Mapped[int] = mapped_column(default=30)
    retention_years: Mapped[int] = mapped_column(default=6)
    demonstration: Mapped[bool] = mapped_column(default=False)


class TradingService(Numbered):
    """A team that trades, e.g. the Education Welfare Service. `series` begins its documents' numbers."""

    __tablename__ = "service"
    __table_args__ = (
        CheckConstraint("quote_valid_days BETWEEN 1 AND 365", name="quote_valid_days"),
        CheckConstraint("rearrangement_days BETWEEN 0 AND 365", name="rearrangement_days"),
    )

    code: Mapped[str] = mapped_column(unique=True)
    series: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    email: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    preset: Mapped[str | None]
    introduction: Mapped[str] = mapped_column(default="")
    quote_valid_days: Mapped[int] = mapped_column(default=30)
    cancellation_bands: Mapped[list[Any]] = mapped_column(default=list)
    """Rows of [fewer than this many clear working days, per cent charged], shortest notice first."""
    rearrangement_days: Mapped[int] = mapped_column(default=20)


class Trust(Numbered):
    """A multi-academy trust: a legal person with several schools."""

    __tablename__ = "trust"

    name: Mapped[str] = mapped_column(unique=True)
    group_uid: Mapped[str | None] = mapped_column(unique=True)
    company_number: Mapped[str | None]
    address: Mapped[list[Any]] = mapped_column(default=list)


class School(Numbered):
    """An establishment from the national register; `urn` is its key, `laestab` is only shown."""

    __tablename__ = "school"
    __table_args__ = (
        CheckConstraint(
            "(customer_class_override IS NULL) = (override_reason IS NULL)", name="override_has_a_reason"
        ),
        Index("ix_school_name", "name"),
    )

    urn: Mapped[int] = mapped_column(unique=True)
    la_code: Mapped[str]
    la_name: Mapped[str]
    establishment_number: Mapped[str | None]
    name: Mapped[str]
    type_code: Mapped[str]
    type_name: Mapped[str]
    type_group_code: Mapped[str]
    type_group_name: Mapped[str]
    status_code: Mapped[str]
    status_name: Mapped[str]
    phase: Mapped[str]
    opened_on: Mapped[date | None]
    closed_on: Mapped[date | None]
    pupils: Mapped[int | None]
    trust_id: Mapped[int | None] = mapped_column(ForeignKey("trust.id"), index=True)
    ukprn: Mapped[str | None]
    street: Mapped[str] = mapped_column(default="")
    locality: Mapped[str] = mapped_column(default="")
    address3: Mapped[str] = mapped_column(default="")
    town: Mapped[str] = mapped_column(default="")
    county: Mapped[str] = mapped_column(default="")
    postcode: Mapped[str] = mapped_column(default="")
    easting: Mapped[int | None]
    northing: Mapped[int | None]
    register_changed_on: Mapped[date | None]
    derived_class: Mapped[CustomerClass] = mapped_column(enum_column(CustomerClass, "derived_class"))
    customer_class_override: Mapped[CustomerClass | None] = mapped_column(
        enum_column(CustomerClass, "customer_class_override")
    )
    override_reason: Mapped[str | None]
    link_officer_id: Mapped[int | None] = mapped_column(ForeignKey("officer.id"), index=True)

    trust: Mapped[Trust | None] = relationship(lazy="raise")
    link_officer: Mapped[Officer | None] = relationship(lazy="raise", foreign_keys=[link_officer_id])

    @property
    def customer_class(self) -> CustomerClass:
        """The class that prices, VAT and route follow: the override when there is one."""
        return self.customer_class_override or self.derived_class

    @property
    def laestab(self) -> str:
        """LAESTAB as schools know it ("203/2024"); shown, never a key."""
        return f"{self.la_code}/{self.establishment_number}" if self.establishment_number else self.la_code

    @property
    def address_lines(self) -> list[str]:
        """The postal address, empty lines left out."""
        parts = [self.street, self.locality, self.address3, self.town, self.county, self.postcode]
        return [part for part in parts if part]


class Customer(Numbered):
    """Who pays: a school's budget or a trust. `account_reference` is its name in the finance system."""

    __tablename__ = "customer"
    __table_args__ = (CheckConstraint("(school_id IS NULL) <> (trust_id IS NULL)", name="school_or_trust"),)

    school_id: Mapped[int | None] = mapped_column(ForeignKey("school.id"), unique=True)
    trust_id: Mapped[int | None] = mapped_column(ForeignKey("trust.id"), unique=True)
    account_reference: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str] = mapped_column(default="")
    purchase_order_required: Mapped[bool] = mapped_column(default=False)

    school: Mapped[School | None] = relationship(lazy="raise")
    trust: Mapped[Trust | None] = relationship(lazy="raise")


class Person(Numbered):
    """Somebody who signs in. `session_version` rises with password or role, which ends sessions."""

    __tablename__ = "person"
    __table_args__ = (CheckConstraint("email = lower(email)", name="email_lower"),)

    name: Mapped[str]
    email: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str | None]
    active: Mapped[bool] = mapped_column(default=True)
    session_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    last_signed_in_at: Mapped[datetime | None]


class Membership(Numbered):
    """A role that a person holds in one place. `order_limit` (net) bounds what she may order."""

    __tablename__ = "membership"
    __table_args__ = (
        CheckConstraint(
            "(role IN ('school_business_manager', 'head_teacher', 'chair_of_governors') AND school_id IS NOT NULL "
            "AND trust_id IS NULL AND service_id IS NULL) "
            "OR (role = 'trust_finance_lead' AND trust_id IS NOT NULL AND school_id IS NULL "
            "AND service_id IS NULL) "
            "OR (role IN ('officer', 'service_manager') AND service_id IS NOT NULL "
            "AND school_id IS NULL AND trust_id IS NULL) "
            "OR (role IN ('finance_officer', 'administrator', 'auditor') "
            "AND school_id IS NULL AND trust_id IS NULL AND service_id IS NULL)",
            name="role_in_its_place",
        ),
        Index(
            "uq_membership_once",
            "person_id",
            "role",
            "place_key",
            unique=True,
        ),
    )

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    role: Mapped[Role] = mapped_column(enum_column(Role))
    school_id: Mapped[int | None] = mapped_column(ForeignKey("school.id"), index=True)
    trust_id: Mapped[int | None] = mapped_column(ForeignKey("trust.id"), index=True)
    service_id: Mapped[int | None] = mapped_column(ForeignKey("service.id"), index=True)
    place_key: Mapped[str]
    """"school:12", "trust:3", "service:1" or "provider": one role in one place is held once."""
    order_limit: Mapped[Money | None]
    granted_at: Mapped[datetime]

    person: Mapped[Person] = relationship(lazy="raise")
    school: Mapped[School | None] = relationship(lazy="raise")
    trust: Mapped[Trust | None] = relationship(lazy="raise")
    service: Mapped[TradingService | None] = relationship(lazy="raise")


class PasswordReset(Numbered):
    """A link for setting a password: used once, for an hour; only its hash is kept."""

    __tablename__ = "password_reset"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Officer(Numbered):
    """A named education welfare officer. `day_cost` is what a day costs the council (seen by few)."""

    __tablename__ = "officer"
    __table_args__ = (CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="ends_after_start"),)

    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), unique=True)
    name: Mapped[str]
    base_easting: Mapped[int | None]
    base_northing: Mapped[int | None]
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    skills: Mapped[list[Any]] = mapped_column(default=list)
    day_cost: Mapped[Money | None]
    feed_hash: Mapped[str | None] = mapped_column(unique=True)
    """Hash of the token in the private calendar address; None when there is no feed."""

    service: Mapped[TradingService] = relationship(lazy="raise")
    person: Mapped[Person | None] = relationship(lazy="raise")


class WorkingDay(Numbered):
    """One weekday of an officer's working pattern, in minutes after midnight, London time."""

    __tablename__ = "working_day"
    __table_args__ = (
        UniqueConstraint("officer_id", "weekday"),
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        CheckConstraint("starts >= 0 AND ends <= 1440 AND starts < ends", name="hours"),
    )

    officer_id: Mapped[int] = mapped_column(ForeignKey("officer.id"))
    weekday: Mapped[int]
    starts: Mapped[Minutes]
    ends: Mapped[Minutes]


class RegisterImport(Numbered):
    """One import of the national register and its report, row by row."""

    __tablename__ = "register_import"

    at: Mapped[datetime]
    imported_by: Mapped[str]
    filename: Mapped[str]
    sha256: Mapped[str]
    rows: Mapped[int]
    added: Mapped[int]
    updated: Mapped[int]
    unchanged: Mapped[int]
    refused: Mapped[int]
    report: Mapped[dict[str, Any]]


class RegisterUpload(Numbered):
    """A register file that was read and waits for somebody to say "import"; kept for a day, compressed."""

    __tablename__ = "register_upload"

    at: Mapped[datetime]
    uploaded_by: Mapped[str]
    filename: Mapped[str]
    sha256: Mapped[str]
    compressed: Mapped[bytes] = mapped_column(LargeBinary)
    report: Mapped[dict[str, Any]]


class SchoolTerm(Numbered):
    """A school term of the authority: first and last day, both included."""

    __tablename__ = "school_term"
    __table_args__ = (CheckConstraint("ends_on >= starts_on", name="ends_after_start"),)

    name: Mapped[str]
    starts_on: Mapped[date] = mapped_column(unique=True)
    ends_on: Mapped[date]
    half_term_starts_on: Mapped[date | None]
    half_term_ends_on: Mapped[date | None]
