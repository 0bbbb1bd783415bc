"""A trust that buys for four schools on one invoice, and a pool of three schools with different owners."""

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
from sla_manager.agreements.queries import frozen_sha256
from sla_manager.agreements.rules.partnerships import Invoicing, PartnershipKind
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.catalogue.models import Offering
from sla_manager.cli.demonstration.buying import DAY
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.periods import FinancialYear
from sla_manager.people.models import School, TradingService, Trust
from sla_manager.people.queries import person_by_email
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.audit import Actor

LEAD_EMAIL, ADDRESS = "finance.lead@trust.example", "198.51.100.9"
STATEMENT = "I have the authority to order this for the schools."
OWNERS = (CustomerClass.ACADEMY, CustomerClass.OWN_MAINTAINED, CustomerClass.INDEPENDENT)
SHARES = (5_000, 3_000, 2_000)
CAP = Minutes(24 * 60)


def tell_partners(
    session: Session, service: TradingService, *, starts_on: date, by: Actor, at: datetime
) -> None:
    """Let a trust and three neighbours buy from a day until the end of its financial year; all of it is agreed."""
    day_id = session.scalars(
        select(Offering.id).where(Offering.service_id == service.id, Offering.code == DAY)
    ).one()
    bought = Purchase(
        service_id=service.id,
        starts_on=starts_on,
        ends_on=FinancialYear.of(starts_on).period.last,
        schedule=Schedule.SINGLE,
    )
    _trust(session, day_id, bought, by=by, at=at)
    _pool(session, day_id, bought, by=by, at=at)


def _trust(session: Session, day_id: int, bought: Purchase, *, by: Actor, at: datetime) -> None:
    """Order two days for each of four schools with one signature, all on one invoice."""
    trust = session.scalars(select(Trust).order_by(Trust.id)).first()
    lead = person_by_email(session, LEAD_EMAIL)
    if trust is None or lead is None:
        return
    query = select(School.id).where(School.trust_id == trust.id, School.status_code == "1")
    schools = session.scalars(query.order_by(School.urn).limit(4)).all()
    who = Actor(lead.id, lead.name, ADDRESS)
    together = prepare_trust_purchase(
        session,
        trust.id,
        {one: [LineWanted(day_id, Decimal(2))] for one in schools},
        purchase=bought,
        invoicing=Invoicing.TOGETHER,
        by=who,
        at=at,
    )
    order_together(
        session,
        together.id,
        role="Trust finance lead",
        statement=STATEMENT,
        address=ADDRESS,
        seen_sha256=purchase_sha256(session, together),
        purchase_order="TR-2041",
        by=who,
        at=at,
    )
    accept_together(session, together.id, by=by, at=at)


def _pool(session: Session, day_id: int, bought: Purchase, *, by: Actor, at: datetime) -> None:
    """Let an academy, a community school and an independent school share six days as a pool."""
    three = _neighbours(session)
    if len(three) != len(SHARES):
        return
    together = prepare_partnership(
        session,
        [Partner(one, share, CAP) for one, share in zip(three, SHARES, strict=True)],
        [LineWanted(day_id, Decimal(6))],
        kind=PartnershipKind.POOL,
        name="Harrow Down neighbours",
        purchase=bought,
        by=by,
        at=at,
    )
    for member in together.members:
        place_order(
            session,
            member.agreement_id,
            role="Head teacher",
            statement=STATEMENT,
            address=ADDRESS,
            purchase_order=f"PO-P{member.position}",
            document_sha256=frozen_sha256(session, member.agreement_id),
            by=Actor(None, "Owen Farrar"),
            at=at,
        )
    accept_together(session, together.id, by=by, at=at)


def _neighbours(session: Session) -> list[int]:
    """Return the last school of each of the kinds, one that belongs to no trust before others."""
    query = select(School).where(School.status_code == "1")
    every = session.scalars(query.order_by(School.trust_id.is_not(None), School.urn.desc())).all()
    found = {one.customer_class: one.id for one in reversed(every)}
    return [found[kind] for kind in OWNERS if kind in found]
