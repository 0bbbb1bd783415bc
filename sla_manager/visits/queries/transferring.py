"""Planned visits of an agreement, before and after a day."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from sla_manager.agreements.models import AgreementLine, Tranche
from sla_manager.visits.models import Visit, VisitStatus


def planned_of_agreement(
    session: Session, agreement_id: int, *, after: date | None = None, until: date | None = None
) -> list[Visit]:
    """Return the planned visits against an agreement, after a day or before one, with school and officer."""
    query = (
        select(Visit)
        .join(Tranche, Tranche.id == Visit.tranche_id)
        .join(AgreementLine, AgreementLine.id == Tranche.line_id)
        .where(AgreementLine.agreement_id == agreement_id, Visit.status == VisitStatus.PLANNED)
        .options(joinedload(Visit.school), joinedload(Visit.officer))
        .order_by(Visit.starts_at, Visit.id)
    )
    if after is not None:
        query = query.where(Visit.day > after)
    if until is not None:
        query = query.where(Visit.day < until)
    return list(session.scalars(query))


def planned_against(session: Session, tranche_ids: Collection[int], *, from_day: date) -> list[Visit]:
    """Return the planned visits against parts of agreements from a day on, held until the transaction ends."""
    query = (
        select(Visit)
        .where(
            Visit.tranche_id.in_(list(tranche_ids)),
            Visit.status == VisitStatus.PLANNED,
            Visit.day >= from_day,
        )
        .order_by(Visit.id)
        .with_for_update()
    )
    return list(session.scalars(query))


def core_visits_from(session: Session, school_id: int, *, from_day: date) -> list[Visit]:
    """Return a school's planned core visits from a day on, held until the transaction ends."""
    query = (
        select(Visit)
        .where(
            Visit.school_id == school_id,
            Visit.duty.is_not(None),
            Visit.status == VisitStatus.PLANNED,
            Visit.day >= from_day,
        )
        .order_by(Visit.id)
        .with_for_update()
    )
    return list(session.scalars(query))
