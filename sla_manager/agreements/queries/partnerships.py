"""Partnerships asked: one with its members, a trust's, the one of an agreement, what a whole purchase is worth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased, joinedload, selectinload
from sqlalchemy.sql.base import ExecutableOption

from sla_manager.agreements.models import (
    Agreement,
    AgreementLine,
    Partnership,
    PartnershipMember,
    PoolMove,
    Tranche,
)
from sla_manager.agreements.queries.balances import balances
from sla_manager.agreements.rules.partnerships import Invoicing, PartnershipKind
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.kernel.errors import NotFound
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.people.models import School


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


def buying_trust(session: Session, agreement_id: int) -> str | None:
    """Return the name of the trust that buys an agreement together with others, or None."""
    query = (
        select(Partnership.name)
        .join(PartnershipMember, PartnershipMember.partnership_id == Partnership.id)
        .where(PartnershipMember.agreement_id == agreement_id, Partnership.kind == PartnershipKind.TRUST)
    )
    return session.scalar(query)


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


@dataclass(frozen=True, slots=True)
class PoolUse:
    """What a school of a pool has of its time: with what was moved to it, and what is left."""

    bought: Minutes
    left: Minutes


def used_of(session: Session, together: Partnership) -> dict[int, PoolUse]:
    """Return how each agreed member's time stands, by agreement."""
    agreed = {one.agreement_id for one in together.members if one.agreement.status is AgreementStatus.AGREED}
    found = {}
    for agreement_id in sorted(agreed):
        rows = balances(session, agreement_id=agreement_id)
        found[agreement_id] = PoolUse(
            Minutes(sum(row.figures.bought.minutes for row in rows)),
            Minutes(sum(row.balance.minutes for row in rows)),
        )
    return found


def pool_moves(session: Session, partnership_id: int) -> list[tuple[PoolMove, str, str]]:
    """Return what moved in a pool, the latest first, with the school that gave and the one that took."""
    giver, taker = aliased(School), aliased(School)
    query = select(PoolMove, giver.name, taker.name).where(PoolMove.partnership_id == partnership_id)
    for school, tranche_id in ((giver, PoolMove.from_tranche_id), (taker, PoolMove.to_tranche_id)):
        tranche, line, agreement = aliased(Tranche), aliased(AgreementLine), aliased(Agreement)
        query = (
            query.join(tranche, tranche.id == tranche_id)
            .join(line, line.id == tranche.line_id)
            .join(agreement, agreement.id == line.agreement_id)
            .join(school, school.id == agreement.school_id)
        )
    return [(row[0], row[1], row[2]) for row in session.execute(query.order_by(PoolMove.id.desc()))]
