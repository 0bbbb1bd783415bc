"""The outbox: mail is written beside the change that causes it and sent after commit, each key once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from sla_manager.store.tables import Numbered


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


def post(
    session: Session, key: str, *, recipient: str, subject: str, body: str, at: datetime
) -> OutboxMessage | None:
    """Put a mail into the outbox; a key that was used before changes nothing and returns None."""
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
    return message
