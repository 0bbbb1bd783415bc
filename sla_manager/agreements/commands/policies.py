"""Setting how a service's new agreements are ended early and renewed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.models.changes import AgreementPolicy
from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.kernel.unique_pupil_numbers import refuse_pupil_numbers
from sla_manager.people.models import TradingService
from sla_manager.store.audit import Actor, record

LONGEST_NOTICE = 12
LONGEST_WORDING = 2_000


class PolicyChanged(Conflict):
    """Two people set the policy at once (N11)."""

    def __init__(self) -> None:
        super().__init__(
            "Somebody else changed this while you had it open. Check what it says now, then save again: "
            "what you typed is still below."
        )


def set_agreement_policy(
    session: Session,
    service_id: int,
    *,
    notice_months: int,
    renews: bool,
    wording: str = "",
    expected_version: int | None = None,
    by: Actor,
    at: datetime,
) -> AgreementPolicy:
    """Set what new quotes of a service say on notice and renewal; what was signed keeps its own terms.

    `expected_version` is the version that was on the page (0: there was none); another one is a conflict.
    """
    service = session.get(TradingService, service_id, with_for_update=True)
    if service is None:
        raise NotFound
    if not 0 <= notice_months <= LONGEST_NOTICE:
        raise Refused(
            f"{notice_months} months is not allowed. Enter 0 to {LONGEST_NOTICE} months.",
            field="notice_months",
        )
    words = refuse_pupil_numbers(wording.strip(), field="wording")
    if len(words) > LONGEST_WORDING:
        raise Refused(
            f"The wording has {len(words):,} characters. Use {LONGEST_WORDING:,} or fewer.", field="wording"
        )
    policy = session.scalar(select(AgreementPolicy).where(AgreementPolicy.service_id == service_id))
    if expected_version is not None and expected_version != (policy.version if policy else 0):
        raise PolicyChanged
    if policy is None:
        policy = AgreementPolicy(service_id=service_id, version=0, changed_at=at, changed_by=by.name)
        session.add(policy)
    policy.notice_months, policy.renews, policy.wording = notice_months, renews, words
    policy.changed_at, policy.changed_by, policy.version = at, by.name, policy.version + 1
    session.flush()
    record(
        session,
        "set_agreement_policy",
        about="agreement_policy",
        about_id=policy.id,
        summary=f"{service.name}: {notice_months} months’ notice, {'renews' if renews else 'does not renew'}",
        by=by,
        at=at,
        details={"notice_months": notice_months, "renews": renews, "wording": words},
    )
    return policy
