"""What is still open before a month is locked or a year closed: a list to work through, not a bar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from sla_manager.agreements.models import Agreement, Instalment
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.billing.models import Billed, Document, DocumentFile, Parked
from sla_manager.finance.models import ExportedDocument
from sla_manager.visits.models import Delivery, ExtraTime, ExtraTimeStatus, Visit, VisitStatus


@dataclass(frozen=True, slots=True)
class StillOpen:
    """One kind of thing that is not done yet, how many, and what to do. `key` names the page that shows them."""

    key: str
    words: str
    count: int
    what_to_do: str


def before_closing(session: Session, through: date) -> list[StillOpen]:
    """Return what lies on or before a day and is not finished. Seven questions."""
    billed = exists().where(
        Billed.source_id == Instalment.id, Billed.purpose.in_(("instalment", "variation"))
    )
    in_force = Agreement.status.in_((AgreementStatus.AGREED, AgreementStatus.ENDED))
    exported = exists().where(ExportedDocument.document_id == Document.id)
    printed = exists().where(DocumentFile.document_id == Document.id)
    found = (
        (
            "to_invoice", "Instalments that are due and not invoiced", "Run the invoices, dated in the period.",
            select(func.count()).select_from(Instalment).join(Agreement).where(
                in_force, Instalment.due_on <= through, ~billed
            ),
        ),
        ("parked", "Agreements that could not be billed", "Settle what parks them.", select(func.count(Parked.id))),
        (
            "not_logged", "Visits that took place and are not logged", "Ask the officers to log them, or cancel them.",
            select(func.count(Visit.id)).where(Visit.status == VisitStatus.PLANNED, Visit.day <= through),
        ),
        (
            "extra_time", "Extra time that the school has not decided",
            "Ask the schools. Only what they approve is billed.",
            select(func.count(ExtraTime.id))
            .join(Delivery, Delivery.id == ExtraTime.delivery_id)
            .where(ExtraTime.status == ExtraTimeStatus.PROPOSED, Delivery.delivered_on <= through),
        ),
        (
            "to_print", "Documents that are not printed", "The worker prints them. Look whether it runs.",
            select(func.count(Document.id)).where(Document.issued_on <= through, ~printed),
        ),
        (
            "to_export", "Documents that are in no export", "Make a batch for your finance system.",
            select(func.count(Document.id)).where(Document.issued_on <= through, ~exported),
        ),
    )  # fmt: skip
    return [StillOpen(key, words, session.scalar(query) or 0, what) for key, words, what, query in found]
