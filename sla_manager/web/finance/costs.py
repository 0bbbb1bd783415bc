"""Entering what a service costs in a financial year."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from sla_manager.billing.commands.costs import LONGEST_BASIS, set_service_cost
from sla_manager.billing.models import ServiceCost
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import FinancialYear
from sla_manager.people.models import Officer, TradingService
from sla_manager.people.rules.roles import Permission
from sla_manager.web.display import money
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.finance.reports import start_month
from sla_manager.web.forms import BaseForm, LongTextField, MinutesField, MoneyField
from sla_manager.web.guard import permitted
from sla_manager.web.pages import actor, expect_version, now, reading, transaction

USUAL_DAY = Minutes(444)


class CostForm(BaseForm):
    """What a day and everything else cost."""

    day_cost = MoneyField(
        "What does an officer’s day cost the council?",
        enter="Enter what a day costs",
        least=Money(1),
        hint="Pay, employer’s National Insurance and pension, divided by working days.",
    )
    day_hours = MinutesField("How long is that day?", enter="Enter how long a day is")
    overhead = MoneyField(
        "Overhead of the traded service in this year",
        enter="Enter the overhead, 0 if there is none",
        hint="Management, rooms, systems, insurance: the part that trading takes.",
    )
    basis = LongTextField("How did you find these figures?", longest=LONGEST_BASIS)


def _place(code: str, year: str) -> tuple[TradingService, FinancialYear]:
    service = reading().scalar(select(TradingService).where(TradingService.code == code))
    if service is None:
        raise NotFound
    try:
        return service, FinancialYear.parse(year, start_month=start_month())
    except Refused as error:
        raise NotFound from error


def _cost(service_id: int, year: FinancialYear) -> ServiceCost | None:
    query = select(ServiceCost).where(ServiceCost.service_id == service_id, ServiceCost.year == year.first)
    return reading().scalar(query)


@blueprint.route("/costs/<code>/<year>", methods=["GET", "POST"])
@permitted(Permission.MANAGE_MONEY)
def service_cost(code: str, year: str) -> ResponseReturnValue:
    """Enter or change the cost of a service's year."""
    service, wanted = _place(code, year)
    cost = _cost(service.id, wanted)
    form = CostForm(data=_first(service.id, cost, wanted)) if request.method == "GET" else CostForm()
    if form.is_sent():
        try:
            expect_version(request.form.get("version"), cost.version if cost else 0)
            with transaction() as session:
                set_service_cost(
                    session,
                    service.id,
                    wanted,
                    day_cost=form.day_cost.data,
                    day_minutes=form.day_hours.data,
                    overhead=form.overhead.data,
                    basis=form.basis.data or "",
                    by=actor(),
                    at=now(),
                )
            flash(f"The cost of {service.name} in {wanted} is kept.", "success")
            return redirect(url_for("finance.report", report="recovery", year=str(wanted)), 303)
        except Refused as error:
            form.refuse(error)
    page = render_template(
        "finance/service_cost.html",
        navigation=finance_menu(),
        form=form,
        service=service,
        year=wanted,
        cost=_cost(service.id, wanted),
        officers=_officer_costs(service.id),
    )
    return page, 422 if form.error_list() else 200


def _first(service_id: int, cost: ServiceCost | None, year: FinancialYear) -> dict[str, object]:
    """Return what stands in the form: what was entered, or the year before's figures."""
    found = cost or _cost(service_id, FinancialYear(year.first - 1, year.start_month))
    if found is None:
        return {"day_hours": USUAL_DAY}
    return {
        "day_cost": found.day_cost, "day_hours": found.day_minutes, "overhead": found.overhead,
        "basis": found.basis if cost else "",
    }  # fmt: skip


def _officer_costs(service_id: int) -> list[tuple[str, str]]:
    """Return the officers whose day has a cost of its own, for comparing."""
    query = select(Officer.name, Officer.day_cost).where(
        Officer.service_id == service_id, Officer.day_cost.is_not(None)
    )
    return [(name, money(cost)) for name, cost in reading().execute(query.order_by(Officer.name))]
