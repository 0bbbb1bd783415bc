"""Recharge notes that wait for a journal, and the journals that there were."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, joinedload

from sla_manager.billing.models import Document
from sla_manager.billing.rules.kinds import DocumentKind
from sla_manager.kernel.errors import NotFound
from sla_manager.kernel.money import Money
from sla_manager.payments.models import (
    DocumentBalance,
    Hold,
    HoldRelease,
    JournalReceipt,
    JournalRemittance,
    Receipt,
)
from sla_manager.people.models import Customer

PAGE = 50
MOST_SHOWN = 500


@dataclass(frozen=True, slots=True)
class WaitingNote:
    """A recharge note with something open; one that is held does not move."""

    document: Document
    open: Money
    held: bool


def waiting_notes(session: Session, *, limit: int = MOST_SHOWN) -> list[WaitingNote]:
    """Return the recharge notes with something open, the oldest first."""
    ended = exists().where(HoldRelease.hold_id == Hold.id)
    held = exists().where(Hold.document_id == Document.id, ~ended)
    query = (
        select(Document, DocumentBalance.open, held)
        .join(DocumentBalance, DocumentBalance.document_id == Document.id)
        .where(DocumentBalance.kind == DocumentKind.RECHARGE_NOTE, DocumentBalance.open > Money(0))
        .order_by(Document.issued_on, Document.id)
        .limit(limit)
    )
    return [WaitingNote(document, amount, is_held) for document, amount, is_held in session.execute(query)]


def journals_page(session: Session, *, before: int | None = None) -> list[JournalRemittance]:
    """Return a page of journals, the latest first."""
    query = select(JournalRemittance).order_by(JournalRemittance.id.desc()).limit(PAGE)
    return list(session.scalars(query if before is None else query.where(JournalRemittance.id < before)))


def journal(session: Session, remittance_id: int) -> tuple[JournalRemittance, list[Receipt]]:
    """Return a journal and its receipts with their customers."""
    found = session.get(JournalRemittance, remittance_id)
    if found is None:
        raise NotFound("There is no such journal.")
    query = (
        select(Receipt)
        .join(JournalReceipt, JournalReceipt.receipt_id == Receipt.id)
        .where(JournalReceipt.remittance_id == remittance_id)
        .options(
            joinedload(Receipt.customer).joinedload(Customer.school),
            joinedload(Receipt.customer).joinedload(Customer.trust),
        )
        .order_by(Receipt.id)
    )
    return found, list(session.scalars(query))
