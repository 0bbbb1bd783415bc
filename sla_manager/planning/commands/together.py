"""Deciding on what several schools buy together: every order of it, or none."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from sla_manager.agreements.models import Partnership
from sla_manager.agreements.queries.partnerships import partnership
from sla_manager.planning.commands.orders import decide_order
from sla_manager.store.audit import Actor


def decide_together(
    session: Session, partnership_id: int, *, reason: str = "", by: Actor, at: datetime
) -> Partnership:
    """Accept every order of a partnership in one transaction; a single one that is refused stops them all.

    The room is held against each in turn, so all of them together must fit, or a reason is given. Refused while a
    partner has not ordered. Accepting again changes nothing.
    """
    together = partnership(session, partnership_id)
    for member in sorted(together.members, key=lambda one: one.agreement_id):
        decide_order(session, member.agreement_id, reason=reason, by=by, at=at)
    return partnership(session, partnership_id)
