"""Sends the mails that wait in the outbox; one that fails waits longer each time and is never lost."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from sla_manager.gateways.mail import Send
from sla_manager.kernel.errors import GatewayFailed
from sla_manager.store.database import Database
from sla_manager.store.outbox import OutboxMessage

AT_ONCE = 100
LONGEST_WAIT = timedelta(hours=6)


def send_outbox(database: Database, *, send: Send, at: datetime) -> tuple[int, int]:
    """Send what is waiting; returns how many were sent and how many failed.

    Each mail is marked in a transaction of its own as soon as it was taken: a crash repeats one at most.
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
        if _send_one(database, message_id, send=send, at=at):
            sent += 1
        else:
            failed += 1
    return sent, failed


def _send_one(database: Database, message_id: int, *, send: Send, at: datetime) -> bool:
    with database.reading() as session:
        message = session.get_one(OutboxMessage, message_id)
    error = None
    if message.sent_at is None:
        try:
            send(message.recipient, message.subject, message.body, message.key)
        except GatewayFailed as failure:
            error = failure.message
    with database.transaction() as session:
        stored = session.get_one(OutboxMessage, message_id, with_for_update=True)
        if stored.sent_at is not None:
            return True
        stored.attempts += 1
        stored.last_error = error
        if error is None:
            stored.sent_at = at
        else:
            stored.next_attempt_at = at + min(timedelta(minutes=2**stored.attempts), LONGEST_WAIT)
    return error is None
