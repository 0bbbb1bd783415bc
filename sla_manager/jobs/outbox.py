"""Sends the mails that wait in the outbox; one that fails waits longer each time and is never lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select

from sla_manager.gateways.mail import Send
from sla_manager.kernel.errors import GatewayFailed
from sla_manager.store.database import Database
from sla_manager.store.outbox import OutboxMessage

AT_ONCE = 100
LONGEST_WAIT = timedelta(hours=6)
TAKEN_FOR = timedelta(minutes=10)
CARRIES_A_LINK = "password-link:"
"""Mails whose text is a secret: it is not kept once they are sent."""


def send_outbox(
    database: Database, *, send: Send, at: datetime, stopping: Callable[[], bool] = lambda: False
) -> tuple[int, int]:
    """Send what is waiting; returns how many were sent and how many failed.

    Each mail is taken, sent and marked by itself: two senders at once never send the same one, and after a crash
    between sending and marking one mail is sent again, with the same Message-ID.
    """
    with database.reading() as session:
        query = (
            select(OutboxMessage.id)
            .where(OutboxMessage.sent_at.is_(None), OutboxMessage.next_attempt_at <= at)
            .order_by(OutboxMessage.id)
            .limit(AT_ONCE)
        )
        waiting = list(session.scalars(query))
    sent = failed = 0
    for message_id in waiting:
        if stopping():
            break
        outcome = _send_one(database, message_id, send=send, at=at)
        sent += outcome is True
        failed += outcome is False
    return sent, failed


def _send_one(database: Database, message_id: int, *, send: Send, at: datetime) -> bool | None:
    """Send one mail; None when somebody else has it."""
    message = _take(database, message_id, at=at)
    if message is None:
        return None
    error = None
    try:
        send(message.recipient, message.subject, message.body, message.key)
    except GatewayFailed as failure:
        error = failure.message
    except ValueError as failure:
        error = f"This mail cannot be written: {failure}"
    with database.transaction() as session:
        stored = session.get_one(OutboxMessage, message_id, with_for_update=True)
        stored.last_error = error
        if error is None:
            stored.sent_at = at
        else:
            stored.next_attempt_at = at + wait_after(stored.attempts)
    return error is None


def _take(database: Database, message_id: int, *, at: datetime) -> OutboxMessage | None:
    """Put a mail out of reach of other senders for a while, and count the attempt."""
    with database.transaction() as session:
        stored = session.get_one(OutboxMessage, message_id, with_for_update=True)
        if stored.sent_at is not None or stored.next_attempt_at > at:
            return None
        stored.attempts += 1
        stored.next_attempt_at = at + TAKEN_FOR
        return stored


def wait_after(attempts: int) -> timedelta:
    """Return how long a mail that failed so often waits: two minutes, four, eight, up to six hours.

    >>> [str(wait_after(attempts)) for attempts in (1, 2, 3, 60)]
    ['0:02:00', '0:04:00', '0:08:00', '6:00:00']
    """
    return min(timedelta(minutes=2 ** min(attempts, 12)), LONGEST_WAIT)
