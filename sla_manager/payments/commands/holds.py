"""Holds placed and ended: a held document is neither chased nor charged interest (P11, domain section 9)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

import sla_manager.payments.constraints  # noqa: F401  (gives the database its sentences)
from sla_manager.billing.models import Document
from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.payments.models import Hold, HoldRelease
from sla_manager.payments.queries.holds import holds_in_force
from sla_manager.store.audit import Actor, record

HOLD_KINDS = {
    "dispute": "Disputed by the payer",
    "card_dispute": "Disputed with the card’s bank",
    "hold": "Held by us",
}
LONGEST_REASON = 1_000


def place_hold(
    session: Session,
    document_id: int,
    *,
    kind: str,
    reason: str,
    once_key: str | None = None,
    by: Actor,
    at: datetime,
) -> Hold:
    """Hold a document. The same kind in force, or the same `once_key`, gives back the hold there is."""
    document = session.get(Document, document_id, with_for_update=True)
    if document is None or document.kind.is_credit:
        raise NotFound
    if kind not in HOLD_KINDS:
        raise Refused("Choose why it is held.", field="kind")
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise Refused(f"Enter what is wrong, in {LONGEST_REASON:,} characters at most.", field="reason")
    if once_key is not None:
        made = session.scalar(select(Hold).where(Hold.once_key == once_key))
        if made is not None:
            return made
    for one in holds_in_force(session, [document_id]).get(document_id, []):
        if one.kind == kind:
            return one
    hold = Hold(
        document_id=document_id, kind=kind, reason=reason, placed_at=at, placed_by=by.name, once_key=once_key
    )
    session.add(hold)
    session.flush()
    record(
        session, "place_hold", about="document", about_id=document_id, by=by, at=at,
        summary=f"{HOLD_KINDS[kind]}: {document.number}.", details={"hold_id": hold.id, "reason": reason},
    )  # fmt: skip
    return hold


def release_hold(session: Session, hold_id: int, *, outcome: str, by: Actor, at: datetime) -> HoldRelease:
    """End a hold, with what came of it. Ended before, it is a conflict."""
    hold = session.get(Hold, hold_id)
    if hold is None:
        raise NotFound
    session.get(Document, hold.document_id, with_for_update=True)
    if session.scalar(select(HoldRelease.id).where(HoldRelease.hold_id == hold_id)) is not None:
        raise Conflict("This hold was ended already.")
    outcome = outcome.strip()
    if not outcome or len(outcome) > LONGEST_REASON:
        raise Refused(f"Enter what came of it, in {LONGEST_REASON:,} characters at most.", field="outcome")
    release = HoldRelease(hold_id=hold_id, outcome=outcome, released_at=at, released_by=by.name)
    session.add(release)
    session.flush()
    record(
        session, "release_hold", about="document", about_id=hold.document_id, by=by, at=at,
        summary=f"Hold ended: {outcome}", details={"hold_id": hold_id},
    )  # fmt: skip
    return release
