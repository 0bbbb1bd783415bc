"""A quote above the business manager's limit that waits for the chair of governors, and a basket in the making."""

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
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.periods import FinancialYear
from sla_manager.people.models import School, TradingService
from sla_manager.people.queries import person_by_email
from sla_manager.store.audit import Actor

PREPARES, CHAIR_EMAIL = "business.manager@school.example", "chair@school.example"


def tell_approvals(session: Session, service: TradingService, *, at: datetime) -> None:
    """Put a large quote to the chair, and leave a day of training in the school's basket."""
    school = session.scalars(select(School).where(School.urn == SHOWN_SCHOOL)).one()
    manager, chair = person_by_email(session, PREPARES), person_by_email(session, CHAIR_EMAIL)
    if manager is None or chair is None:
        return
    by = Actor(manager.id, manager.name, "198.51.100.7")
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
