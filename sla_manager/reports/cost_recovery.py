"""Income against cost of a service: taking one year with another, charges may not exceed the cost of providing it.

Local Government Act 2003, section 93(3). Three financial years are taken together, this one and the two before.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import BigInteger, func, select, type_coerce
from sqlalchemy.orm import Session

from sla_manager.billing.models import ServiceCost
from sla_manager.catalogue.rules.families import Family
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.words import pounds
from sla_manager.people.models import Officer, TradingService
from sla_manager.reports.earned import NOTHING, Recovery, YearOfCost, cost_of_year, cumulative
from sla_manager.reports.income import income_parts
from sla_manager.reports.sheets import About, Picture, Report, Sheet, Value, days_of
from sla_manager.visits.models import Activity, Delivery, Visit

SPAN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceYear:
    """One service's year: income, the time that was worked for it, what was entered of its cost."""

    service: TradingService
    year: FinancialYear
    income: Money
    worked: Minutes
    setting: ServiceCost | None

    @property
    def officers(self) -> Money | None:
        """What the officers' days cost."""
        one = self.setting
        return None if one is None else cost_of_year(one.day_cost, self.worked, one.day_minutes, NOTHING)

    @property
    def cost(self) -> Money | None:
        """Officers and overhead; None where the cost is not entered."""
        return (
            None if self.setting is None or self.officers is None else self.officers + self.setting.overhead
        )

    @property
    def figures(self) -> YearOfCost:
        """The year as the rule sees it."""
        return YearOfCost(self.year.first, self.income, self.cost)


def service_years(session: Session, year: FinancialYear, today: date) -> dict[int, list[ServiceYear]]:
    """Return the three years up to one, by service. Interest on late payment is no charge for a service."""
    years = [FinancialYear(year.first - back, year.start_month) for back in reversed(range(SPAN))]
    settings = {
        (one.service_id, one.year): one
        for one in session.scalars(select(ServiceCost).where(ServiceCost.year >= years[0].first))
    }
    incomes: dict[tuple[int, int], Money] = defaultdict(lambda: NOTHING)
    worked: Counter[tuple[int, int]] = Counter()
    for one in years:
        on = min(one.period.last, max(today, one.period.start))
        for part in income_parts(session, one, on):
            if part.kind != "late_payment":
                incomes[part.service_id, one.first] += part.amount
        for service_id, minutes in _worked(session, one):
            worked[service_id, one.first] = minutes
    found: dict[int, list[ServiceYear]] = {}
    for service in session.scalars(select(TradingService).order_by(TradingService.name)):
        found[service.id] = [
            ServiceYear(
                service=service, year=one, income=incomes[service.id, one.first],
                worked=Minutes(worked[service.id, one.first]), setting=settings.get((service.id, one.first)),
            )
            for one in years
        ]  # fmt: skip
    return found


def _worked(session: Session, year: FinancialYear) -> list[tuple[int, int]]:
    """Return the traded minutes of a year by service: work, preparation, reports and travel, counted or not."""
    query = (
        select(Officer.service_id, func.sum(type_coerce(Activity.minutes, BigInteger)))
        .join(Visit, Visit.officer_id == Officer.id)
        .join(Delivery, Delivery.visit_id == Visit.id)
        .join(Activity, Activity.delivery_id == Delivery.id)
        .where(
            Activity.family != Family.CORE, Delivery.delivered_on >= year.period.start,
            Delivery.delivered_on <= year.period.last,
        )
        .group_by(Officer.service_id)
    )  # fmt: skip
    return [(service, int(minutes)) for service, minutes in session.execute(query)]


def recovery_of(years: Sequence[ServiceYear]) -> Recovery:
    """Take a service's years together."""
    return cumulative([one.figures for one in years], SPAN)


def recovery_report(session: Session, year: FinancialYear, today: date) -> Report:
    """Return income against cost of every service, three years up to one, with a warning where it is exceeded."""
    services = service_years(session, year, today)
    rows = [one for years in services.values() for one in years]
    together = {key: recovery_of(years) for key, years in services.items()}
    over = [
        f"{services[key][0].service.name} by {pounds(one.over)}"
        for key, one in together.items()
        if one.exceeds
    ]
    missing = [one for one in rows if one.setting is None and one.income]
    return Report(
        key="recovery",
        title="Cost recovery",
        about=f"Income against cost of each service, {rows[0].year if rows else year} to {year} together.",
        lead=(
            ("Income of the years with a cost", total(one.income for one in together.values())),
            ("Cost of these years", total(one.cost for one in together.values())),
        ),
        sheets=(_sheet(rows), _together(services, together)),
        notes=(
            "A council's charges may not exceed the cost of the service, taking one year with another.",
            "That is section 93 of the Local Government Act 2003.",
            "Cost is the officers' traded days at their cost, and overhead. Preparation and travel count.",
            *(
                f"{one.service.name} has income in {one.year} and no cost entered, so that year is not compared."
                for one in missing
            ),
        ),
        picture=Picture(
            "Income against cost",
            ("Income", "Cost"),
            tuple(
                (f"{one.service.code.upper()} {one.year}", (one.income, one.cost or NOTHING))
                for one in rows[-9:]
            ),
            "Service and year",
            side_by_side=True,
        )
        if rows
        else None,
        warning=f"Charges exceed the cost over these years: {', '.join(over)}." if over else "",
        filename=f"cost-recovery-{year}",
    )


def _sheet(rows: Sequence[ServiceYear]) -> Sheet:
    cells: tuple[tuple[Value, ...], ...] = tuple(
        (
            one.service.name, str(one.year), one.income,
            days_of(one.worked, one.setting.day_minutes) if one.setting else None,
            one.setting.day_cost if one.setting else None, one.officers,
            one.setting.overhead if one.setting else None, one.cost, one.figures.surplus,
        )
        for one in rows
    )  # fmt: skip
    return Sheet(
        title="Each service and year",
        names=(
            "Service", "Year", "Income", "Traded days", "Cost of a day", "Officers", "Overhead", "Cost",
            "Income less cost",
        ),
        rows=cells,
        numeric=frozenset(range(2, 9)),
        abouts=tuple(About("cost", f"{one.service.code}/{one.year}") for one in rows),
        empty="There is no service yet.",
    )  # fmt: skip


def _together(services: dict[int, list[ServiceYear]], together: dict[int, Recovery]) -> Sheet:
    cells: tuple[tuple[Value, ...], ...] = tuple(
        (
            services[key][0].service.name, len(one.known), one.income, one.cost, one.income - one.cost,
            "More than cost" if one.exceeds else ("Within cost" if one.known else "No cost entered"),
        )
        for key, one in together.items()
    )  # fmt: skip
    return Sheet(
        title="The years together",
        names=("Service", "Years compared", "Income", "Cost", "Income less cost", "Result"),
        rows=cells,
        numeric=frozenset((1, 2, 3, 4)),
        empty="There is no service yet.",
    )
