"""A council whose schools bought last year: what tests of a season stand on."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from sla_manager.agreements.commands.seasons import plan_season
from sla_manager.agreements.models import Agreement, Season
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.seasons import SeasonDates
from sla_manager.kernel.clock import as_at
from sla_manager.people.models import School
from sla_manager.store.audit import Actor
from tests import builders
from tests.rooms import selling

BY = Actor(None, "Test")
LAST = date(2025, 4, 1), date(2026, 3, 31)
SIGNED = as_at(date(2025, 4, 1))
PREPARED = as_at(date(2026, 1, 12))
DATES = SeasonDates(
    starts_on=date(2026, 4, 1),
    ends_on=date(2027, 3, 31),
    builds_from=date(2026, 1, 12),
    submit_from=date(2026, 2, 2),
    due_by=date(2026, 3, 13),
)


def a_season(session: Session, **more: Any) -> Season:
    """Return the season for 2026-27: seen from 12 January, ordered from 2 February, due by 13 March."""
    wanted: dict[str, Any] = {
        "service_id": builders.a_service(session).id,
        "dates": DATES,
        "schedule": Schedule.THREE,
        "by": BY,
        "at": PREPARED,
    }
    return plan_season(session, **(wanted | more))


def last_year(session: Session, school: School, quantity: str = "12", **more: Any) -> Agreement:
    """Return what a school agreed for 2025-26."""
    wanted: dict[str, Any] = {
        "starts_on": LAST[0],
        "ends_on": LAST[1],
        "school": school,
        "quantity": quantity,
    }
    return selling.agreed(session, BY, more.pop("at", SIGNED), **(wanted | more))


def noon(year: int, month: int, day: int) -> datetime:
    """Return noon in London on a day."""
    return as_at(date(year, month, day))
