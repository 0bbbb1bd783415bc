"""Notice that an agreement which renews by itself is not to."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.orm import Session

from sla_manager.agreements.models import Agreement, RenewalNotice
from sla_manager.agreements.queries.renewing import renewing_agreement
from sla_manager.agreements.rules.renewing import NoticeTooLate
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.unique_pupil_numbers import refuse_pupil_numbers
from sla_manager.kernel.words import long_date
from sla_manager.store.audit import Actor, record

LONGEST_REASON = 2000


class DoesNotRenew(Refused):
    """Only an agreement with a renewal clause needs notice."""

    def __init__(self, reference: str, ends_on: date) -> None:
        super().__init__(
            f"{reference} does not renew by itself: it ends on {long_date(ends_on)}. You need do nothing."
        )


def give_notice(
    session: Session,
    agreement_id: int,
    *,
    school_id: int | None = None,
    given_on: date | None = None,
    given_by: str | None = None,
    reason: str = "",
    by: Actor,
    at: datetime,
) -> RenewalNotice:
    """Record that an agreement is not to renew; giving notice again changes nothing.

    The service records a notice that came on paper with the day on which it came. Refused after the last day.
    """
    agreement = session.get(Agreement, agreement_id, with_for_update=True, populate_existing=True)
    if agreement is None or school_id not in (None, agreement.school_id):
        raise NotFound
    standing = renewing_agreement(session, agreement)
    if standing is None or agreement.status is not AgreementStatus.AGREED:
        raise DoesNotRenew(agreement.reference, agreement.ends_on)
    if standing.notice is not None:
        return standing.notice
    day = given_on or london_date(at)
    if day > london_date(at):
        raise Refused(
            "Notice cannot be given in the future. Enter today or an earlier day.", field="given_on"
        )
    if day > standing.last_day or standing.renewed_as_id is not None:
        raise NoticeTooLate(agreement.reference, standing.last_day)
    notice = RenewalNotice(
        agreement_id=agreement.id,
        given_on=day,
        given_by=(given_by or by.name).strip(),
        given_by_id=by.person_id if given_by is None else None,
        reason=refuse_pupil_numbers(reason.strip()[:LONGEST_REASON], field="reason"),
        recorded_at=at,
        recorded_by=by.name,
    )
    session.add(notice)
    session.flush()
    record(
        session,
        "give_notice",
        about="agreement",
        about_id=agreement.id,
        summary=f"{agreement.reference} is not to renew: notice of {notice.given_by} on {day}",
        by=by,
        at=at,
    )
    return notice
