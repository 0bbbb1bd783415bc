"""What the invented schools buy: this year, last year, and what waits today."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy.orm import Session

from sla_manager.agreements.commands import (
    LineWanted,
    accept_order,
    decline_order,
    place_order,
    prepare_quote,
    withdraw_quote,
)
from sla_manager.agreements.models import Agreement
from sla_manager.agreements.queries import latest_version
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.periods import FinancialYear
from sla_manager.people.models import School
from sla_manager.store.audit import Actor

DAY = "SOU-EWO-DAY"
TRAINING = "SOU-TRAINING-DAY"
AUDIT = "SOU-AUDIT-DAY"
_SCHEDULES = (Schedule.SINGLE, Schedule.THREE, Schedule.THREE, Schedule.SEVEN_FIVE, Schedule.MONTHLY)


@dataclass(frozen=True)
class Purchase:
    """What one school buys for one term."""

    school: School
    lines: tuple[tuple[str, Decimal], ...]
    starts_on: date
    ends_on: date
    schedule: Schedule

    @property
    def signed_on(self) -> date:
        """When the school ordered."""
        return self.starts_on - timedelta(days=20)


def purchases(buyers: list[School], year: FinancialYear, chance: random.Random) -> list[Purchase]:
    """Return what each school buys in a financial year: most from April, some for the school year."""
    bought = []
    for number, school in enumerate(buyers):
        is_large = "Secondary" in school.phase
        quantity = Decimal(chance.randint(20, 50) if is_large else chance.randint(4, 16)) / 2
        lines = [(DAY, quantity)]
        if number % 5 == 2:
            lines.append((TRAINING, Decimal(1)))
        if number % 7 == 3:
            lines.append((AUDIT, Decimal(1)))
        starts, ends = year.period.start, year.period.last
        if number % 4 == 1:
            starts, ends = date(year.first, 9, 1), date(year.first + 1, 8, 31)
        bought.append(Purchase(school, tuple(lines), starts, ends, _SCHEDULES[number % len(_SCHEDULES)]))
    return bought


@dataclass(frozen=True)
class Desk:
    """Who sells, and by which offerings."""

    service_id: int
    offerings: dict[str, int]
    manager: Actor


def quote(session: Session, desk: Desk, wanted: Purchase, *, at: datetime, by: Actor) -> Agreement:
    """Ask for a quote."""
    return prepare_quote(
        session,
        service_id=desk.service_id,
        school_id=wanted.school.id,
        starts_on=wanted.starts_on,
        ends_on=wanted.ends_on,
        schedule=wanted.schedule,
        lines=[LineWanted(desk.offerings[code], quantity) for code, quantity in wanted.lines],
        purchase_order=f"PO-{wanted.school.urn % 1000:03d}-{wanted.starts_on.year % 100}",
        by=by,
        at=at,
    )


def order(session: Session, quoted: Agreement, *, at: datetime, by: Actor) -> None:
    """Order what was quoted."""
    place_order(
        session,
        quoted.id,
        role="School business manager",
        statement="I have the authority to order this for the school.",
        address="198.51.100.7",
        document_sha256=latest_version(session, quoted.id).sha256,
        by=by,
        at=at,
    )


def buy(session: Session, desk: Desk, wanted: Purchase, *, by: Actor) -> int:
    """Quote, order and agree; returns the agreement."""
    at = as_at(wanted.signed_on)
    quoted = quote(session, desk, wanted, at=at, by=by)
    order(session, quoted, at=at + timedelta(days=2), by=by)
    accept_order(session, quoted.id, by=desk.manager, at=at + timedelta(days=4))
    return quoted.id


def leave_waiting(session: Session, desk: Desk, schools: list[School], *, now: datetime, by: Actor) -> None:
    """Leave an example of everything that waits or ended otherwise: quotes, orders, refusals, a lapsed quote."""
    day = now.date()
    ends = FinancialYear.of(day).period.last
    for number, school in enumerate(schools):
        wanted = Purchase(school, ((DAY, Decimal(3 + number) / 2 + 1),), day, ends, Schedule.SINGLE)
        if number == 7:
            quote(session, desk, wanted, at=now - timedelta(days=70), by=by)
            continue
        at = now - timedelta(days=1 + number)
        quoted = quote(session, desk, wanted, at=at, by=by)
        if number in (0, 1, 2):
            order(session, quoted, at=at + timedelta(hours=3), by=by)
        elif number == 3:
            order(session, quoted, at=at + timedelta(hours=3), by=by)
            reason = "We have no free officer days before 31 March. We can offer days from April."
            decline_order(session, quoted.id, reason=reason, by=desk.manager, at=at + timedelta(hours=20))
        elif number == 4:
            withdraw_quote(session, quoted.id, by=by, at=at + timedelta(hours=5))
