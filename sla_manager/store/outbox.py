"""The outbox: mail is written beside the change that causes it and sent after commit, each key once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from sla_manager.store.tables import Numbered

ADDRESS = "{address}"
"""Stands in a mail's text for the address under which people open this product; completed when it is sent."""
SECRET_KEYS = ("password-link:", "approval:", "pay-link:")
"""Keys of mails whose text holds a secret link: their text is not kept once they are sent (S10)."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of the archive that goes with a mail."""

    filename: str
    path: str
    sha256: str


class OutboxMessage(Numbered):
    """A mail that is to be sent, or was."""

    __tablename__ = "outbox_message"
    __table_args__ = (
        CheckConstraint("attempts >= 0", name="attempts"),
        Index("ix_outbox_message_waiting", "sent_at", "next_attempt_at"),
    )

    key: Mapped[str] = mapped_column(unique=True)
    recipient: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    created_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]


class OutboxAttachment(Numbered):
    """A file of the archive that goes with a mail: read when the mail is sent, checked against its hash."""

    __tablename__ = "outbox_attachment"
    __table_args__ = (UniqueConstraint("message_id", "filename"),)

    message_id: Mapped[int] = mapped_column(ForeignKey("outbox_message.id"))
    filename: Mapped[str]
    path: Mapped[str]
    sha256: Mapped[str]


def link(path: str) -> str:
    """Return a link to a page of this product, for the text of a mail.

    >>> link("/school/900013/")
    '{address}/school/900013/'
    """
    return f"{ADDRESS}{path}"


def completed(body: str, address: str) -> str:
    """Return a mail's text with its links complete.

    >>> completed("Open {address}/school/900013/ now.", "https://sla.example/")
    'Open https://sla.example/school/900013/ now.'
    """
    return body.replace(ADDRESS, address.rstrip("/"))


def attachments_of(session: Session, message_id: int) -> list[OutboxAttachment]:
    """Return the files that go with a mail, in the order in which they were named."""
    query = select(OutboxAttachment).where(OutboxAttachment.message_id == message_id)
    return list(session.scalars(query.order_by(OutboxAttachment.id)))


def post(
    session: Session,
    key: str,
    *,
    recipient: str,
    subject: str,
    body: str,
    at: datetime,
    attachments: Sequence[Attachment] = (),
) -> OutboxMessage | None:
    """Put a mail into the outbox; a key that was used before changes nothing and returns None.

    Links in the text are made with `link`. Attachments are files that the archive already has.
    """
    if session.scalar(select(OutboxMessage.id).where(OutboxMessage.key == key)) is not None:
        return None
    message = OutboxMessage(
        key=key,
        recipient=recipient,
        subject=" ".join(subject.split()),
        body=body,
        created_at=at,
        next_attempt_at=at,
        sent_at=None,
        attempts=0,
        last_error=None,
    )
    session.add(message)
    if attachments:
        session.flush()
        session.add_all(
            OutboxAttachment(message_id=message.id, filename=one.filename, path=one.path, sha256=one.sha256)
            for one in attachments
        )
    return message
