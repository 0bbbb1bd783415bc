"""Planning a visit, moving it, giving it to another officer, cancelling it: each confirmed with what will follow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from sla_manager.catalogue.rules.families import CoreDuty
from sla_manager.kernel.clock import LONDON, london_time
from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.people.models import School, TradingService
from sla_manager.people.rules.roles import Permission
from sla_manager.visits.commands import (
    cancel_visit,
    move_visit,
    plan_visit,
    reassign_visit,
    record_no_access,
)
from sla_manager.visits.models import Visit
from sla_manager.visits.queries import (
    BookedBalance,
    CancellationPreview,
    bookable,
    officers,
    preview_cancellation,
    preview_no_access,
    rearrangeable,
    visit_in,
)
from sla_manager.visits.rules.concerns import VisitNeedsConfirming
from sla_manager.visits.rules.slots import Part
from sla_manager.visits.rules.words import in_units
from sla_manager.web.forms import (
    BaseForm,
    CheckboxField,
    ChoiceField,
    DateField,
    FilterForm,
    LongTextField,
    SelectField,
    TextField,
    TimeField,
    choice,
    once_key,
)
from sla_manager.web.guard import in_service
from sla_manager.web.pages import actor, now, reading, today, transaction
from sla_manager.web.service import blueprint
from sla_manager.web.service.menu import service_menu
from sla_manager.web.visiting import officer_choices, school_choices, schools_to_visit

PARTS = [choice(part.value, part.title) for part in Part]


class WhichSchool(FilterForm):
    """The school to plan for."""

    school = SelectField("Which school?")


class WhenForm(BaseForm):
    """When a visit is."""

    day = DateField("Day", enter="Enter the day, like 4 11 2025")
    part = ChoiceField("How long?", choices=PARTS, enter="Choose the whole day, a half or exact times")
    starts = TimeField("Starts", hint="For exact times, like 9:30am")
    ends = TimeField("Ends", hint="For exact times, like 12pm")
    anyway = CheckboxField("Plan anyway, although something speaks against it")


class PlanForm(WhenForm):
    """Who visits, when, and what for."""

    officer = SelectField("Officer", enter="Choose an officer")
    what = ChoiceField("What for?", enter="Choose free core work or what the school bought")
    rearranges = SelectField("Does it stand in for a cancelled visit?")
    purpose = TextField("Purpose (the school reads it)", longest=500)
    note = LongTextField("Note for the officer and the school", look={"rows": 3})
    once = once_key()


class ReassignForm(BaseForm):
    """Who takes over."""

    officer = SelectField("Which officer takes it over?", enter="Choose an officer")
    anyway = CheckboxField("Give it to them anyway, although something speaks against it")


class CancelForm(BaseForm):
    """Who cancels, when notice came, and why."""

    caused_by = ChoiceField(
        "Who cancels?",
        choices=[choice("school", "The school"), choice("provider", "The council", "For example sickness")],
        enter="Choose who cancels",
    )
    notice_on = DateField("When did notice come?", enter="Enter the day on which notice came")
    notice_time = TimeField("At what time?", hint="After closing time it counts from the next working day")
    reason = LongTextField("Reason", hint="The school reads it", enter="Enter the reason", look={"rows": 3})


class ReasonForm(BaseForm):
    """What happened at the school's door."""

    reason = LongTextField("What happened?", hint="The school reads it", enter="Enter what happened")


@blueprint.route("/<service>/visits/plan", methods=["GET", "POST"])
@in_service(Permission.PLAN_VISITS)
def plan(service: TradingService) -> str | tuple[str, int] | Response:
    """Ask for the school, then for the rest."""
    which = WhichSchool.of_request()
    schools = schools_to_visit(reading(), today())
    which.school.choices = school_choices(schools)
    if not which.school.data:
        return render_template(
            "service/which_school.html", navigation=service_menu(service), service=service, which=which
        )
    school = next((one for one in schools if str(one.id) == which.school.data), None)
    if school is None:
        raise NotFound()
    form, status = PlanForm(), 200
    _offer(form, service, school)
    if form.is_sent():
        try:
            visit_id = _plan(form, school)
            flash(f"The visit at {school.name} is planned.", "success")
            return redirect(url_for("service.visit", service=service.code, visit_id=visit_id), 303)
        except Refused as error:
            form.refuse(error)
            status = error.status
            needs_confirming = isinstance(error, VisitNeedsConfirming)
            return _plan_page(service, school, form, needs_confirming=needs_confirming), status
    elif form.is_submitted():
        status = 422
    page = _plan_page(service, school, form)
    return (page, status) if status != 200 else page


