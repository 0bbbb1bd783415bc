"""What a person must look at about money by card: raised once, told once by mail, answered once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.payments.models import CardAlert
from sla_manager.people.queries import provider
from sla_manager.store.audit import Actor, record
from sla_manager.store.outbox import link, post

LONGEST_ANSWER = 1_000


def raise_alert(
    session: Session,
    once_key: str,
    message: str,
    *,
    receipt_id: int | None = None,
    document_id: int | None = None,
    at: datetime,
) -> None:
    """Ask for a person's eyes, once for each key; the council's office has a mail."""
    if session.scalar(select(CardAlert.id).where(CardAlert.once_key == once_key)) is not None:
        return
    session.add(
        CardAlert(
            once_key=once_key, message=message, receipt_id=receipt_id, document_id=document_id, raised_at=at,
            answered_at=None, answered_by=None, answer="",
        )
    )  # fmt: skip
    council = provider(session)
    if council is not None and council.email:
        post(
            session,
            f"card-alert:{once_key}",
            recipient=council.email,
            subject="A card payment needs somebody to look at it",
            body=f"{message}\n\nSee what to do: {link('/finance/cards')}\n",
            at=at,
        )
    session.flush()


def answer_alert(session: Session, alert_id: int, *, answer: str, by: Actor, at: datetime) -> CardAlert:
    """Say what came of an alert; it is no longer on the list. Answered before, it is a conflict."""
    found = session.get(CardAlert, alert_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound
    if found.answered_at is not None:
        raise Conflict(f"{found.answered_by} dealt with this already: {found.answer}")
    answer = answer.strip()
    if not answer or len(answer) > LONGEST_ANSWER:
        raise Refused(
            f"Enter what you did about it, in {LONGEST_ANSWER:,} characters at most.", field="answer"
        )
    found.answered_at, found.answered_by, found.answer = at, by.name, answer
    record(
        session, "answer_card_alert", about="card_alert", about_id=alert_id, by=by, at=at,
        summary=f"{found.message} Answer: {answer}",
    )  # fmt: skip
    return found
