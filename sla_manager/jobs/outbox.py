"""Sends the mails that wait in the outbox; one that fails waits longer each time and is never lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from sla_manager.gateways.archive import Archive
from sla_manager.gateways.mail import AttachedFile, Mail, Send
from sla_manager.kernel.errors import Broken, GatewayFailed
from sla_manager.payments.commands.reminders import take_back_reminder
from sla_manager.store.database import Database
from sla_manager.store.outbox import (
    SECRET_KEYS,
    OutboxAttachment,
    OutboxMessage,
    attachments_of,
    completed,
)

AT_ONCE = 100
LONGEST_WAIT = timedelta(hours=6)
TAKEN_FOR = timedelta(minutes=10)
NOT_KEPT = "This mail held a link for one person. Its text is not kept once it is sent."


@dataclass(frozen=True)
class PostOffice:
    """What mails are completed with: the address for their links, and the archive for their attachments."""

    send: Send
    address: str
    archive: Archive | None


def send_outbox(
    database: Database,
    *,
    send: Send,
    at: datetime,
    address: str = "",
    archive: Archive | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> tuple[int, int]:
    """Send what is waiting; returns how many were sent and how many failed.

    `address` is where people open this product: it completes the links. `archive` holds the files that go with
    mails; one whose file is missing or damaged waits with the reason and holds up no other.
    Each mail is taken, sent and marked by itself: two senders at once never send the same one, and after a crash
    between sending and marking one mail is sent again, with the same Message-ID.
    """
    office = PostOffice(send, address, archive)
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
        outcome = _send_one(database, message_id, office=office, at=at)
        sent += outcome is True
        failed += outcome is False
    return sent, failed


def _send_one(database: Database, message_id: int, *, office: PostOffice, at: datetime) -> bool | None:
    """Send one mail; None when somebody else has it, or nobody needs it any more."""
    taken = _take(database, message_id, at=at)
    if taken is None:
        return None
    error = None
    try:
        office.send(_mail(*taken, office=office))
    except (GatewayFailed, Broken) as failure:
        error = failure.message
    except ValueError as failure:
        error = f"This mail cannot be written: {failure}"
    with database.transaction() as session:
        stored = session.get_one(OutboxMessage, message_id, with_for_update=True)
        stored.last_error = error
        if error is None:
            stored.sent_at = at
            if stored.key.startswith(SECRET_KEYS):
                stored.body = NOT_KEPT
        else:
            stored.next_attempt_at = at + wait_after(stored.attempts)
    return error is None


def _mail(message: OutboxMessage, files: list[OutboxAttachment], *, office: PostOffice) -> Mail:
    """Return a mail with its links complete and its files read and checked."""
    if files and office.archive is None:
        raise GatewayFailed("The archive with this mail's files is not open.")
    return Mail(
        recipient=message.recipient,
        subject=message.subject,
        body=completed(message.body, office.address),
        key=message.key,
        attachments=tuple(
            AttachedFile(one.filename, office.archive.read(one.path, one.sha256))
            for one in files
            if office.archive is not None
        ),
    )


def _take(
    database: Database, message_id: int, *, at: datetime
) -> tuple[OutboxMessage, list[OutboxAttachment]] | None:
    """Put a mail out of reach of other senders for a while, and count the attempt; one that is out of date goes."""
    with database.transaction() as session:
        stored = session.get_one(OutboxMessage, message_id, with_for_update=True)
        if stored.sent_at is not None or stored.next_attempt_at > at:
            return None
        if take_back_reminder(session, stored, at=at):
            return None
        stored.attempts += 1
        stored.next_attempt_at = at + TAKEN_FOR
        return stored, attachments_of(session, message_id)


def wait_after(attempts: int) -> timedelta:
    """Return how long a mail that failed so often waits: two minutes, four, eight, up to six hours.

    >>> [str(wait_after(attempts)) for attempts in (1, 2, 3, 60)]
    ['0:02:00', '0:04:00', '0:08:00', '6:00:00']
    """
    return min(timedelta(minutes=2 ** min(attempts, 12)), LONGEST_WAIT)
