"""Remittance by journal: own schools' recharge notes settled by a transfer between budgets, not through the bank."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

import sla_manager.payments.constraints  # noqa: F401  (gives the database its sentences)
from sla_manager.billing.models import Document
from sla_manager.billing.rules.kinds import DocumentKind
from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.words import counted, long_date, pounds
from sla_manager.payments.commands.receipts import LONGEST_REFERENCE, record_receipt
from sla_manager.payments.models import JournalReceipt, JournalRemittance
from sla_manager.payments.queries.holds import holds_in_force
from sla_manager.payments.queries.receipts import open_amounts
from sla_manager.store.audit import Actor, record

MOST_DOCUMENTS = 500


def record_journal(
    session: Session,
    document_ids: Collection[int],
    *,
    reference: str,
    journal_on: date,
    once_key: str,
    by: Actor,
    at: datetime,
) -> JournalRemittance:
    """Settle recharge notes in full by one journal: a receipt for each customer, all or none.

    The same `once_key` gives back the same journal. Refused: invoices, a note that is settled or disputed.
    """
    made = session.scalar(select(JournalRemittance).where(JournalRemittance.once_key == once_key))
    if made is not None:
        return made
    cleaned = reference.strip()
    if not cleaned or len(cleaned) > LONGEST_REFERENCE:
        raise Refused(
            f"Enter the journal’s reference, in {LONGEST_REFERENCE} characters at most.", field="reference"
        )
    amounts = _amounts(session, document_ids)
    everything = total(amount for notes in amounts.values() for amount in notes.values())
    made = JournalRemittance(
        reference=cleaned, journal_on=journal_on, total=everything, recorded_at=at, recorded_by=by.name,
        once_key=once_key,
    )  # fmt: skip
    session.add(made)
    session.flush()
    for customer_id, notes in sorted(amounts.items()):
        paid = record_receipt(
            session, customer_id, amount=total(notes.values()), received_on=journal_on, method="journal",
            reference=cleaned, allocations=notes, once_key=f"journal:{made.id}:{customer_id}", by=by, at=at,
        )  # fmt: skip
        session.add(JournalReceipt(remittance_id=made.id, receipt_id=paid.id))
    session.flush()
    notes_count = sum(len(notes) for notes in amounts.values())
    record(
        session, "record_journal", about="journal_remittance", about_id=made.id, by=by, at=at,
        summary=f"Journal {cleaned} of {long_date(journal_on)}: {counted(notes_count, 'recharge note')}, "
        f"{pounds(everything)}.",
        details={"documents": sorted(document_ids), "total": str(everything)},
    )  # fmt: skip
    return made


def _amounts(session: Session, document_ids: Collection[int]) -> dict[int, dict[int, Money]]:
    """Return what is open on each note, by customer; the notes are held in the order of their ids."""
    if not 1 <= len(document_ids) <= MOST_DOCUMENTS:
        raise Refused(f"Choose between 1 and {MOST_DOCUMENTS} recharge notes.", field="documents")
    query = select(Document).where(Document.id.in_(document_ids)).order_by(Document.id).with_for_update()
    documents = list(session.scalars(query))
    if len(documents) != len(set(document_ids)):
        raise NotFound("There is no such document.")
    open_now, held = open_amounts(session, document_ids), holds_in_force(session, document_ids)
    amounts: dict[int, dict[int, Money]] = defaultdict(dict)
    for document in documents:
        if document.kind is not DocumentKind.RECHARGE_NOTE:
            raise Refused(
                f"{document.number} is not a recharge note. Only those move by journal.", field="documents"
            )
        if document.id in held:
            raise Refused(
                f"{document.number} is held or disputed. End that first, or leave it out.", field="documents"
            )
        amount = open_now.get(document.id, Money(0))
        if amount.pence <= 0:
            raise Conflict(f"{document.number} is settled already. Leave it out.", field="documents")
        amounts[document.customer_id][document.id] = amount
    return amounts
