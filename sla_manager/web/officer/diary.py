"""My week, and what is not logged yet."""

from __future__ import annotations

from datetime import date, timedelta

from flask import render_template, request

from sla_manager.people.models import Officer
from sla_manager.people.rules.roles import Permission
from sla_manager.visits.queries import DiaryDay, monday_of, not_logged, officer_of
from sla_manager.visits.queries import week as week_of
from sla_manager.web.guard import me, permitted
from sla_manager.web.navigation import Entry, entry
from sla_manager.web.officer import blueprint
from sla_manager.web.pages import now, reading, today


def my_officer() -> Officer:
    """Return the officer that who is signed in is; anybody else has no diary (404)."""
    return officer_of(reading(), me().id)


def officer_menu() -> list[Entry]:
    """Return the pages of an officer."""
    pages = [
        entry("My week", "officer.week"),
        entry("Log other work", "officer.unplanned"),
        entry("My calendar", "officer.calendar"),
    ]
    pages[0]["active"] = not any(page["active"] for page in pages[1:])
    return pages


def asked_day(name: str, otherwise: date) -> date:
    """Return the day in the address, or another one when there is none that can be read."""
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return otherwise


@blueprint.get("/")
@permitted(Permission.SEE_OWN_DIARY)
def week() -> str:
    """Show the week: today first in this one, then what follows."""
    officer = my_officer()
    monday = monday_of(asked_day("from", today()))
    found = week_of(reading(), officer.id, monday)
    ahead = [day for day in found.days if day.day >= today()]
    behind = [day for day in found.days if day.day < today()]
    return render_template(
        "officer/week.html",
        navigation=officer_menu(),
        officer=officer,
        week=found,
        today=today(),
        ahead=_worth_showing(ahead),
        behind=_worth_showing(behind),
        earlier=monday - timedelta(days=7),
        later=monday + timedelta(days=7),
        last=monday + timedelta(days=6),
        waiting=not_logged(reading(), before=now(), officer_id=officer.id),
    )


def _worth_showing(days: list[DiaryDay]) -> list[DiaryDay]:
    """Leave out weekends on which nothing is."""
    return [day for day in days if day.visits or day.absences or day.day.weekday() < 5]
