"""Schools that buy together in the demonstration: a trust's purchase that waits, and a pool that runs."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.commands import LineWanted, place_order
from sla_manager.agreements.commands.partnerships import (
    Partner,
    Purchase,
    accept_together,
    order_together,
    prepare_partnership,
    prepare_trust_purchase,
    purchase_sha256,
)
from sla_manager.agreements.models import Partnership
from sla_manager.agreements.queries import frozen_sha256
from sla_manager.agreements.rules.partnerships import Invoicing, PartnershipKind
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.catalogue.models import Offering
from sla_manager.kernel.periods import FinancialYear
from sla_manager.people.models import School, TradingService
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.audit import Actor

STATEMENT = "I have the authority to order this, and I accept the terms in the document."


def tell_partners(session: Session, service: TradingService, *, today: date, by: Actor, at: datetime) -> None:
    """Let a trust order for four schools with one invoice a date, and three schools of several owners have a pool."""
    if session.scalar(select(Partnership.id).limit(1)) is not None:
        return
    day = session.scalars(
        select(Offering)
        .where(Offering.service_id == service.id, Offering.unit == "day")
        .order_by(Offering.position)
    ).first()
    trust_id = session.scalar(
        select(School.trust_id)
        .where(School.trust_id.is_not(None))
        .group_by(School.trust_id)
        .order_by(School.trust_id)
    )
    if day is None or trust_id is None:
        return
    purchase = Purchase(
        service_id=service.id,
        starts_on=today,
        ends_on=FinancialYear.of(today).period.last,
        schedule=Schedule.SINGLE,
    )
    _trust_buys(session, trust_id, day, purchase, by, at)
    _pool(session, day, purchase, by, at)


def _trust_buys(
    session: Session, trust_id: int, day: Offering, purchase: Purchase, by: Actor, at: datetime
) -> None:
    schools = session.scalars(
        select(School.id).where(School.trust_id == trust_id).order_by(School.name).limit(4)
    )
    lines = {school_id: [LineWanted(day.id, Decimal(2 + place))] for place, school_id in enumerate(schools)}
    together = prepare_trust_purchase(
        session, trust_id, lines, purchase=purchase, invoicing=Invoicing.TOGETHER, by=by, at=at
    )
    order_together(
        session,
        together.id,
        role="Trust finance lead",
        statement=STATEMENT,
        address="198.51.100.20",
        seen_sha256=purchase_sha256(session, together),
        by=by,
        at=at,
    )


def _pool(session: Session, day: Offering, purchase: Purchase, by: Actor, at: datetime) -> None:
    wanted = (CustomerClass.OWN_MAINTAINED, CustomerClass.VOLUNTARY_AIDED, CustomerClass.ACADEMY)
    partners = []
    for kind in wanted:
        school = session.scalars(
            select(School).where(School.derived_class == kind).order_by(School.name.desc()).limit(1)
        ).first()
        if school is not None:
            partners.append(Partner(school.id))
    if len(partners) < 2:
        return
    pool = prepare_partnership(
        session, partners, [LineWanted(day.id, Decimal(6))], kind=PartnershipKind.POOL, name="River valley schools",
        purchase=purchase, by=by, at=at,
    )  # fmt: skip
    for member in pool.members:
        place_order(
            session, member.agreement_id, role="Head teacher", statement=STATEMENT, address="198.51.100.21",
            document_sha256=frozen_sha256(session, member.agreement_id), by=by, at=at,
        )  # fmt: skip
    accept_together(session, pool.id, by=by, at=at)
