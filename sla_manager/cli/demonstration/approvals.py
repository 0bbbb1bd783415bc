"""A chair of governors, a quote above the business manager's limit that waits for her, and a basket in the making."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.commands import LineWanted, prepare_quote
from sla_manager.agreements.commands.asking import ask_approval
from sla_manager.agreements.commands.baskets import put_in_basket
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.catalogue.models import Offering
from sla_manager.cli.demonstration.buying import DAY, TRAINING
from sla_manager.cli.demonstration.changes import SHOWN_SCHOOL
from sla_manager.cli.demonstration.people import PASSWORD
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.periods import FinancialYear
from sla_manager.people.commands import add_person, grant_role
from sla_manager.people.models import School, TradingService
from sla_manager.people.queries import person_by_email
from sla_manager.people.rules.roles import Role
from sla_manager.store.audit import SYSTEM, Actor

CHAIR, CHAIR_EMAIL = "Edith Rowan", "chair@school.example"
PREPARES = "business.manager@school.example"


def tell_approvals(session: Session, service: TradingService, *, at: datetime) -> None:
    """Add the chair, put a large quote to her, and leave a day of training in the school's basket."""
    school = session.scalars(select(School).where(School.urn == SHOWN_SCHOOL)).one()
    manager = person_by_email(session, PREPARES)
    if manager is None:
        return
    by = Actor(manager.id, manager.name, "198.51.100.7")
    chair = add_person(session, name=CHAIR, email=CHAIR_EMAIL, password=PASSWORD, by=SYSTEM, at=at)
    grant_role(session, chair.id, Role.CHAIR_OF_GOVERNORS, school_id=school.id, by=SYSTEM, at=at)
    offerings = {
        one.code: one.id for one in session.scalars(select(Offering).where(Offering.service_id == service.id))
    }
    day = london_date(at)
    quote = prepare_quote(
        session,
        service_id=service.id,
        school_id=school.id,
        starts_on=day,
        ends_on=FinancialYear.of(day).period.last,
        schedule=Schedule.SINGLE,
        lines=[LineWanted(offerings[DAY], Decimal(30))],
        purchase_order="PO-013-31",
        by=by,
        at=at - timedelta(hours=2),
    )
    ask_approval(
        session,
        quote.id,
        school_id=school.id,
        approver_id=chair.id,
        message="Thirty more days before the end of March: the attendance panel asks for an officer each week.",
        by=by,
        at=at - timedelta(hours=1),
    )
    put_in_basket(
        session,
        service_id=service.id,
        school_id=school.id,
        offering_id=offerings[TRAINING],
        quantity=Decimal(1),
        by=by,
        at=at,
    )
