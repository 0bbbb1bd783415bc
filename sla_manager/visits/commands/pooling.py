"""A pool of days: what one partner needs beyond its own share comes from partners who do not need theirs.

Time moves by two ledger entries, equal and opposite, within one financial year: the pool's total never changes. Who
has most that is free to book gives first. A cap bounds what a school may use, moves to it included.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.commands import enter
from sla_manager.agreements.models import (
    Agreement,
    AgreementLine,
    Partnership,
    PartnershipMember,
    PoolMove,
    Tranche,
)
from sla_manager.agreements.queries import balances
from sla_manager.agreements.rules.ledger import EntryKind
from sla_manager.agreements.rules.partnerships import PartnershipKind, drawn_from
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.kernel.minutes import Minutes
from sla_manager.people.models import School
from sla_manager.store.audit import Actor
from sla_manager.visits.queries.booked import booked

_NOTHING = Minutes(0)


def hold_pool(session: Session, tranche: Tranche) -> list[int]:
    """Hold every tranche of a tranche's pool in the order of their numbers; without a pool there are none.

    Two partners that draw at once wait for each other instead of for ever.
    """
    ids = pool_tranches(session, tranche)
    if ids:
        session.execute(select(Tranche.id).where(Tranche.id.in_(ids)).order_by(Tranche.id).with_for_update())
        session.flush()
    return ids


def pool_tranches(session: Session, tranche: Tranche) -> list[int]:
    """Return the tranches of a pool for the same offering and financial year, its own included, by number."""
    own = (
        select(PartnershipMember.partnership_id)
        .join(Partnership, Partnership.id == PartnershipMember.partnership_id)
        .join(AgreementLine, AgreementLine.agreement_id == PartnershipMember.agreement_id)
        .where(AgreementLine.id == tranche.line_id, Partnership.kind == PartnershipKind.POOL)
        .scalar_subquery()
    )
    offering = select(AgreementLine.offering_id).where(AgreementLine.id == tranche.line_id).scalar_subquery()
    query = (
        select(Tranche.id)
        .join(AgreementLine, AgreementLine.id == Tranche.line_id)
        .join(Agreement, Agreement.id == AgreementLine.agreement_id)
        .join(PartnershipMember, PartnershipMember.agreement_id == Agreement.id)
        .where(
            PartnershipMember.partnership_id == own,
            Agreement.status == AgreementStatus.AGREED,
            AgreementLine.offering_id == offering,
            Tranche.year == tranche.year,
            Tranche.minutes.is_not(None),
        )
        .order_by(Tranche.id)
    )
    return list(session.scalars(query))


def draw_from_pool(
    session: Session, tranche: Tranche, needed: Minutes, *, effective_on: date, by: Actor, at: datetime
) -> Minutes:
    """Move what a partner needs beyond its own to its tranche, as far as the pool and its cap go; returns how much.

    `needed` is what is missing. What partners have booked is theirs.
    """
    ids = hold_pool(session, tranche)
    if needed.minutes <= 0 or len(ids) < 2:
        return _NOTHING
    figures = {row.tranche_id: row.figures for row in balances(session, tranche_ids=ids)}
    taken = booked(session, ids)
    lefts = [
        (one, figures[one].balance - taken[one])
        for one in ids
        if one != tranche.id and (figures[one].balance - taken[one]).minutes > 0
    ]
    member = _member(session, tranche)
    room = None if member.cap is None else member.cap - figures[tranche.id].bought
    drawn = _NOTHING
    for from_id, part in drawn_from(needed, lefts, room=room):
        _move(session, member, from_id, tranche.id, part, effective_on=effective_on, by=by, at=at)
        drawn += part
    return drawn


def _member(session: Session, tranche: Tranche) -> PartnershipMember:
    query = (
        select(PartnershipMember)
        .join(AgreementLine, AgreementLine.agreement_id == PartnershipMember.agreement_id)
        .where(AgreementLine.id == tranche.line_id)
    )
    return session.scalars(query).one()


def _move(
    session: Session,
    member: PartnershipMember,
    from_id: int,
    to_id: int,
    part: Minutes,
    *,
    effective_on: date,
    by: Actor,
    at: datetime,
) -> None:
    move = PoolMove(
        partnership_id=member.partnership_id,
        from_tranche_id=from_id,
        to_tranche_id=to_id,
        minutes=part,
        effective_on=effective_on,
        moved_at=at,
        moved_by=by.name,
    )
    session.add(move)
    session.flush()
    giver, taker = (_school_of(session, one) for one in (from_id, to_id))
    for tranche_id, change, reason in (
        (from_id, -part, f"Given to {taker} from the pool."),
        (to_id, part, f"Taken from {giver} out of the pool."),
    ):
        enter(
            session, tranche_id, EntryKind.VARIED, change,
            effective_on=effective_on, cause=f"pool:{move.id}", reason=reason, by=by, at=at,
        )  # fmt: skip


def _school_of(session: Session, tranche_id: int) -> str:
    query = (
        select(School.name)
        .join(Agreement, Agreement.school_id == School.id)
        .join(AgreementLine, AgreementLine.agreement_id == Agreement.id)
        .join(Tranche, Tranche.line_id == AgreementLine.id)
        .where(Tranche.id == tranche_id)
    )
    return session.scalars(query).one()
