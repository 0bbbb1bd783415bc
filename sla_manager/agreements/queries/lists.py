"""Agreements found: one, a school's, a page of a service's, and what belongs to one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.sql.base import ExecutableOption

from sla_manager.agreements.models import (
    Acceptance,
    Agreement,
    AgreementFile,
    AgreementLine,
    AgreementVersion,
    Instalment,
    InstalmentPart,
    Variation,
)
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.kernel.errors import NotFound
from sla_manager.kernel.money import Money
from sla_manager.people.models import Customer, School

PAGE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementRow:
    """One row of a list of agreements."""

    id: int
    reference: str
    status: AgreementStatus
    school_id: int
    urn: int
    school: str
    starts_on: date
    ends_on: date
    net: Money
    gross: Money
    valid_until: date | None


def _whole() -> tuple[ExecutableOption, ...]:
    return (
        selectinload(Agreement.lines).joinedload(AgreementLine.offering),
        joinedload(Agreement.school).joinedload(School.trust),
        joinedload(Agreement.school).joinedload(School.link_officer),
        joinedload(Agreement.customer).joinedload(Customer.school),
        joinedload(Agreement.customer).joinedload(Customer.trust),
        joinedload(Agreement.service),
    )


def agreement(
    session: Session, agreement_id: int, *, school_id: int | None = None, service_id: int | None = None
) -> Agreement:
    """Return an agreement with its lines, school, customer and service; a foreign one is not found."""
    query = select(Agreement).where(Agreement.id == agreement_id).options(*_whole())
    found = session.scalar(query.execution_options(populate_existing=True))
    if (
        found is None
        or school_id not in (None, found.school_id)
        or service_id not in (None, found.service_id)
    ):
        raise NotFound
    return found


def agreement_by_reference(session: Session, reference: str) -> Agreement:
    """Return an agreement by what people read out on the telephone."""
    found = session.scalar(select(Agreement.id).where(Agreement.reference == reference.strip()))
    if found is None:
        raise NotFound(f"There is no agreement “{reference[:40]}”.")
    return agreement(session, found)


def school_agreements(session: Session, school_id: int) -> list[Agreement]:
    """Return a school's quotes, orders and agreements with their lines, the latest first."""
    query = select(Agreement).where(Agreement.school_id == school_id).options(*_whole())
    return list(session.scalars(query.order_by(Agreement.id.desc())))


def agreements_page(
    session: Session,
    *,
    service_id: int,
    statuses: Collection[AgreementStatus] = (),
    before: int | None = None,
    size: int = PAGE,
) -> list[AgreementRow]:
    """Return one page of a service's agreements, the latest first; `before` is the last id of the page above.

    One more row than `size` is returned when there is a further page.
    """
    query = (
        select(
            Agreement.id,
            Agreement.reference,
            Agreement.status,
            Agreement.school_id,
            School.urn,
            School.name,
            Agreement.starts_on,
            Agreement.ends_on,
            Agreement.net,
            Agreement.gross,
            Agreement.valid_until,
        )
        .join(School, School.id == Agreement.school_id)
        .where(Agreement.service_id == service_id)
        .order_by(Agreement.id.desc())
        .limit(size + 1)
    )
    if statuses:
        query = query.where(Agreement.status.in_(statuses))
    if before is not None:
        query = query.where(Agreement.id < before)
    return [
        AgreementRow(
            id=row.id,
            reference=row.reference,
            status=row.status,
            school_id=row.school_id,
            urn=row.urn,
            school=row.name,
            starts_on=row.starts_on,
            ends_on=row.ends_on,
            net=row.net,
            gross=row.gross,
            valid_until=row.valid_until,
        )
        for row in session.execute(query)
    ]


def orders_waiting(session: Session, service_id: int) -> list[Agreement]:
    """Return the orders that a service manager has to decide, the oldest first."""
    query = (
        select(Agreement)
        .where(Agreement.service_id == service_id, Agreement.status == AgreementStatus.ORDERED)
        .options(*_whole())
        .order_by(Agreement.ordered_at, Agreement.id)
    )
    return list(session.scalars(query))


def newer_version(session: Session, agreement_id: int) -> Agreement | None:
    """Return the quote that replaced this one, or None."""
    return session.scalar(select(Agreement).where(Agreement.replaces_id == agreement_id))


def versions(session: Session, agreement_id: int) -> list[AgreementVersion]:
    """Return every frozen text of an agreement: the quote, what was signed, each variation."""
    query = select(AgreementVersion).where(AgreementVersion.agreement_id == agreement_id)
    return list(session.scalars(query.order_by(AgreementVersion.number)))


def latest_version(session: Session, agreement_id: int) -> AgreementVersion:
    """Return the frozen text that counts now."""
    query = select(AgreementVersion).where(AgreementVersion.agreement_id == agreement_id)
    found = session.scalar(query.order_by(AgreementVersion.number.desc()).limit(1))
    if found is None:
        raise NotFound
    return found


def frozen_sha256(session: Session, agreement_id: int) -> str:
    """Return the hash of the frozen text that counts now: what an acceptance must name."""
    return latest_version(session, agreement_id).sha256


def version_files(session: Session, agreement_id: int) -> dict[int, AgreementFile]:
    """Return an agreement's printed files by version id; a version without one waits to be printed."""
    query = (
        select(AgreementFile)
        .join(AgreementVersion, AgreementVersion.id == AgreementFile.version_id)
        .where(AgreementVersion.agreement_id == agreement_id)
    )
    return {one.version_id: one for one in session.scalars(query)}


def acceptance_of(session: Session, agreement_id: int) -> Acceptance | None:
    """Return the evidence that somebody accepted, or None."""
    return session.scalar(select(Acceptance).where(Acceptance.agreement_id == agreement_id))


def variations(session: Session, agreement_id: int) -> list[Variation]:
    """Return the variations of an agreement's lines in the order in which they were signed."""
    query = (
        select(Variation)
        .join(AgreementLine, AgreementLine.id == Variation.line_id)
        .where(AgreementLine.agreement_id == agreement_id)
        .order_by(Variation.id)
        .options(joinedload(Variation.line))
    )
    return list(session.scalars(query))


def instalments(session: Session, agreement_id: int) -> list[Instalment]:
    """Return what is to be billed for an agreement, with the part of each line, by date."""
    query = (
        select(Instalment)
        .where(Instalment.agreement_id == agreement_id)
        .order_by(Instalment.due_on, Instalment.id)
        .options(selectinload(Instalment.parts).joinedload(InstalmentPart.line))
    )
    return list(session.scalars(query))
