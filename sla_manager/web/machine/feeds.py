"""An officer's private calendar, for the program she subscribes with."""

from __future__ import annotations

from datetime import timedelta

from flask import Response, request
from sqlalchemy import select

from sla_manager.gateways.calendars import CalendarVisit, write_calendar
from sla_manager.kernel.errors import NotFound
from sla_manager.kernel.references import sha256, token_hash
from sla_manager.people.models import Officer
from sla_manager.visits.models import Visit, VisitStatus
from sla_manager.visits.queries import feed_visits
from sla_manager.web.guard import public
from sla_manager.web.machine import blueprint
from sla_manager.web.pages import reading, today

KEPT = timedelta(days=400)
WRITTEN = 1
"""How a calendar is written: raised when that changes, so that every calendar is sent once more."""


@blueprint.get("/feeds/<token>.ics")
@public
def feed(token: str) -> Response:
    """Return the calendar of a token; unknown, revoked and a leaver's are not there. Unchanged, nothing is written."""
    session = reading()
    officer = session.scalar(select(Officer).where(Officer.feed_hash == token_hash(token)))
    if officer is None or (officer.ends_on is not None and officer.ends_on < today()):
        raise NotFound()
    name = f"Visits of {officer.name}"
    visits = [_told(visit) for visit in feed_visits(session, officer.id, since=today() - KEPT)]
    tag = sha256(repr((WRITTEN, name, visits)).encode())
    unchanged = request.if_none_match.contains(tag)
    response = Response(
        b"" if unchanged else write_calendar(name, visits),
        status=304 if unchanged else 200,
        mimetype="text/calendar",
        headers={"Cache-Control": "private, max-age=300"},
    )
    response.set_etag(tag)
    return response


def _told(visit: Visit) -> CalendarVisit:
    """Return what a calendar may know of a visit: school, time and place."""
    return CalendarVisit(
        uid=visit.uid,
        sequence=visit.sequence,
        school=visit.school.name,
        place=", ".join(visit.school.address_lines),
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        changed_at=visit.changed_at,
        cancelled=visit.status is VisitStatus.CANCELLED,
    )
