"""Partnerships asked: one with its members, a trust's, the one of an agreement, what a whole purchase is worth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.sql.base import ExecutableOption

from sla_manager.agreements.models import Agreement, Partnership, PartnershipMember
from sla_manager.agreements.rules.partnerships import Invoicing, PartnershipKind
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.kernel.errors import NotFound
from sla_manager.kernel.money import Money


def _whole() -> tuple[ExecutableOption, ...]:
    members = selectinload(Partnership.members)
    agreement = members.joinedload(PartnershipMember.agreement)
    return (
        joinedload(Partnership.trust),
        members.joinedload(PartnershipMember.school),
        agreement.selectinload(Agreement.lines),
        agreement.joinedload(Agreement.school),
        agreement.joinedload(Agreement.service),
    )


def partnership(
    session: Session, partnership_id: int, *, trust_id: int | None = None, service_id: int | None = None
) -> Partnership:
    """Return a partnership with its members, their schools and agreements; a foreign one is not found."""
    query = select(Partnership).where(Partnership.id == partnership_id).options(*_whole())
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None or trust_id not in (None, found.trust_id) or service_id not in (None, found.service_id):
        raise NotFound
    return found


def partnerships(
    session: Session, *, trust_id: int | None = None, service_id: int | None = None
) -> list[Partnership]:
    """Return a trust's or a service's partnerships, the latest first."""
    query = select(Partnership).options(*_whole()).order_by(Partnership.id.desc())
    if trust_id is not None:
        query = query.where(Partnership.trust_id == trust_id)
    if service_id is not None:
        query = query.where(Partnership.service_id == service_id)
    return list(session.scalars(query))


def partnership_of(session: Session, agreement_id: int) -> Partnership | None:
    """Return the partnership that an agreement was made in, with its members, or None."""
    query = (
        select(Partnership)
        .join(PartnershipMember, PartnershipMember.partnership_id == Partnership.id)
        .where(PartnershipMember.agreement_id == agreement_id)
        .options(*_whole())
    )
    return session.scalar(query)


def purchase_value(session: Session, agreement: Agreement) -> Money:
    """Return the net that one signature stands for: the agreement's, or all of what a trust buys with it."""
    together = (
        select(PartnershipMember.partnership_id)
        .join(Partnership, Partnership.id == PartnershipMember.partnership_id)
        .where(PartnershipMember.agreement_id == agreement.id, Partnership.kind == PartnershipKind.TRUST)
        .scalar_subquery()
    )
    query = (
        select(func.sum(Agreement.net))
        .join(PartnershipMember, PartnershipMember.agreement_id == Agreement.id)
        .where(PartnershipMember.partnership_id == together)
    )
    return session.scalar(query) or agreement.net


def unsigned_partners(session: Session, agreement_id: int) -> list[str]:
    """Return the schools of a partnership of several owners whose agreement is not ordered, by name."""
    own = select(PartnershipMember.partnership_id).where(PartnershipMember.agreement_id == agreement_id)
    found = partnership_of(session, agreement_id) if session.scalar(own) is not None else None
    if found is None or found.kind is PartnershipKind.TRUST:
        return []
    signed = (AgreementStatus.ORDERED, AgreementStatus.AGREED, AgreementStatus.ENDED)
    return sorted(one.school.name for one in found.members if one.agreement.status not in signed)


def invoiced_together(session: Session, agreement_ids: Iterable[int]) -> dict[int, int]:
    """Return, for agreements whose charges stand on one document a date, their partnership."""
    wanted: Sequence[int] = sorted(set(agreement_ids))
    found: dict[int, int] = {}
    for start in range(0, len(wanted), 5_000):
        query = (
            select(PartnershipMember.agreement_id, PartnershipMember.partnership_id)
            .join(Partnership, Partnership.id == PartnershipMember.partnership_id)
            .where(
                PartnershipMember.agreement_id.in_(wanted[start : start + 5_000]),
                Partnership.invoicing == Invoicing.TOGETHER,
            )
        )
        found |= {row[0]: row[1] for row in session.execute(query)}
    return found
