"""A school that bought days, its officer, and visits between them, for tests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.models import AgreementLine, LedgerEntry, Tranche
from sla_manager.agreements.queries import balances
from sla_manager.agreements.rules.ledger import Balance
from sla_manager.catalogue.rules.families import CoreDuty, Family
from sla_manager.kernel.clock import london_time
from sla_manager.kernel.minutes import Minutes
from sla_manager.people.models import Officer, School, TradingService
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from sla_manager.visits.commands import plan_visit
from sla_manager.visits.models import Visit
from sla_manager.visits.rules.deliveries import ActivityDone
from sla_manager.visits.rules.slots import Part
from tests import builders
from tests.rooms import selling

BY = Actor(None, "Test")
TUESDAY = date(2025, 11, 4)
SIGNED = datetime.fromisoformat("2025-10-14T11:00:00+00:00")


@dataclass(frozen=True)
class Scene:
    """One school, one officer, one line of bought days and its time in 2025-26."""

    service: TradingService
    school: School
    officer: Officer
    line: AgreementLine
    tranche: Tranche


def at_noon(day: date) -> datetime:
    """Return noon in London."""
    return london_time(day, time(12, 0))


def a_scene(
    session: Session, *, quantity: str = "10", ends_on: date = date(2026, 3, 31), **offering: Any
) -> Scene:
    """Sell days of 444 minutes at £368, from 14 October 2025 to 31 March 2026 unless said, to an academy."""
    builders.terms(session)
    service = builders.a_service(session)
    school = builders.a_school(session, builders.FIRST_URN, customer_class=CustomerClass.ACADEMY)
    agreed = selling.agreed(
        session,
        BY,
        SIGNED,
        school=school,
        offering=builders.an_offering(session, **offering),
        quantity=quantity,
        ends_on=ends_on,
    )
    line = session.scalars(select(AgreementLine).where(AgreementLine.agreement_id == agreed.id)).one()
    tranche = session.scalars(select(Tranche).where(Tranche.line_id == line.id, Tranche.year == 2025)).one()
    return Scene(service, school, builders.an_officer(session), line, tranche)


def a_visit(
    session: Session, scene: Scene, day: date = TUESDAY, part: Part = Part.MORNING, **more: Any
) -> Visit:
    """Plan a visit against the bought days; with `duty` it is core."""
    bought = {} if "duty" in more else {"line_id": scene.line.id}
    wanted = {"officer_id": scene.officer.id, "by": BY, "at": SIGNED} | bought | more
    return plan_visit(session, school_id=scene.school.id, day=day, part=part, **wanted)


def worked(minutes: int, kind: str = "work") -> ActivityDone:
    """Return bought work."""
    return ActivityDone(kind, Family.CASEWORK, Minutes(minutes))


def meeting(minutes: int) -> ActivityDone:
    """Return a targeting support meeting, which is free."""
    return ActivityDone("work", Family.CORE, Minutes(minutes), duty=CoreDuty.TARGETING_SUPPORT_MEETING)


def figures(session: Session, tranche_id: int) -> Balance:
    """Return what the books say of a tranche."""
    return balances(session, tranche_ids=[tranche_id])[0].figures


def entries(database: Database, visit_id: int) -> list[tuple[str, int]]:
    """Return what a visit wrote into the ledger, in order."""
    with database.reading() as session:
        query = select(LedgerEntry).where(LedgerEntry.visit_id == visit_id).order_by(LedgerEntry.id)
        return [(entry.kind.value, entry.minutes.minutes) for entry in session.scalars(query)]
