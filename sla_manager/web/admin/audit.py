"""The audit trail: who did what, when, and to what."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta

from flask import render_template, request, url_for

from sla_manager.kernel.clock import london_time
from sla_manager.people.rules.roles import Permission
from sla_manager.store.trail import TrailSearch, trail_page, trail_words
from sla_manager.web.admin import blueprint
from sla_manager.web.admin.menu import admin_menu, kept_filter
from sla_manager.web.forms import DateField, FilterForm, SelectField, TextField, choice
from sla_manager.web.guard import permitted
from sla_manager.web.pages import reading


class TrailFilter(FilterForm):
    """Which acts."""

    actor = TextField("Person")
    action = SelectField("Action")
    about = SelectField("About")
    since = DateField("From")
    until = DateField("To")


@blueprint.get("/audit")
@permitted(Permission.SEE_AUDIT_TRAIL)
def audit() -> str:
    """List what was done, the newest first."""
    session = reading()
    actions, things = trail_words(session)
    form = TrailFilter.of_request()
    form.action.choices = [choice("", "All"), *(choice(word, plain_words(word)) for word in actions)]
    form.about.choices = [choice("", "All"), *(choice(word, plain_words(word)) for word in things)]
    if request.args:
        form.validate()
    search = TrailSearch(
        action=form.action.data if form.action.data in actions else "",
        about=form.about.data if form.about.data in things else "",
        about_id=_key(request.args.get("about_id")),
        actor=form.actor.data or "",
        since=_midnight(form.since.data),
        until=_midnight(form.until.data, days=1),
    )
    before = _key(request.args.get("before"))
    found, more = trail_page(session, search, before=before)
    dates = [f"{name}-{part}" for name in ("since", "until") for part in DateField.parts]
    kept = kept_filter("actor", "action", "about", "about_id", *dates)
    return render_template(
        "admin/audit.html",
        navigation=admin_menu(),
        form=form,
        entries=[
            (entry, json.dumps(entry.details, ensure_ascii=False, indent=2) if entry.details else "")
            for entry in found
        ],
        plain_words=plain_words,
        first=url_for("admin.audit", **kept) if before is not None else "",
        more=url_for("admin.audit", **kept, before=more) if more is not None else "",
    )


def plain_words(word: str) -> str:
    """Return a name of the trail as people say it."""
    return word.replace("_", " ").capitalize()


def _midnight(day: date | None, *, days: int = 0) -> datetime | None:
    return None if day is None else london_time(day + timedelta(days=days), time(0))


def _key(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 16 else None
