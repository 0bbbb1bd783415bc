"""What waits for a service manager today."""

from __future__ import annotations

from collections import Counter

from flask import render_template

from sla_manager.agreements.rules.pace import Pace
from sla_manager.people.models import TradingService
from sla_manager.people.rules.roles import Permission
from sla_manager.visits.queries import (
    awaiting_service,
    counts,
    monday_of,
    not_logged,
    pace,
    proposed_extra_time,
    targeting_support_meetings,
    term_of,
)
from sla_manager.visits.queries import board as board_of
from sla_manager.visits.rules.meetings import MeetingState
from sla_manager.web.guard import in_service
from sla_manager.web.pages import now, reading, today
from sla_manager.web.service import blueprint
from sla_manager.web.service.menu import service_menu


@blueprint.get("/<service>/")
@in_service(Permission.SEE_SERVICE)
def home(service: TradingService) -> str:
    """Show what waits: orders, queries, visits nobody logged, extra time, support meetings, pace, today's visits."""
    session = reading()
    meetings = targeting_support_meetings(session, today=today())
    weeks = board_of(session, service.id, monday_of(today()))
    todays = [visit for week in weeks for visit in week.days[today().weekday()].visits]
    return render_template(
        "service/home.html",
        navigation=service_menu(service),
        service=service,
        waiting=awaiting_service(session, service.id),
        unlogged=not_logged(session, before=now(), service_id=service.id),
        extra_time=proposed_extra_time(session, service.id),
        term=term_of(session, today()),
        meetings=counts(meetings),
        states=MeetingState,
        paces=Counter(one.standing.pace for one in pace(session, service.id, today())),
        pace_kinds=Pace,
        todays=sorted(todays, key=lambda visit: (visit.starts_at, visit.id)),
        names={week.officer.id: week.officer.name for week in weeks},
        today=today(),
    )
