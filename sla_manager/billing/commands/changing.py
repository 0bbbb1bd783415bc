"""Confirming what a change of a school means for one of its agreements."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from sla_manager.agreements.commands.transfers import Consent
from sla_manager.agreements.models import Agreement
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.billing.commands.ending import terminate_agreement, transfer_agreement
from sla_manager.billing.queries.changing import school_change, still_touched
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.words import long_date
from sla_manager.people.commands.links import ChangeIsDecided, decide_change
from sla_manager.people.rules.links import ChangeKind
from sla_manager.store.audit import Actor


def confirm_change(
    session: Session,
    change_id: int,
    agreement_id: int,
    *,
    service_id: int,
    to_customer_id: int | None,
    consent: Consent,
    schedule: Schedule = Schedule.SINGLE,
    seen_sha256: str | None = None,
    by: Actor,
    at: datetime,
    once_key: str | None = None,
) -> Agreement:
    """Let one agreement follow a change of its school; the last one marks the change as done.

    A closure ends it by the rule of an early end; everything else carries it on with the new customer. The same
    `once_key` is one act. Returns the old agreement.
    """
    waiting = school_change(session, change_id, service_id=service_id)
    change = waiting.change
    agreement = session.get(Agreement, agreement_id)
    if (
        agreement is None
        or agreement.service_id != service_id
        or agreement.school_id != change.from_school_id
    ):
        raise NotFound
    if change.status == "dismissed":
        raise ChangeIsDecided(change)
    said = f"{change.kind.title} on {long_date(change.effective_on)}."
    if change.kind is ChangeKind.CLOSURE:
        terminate_agreement(
            session, agreement_id, cause="closure", notice_on=london_date(at), given_by="both",
            ends_on=max(change.effective_on - timedelta(days=1), agreement.starts_on), reason=said,
            name=consent.name, role=consent.role, seen_sha256=seen_sha256, by=by, at=at, once_key=once_key,
        )  # fmt: skip
    else:
        if to_customer_id is None or change.to_school_id is None:
            raise Refused("Say who pays from then on.", field="to_customer")
        transfer_agreement(
            session, agreement_id, to_school_id=change.to_school_id, to_customer_id=to_customer_id,
            effective_on=change.effective_on, consent=consent, reason=said, change_id=change.id,
            schedule=schedule, seen_sha256=seen_sha256, by=by, at=at, once_key=once_key,
        )  # fmt: skip
    session.flush()
    if change.status == "found" and not still_touched(session, change):
        decide_change(session, change.id, confirmed=True, by=by, at=at)
    return session.get_one(Agreement, agreement_id)
