"""Agreements that renew by themselves: until when notice can be given, whether it was, what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from sla_manager.agreements.models import Agreement, AutomaticRenewal, RenewalNotice
from sla_manager.agreements.rules.renewing import FORGOTTEN_AFTER, last_notice_day
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.kernel.periods import Period
from sla_manager.people.models import School

PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewingAgreement:
    """An agreement with its clause: the last day for notice, the notice if there is one, and what followed."""

    agreement: Agreement
    last_day: date
    notice: RenewalNotice | None
    renewed_as_id: int | None

    def is_over(self, today: date) -> bool:
        """Say whether notice can no longer be given."""
        return today > self.last_day


def notice_of(session: Session, agreement_id: int) -> RenewalNotice | None:
    """Return the notice that an agreement is not to renew, or None."""
    return session.scalar(select(RenewalNotice).where(RenewalNotice.agreement_id == agreement_id))


def renewing_agreement(session: Session, agreement: Agreement) -> RenewingAgreement | None:
    """Return how an agreement's renewal stands; None for one that does not renew by itself."""
    if not agreement.renews:
        return None
    renewed = select(AutomaticRenewal.renewed_as_id).where(AutomaticRenewal.agreement_id == agreement.id)
    return RenewingAgreement(
        agreement=agreement,
        last_day=last_notice_day(agreement.ends_on, agreement.notice_months),
        notice=notice_of(session, agreement.id),
        renewed_as_id=session.scalar(renewed),
    )


def renewing_agreements(
    session: Session,
    *,
    today: date,
    service_id: int | None = None,
    after: int = 0,
    limit: int | None = None,
    still_open: bool = False,
) -> list[RenewingAgreement]:
    """Return the agreements that renew by themselves and run, by key: two facts beside each, in one question.

    `still_open` leaves out those with a notice, and those that have renewed. `limit` is a page's size.
    """
    query = (
        select(Agreement, RenewalNotice, AutomaticRenewal.renewed_as_id)
        .outerjoin(RenewalNotice, RenewalNotice.agreement_id == Agreement.id)
        .outerjoin(AutomaticRenewal, AutomaticRenewal.agreement_id == Agreement.id)
        .where(
            Agreement.renews.is_(True),
            Agreement.status.in_((AgreementStatus.AGREED, AgreementStatus.ENDED)),
            Agreement.ends_early_on.is_(None),
            Agreement.ends_on >= today - FORGOTTEN_AFTER,
            Agreement.id > after,
        )
        .order_by(Agreement.id)
        .options(
            joinedload(Agreement.school).load_only(School.name, School.urn), joinedload(Agreement.service)
        )
    )
    if service_id is not None:
        query = query.where(Agreement.service_id == service_id)
    if still_open:
        query = query.where(RenewalNotice.id.is_(None), AutomaticRenewal.id.is_(None))
    if limit is not None:
        query = query.limit(limit)
    return [
        RenewingAgreement(
            agreement=one,
            last_day=last_notice_day(one.ends_on, one.notice_months),
            notice=notice,
            renewed_as_id=renewed_as,
        )
        for one, notice, renewed_as in session.execute(query)
    ]


def chain_of(session: Session, agreement: Agreement) -> list[Period]:
    """Return the periods since somebody last consented: the agreement, and what it renewed by itself from."""
    chain, current = [Period.through(agreement.starts_on, agreement.ends_on)], agreement.id
    while True:
        earlier = session.scalar(
            select(Agreement)
            .join(AutomaticRenewal, AutomaticRenewal.agreement_id == Agreement.id)
            .where(AutomaticRenewal.renewed_as_id == current)
        )
        if earlier is None:
            return chain
        chain.insert(0, Period.through(earlier.starts_on, earlier.ends_on))
        current = earlier.id


def bought_before_chain(session: Session, agreement: Agreement, begins_on: date) -> bool:
    """Say whether the school had an agreement with the service before the chain that begins on a day."""
    query = select(Agreement.id).where(
        Agreement.school_id == agreement.school_id,
        Agreement.service_id == agreement.service_id,
        Agreement.status.in_((AgreementStatus.AGREED, AgreementStatus.ENDED)),
        Agreement.starts_on < begins_on,
    )
    return session.scalar(query.limit(1)) is not None