def _offer(form: PlanForm, service: TradingService, school: School) -> None:
    session = reading()
    form.officer.choices = officer_choices(officers(session, service.id, on=today()))
    rows = bookable(session, school.id, service.id, today=today())
    lines = {row.tranche.line_id: row for row in reversed(rows)}
    form.what.choices = [
        *(choice(duty.value, f"Free core: {duty.title.lower()}") for duty in CoreDuty),
        *(choice(f"line:{key}", f"Bought: {row.description}", _left(row)) for key, row in lines.items()),
    ]
    cancelled = rearrangeable(session, school.id, since=today().replace(year=today().year - 1))
    form.rearranges.choices = [
        choice("", "No"),
        *(choice(one.id, f"The visit of {one.day:%-d %B %Y}") for one in cancelled),
    ]
    if not form.is_submitted():
        form.officer.data = str(school.link_officer_id or "")
        form.part.data = Part.MORNING.value
        form.what.data = CoreDuty.TARGETING_SUPPORT_MEETING.value


def _left(row: BookedBalance) -> str:
    return f"{row.reference}, {row.year}: {in_units(max(row.free, Minutes(0)), row)} free to book"


def _plan(form: PlanForm, school: School) -> int:
    what, _, line = form.what.data.partition(":")
    try:
        with transaction() as session:
            return plan_visit(
                session,
                officer_id=int(form.officer.data),
                school_id=school.id,
                day=form.day.data,
                part=Part(form.part.data),
                starts=form.starts.data,
                ends=form.ends.data,
                duty=None if line else CoreDuty(what),
                line_id=int(line) if line else None,
                purpose=form.purpose.data or "",
                note=form.note.data or "",
                rearranges_id=int(form.rearranges.data) if form.rearranges.data else None,
                anyway=bool(form.anyway.data),
                by=actor(),
                at=now(),
                once_key=form.once.data,
            ).id
    except Conflict:
        made = reading().scalar(select(Visit.id).where(Visit.once_key == form.once.data))
        if made is None:
            raise
        return made


def _plan_page(
    service: TradingService, school: School, form: PlanForm, *, needs_confirming: bool = False
) -> str:
    return render_template(
        "service/plan.html",
        navigation=service_menu(service),
        service=service,
        school=school,
        form=form,
        action=request.full_path,
        needs_confirming=needs_confirming,
    )


@blueprint.route("/<service>/visits/<int:visit_id>/move", methods=["GET", "POST"])
@in_service(Permission.PLAN_VISITS)
def move(service: TradingService, visit_id: int) -> str | tuple[str, int] | Response:
    """Move a visit to another time."""
    found = visit_in(reading(), visit_id, service_id=service.id)
    form = WhenForm()
    if not form.is_submitted():
        form.day.data, form.part.data = found.day, Part.TIMES.value
        form.starts.data, form.ends.data = _london(found.starts_at), _london(found.ends_at)

    def change() -> None:
        with transaction() as session:
            move_visit(
                session,
                visit_id,
                day=form.day.data,
                part=Part(form.part.data),
                starts=form.starts.data,
                ends=form.ends.data,
                anyway=bool(form.anyway.data),
                by=actor(),
                at=now(),
            )

    return _answer(service, found, form, change, "service/move.html", "The visit is moved.")


