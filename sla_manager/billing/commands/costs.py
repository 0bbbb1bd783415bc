"""Entering what a service costs in a financial year."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

import sla_manager.billing.constraints  # noqa: F401  (gives the database its sentences)
from sla_manager.billing.models.costs import ServiceCost
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.words import pounds
from sla_manager.people.models import TradingService
from sla_manager.store.audit import Actor, record

LONGEST_BASIS = 500
LONGEST_DAY = Minutes(24 * 60)


def set_service_cost(
    session: Session,
    service_id: int,
    year: FinancialYear,
    *,
    day_cost: Money,
    day_minutes: Minutes,
    overhead: Money,
    basis: str = "",
    by: Actor,
    at: datetime,
) -> ServiceCost:
    """Enter or change the cost of a service's year; the trail keeps what it was before."""
    service = session.get(TradingService, service_id, with_for_update=True)
    if service is None:
        raise NotFound
    _check(day_cost, day_minutes, overhead, basis)
    query = select(ServiceCost).where(ServiceCost.service_id == service_id, ServiceCost.year == year.first)
    cost = session.scalar(query)
    before = (
        "" if cost is None else f" (before: {pounds(cost.day_cost)} a day, overhead {pounds(cost.overhead)})"
    )
    if cost is None:
        cost = ServiceCost(service_id=service_id, year=year.first, version=0)
        session.add(cost)
    cost.day_cost, cost.day_minutes, cost.overhead, cost.basis = (
        day_cost,
        day_minutes,
        overhead,
        basis.strip(),
    )
    cost.version, cost.changed_at, cost.changed_by = cost.version + 1, at, by.name
    session.flush()
    record(
        session, "set_service_cost", about="service_cost", about_id=cost.id, by=by, at=at,
        summary=f"{service.name}, {year}: {pounds(day_cost)} a day, overhead {pounds(overhead)}{before}.",
    )  # fmt: skip
    return cost


def _check(day_cost: Money, day_minutes: Minutes, overhead: Money, basis: str) -> None:
    if day_cost.pence <= 0:
        raise Refused("Enter what a day costs, above £0.00.", field="day_cost")
    if overhead.pence < 0:
        raise Refused("Enter the overhead, £0.00 or more.", field="overhead")
    if not Minutes(0) < day_minutes <= LONGEST_DAY:
        raise Refused("Enter how long a day is: above 0 and at most 24 hours.", field="day_hours")
    if len(basis.strip()) > LONGEST_BASIS:
        raise Refused(f"Enter {LONGEST_BASIS} characters at most.", field="basis")
