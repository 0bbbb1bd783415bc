"""An officer's private calendar address: made, replaced, revoked. Only its hash is kept."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from sla_manager.kernel.errors import NotFound
from sla_manager.kernel.references import new_token, token_hash
from sla_manager.people.models import Officer
from sla_manager.store.audit import Actor, record


def open_feed(session: Session, officer_id: int, *, by: Actor, at: datetime) -> str:
    """Make a new private address and return its token, once. An older address stops working."""
    officer = _officer(session, officer_id)
    token = new_token()
    officer.feed_hash = token_hash(token)
    said = f"Made a new calendar address for {officer.name}."
    record(session, "open_feed", about="officer", about_id=officer.id, summary=said, by=by, at=at)
    return token


def revoke_feed(session: Session, officer_id: int, *, by: Actor, at: datetime) -> None:
    """Take the private address away. Twice changes nothing."""
    officer = _officer(session, officer_id)
    if officer.feed_hash is not None:
        officer.feed_hash = None
        said = f"Revoked the calendar address of {officer.name}."
        record(session, "revoke_feed", about="officer", about_id=officer.id, summary=said, by=by, at=at)


def _officer(session: Session, officer_id: int) -> Officer:
    officer = session.get(Officer, officer_id)
    if officer is None:
        raise NotFound()
    return officer
