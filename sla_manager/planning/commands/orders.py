"""Deciding an order by what officers have time for: it fits, or a manager accepts it with a reason."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

import sla_manager.planning.constraints  # noqa: F401  (gives the database its sentences)
from sla_manager.agreements.commands import accept_order
from sla_manager.agreements.commands.years import hold_years
from sla_manager.agreements.models import Agreement
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import Forbidden, NotFound, Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.unique_pupil_numbers import refuse_pupil_numbers
from sla_manager.people.models import Membership
from sla_manager.people.rules.roles import Permission, roles_with
from sla_manager.planning.models import CapacityDecision
from sla_manager.planning.queries import OrderRoom, order_room
from sla_manager.store.audit import Actor, record

LONGEST_REASON = 2_000


class BeyondCapacity(Refused):
    """Officers have no time for the order once the free core offer is kept."""

    def __init__(self, room: OrderRoom) -> None:
        self.room = room
        super().__init__(
            f"{room.sentence} The order is held. Say why you accept it all the same, or decline it.",
            field="reason",
        )


class TighterNow(Refused):
    """Something else was sold since the page was opened."""

    def __init__(self, room: OrderRoom, seen: Minutes) -> None:
        super().__init__(
            f"Something else was sold meanwhile: it is {room.days(room.over)} over now, not {room.days(seen)}. "
            "Look at the figures, then decide again.",
            field="reason",
        )


def decide_order(
    session: Session,
    agreement_id: int,
    *,
    reason: str = "",
    seen_over: Minutes | None = None,
    by: Actor,
    at: datetime,
) -> Agreement:
    """Accept an order that there is room for; one beyond capacity needs a service manager's reason, kept for ever.

    Decisions wait for each other, so two orders never share the last free days. `seen_over` is how far over the
    page said it was: when it is further now, the reason was given for other figures and is refused.
    """
    hold_years(session)
    order = session.get(Agreement, agreement_id, with_for_update=True, populate_existing=True)
    if order is None:
        raise NotFound
    if order.status is not AgreementStatus.ORDERED:
        return accept_order(session, agreement_id, by=by, at=at)
    room = order_room(session, agreement_id, today=london_date(at))
    if not room.over:
        return accept_order(session, agreement_id, by=by, at=at)
    words = _checked_reason(room, reason, seen_over)
    _refuse_others(session, order.service_id, by)
    agreed = accept_order(session, agreement_id, by=by, at=at)
    _keep(session, agreed, room, words, by=by, at=at)
    return agreed


def _checked_reason(room: OrderRoom, reason: str, seen_over: Minutes | None) -> str:
    words = refuse_pupil_numbers(reason.strip(), field="reason")
    if not words:
        raise BeyondCapacity(room)
    if len(words) > LONGEST_REASON:
        raise Refused(
            f"The reason has {len(words):,} characters. Use {LONGEST_REASON:,} or fewer.", field="reason"
        )
    if seen_over is not None and seen_over < room.over:
        raise TighterNow(room, seen_over)
    return words


def _refuse_others(session: Session, service_id: int, by: Actor) -> None:
    """Let a manager of this service decide; somebody at the council's own terminal is no person of the portal."""
    if by.person_id is None:
        return
    held = select(Membership.id).where(
        Membership.person_id == by.person_id,
        Membership.service_id == service_id,
        Membership.role.in_(roles_with(Permission.DECIDE_ORDERS)),
    )
    if session.scalar(held.limit(1)) is None:
        raise Forbidden("Only a manager of the service accepts an order beyond capacity.")


def _keep(
    session: Session, agreed: Agreement, room: OrderRoom, reason: str, *, by: Actor, at: datetime
) -> None:
    decision = CapacityDecision(
        agreement_id=agreed.id,
        asked=room.asked,
        free_before=room.free,
        over_by=room.over,
        day_length=room.day_length,
        facts=_facts(room),
        reason=reason,
        decided_by=by.name,
        decided_by_id=by.person_id,
        decided_at=at,
    )
    session.add(decision)
    session.flush()
    record(
        session,
        "accept_beyond_capacity",
        about="agreement",
        about_id=agreed.id,
        summary=f"{agreed.reference} accepted {room.days(room.over)} beyond capacity: {reason}",
        by=by,
        at=at,
        details={
            "asked": room.asked.minutes,
            "free_before": room.free.minutes,
            "over_by": room.over.minutes,
            "reason": reason,
        },
    )


def _facts(room: OrderRoom) -> dict[str, Any]:
    return {
        "sentence": room.sentence,
        "years": [
            {
                "year": str(one.year),
                "asked": one.whole.asked.minutes,
                "free": one.whole.free.minutes,
                "over": one.over.minutes,
                "terms": [
                    {"name": term.name, "asked": term.asked.minutes, "free": term.free.minutes}
                    for term in one.terms
                ],
            }
            for one in room.years
        ],
        "affected": [
            {"term": one.term, "school": one.school, "minutes": one.minutes.minutes} for one in room.affected
        ],
    }
