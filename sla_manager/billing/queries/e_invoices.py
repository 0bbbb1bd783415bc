"""Electronic invoices found: what was made, what waits and why, where customers take them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.orm import Session

from sla_manager.billing.models import Document, EInvoice, EInvoiceForm, ElectronicAddress, FinancePolicy
from sla_manager.billing.queries.policy import finance_policy
from sla_manager.billing.rules.e_invoices import Addresses
from sla_manager.people.queries import the_provider

WAITING_SHOWN = 200


@dataclass(frozen=True, slots=True)
class WaitingInvoice:
    """A document that is to leave electronically and has not been made."""

    id: int
    number: str
    customer_id: int
    customer: str
    issued_on: date


def e_invoices_of(session: Session, document_id: int) -> dict[str, EInvoice]:
    """Return the electronic invoices of a document by their syntax."""
    found = session.scalars(select(EInvoice).where(EInvoice.document_id == document_id))
    return {one.syntax: one for one in found}


def form_of(session: Session, document_id: int) -> str:
    """Return what was chosen when the document was issued: none, xml or hybrid."""
    found = session.get(EInvoiceForm, document_id)
    return found.form if found is not None else "none"


def electronic_address(session: Session, customer_id: int) -> ElectronicAddress | None:
    """Return where a customer takes electronic invoices, if that was entered."""
    return session.scalar(select(ElectronicAddress).where(ElectronicAddress.customer_id == customer_id))


def electronic_addresses(session: Session) -> list[ElectronicAddress]:
    """Return every electronic address that was entered."""
    return list(session.scalars(select(ElectronicAddress).order_by(ElectronicAddress.id)))


def addresses_for(session: Session, customer_id: int) -> Addresses:
    """Return where an electronic invoice to a customer comes from and goes to."""
    policy, buyer = finance_policy(session), electronic_address(session, customer_id)
    return Addresses(
        seller_scheme=policy.endpoint_scheme,
        seller_id=policy.endpoint_id,
        seller_reference=the_provider(session).authority_code,
        buyer_scheme=buyer.scheme if buyer else "",
        buyer_id=buyer.identifier if buyer else "",
        buyer_reference=buyer.buyer_reference if buyer else "",
    )


def _unmade() -> ColumnElement[bool]:
    made = exists().where(EInvoice.document_id == EInvoiceForm.document_id, EInvoice.syntax == "ubl")
    return and_(EInvoiceForm.form == "xml", ~made)


def makeable(session: Session, *, after: int, limit: int) -> list[int]:
    """Return documents to be made now, by id: their customer and the council have electronic addresses."""
    query = (
        select(EInvoiceForm.document_id)
        .join(Document, Document.id == EInvoiceForm.document_id)
        .join(ElectronicAddress, ElectronicAddress.customer_id == Document.customer_id)
        .where(
            _unmade(),
            EInvoiceForm.document_id > after,
            ElectronicAddress.identifier != "",
            exists().where(FinancePolicy.endpoint_id != ""),
        )
        .order_by(EInvoiceForm.document_id)
        .limit(limit)
    )
    return list(session.scalars(query))


def waiting_e_invoices(session: Session) -> tuple[int, list[WaitingInvoice]]:
    """Return how many documents wait to leave electronically, and the oldest of them."""
    count = session.scalar(select(func.count()).select_from(EInvoiceForm).where(_unmade())) or 0
    query = (
        select(Document.id, Document.number, Document.customer_id, Document.customer_name, Document.issued_on)
        .join(EInvoiceForm, EInvoiceForm.document_id == Document.id)
        .where(_unmade())
        .order_by(Document.id)
        .limit(WAITING_SHOWN)
    )
    return count, [WaitingInvoice(*row) for row in session.execute(query)]
