"""Stopping what was to be bought together: nobody is left with a share of what the others do not want."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from sla_manager.agreements.commands.orders import decline_order
from sla_manager.agreements.commands.quotes import withdraw_quote
from sla_manager.agreements.models import Partnership
from sla_manager.agreements.queries.partnerships import partnership
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.kernel.errors import Conflict, Refused
from sla_manager.store.audit import Actor, record


class TogetherAlready(Conflict):
    """What is agreed is changed or ended, school by school."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is agreed already. Change or end the agreement of each school instead.")


def stop_together(
    session: Session, partnership_id: int, *, reason: str, by: Actor, at: datetime
) -> Partnership:
    """Stop a partnership that is not agreed: orders are declined and open quotes withdrawn, with one reason for all.

    Stopping again changes nothing.
    """
    together = partnership(session, partnership_id)
    if not reason.strip():
        raise Refused("Say why it is stopped. Every school will read it.", field="reason")
    if any(
        one.agreement.status in (AgreementStatus.AGREED, AgreementStatus.ENDED) for one in together.members
    ):
        raise TogetherAlready(together.name)
    stopped = 0
    for member in sorted(together.members, key=lambda one: one.agreement_id):
        if member.agreement.status is AgreementStatus.ORDERED:
            decline_order(session, member.agreement_id, reason=reason, by=by, at=at)
        elif member.agreement.status is AgreementStatus.QUOTED:
            withdraw_quote(session, member.agreement_id, reason=reason, by=by, at=at)
        else:
            continue
        stopped += 1
    if stopped:
        summary = f"{together.name} stopped: {reason.strip()}"
        record(
            session, "stop_together", about="partnership", about_id=together.id, summary=summary, by=by, at=at
        )
    return partnership(session, partnership_id)
