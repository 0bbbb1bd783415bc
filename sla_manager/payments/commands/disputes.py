"""Disputes: a payer says what is wrong, the council answers and ends it. Meanwhile nobody is chased."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

import sla_manager.payments.constraints  # noqa: F401  (gives the database its sentences)
from sla_manager.billing.models import Document
from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.payments.commands.holds import LONGEST_REASON, place_hold, release_hold
from sla_manager.payments.models import DisputeMessage, Hold
from sla_manager.payments.queries.holds import holds_in_force
from sla_manager.payments.queries.payers import customer_with_payer, payers, portal_path
from sla_manager.people.models import Person, TradingService
from sla_manager.people.queries import the_provider
from sla_manager.store.audit import Actor, record
from sla_manager.store.outbox import link, post


def raise_dispute(
    session: Session, document_id: int, *, text: str, once_key: str | None = None, by: Actor, at: datetime
) -> Hold:
    """Dispute a document as its payer, or add a word to the dispute there is; the council is told.

    Until the dispute ends there are no reminders and no interest. The same `once_key` changes nothing.
    """
    if once_key is not None:
        known = session.scalar(select(DisputeMessage).where(DisputeMessage.once_key == once_key))
        if known is not None:
            return session.get_one(Hold, known.hold_id)
    said = _words(text)
    hold = place_hold(session, document_id, kind="dispute", reason=said, by=by, at=at)
    message = _write(session, hold, "payer", said, once_key=once_key, by=by, at=at)
    document = session.get_one(Document, document_id)
    service = session.get_one(TradingService, document.service_id)
    _post(
        session, message, service.email or the_provider(session).email, at=at,
        subject=f"{document.number} is disputed",
        paragraphs=[
            f"{by.name} disputes {document.number} for {document.customer_name}:",
            said,
            f"Answer it here: {link(f'/finance/documents/{document_id}/hold')}",
        ],
    )  # fmt: skip
    return hold


def answer_dispute(
    session: Session,
    hold_id: int,
    *,
    text: str,
    ends: bool,
    once_key: str | None = None,
    by: Actor,
    at: datetime,
) -> DisputeMessage:
    """Answer as the council; `ends` also ends the hold, with these words as its outcome.

    The payer is told what is said about a dispute; a hold of our own is our own business.
    """
    hold = session.get(Hold, hold_id)
    if hold is None:
        raise NotFound
    if once_key is not None:
        known = session.scalar(select(DisputeMessage).where(DisputeMessage.once_key == once_key))
        if known is not None:
            return known
    said = _words(text)
    session.get(Document, hold.document_id, with_for_update=True)
    if all(
        one.id != hold_id for one in holds_in_force(session, [hold.document_id]).get(hold.document_id, [])
    ):
        raise Conflict("This hold was ended already. Reload the page to see how.")
    message = _write(session, hold, "council", said, once_key=once_key, by=by, at=at)
    if ends:
        release_hold(session, hold_id, outcome=said, by=by, at=at)
    if hold.kind == "dispute":
        _tell_payer(session, hold, message, ends=ends, at=at)
    return message


def _words(text: str) -> str:
    said = text.strip()
    if not said or len(said) > LONGEST_REASON:
        raise Refused(f"Say what it is about, in {LONGEST_REASON:,} characters at most.", field="text")
    return said


def _write(
    session: Session, hold: Hold, side: str, text: str, *, once_key: str | None, by: Actor, at: datetime
) -> DisputeMessage:
    message = DisputeMessage(
        hold_id=hold.id, side=side, text=text, written_at=at, written_by=by.name, person_id=by.person_id,
        once_key=once_key,
    )  # fmt: skip
    session.add(message)
    session.flush()
    record(
        session, "write_about_hold", about="document", about_id=hold.document_id, by=by, at=at,
        summary=f"{'The payer' if side == 'payer' else 'The council'} wrote about a hold.",
        details={"hold_id": hold.id, "message_id": message.id},
    )  # fmt: skip
    return message


def _tell_payer(session: Session, hold: Hold, message: DisputeMessage, *, ends: bool, at: datetime) -> None:
    document = session.get_one(Document, hold.document_id)
    customer = customer_with_payer(session, document.customer_id)
    wrote = (
        select(Person.email)
        .join(DisputeMessage, DisputeMessage.person_id == Person.id)
        .where(DisputeMessage.hold_id == hold.id, DisputeMessage.side == "payer", Person.active.is_(True))
        .distinct()
    )
    people = list(session.scalars(wrote)) or [
        one.email for one in payers(session, [document.customer_id]).get(document.customer_id, [])
    ]
    for place, email in enumerate(people):
        _post(
            session, message, email, at=at, number=place,
            subject=f"{'Settled' if ends else 'An answer'}: your dispute of {document.number}",
            paragraphs=[
                message.text,
                "This ends the dispute. What is still open is due again."
                if ends
                else "The dispute goes on. Until it ends we send no reminders.",
                *([f"See it here: {portal_path(customer, f'documents/{document.id}/dispute')}"] if customer else []),
            ],
        )  # fmt: skip


def _post(
    session: Session,
    message: DisputeMessage,
    recipient: str,
    *,
    subject: str,
    paragraphs: list[str],
    at: datetime,
    number: int = 0,
) -> None:
    if recipient:
        body = "\n\n".join(paragraphs) + "\n"
        post(
            session, f"dispute:{message.id}:{number}", recipient=recipient, subject=subject, body=body, at=at
        )
