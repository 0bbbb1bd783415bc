"""The board: every officer's week, as a table, with a picture of the load."""

from __future__ import annotations

from datetime import date, timedelta

from flask import render_template, request

from sla_manager.kernel.minutes import Minutes, total_minutes
from sla_manager.people.models import TradingService
from sla_manager.people.rules.roles import Permission
from sla_manager.visits.queries import OfficerWeek, monday_of
from sla_manager.visits.queries import board as board_of
from sla_manager.web.charts import Part
from sla_manager.web.guard import in_service
from sla_manager.web.pages import reading, today
from sla_manager.web.service import blueprint
from sla_manager.web.service.menu import service_menu


@blueprint.get("/<service>/diaries")
@in_service(Permission.SEE_SERVICE)
def board(service: TradingService) -> str:
    """Show who is where, Monday to Sunday where there is something on a weekend."""
    monday = monday_of(_asked())
    weeks = board_of(reading(), service.id, monday)
    weekend = any(day.visits for week in weeks for day in week.days[5:])
    return render_template(
        "service/board.html",
        navigation=service_menu(service),
        service=service,
        weeks=weeks,
        days=[monday + timedelta(days=offset) for offset in range(7 if weekend else 5)],
        load=[(week.officer.name, _load(week)) for week in weeks],
        monday=monday,
        today=today(),
        earlier=monday - timedelta(days=7),
        later=monday + timedelta(days=7),
    )


def _load(week: OfficerWeek) -> list[Part]:
    """Return an officer's week in parts: booked core, booked bought, still free."""
    core = total_minutes(v.length for day in week.days for v in day.visits if v.is_core)
    bought = total_minutes(v.length for day in week.days for v in day.visits if not v.is_core)
    free = max(Minutes(0), week.working - core - bought)
    return [
        Part("Free core work", core.minutes, core.hours_and_minutes(), "left"),
        Part("Bought work", bought.minutes, bought.hours_and_minutes(), "used"),
        Part("Not booked", free.minutes, free.hours_and_minutes()),
    ]


def _asked() -> date:
    try:
        return date.fromisoformat(request.args.get("from", ""))
    except ValueError:
        return today()
