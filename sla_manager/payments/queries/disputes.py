"""Holds and disputes: what is held now, and the story of each hold of a document."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, joinedload

from sla_manager.billing.models import Document
from sla_manager.kernel.money import Money
from sla_manager.payments.models import DisputeMessage, DocumentBalance, Hold, HoldRelease
from sla_manager.payments.queries.holds import holds_in_force

MOST = 200
"""How many holds a page shows."""


@dataclass(frozen=True, slots=True)
class HoldStory:
    """A hold from its first word to its end."""

    hold: Hold
    messages: tuple[DisputeMessage, ...]
    release: HoldRelease | None

    @property
    def waits_for_council(self) -> bool:
        """Whether the payer had the last word in a dispute that is not over."""
        if self.release is not None or self.hold.kind != "dispute":
            return False
        return not self.messages or self.messages[-1].side == "payer"


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A hold in force with its document, what is open on that, and whose answer it waits for."""

    hold: Hold
    open: Money
    waits_for_council: bool


def stories_of(session: Session, document_id: int) -> list[HoldStory]:
    """Return the holds of a document, the latest first, with what was written and how they ended."""
    query = (
        select(Hold, HoldRelease)
        .outerjoin(HoldRelease, HoldRelease.hold_id == Hold.id)
        .where(Hold.document_id == document_id)
        .order_by(Hold.id.desc())
    )
    rows = [(hold, release) for hold, release in session.execute(query)]
    written: dict[int, list[DisputeMessage]] = defaultdict(list)
    said = select(DisputeMessage).where(DisputeMessage.hold_id.in_([hold.id for hold, _ in rows]))
    for one in session.scalars(said.order_by(DisputeMessage.id)):
        written[one.hold_id].append(one)
    return [HoldStory(hold, tuple(written[hold.id]), release) for hold, release in rows]


def disputes_of(session: Session, document_id: int) -> list[HoldStory]:
    """Return what the payer may read: the disputes of a document, and never why we hold it ourselves."""
    return [one for one in stories_of(session, document_id) if one.hold.kind == "dispute"]


def disputes_in_force(session: Session, document_id: int) -> list[Hold]:
    """Return the disputes of a document that are not over, as its payer may see them."""
    found = holds_in_force(session, [document_id]).get(document_id, [])
    return [one for one in found if one.kind == "dispute"]


def held(session: Session, *, customer_id: int | None = None) -> list[HeldRow]:
    """Return the holds in force, the oldest first, as many as a page shows."""
    last_side = (
        select(DisputeMessage.side)
        .where(DisputeMessage.hold_id == Hold.id)
        .order_by(DisputeMessage.id.desc())
        .limit(1)
        .correlate(Hold)
        .scalar_subquery()
    )
    query = (
        select(Hold, DocumentBalance.open, last_side)
        .join(Document, Document.id == Hold.document_id)
        .join(DocumentBalance, DocumentBalance.document_id == Hold.document_id)
        .where(~exists().where(HoldRelease.hold_id == Hold.id))
        .options(joinedload(Hold.document).load_only(Document.number, Document.customer_name, Document.kind))
        .order_by(Hold.id)
        .limit(MOST)
    )
    if customer_id is not None:
        query = query.where(Document.customer_id == customer_id)
    return [
        HeldRow(hold, amount, hold.kind == "dispute" and side != "council")
        for hold, amount, side in session.execute(query)
    ]


def disputes_to_answer(session: Session) -> int:
    """Return how many disputes wait for the council's word (for the dashboard)."""
    last = select(func.max(DisputeMessage.id)).group_by(DisputeMessage.hold_id).scalar_subquery()
    answered = select(DisputeMessage.hold_id).where(
        DisputeMessage.id.in_(last), DisputeMessage.side == "council"
    )
    query = select(func.count(Hold.id)).where(
        Hold.kind == "dispute", ~exists().where(HoldRelease.hold_id == Hold.id), Hold.id.not_in(answered)
    )
    return session.scalar(query) or 0
