"""What was closed in the demonstration: last year is locked, and the service's cost is entered for both years."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.billing.commands.costs import set_service_cost
from sla_manager.billing.rules.locks import end_of
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import FinancialYear
from sla_manager.payments.commands.locks import lock_period
from sla_manager.people.models import TradingService
from sla_manager.store.audit import Actor

FINANCE = Actor(None, "Samir Patel")
COSTS = (
    (
        1,
        Money(236_40),
        Money(32_400_00),
        "Outturn of the year: pay, pension and travel; overhead by head count.",
    ),
    (0, Money(241_50), Money(24_600_00), "Budget of the year, agreed in March."),
)
"""Years back, what a day costs, overhead, how they were found."""


def tell_closing(session: Session, *, now: datetime) -> None:
    """Enter the costs of last year and this one, and lock last year. Told last: nothing is dated in it afterwards."""
    service = session.scalars(select(TradingService).order_by(TradingService.id)).first()
    if service is None:
        return
    this_year = FinancialYear.of(london_date(now))
    for back, day_cost, overhead, basis in COSTS:
        set_service_cost(
            session, service.id, FinancialYear(this_year.first - back), day_cost=day_cost,
            day_minutes=Minutes(444), overhead=overhead, basis=basis, by=FINANCE, at=now,
        )  # fmt: skip
    last_day = FinancialYear(this_year.first - 1).period.last
    if end_of(last_day) <= now:
        lock_period(session, last_day, reason="The year’s accounts are with the auditor.", by=FINANCE, at=now)
