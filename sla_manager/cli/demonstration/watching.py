"""What is watched in the demonstration: two mails that could not be sent, with the mail server's own words."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import not_, or_, select
from sqlalchemy.orm import Session

from sla_manager.store.outbox import SECRET_KEYS, OutboxMessage

REASONS = (
    "The mail server does not know this mailbox.",
    "The mail server did not answer within 30 seconds.",
)


def tell_watching(session: Session, *, at: datetime) -> None:
    """Let the latest mails have failed, each for a reason of its own; they are tried again tomorrow."""
    secret = or_(*(OutboxMessage.key.startswith(key) for key in SECRET_KEYS))
    query = (
        select(OutboxMessage)
        .where(OutboxMessage.sent_at.is_(None), not_(secret))
        .order_by(OutboxMessage.created_at.desc(), OutboxMessage.id.desc())
        .limit(len(REASONS))
    )
    for message, reason in zip(session.scalars(query), REASONS, strict=False):
        message.attempts, message.last_error = 3, reason
        message.next_attempt_at = at + timedelta(days=1)
