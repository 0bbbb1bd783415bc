"""My private calendar address: made, replaced, revoked. It is shown once."""

from __future__ import annotations

from flask import current_app, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from sla_manager.people.rules.roles import Permission
from sla_manager.visits.commands import open_feed, revoke_feed
from sla_manager.web.forms import BaseForm
from sla_manager.web.guard import permitted
from sla_manager.web.officer import blueprint
from sla_manager.web.officer.diary import my_officer, officer_menu
from sla_manager.web.pages import actor, now, transaction


@blueprint.get("/calendar")
@permitted(Permission.SEE_OWN_DIARY)
def calendar() -> str:
    """Say whether there is an address, and how to make one."""
    return _page(my_officer().feed_hash is not None)


@blueprint.post("/calendar")
@permitted(Permission.SEE_OWN_DIARY)
def make_calendar() -> str:
    """Make a new address (an older one stops) and show it, this once."""
    officer = my_officer()
    with transaction() as session:
        token = open_feed(session, officer.id, by=actor(), at=now())
    path = url_for("machine.feed", token=token)
    return _page(True, address=f"{current_app.config['SLA_ADDRESS']}{path}")


@blueprint.post("/calendar/revoke")
@permitted(Permission.SEE_OWN_DIARY)
def revoke_calendar() -> Response:
    """Take the address away."""
    officer = my_officer()
    with transaction() as session:
        revoke_feed(session, officer.id, by=actor(), at=now())
    flash("Your calendar address does not work any more.", "success")
    return redirect(url_for("officer.calendar"), 303)


def _page(has_feed: bool, *, address: str = "") -> str:
    return render_template(
        "officer/calendar.html",
        navigation=officer_menu(),
        has_feed=has_feed,
        address=address,
        form=BaseForm(),
    )
