"""The outbox looked at: what was sent, what waits, what fails and why; and another try when the cause is mended."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from sla_manager.kernel.errors import Conflict, NotFound
from sla_manager.kernel.titles import Titled
from sla_manager.store.audit import Actor, record
from sla_manager.store.outbox import SECRET_KEYS, OutboxMessage

PAGE = 50


class Sending(Titled):
    """Where a mail stands."""

    FAILING = "failing", "Could not be sent yet"
    WAITING = "waiting", "Waiting to be sent"
    SENT = "sent", "Sent"


def sending_of(message: OutboxMessage) -> Sending:
    """Return where a mail stands."""
    if message.sent_at is not None:
        return Sending.SENT
    return Sending.FAILING if message.last_error else Sending.WAITING


def _is(state: Sending) -> ColumnElement[bool]:
    waits = OutboxMessage.sent_at.is_(None)
    return {
        Sending.SENT: OutboxMessage.sent_at.is_not(None),
        Sending.WAITING: and_(waits, OutboxMessage.last_error.is_(None)),
        Sending.FAILING: and_(waits, OutboxMessage.last_error.is_not(None)),
    }[state]


def mails_page(
    session: Session, *, state: Sending | None = None, recipient: str = "", before: int | None = None
) -> tuple[list[OutboxMessage], int | None]:
    """Return a page of mails, the newest first, and the key before which the next page begins."""
    query = select(OutboxMessage).order_by(OutboxMessage.id.desc())
    if state is not None:
        query = query.where(_is(state))
    if recipient:
        query = query.where(OutboxMessage.recipient.icontains(recipient, autoescape=True))
    if before is not None:
        query = query.where(OutboxMessage.id < before)
    found = list(session.scalars(query.limit(PAGE + 1)))
    return found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None


def mail(session: Session, message_id: int) -> OutboxMessage:
    """Return one mail."""
    found = session.get(OutboxMessage, message_id)
    if found is None:
        raise NotFound
    return found


def holds_a_secret(message: OutboxMessage) -> bool:
    """Say whether a mail holds a link that only its reader may see: nobody else is shown its text (S10)."""
    return message.key.startswith(SECRET_KEYS)


def try_again(session: Session, message_id: int, *, by: Actor, at: datetime) -> None:
    """Send a mail that failed as soon as the worker comes by. A mail that was sent is never sent again."""
    message = session.get(OutboxMessage, message_id, with_for_update=True)
    if message is None:
        raise NotFound
    if message.sent_at is not None:
        raise Conflict("This mail was sent already. It is not sent a second time.")
    if message.last_error is None:
        raise Conflict("This mail has not failed. It waits for its turn, or is being sent now.")
    message.next_attempt_at = at
    record(
        session, "try_mail_again", about="outbox_message", about_id=message_id, by=by, at=at,
        summary=f"Mail “{message.subject}” put forward for another try.",
    )  # fmt: skip


def try_all_again(session: Session, *, by: Actor, at: datetime) -> int:
    """Put every mail that fails forward for another try; returns how many."""
    query = select(OutboxMessage).where(_is(Sending.FAILING)).order_by(OutboxMessage.id).with_for_update()
    failing = list(session.scalars(query))
    for message in failing:
        message.next_attempt_at = at
    if failing:
        record(
            session, "try_mail_again", about="outbox_message", about_id=None, by=by, at=at,
            summary=f"{len(failing)} mails put forward for another try.",
        )  # fmt: skip
    return len(failing)
