"""Electronic invoices: what was chosen when a document was issued, where it goes, the file that was made."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sla_manager.store.tables import Numbered, Table


class EInvoiceForm(Table):
    """How a document leaves electronically, as the council had chosen when it was issued; frozen with it.

    Written by the database itself. `xml`: a UBL file beside the PDF. `hybrid`: a PDF/A-3 with the XML inside.
    """

    __tablename__ = "e_invoice_form"
    __table_args__ = (CheckConstraint("form IN ('xml', 'hybrid')", name="form"),)

    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), primary_key=True)
    form: Mapped[str]


class EInvoice(Numbered):
    """An electronic invoice that passed every check: kept once in the archive, with its hash."""

    __tablename__ = "e_invoice"
    __table_args__ = (
        UniqueConstraint("document_id", "syntax"),
        CheckConstraint("syntax IN ('ubl', 'cii')", name="syntax"),
    )

    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"))
    syntax: Mapped[str]
    path: Mapped[str]
    sha256: Mapped[str]
    made_at: Mapped[datetime]
    made_by: Mapped[str]


class ElectronicAddress(Numbered):
    """Where a customer takes electronic invoices: EAS code and number, and the reference it wants to read."""

    __tablename__ = "electronic_address"
    __table_args__ = (CheckConstraint("(scheme = '') = (identifier = '')", name="scheme_and_identifier"),)

    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), unique=True)
    scheme: Mapped[str] = mapped_column(default="")
    identifier: Mapped[str] = mapped_column(default="")
    buyer_reference: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]
