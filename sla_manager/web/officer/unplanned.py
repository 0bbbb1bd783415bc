"""Work that nobody planned: chosen, booked for the past and then logged like any other visit."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sla_manager.catalogue.rules.families import CoreDuty
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.people.models import Officer, School
from sla_manager.people.rules.roles import Permission
from sla_manager.visits.commands import plan_visit
from sla_manager.visits.queries import bookable
from sla_manager.visits.rules.slots import Part
from sla_manager.web.forms import BaseForm, DateField, FilterForm, SelectField, TimeField, choice, once_key
from sla_manager.web.guard import permitted
from sla_manager.web.officer import blueprint
from sla_manager.web.officer.diary import my_officer, officer_menu
from sla_manager.web.pages import actor, now, reading, today, transaction
from sla_manager.web.visiting import school_choices, schools_to_visit


class WhichSchool(FilterForm):
    """The school that the work was for."""

    school = SelectField("Which school?")


class UnplannedForm(BaseForm):
    """When it was and what it was for."""

    what = SelectField("What for", enter="Choose what it was for")
    day = DateField("Day", enter="Enter the day, like 14 10 2025")
    starts = TimeField("Started", enter="Enter when you started, like 9:30am")
    ends = TimeField("Ended", enter="Enter when you ended, like 12pm")
    once = once_key()


@blueprint.route("/other-work", methods=["GET", "POST"])
@permitted(Permission.LOG_DELIVERY)
def unplanned() -> str | tuple[str, int] | Response:
    """Ask for the school, then for the rest, then go on to the log."""
    officer, which = my_officer(), WhichSchool.of_request()
    schools = schools_to_visit(reading(), today())
    which.school.choices = school_choices(schools)
    if not which.school.data:
        return render_template("officer/which_school.html", navigation=officer_menu(), which=which)
    school = next((one for one in schools if str(one.id) == which.school.data), None)
    if school is None:
        raise NotFound()
    form, status = UnplannedForm(), 200
    form.what.choices = _what(school, officer)
    if not form.is_submitted():
        form.day.data = today()
    if form.is_sent():
        try:
            visit_id = _book(form, school, officer)
            return redirect(url_for("officer.log_visit", visit_id=visit_id), 303)
        except Refused as error:
            form.refuse(error)
            status = error.status
    elif form.is_submitted():
        status = 422
    page = render_template("officer/unplanned.html", navigation=officer_menu(), form=form, school=school,
                           action=request.full_path)  # fmt: skip
    return (page, status) if status != 200 else page


def _what(school: School, officer: Officer) -> list[object]:
    """Offer free core first, then what the school bought and may still use."""
    core = [choice(duty.value, f"Free core: {duty.title.lower()}") for duty in CoreDuty]
    rows = bookable(reading(), school.id, officer.service_id, today=today())
    lines = {row.tranche.line_id: row.description for row in rows}
    return [*core, *(choice(f"line:{key}", f"Bought: {description}") for key, description in lines.items())]


def _book(form: UnplannedForm, school: School, officer: Officer) -> int:
    if form.day.data > today():
        raise Refused("This day has not come yet. Your service manager plans visits.", field="day")
    bought, _, line = form.what.data.partition(":")
    with transaction() as session:
        visit = plan_visit(
            session,
            officer_id=officer.id,
            school_id=school.id,
            day=form.day.data,
            part=Part.TIMES,
            starts=form.starts.data,
            ends=form.ends.data,
            duty=None if line else CoreDuty(bought),
            line_id=int(line) if line else None,
            anyway=True,
            by=actor(),
            at=now(),
            once_key=form.once.data,
        )
        return visit.id
