"""Targeting support meetings per term, and the pace at which schools use what they bought."""

from __future__ import annotations

from flask import render_template, request

from sla_manager.agreements.rules.pace import Pace
from sla_manager.people.models import TradingService
from sla_manager.people.rules.roles import Permission
from sla_manager.visits.queries import counts, targeting_support_meetings, term_of, terms_around
from sla_manager.visits.queries import pace as paces_of
from sla_manager.visits.rules.meetings import MeetingState
from sla_manager.web.guard import in_service
from sla_manager.web.pages import reading, today
from sla_manager.web.service import blueprint
from sla_manager.web.service.menu import service_menu


@blueprint.get("/<service>/support-meetings")
@in_service(Permission.SEE_SERVICE)
def meetings(service: TradingService) -> str:
    """Show each school's meeting of a term: every school has one, bought or not."""
    session = reading()
    known = terms_around(session)
    asked = request.args.get("term", "")
    term = next((one for one in known if str(one.id) == asked), None) or term_of(session, today())
    rows = targeting_support_meetings(session, today=today(), term=term)
    return render_template(
        "service/meetings.html",
        navigation=service_menu(service),
        service=service,
        terms=known,
        term=term,
        rows=rows,
        counts=counts(rows),
        states=MeetingState,
    )


@blueprint.get("/<service>/pace")
@in_service(Permission.SEE_SERVICE)
def pace(service: TradingService) -> str:
    """Show which schools use their time too slowly or too fast."""
    rows = paces_of(reading(), service.id, today())
    return render_template(
        "service/pace.html",
        navigation=service_menu(service),
        service=service,
        groups=[(kind, [row for row in rows if row.standing.pace is kind]) for kind in Pace],
        today=today(),
    )
