"""Electronic invoices made from what is stored: written, read back, checked, kept once.

A file leaves only when it fits the official schema, keeps every rule exactly, and says the figures of the books.
The archive names it by its hash, so a crash between archive and books leaves a file that nobody refers to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

import sla_manager.billing.constraints  # noqa: F401  (gives the database its sentences)
from sla_manager.billing.models import Document, EInvoice
from sla_manager.billing.queries.e_invoices import addresses_for, e_invoices_of, makeable
from sla_manager.billing.rules.e_invoices import (
    Addresses,
    ElectronicInvoiceIncomplete,
    missing,
    missing_in_document,
    terms,
)
from sla_manager.gateways.archive import Archive
from sla_manager.gateways.e_invoices import Figures, Syntax, check, read, write
from sla_manager.kernel.errors import Broken, NotFound, ProductError
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.references import sha256
from sla_manager.people.queries import the_provider
from sla_manager.store.audit import SYSTEM, Actor, record
from sla_manager.store.database import Database

_AT_ONCE = 100


class NotTheBooks(Broken):
    """The file says another figure than the books: it stays here."""

    def __init__(self, number: str, what: str, said: str, stored: str) -> None:
        super().__init__(
            f"The electronic invoice of {number} says {what} {said}, and the books say {stored}. It was not sent."
        )


@dataclass(frozen=True, slots=True)
class Made:
    """How a round went: how many were made, and why others were not."""

    made: int
    reasons: tuple[str, ...]

    @property
    def words(self) -> str:
        """What a person reads."""
        done = f"{self.made} electronic invoices made"
        return f"{done}, {len(self.reasons)} refused: {self.reasons[0]}" if self.reasons else done


def hybrid_xml(
    facts: Mapping[str, Any], *, authority_code: str, net: Money, vat: Money, gross: Money
) -> bytes:
    """Return the XML that lies within a hybrid PDF: made of the document's facts alone, so always the same bytes.

    It travels with the PDF and not over a network, so it names no electronic addresses. Raises
    `ElectronicInvoiceIncomplete` when the document lacks what the standard asks for.
    """
    addresses = Addresses(seller_reference=authority_code)
    lacking = missing_in_document(facts, addresses)
    if lacking:
        raise ElectronicInvoiceIncomplete(facts["number"], lacking)
    content = write(terms(facts, addresses), Syntax.CII)
    figures = read(content)
    check(figures)
    _totals_agree(figures, net, vat, gross)
    return content


def make_e_invoice(
    database: Database, document_id: int, *, archive: Archive, by: Actor, at: datetime
) -> EInvoice:
    """Make the UBL of an invoice or credit note once and keep it; made before, it is given back.

    Raises `NotAnElectronicInvoice` for a recharge and `ElectronicInvoiceIncomplete` naming every missing field.
    """
    with database.reading() as session:
        made = e_invoices_of(session, document_id).get(Syntax.UBL)
        if made is not None:
            return made
        loaded = (selectinload(Document.lines), selectinload(Document.vat_rows))
        document = session.get(Document, document_id, options=loaded)
        if document is None:
            raise NotFound
        addresses = addresses_for(session, document.customer_id)
        year = str(FinancialYear(document.year, the_provider(session).financial_year_start_month))
        content = _ubl(document, addresses)
    name = f"{document.number.replace('/', '-')}-ubl-{sha256(content)[:12]}.xml"
    kept = archive.keep(year=year, name=name, content=content)
    return _note(database, document, kept.path, kept.sha256, by=by, at=at)


def _ubl(document: Document, addresses: Addresses) -> bytes:
    said = terms(document.facts, addresses)
    lacking = missing(document.facts, addresses)
    if lacking:
        raise ElectronicInvoiceIncomplete(document.number, lacking)
    content = write(said, Syntax.UBL)
    figures = read(content)
    check(figures)
    _totals_agree(figures, document.net, document.vat, document.gross)
    sign = -1 if document.kind.is_credit else 1
    stored = [Money(sign * line.net.pence) for line in document.lines]
    found = [Money.parse(line.net) for line in figures.lines]
    if found != stored:
        raise NotTheBooks(
            document.number, "lines of", " + ".join(map(str, found)), " + ".join(map(str, stored))
        )
    rows = sorted((Money(sign * row.net.pence), Money(sign * row.vat.pence)) for row in document.vat_rows)
    written = sorted((Money.parse(row.net), Money.parse(row.vat)) for row in figures.rows)
    if written != rows:
        raise NotTheBooks(document.number, "VAT rows", str(len(written)), str(len(rows)))
    return content


def _totals_agree(figures: Figures, net: Money, vat: Money, gross: Money) -> None:
    sign = -1 if figures.kind == "381" else 1
    for what, said, stored in (
        ("the net", figures.without_vat, net),
        ("the VAT", figures.vat, vat),
        ("the total", figures.with_vat, gross),
        ("to pay", figures.due, gross),
    ):
        if Money.parse(said) != Money(sign * stored.pence):
            raise NotTheBooks(figures.number, what, said, str(Money(sign * stored.pence)))


def _note(
    database: Database, document: Document, path: str, digest: str, *, by: Actor, at: datetime
) -> EInvoice:
    """Note the kept file; when another process was faster, what it noted counts."""
    try:
        with database.transaction() as session:
            made = EInvoice(
                document_id=document.id, syntax=Syntax.UBL.value, path=path, sha256=digest, made_at=at, made_by=by.name
            )  # fmt: skip
            session.add(made)
            session.flush()
            record(
                session, "make_e_invoice", about="document", about_id=document.id, by=by, at=at,
                summary=f"Electronic invoice of {document.number} made.", details={"sha256": digest},
            )  # fmt: skip
            return made
    except IntegrityError:
        with database.reading() as session:
            wanted = select(EInvoice).where(EInvoice.document_id == document.id, EInvoice.syntax == "ubl")
            return session.scalars(wanted).one()


def make_waiting_e_invoices(
    database: Database, *, archive: Archive, at: datetime, stopping: Callable[[], bool] = lambda: False
) -> Made:
    """Make what was to leave electronically when it was issued and has both addresses; the oldest first."""
    last, made, reasons = 0, 0, []
    while not stopping():
        with database.reading() as session:
            found = makeable(session, after=last, limit=_AT_ONCE)
        for document_id in found:
            try:
                make_e_invoice(database, document_id, archive=archive, by=SYSTEM, at=at)
                made += 1
            except ProductError as reason:
                reasons.append(reason.message)
            last = document_id
        if len(found) < _AT_ONCE:
            break
    return Made(made, tuple(reasons))
