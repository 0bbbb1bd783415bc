"""When officers are away. Visits that clash are listed before anything is kept, and nothing moves by itself."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sla_manager.kernel.clock import london_time
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.people.models import TradingService
from sla_manager.people.rules.roles import Permission
from sla_manager.visits.commands import AbsenceClashes, add_absence, withdraw_absence
from sla_manager.visits.models import AbsenceKind, Visit
from sla_manager.visits.queries import absences as absences_of
from sla_manager.visits.queries import clashing_visits, officers
from sla_manager.web.forms import BaseForm, ChoiceField, DateField, SelectField, TimeField, choice
from sla_manager.web.guard import in_service
from sla_manager.web.pages import actor, now, reading, today, transaction
from sla_manager.web.service import blueprint
from sla_manager.web.service.menu import service_menu
from sla_manager.web.visiting import officer_choices


class AbsenceForm(BaseForm):
    """Who is away, why, and from when to when. Without times, whole days."""

    officer = SelectField("Officer", enter="Choose an officer")
    kind = ChoiceField(
        "Why?", choices=[choice(kind.value, kind.title) for kind in AbsenceKind], enter="Choose why"
    )
    starts_on = DateField("First day", enter="Enter the first day")
    starts = TimeField("From", hint="Only for part of a day, like 12:30pm")
    ends_on = DateField("Last day", enter="Enter the last day")
    ends = TimeField("Until", hint="Only for part of a day")


@blueprint.get("/<service>/absences")
@in_service(Permission.SEE_SERVICE)
def absences(service: TradingService) -> str:
    """List who is away from today on."""
    session = reading()
    return render_template(
        "service/absences.html",
        navigation=service_menu(service),
        service=service,
        absences=absences_of(session, service.id, since=today()),
        names={officer.id: officer.name for officer in officers(session, service.id)},
        act_form=BaseForm(),
    )


@blueprint.route("/<service>/absences/add", methods=["GET", "POST"])
@in_service(Permission.PLAN_VISITS)
def absence(service: TradingService) -> str | tuple[str, int] | Response:
    """Ask, list the visits that clash, and keep the absence when that list was seen."""
    form, clashes, status = AbsenceForm(), list[Visit](), 200
    team = officers(reading(), service.id, on=today())
    form.officer.choices = officer_choices(team)
    if form.is_sent():
        if form.officer.data not in {str(officer.id) for officer in team}:
            raise NotFound()
        try:
            starts_at, ends_at = _span(form)
            with transaction() as session:
                add_absence(
                    session,
                    int(form.officer.data),
                    kind=AbsenceKind(form.kind.data),
                    starts_at=starts_at,
                    ends_at=ends_at,
                    seen={int(seen) for seen in request.form.getlist("seen") if seen.isdecimal()},
                    by=actor(),
                    at=now(),
                )
            flash("The absence is kept.", "success")
            return redirect(url_for("service.absences", service=service.code), 303)
        except AbsenceClashes as error:
            officer_id, status = int(form.officer.data), error.status
            clashes = clashing_visits(reading(), officer_id, *_span(form))
        except Refused as error:
            form.refuse(error)
            status = error.status
    elif form.is_submitted():
        status = 422
    page = render_template(
        "service/absence.html", navigation=service_menu(service), service=service, form=form, clashes=clashes
    )
    return (page, status) if status != 200 else page


@blueprint.post("/<service>/absences/<int:absence_id>/withdraw")
@in_service(Permission.PLAN_VISITS)
def take_back(service: TradingService, absence_id: int) -> Response:
    """Take an absence back."""
    with transaction() as session:
        withdraw_absence(session, absence_id, service_id=service.id, by=actor(), at=now())
    flash("The absence is taken back. The officer is available again.", "success")
    return redirect(url_for("service.absences", service=service.code), 303)


def _span(form: AbsenceForm) -> tuple[datetime, datetime]:
    """Return from when to when: whole days unless times are given."""
    starts_at = london_time(form.starts_on.data, form.starts.data or time(0))
    if form.ends.data is not None:
        return starts_at, london_time(form.ends_on.data, form.ends.data)
    return starts_at, london_time(form.ends_on.data + timedelta(days=1), time(0))