@blueprint.route("/<service>/visits/<int:visit_id>/reassign", methods=["GET", "POST"])
@in_service(Permission.PLAN_VISITS)
def reassign(service: TradingService, visit_id: int) -> str | tuple[str, int] | Response:
    """Give a visit to another officer."""
    found = visit_in(reading(), visit_id, service_id=service.id)
    form = ReassignForm()
    others = [one for one in officers(reading(), service.id, on=found.day) if one.id != found.officer_id]
    form.officer.choices = officer_choices(others)

    def change() -> None:
        with transaction() as session:
            reassign_visit(
                session,
                visit_id,
                officer_id=int(form.officer.data),
                anyway=bool(form.anyway.data),
                by=actor(),
                at=now(),
            )

    return _answer(service, found, form, change, "service/reassign.html", "The visit has another officer.")


@blueprint.route("/<service>/visits/<int:visit_id>/cancel", methods=["GET", "POST"])
@in_service(Permission.PLAN_VISITS)
def cancel(service: TradingService, visit_id: int) -> str | tuple[str, int] | Response:
    """Ask who cancels and when notice came, show what that costs, and cancel when that is confirmed."""
    found = visit_in(reading(), visit_id, service_id=service.id)
    form = CancelForm()
    preview: CancellationPreview | None = None
    if not form.is_submitted():
        form.notice_on.data, form.notice_time.data = today(), _london(now())
    if form.is_sent():
        try:
            preview = preview_cancellation(
                reading(), found, caused_by=form.caused_by.data, notice_at=_notice(form)
            )
        except Refused as error:
            form.refuse(error)
    if preview is not None and request.form.get("confirmed") != _figures(preview):
        return render_template(
            "service/cancel.html",
            navigation=service_menu(service),
            service=service,
            visit=found,
            form=form,
            preview=preview,
            figures=_figures(preview),
            again="confirmed" in request.form,
        )

    def change() -> None:
        with transaction() as session:
            cancel_visit(
                session,
                visit_id,
                caused_by=form.caused_by.data,
                reason=form.reason.data,
                notice_at=_notice(form),
                by=actor(),
                at=now(),
            )

    return _answer(service, found, form, change, "service/cancel.html", "The visit is cancelled.")


@blueprint.route("/<service>/visits/<int:visit_id>/no-access", methods=["GET", "POST"])
@in_service(Permission.PLAN_VISITS)
def visit_no_access(service: TradingService, visit_id: int) -> str | tuple[str, int] | Response:
    """Record for an officer that the school was not ready."""
    found = visit_in(reading(), visit_id, service_id=service.id)
    form = ReasonForm()

    def change() -> None:
        with transaction() as session:
            record_no_access(session, visit_id, reason=form.reason.data, by=actor(), at=now())

    preview = preview_no_access(reading(), found, on=today())
    return _answer(service, found, form, change, "service/no_access.html", "It is recorded.", preview=preview)


def _answer(
    service: TradingService,
    visit: Visit,
    form: BaseForm,
    change: Callable[[], None],
    template: str,
    done: str,
    **shown: object,
) -> str | tuple[str, int] | Response:
    """Do what the form asks and go back to the visit, or show the form with what is wrong."""
    status, needs_confirming = 200, False
    if form.is_sent():
        try:
            change()
            flash(done, "success")
            return redirect(url_for("service.visit", service=service.code, visit_id=visit.id), 303)
        except Refused as error:
            form.refuse(error)
            status, needs_confirming = error.status, isinstance(error, VisitNeedsConfirming)
    elif form.is_submitted():
        status = 422
    page = render_template(
        template,
        navigation=service_menu(service),
        service=service,
        visit=visit,
        form=form,
        needs_confirming=needs_confirming,
        **shown,
    )
    return (page, status) if status != 200 else page


def _notice(form: CancelForm) -> datetime:
    """Return when notice came; without a time, at the end of that day or now when that is today."""
    if form.notice_time.data is None:
        return min(now(), london_time(form.notice_on.data, time(23, 59)))
    return london_time(form.notice_on.data, form.notice_time.data)


def _figures(preview: CancellationPreview) -> str:
    """Return what was shown, so that nothing else is confirmed."""
    return f"{preview.clear_days}.{preview.per_cent}.{preview.charged.minutes}"


def _london(at: datetime) -> time:
    return at.astimezone(LONDON).time().replace(second=0, microsecond=0)
