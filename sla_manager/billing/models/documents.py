"""Owed: issued documents, frozen for ever; what each of them bills, once; what is parked."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sla_manager.agreements.models import Agreement, AgreementLine
from sla_manager.billing.rules.kinds import DocumentKind
from sla_manager.catalogue.rules.vat import Route, VatCode
from sla_manager.kernel.money import Money
from sla_manager.people.models import Customer, TradingService
from sla_manager.store.columns import enum_column
from sla_manager.store.tables import Numbered


class Document(Numbered):
    """An invoice, recharge note or credit note as issued. Credits carry negative amounts. Nothing in it changes.

    `previous_hash` and `hash` chain the documents of a series, so that a change by hand is found.
    """

    __tablename__ = "document"
    __table_args__ = (
        UniqueConstraint("series", "year", "sequence"),
        CheckConstraint("gross = net + vat", name="totals"),
        CheckConstraint(
            "(kind IN ('credit_note', 'recharge_credit')) = (credits_id IS NOT NULL)", name="credits"
        ),
        CheckConstraint(
            "(kind IN ('credit_note', 'recharge_credit') AND gross <= 0) "
            "OR (kind IN ('invoice', 'recharge_note') AND gross > 0)",
            name="sign",
        ),
        CheckConstraint(
            "kind NOT IN ('recharge_note', 'recharge_credit') OR vat = 0", name="recharge_has_no_vat"
        ),
        CheckConstraint("sequence > 0", name="sequence"),
        Index("ix_document_list", "issued_on", "id"),
        Index("ix_document_customer", "customer_id", "id"),
        Index("ix_document_agreement", "agreement_id"),
        Index(
            "ix_document_credits_id",
            "credits_id",
            sqlite_where=text("credits_id IS NOT NULL"),
            postgresql_where=text("credits_id IS NOT NULL"),
        ),
    )

    kind: Mapped[DocumentKind] = mapped_column(enum_column(DocumentKind))
    series: Mapped[str]
    year: Mapped[int]
    sequence: Mapped[int]
    number: Mapped[str] = mapped_column(unique=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), index=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    customer_name: Mapped[str]
    """The customer's name as printed, for lists."""
    agreement_id: Mapped[int | None] = mapped_column(ForeignKey("agreement.id"))
    credits_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"))
    reason: Mapped[str] = mapped_column(default="")
    tax_point: Mapped[date]
    issued_on: Mapped[date]
    issued_at: Mapped[datetime]
    issued_by: Mapped[str]
    due_on: Mapped[date | None]
    purchase_order: Mapped[str] = mapped_column(default="")
    net: Mapped[Money]
    vat: Mapped[Money]
    gross: Mapped[Money]
    facts: Mapped[dict[str, Any]]
    """Everything that is printed: supplier, customer, lines, VAT rows, terms; amounts as text."""
    previous_hash: Mapped[str]
    hash: Mapped[str]

    service: Mapped[TradingService] = relationship(lazy="raise")
    customer: Mapped[Customer] = relationship(lazy="raise")
    agreement: Mapped[Agreement | None] = relationship(lazy="raise")
    lines: Mapped[list[DocumentLine]] = relationship(lazy="raise", order_by="DocumentLine.position")
    vat_rows: Mapped[list[DocumentVat]] = relationship(lazy="raise", order_by="DocumentVat.id")


class DocumentLine(Numbered):
    """One line as issued, with the sentences that say why it is this much."""

    __tablename__ = "document_line"
    __table_args__ = (UniqueConstraint("document_id", "position"),)

    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"))
    position: Mapped[int]
    line_id: Mapped[int | None] = mapped_column(ForeignKey("agreement_line.id"), index=True)
    credits_line_id: Mapped[int | None] = mapped_column(ForeignKey("document_line.id"), index=True)
    """The line of another document that this one takes back, wholly or in part."""
    description: Mapped[str]
    quantity: Mapped[Decimal]
    unit: Mapped[str]
    unit_price: Mapped[Money]
    net: Mapped[Money]
    vat_code: Mapped[VatCode] = mapped_column(enum_column(VatCode))
    vat_rate: Mapped[int]
    explanation: Mapped[list[Any]]

    line: Mapped[AgreementLine | None] = relationship(lazy="raise")


class DocumentVat(Numbered):
    """One VAT code and rate of a document: its net and its VAT, computed once on the sum."""

    __tablename__ = "document_vat"
    __table_args__ = (UniqueConstraint("document_id", "code", "rate"),)

    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"))
    code: Mapped[VatCode] = mapped_column(enum_column(VatCode))
    rate: Mapped[int]
    net: Mapped[Money]
    vat: Mapped[Money]
    reason: Mapped[str] = mapped_column(default="")


class DocumentFile(Numbered):
    """The printed PDF: written once. A document without one is issued and waits to be printed."""

    __tablename__ = "document_file"

    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), unique=True)
    path: Mapped[str]
    sha256: Mapped[str]
    facts_path: Mapped[str]
    facts_sha256: Mapped[str]
    printed_at: Mapped[datetime]


class Billed(Numbered):
    """That something was billed, by which document: each thing once, by the database's own key.

    `purpose` is instalment, variation, delivery, cancellation, extra_time or one_off; `source_id` the id of that
    thing (of a delivery or cancellation under an agreement paid on delivery: its ledger entry).
    """

    __tablename__ = "billed"
    __table_args__ = (
        UniqueConstraint("purpose", "source_id", "route"),
        CheckConstraint(
            "purpose IN ('instalment', 'variation', 'delivery', 'cancellation', 'extra_time', 'one_off')",
            name="purpose",
        ),
    )

    purpose: Mapped[str]
    source_id: Mapped[int]
    route: Mapped[Route] = mapped_column(enum_column(Route))
    """An instalment with lines of both routes becomes two documents."""
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)


class Parked(Numbered):
    """An agreement that a run could not bill, and why; the next run tries it again."""

    __tablename__ = "parked"

    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreement.id"), unique=True)
    reason: Mapped[str]
    since: Mapped[datetime]
    last_tried_at: Mapped[datetime]
