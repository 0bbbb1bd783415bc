"""Setting what a service keeps free for the core offer and itself in a financial year."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

import sla_manager.planning.constraints  # noqa: F401  (gives the database its sentences)
from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.unique_pupil_numbers import refuse_pupil_numbers
from sla_manager.people.models import TradingService
from sla_manager.planning.models import CapacityPlan
from sla_manager.planning.queries import capacity_plan
from sla_manager.planning.rules.capacity import CapacitySettings
from sla_manager.store.audit import Actor, record

LONGEST_NOTE = 2_000
MOST = Minutes(20_000 * 720)
"""More time than any service has: a slip of the keyboard."""
_TIMES = ("court", "duty_rota", "audits", "supervision", "training", "planned_leave")


class CapacityChanged(Conflict):
    """Two people set a year's capacity at once (N11)."""

    def __init__(self) -> None:
        super().__init__(
            "Somebody else changed this while you had it open. Check what it says now, then save again: "
            "what you typed is still below."
        )


def set_capacity(
    session: Session,
    service_id: int,
    year: FinancialYear,
    *,
    settings: CapacitySettings,
    every_school: bool = True,
    note: str = "",
    expected_version: int | None = None,
    by: Actor,
    at: datetime,
) -> CapacityPlan:
    """Set a year's capacity. With `every_school` the meetings are of all open schools, else of `settings.schools`.

    `expected_version` is the version that was on the page (0: there was none); another one is a conflict.
    """
    service = session.get(TradingService, service_id, with_for_update=True)
    if service is None:
        raise NotFound
    _check(settings)
    words = refuse_pupil_numbers(note.strip(), field="note")
    if len(words) > LONGEST_NOTE:
        raise Refused(f"The note has {len(words):,} characters. Use {LONGEST_NOTE:,} or fewer.", field="note")
    plan = capacity_plan(session, service_id, year)
    if expected_version is not None and expected_version != (plan.version if plan else 0):
        raise CapacityChanged
    if plan is None:
        plan = CapacityPlan(service_id=service_id, year=year.first, version=0)
        session.add(plan)
    for name in ("day_length", "meeting", *_TIMES):
        setattr(plan, name, getattr(settings, name))
    plan.schools = None if every_school else settings.schools
    plan.note, plan.changed_at, plan.changed_by, plan.version = words, at, by.name, plan.version + 1
    session.flush()
    record(
        session,
        "set_capacity",
        about="capacity_plan",
        about_id=plan.id,
        summary=f"{service.name}: what is kept free in {year}",
        by=by,
        at=at,
        details=_written(plan),
    )
    return plan


def _check(settings: CapacitySettings) -> None:
    if not 60 <= settings.day_length.minutes <= 720:
        raise Refused(
            f"A day of {settings.day_length.hours_and_minutes()} is not allowed. Enter 1 to 12 hours.",
            field="day_length",
        )
    if not 1 <= settings.meeting.minutes <= 1440:
        raise Refused(
            f"A meeting of {settings.meeting.hours_and_minutes()} is not allowed. Enter up to 24 hours, "
            "preparation included.",
            field="meeting",
        )
    if not 0 <= settings.schools <= 100_000:
        raise Refused(f"{settings.schools} schools is not allowed. Enter 0 or more.", field="schools")
    for name in _TIMES:
        if not Minutes(0) <= getattr(settings, name) <= MOST:
            raise Refused("Enter a number of days that a service can have, 0 or more.", field=name)


def _written(plan: CapacityPlan) -> dict[str, Any]:
    times = {name: getattr(plan, name).minutes for name in ("day_length", "meeting", *_TIMES)}
    return {**times, "schools": plan.schools, "note": plan.note}
