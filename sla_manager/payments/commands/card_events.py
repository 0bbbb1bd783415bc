"""Messages of the card provider: kept before anything else is done with them, handled once (P1)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

import sla_manager.payments.constraints  # noqa: F401  (gives the database its sentences)
from sla_manager.gateways.cards import CardMessage
from sla_manager.payments.models import CardEvent

LONGEST_WAIT = timedelta(hours=6)


def keep_event(session: Session, message: CardMessage, *, at: datetime) -> bool:
    """Keep a message. One that was kept before changes nothing and returns False."""
    if session.scalar(select(CardEvent.id).where(CardEvent.event_id == message.id)) is not None:
        return False
    session.add(
        CardEvent(
            event_id=message.id, kind=message.kind, about=message.about, about_id=message.about_id,
            payment_id=message.payment, happened_at=message.created_at, received_at=at, next_try_at=at, attempts=0,
            last_error=None, handled_at=None, outcome="",
        )
    )  # fmt: skip
    session.flush()
    return True


def mark_handled(session: Session, event_id: int, outcome: str, *, at: datetime) -> None:
    """Say what came of a message; the first word stands."""
    found = session.get(CardEvent, event_id, with_for_update=True, populate_existing=True)
    if found is not None and found.handled_at is None:
        found.handled_at, found.outcome, found.last_error = at, outcome, None


def try_later(session: Session, event_id: int, why: str, *, at: datetime) -> None:
    """Put a message off: two minutes, four, eight, up to six hours."""
    found = session.get(CardEvent, event_id, with_for_update=True, populate_existing=True)
    if found is not None and found.handled_at is None:
        found.attempts += 1
        found.last_error = why
        found.next_try_at = at + min(timedelta(minutes=2 ** min(found.attempts, 12)), LONGEST_WAIT)
