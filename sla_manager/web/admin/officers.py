"""Officers: who works for a service, and on which days."""

from __future__ import annotations

from datetime import time
from typing import Any

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.people import queries
from sla_manager.people.commands import add_officer, change_working_pattern, end_officer
from sla_manager.people.queries import (
    officer_by_id,
    services,
    sign_ins_without_officer,
    working_pattern,
    working_patterns,
)
from sla_manager.people.rules.roles import Permission
from sla_manager.web.admin import blueprint
from sla_manager.web.admin.menu import admin_menu
from sla_manager.web.forms import (
    BaseForm,
    DateField,
    MoneyField,
    SelectField,
    TextField,
    TimeField,
    WholeNumberField,
    choice,
)
from sla_manager.web.guard import permitted
from sla_manager.web.pages import actor, now, reading, today, transaction

OFFICE_HOURS = (Minutes(9 * 60), Minutes(17 * 60))
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class PatternForm(BaseForm):
    """When an officer works on each weekday; both empty is a day off."""

    def pattern(self) -> dict[int, tuple[Minutes, Minutes]]:
        """Return the pattern, or refuse a day with one time only."""
        found: dict[int, tuple[Minutes, Minutes]] = {}
        for weekday, name in enumerate(WEEKDAYS):
            starts, ends = self[f"starts_{weekday}"].data, self[f"ends_{weekday}"].data
            if (starts is None) != (ends is None):
                missing = "starts" if starts is None else "ends"
                raise Refused(f"{name}: enter both times, or neither.", field=f"{missing}_{weekday}")
            if starts is not None and ends is not None:
                found[weekday] = (_minutes(starts), _minutes(ends))
        return found

    def show(self, pattern: dict[int, tuple[Minutes, Minutes]]) -> None:
        """Put a pattern into the fields of a form that was not sent."""
        for weekday, (starts, ends) in pattern.items():
            self[f"starts_{weekday}"].data = _time(starts)
            self[f"ends_{weekday}"].data = _time(ends)


class OfficerForm(PatternForm):
    """A new officer."""

    name = TextField("Name", enter="Enter the officer's name", longest=200)
    service = SelectField("Service", enter="Choose a service")
    person = SelectField("Signs in as", hint="Their own account, so that they see their diary.")
    starts_on = DateField("First day", enter="Enter the first day")
    base_easting = WholeNumberField("Base: easting (optional)", least=1, most=800_000)
    base_northing = WholeNumberField("Base: northing (optional)", least=1, most=1_300_000)
    day_cost = MoneyField(
        "Cost of a day (optional)", hint="What a day costs the council. Schools never see it."
    )


class LeaveForm(BaseForm):
    """The last day."""

    ends_on = DateField("Last day", enter="Enter the last day")


def _add_days(form: type[PatternForm]) -> None:
    for weekday, name in enumerate(WEEKDAYS):
        setattr(form, f"starts_{weekday}", TimeField(f"{name} from"))
        setattr(form, f"ends_{weekday}", TimeField(f"{name} to"))


_add_days(PatternForm)


@blueprint.get("/officers")
@permitted(Permission.MANAGE_PEOPLE)
def officers() -> str:
    """List the officers with their working days."""
    session = reading()
    return render_template(
        "admin/officers.html",
        navigation=admin_menu(),
        officers=queries.officers(session),
        patterns=working_patterns(session),
        weekdays=WEEKDAYS,
        today=today(),
    )


@blueprint.route("/officers/new", methods=["GET", "POST"])
@permitted(Permission.MANAGE_PEOPLE)
def new_officer() -> str | Response | tuple[str, int]:
    """Add an officer with a working pattern."""
    form = OfficerForm()
    session = reading()
    form.service.choices = [choice(one.id, one.name) for one in services(session)]
    people = sign_ins_without_officer(session)
    form.person.choices = [
        choice("", "Nobody yet"),
        *(choice(one.id, f"{one.name} ({one.email})") for one in people),
    ]
    if not form.is_submitted():
        form.show(dict.fromkeys(range(5), OFFICE_HOURS))
    if form.is_sent():
        try:
            pattern = form.pattern()
            with transaction() as writing:
                made = add_officer(
                    writing,
                    int(form.service.data),
                    name=form.name.data,
                    starts_on=form.starts_on.data,
                    pattern=pattern,
                    person_id=int(form.person.data) if form.person.data else None,
                    base_easting=form.base_easting.data,
                    base_northing=form.base_northing.data,
                    day_cost=form.day_cost.data,
                    by=actor(),
                    at=now(),
                )
            flash(f"{made.name} is added.", "success")
            return redirect(url_for("admin.officer", officer_id=made.id), 303)
        except Refused as error:
            form.refuse(error)
    page = render_template("admin/new_officer.html", navigation=admin_menu(), form=form, weekdays=WEEKDAYS)
    return page, 422 if form.errors else 200


@blueprint.get("/officers/<int:officer_id>")
@permitted(Permission.MANAGE_PEOPLE)
def officer(officer_id: int) -> str:
    """Show an officer, the working days, and the last day when there is one."""
    return _page(officer_id)


@blueprint.post("/officers/<int:officer_id>/pattern")
@permitted(Permission.MANAGE_PEOPLE)
def officer_pattern(officer_id: int) -> Response | tuple[str, int]:
    """Set the working days."""
    form = PatternForm()
    if form.is_sent():
        try:
            pattern = form.pattern()
            with transaction() as session:
                change_working_pattern(session, officer_id, pattern=pattern, by=actor(), at=now())
            flash("The working days are set.", "success")
            return redirect(url_for("admin.officer", officer_id=officer_id), 303)
        except Refused as error:
            form.refuse(error)
    return _page(officer_id, form=form, pattern_form=form), 422


@blueprint.post("/officers/<int:officer_id>/end")
@permitted(Permission.MANAGE_PEOPLE)
def officer_end(officer_id: int) -> Response | tuple[str, int]:
    """Set the last day."""
    form = LeaveForm()
    if form.is_sent():
        try:
            with transaction() as session:
                end_officer(session, officer_id, ends_on=form.ends_on.data, by=actor(), at=now())
            flash("The last day is set. Name other link officers for their schools.", "success")
            return redirect(url_for("admin.officer", officer_id=officer_id), 303)
        except Refused as error:
            form.refuse(error)
    return _page(officer_id, form=form, leave_form=form), 422


def _page(officer_id: int, **forms: Any) -> str:
    session = reading()
    found = officer_by_id(session, officer_id)
    pattern_form = PatternForm(formdata=None)
    pattern_form.show({day.weekday: (day.starts, day.ends) for day in working_pattern(session, found.id)})
    return render_template(
        "admin/officer.html",
        **{
            "navigation": admin_menu(),
            "officer": found,
            "weekdays": WEEKDAYS,
            "pattern_form": pattern_form,
            "leave_form": LeaveForm(formdata=None, data={"ends_on": found.ends_on}),
            **forms,
        },
    )


def _minutes(of_day: time) -> Minutes:
    return Minutes(of_day.hour * 60 + of_day.minute)


def _time(length: Minutes) -> time:
    hours, minutes = divmod(min(length.minutes, 24 * 60 - 1), 60)
    return time(hours, minutes)
