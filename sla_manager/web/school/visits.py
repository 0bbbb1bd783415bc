"""A school's visits: what comes, what was delivered, what it says of it, extra time to decide."""

from __future__ import annotations

from datetime import date

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.people.models import School
from sla_manager.people.rules.roles import Permission
from sla_manager.visits.commands import decide_extra_time, respond_to_delivery
from sla_manager.visits.models import ExtraTime, VisitStatus
from sla_manager.visits.queries import (
    awaiting_school,
    next_visits,
    past_visits,
    targeting_support_meetings,
    visit_in,
    visit_record,
)
from sla_manager.web.forms import BaseForm, LongTextField
from sla_manager.web.guard import in_school, may
from sla_manager.web.pages import actor, now, reading, today, transaction
from sla_manager.web.school import blueprint
from sla_manager.web.school.home import school_menu
from sla_manager.web.visiting import booked_for

PAGE = 20


class QueryForm(BaseForm):
    """What is wrong with what was logged."""

    wording = LongTextField(
        "What is wrong?",
        enter="Write what is wrong, for example the time or the work",
        hint="Never write a pupil's name or number.",
        look={"rows": 4},
    )


@blueprint.get("/<int:urn>/visits")
@in_school(Permission.SEE_SCHOOL)
def visits(school: School) -> str:
    """Show what waits, what comes and what was delivered."""
    session = reading()
    past = past_visits(session, school.id, before=_before(), limit=PAGE + 1)
    last = past[PAGE - 1].visit if len(past) > PAGE else None
    meetings = targeting_support_meetings(session, today=today(), school_ids=[school.id])
    return render_template(
        "school/visits.html",
        navigation=school_menu(school),
        school=school,
        first=_before() is None,
        awaiting=awaiting_school(session, school.id),
        coming=next_visits(session, school.id, today(), limit=20),
        past=past[:PAGE],
        older=f"{last.day.isoformat()}.{last.id}" if last else "",
        meeting=meetings[0] if meetings else None,
        booked_for=booked_for,
    )


@blueprint.get("/<int:urn>/visits/<int:visit_id>")
@in_school(Permission.SEE_SCHOOL)
def visit(school: School, visit_id: int) -> str:
    """Show one visit: what was delivered, what it took, and what the school said."""
    return _page(school, visit_id, QueryForm())


@blueprint.post("/<int:urn>/visits/<int:visit_id>/agree")
@in_school(Permission.RESPOND_TO_VISIT)
def agree(school: School, visit_id: int) -> Response:
    """Agree what was logged."""
    visit_in(reading(), visit_id, school_id=school.id)
    with transaction() as session:
        respond_to_delivery(session, visit_id, answer="agree", by=actor(), at=now())
    flash("Thank you. You agreed this visit.", "success")
    return redirect(url_for("school.visits", urn=school.urn), 303)


@blueprint.post("/<int:urn>/visits/<int:visit_id>/query")
@in_school(Permission.RESPOND_TO_VISIT)
def query(school: School, visit_id: int) -> tuple[str, int] | Response:
    """Query what was logged: the service manager sees it and answers."""
    visit_in(reading(), visit_id, school_id=school.id)
    form, status = QueryForm(), 422
    if form.is_sent():
        try:
            with transaction() as session:
                respond_to_delivery(
                    session, visit_id, answer="query", wording=form.wording.data, by=actor(), at=now()
                )
            flash("Your query is sent. The service manager will answer here.", "success")
            return redirect(url_for("school.visit", urn=school.urn, visit_id=visit_id), 303)
        except Refused as error:
            form.refuse(error)
            status = error.status
    return _page(school, visit_id, form), status


@blueprint.get("/<int:urn>/extra-time/<int:extra_time_id>")
@in_school(Permission.SEE_SCHOOL)
def extra_time(school: School, extra_time_id: int) -> str:
    """Show extra time with what approving and declining it will bring."""
    return render_template(
        "school/extra_time.html",
        navigation=school_menu(school),
        school=school,
        extra=_extra(school, extra_time_id),
        form=BaseForm(),
        may_decide=may(Permission.APPROVE_EXTRA_TIME),
    )


@blueprint.post("/<int:urn>/extra-time/<int:extra_time_id>/approve")
@in_school(Permission.APPROVE_EXTRA_TIME)
def approve_extra_time(school: School, extra_time_id: int) -> Response:
    """Approve extra time: it will be charged."""
    return _decide(school, extra_time_id, approve=True)


@blueprint.post("/<int:urn>/extra-time/<int:extra_time_id>/decline")
@in_school(Permission.APPROVE_EXTRA_TIME)
def decline_extra_time(school: School, extra_time_id: int) -> Response:
    """Decline extra time: it is never charged."""
    return _decide(school, extra_time_id, approve=False)


def _decide(school: School, extra_time_id: int, *, approve: bool) -> Response:
    _extra(school, extra_time_id)
    with transaction() as session:
        decide_extra_time(session, extra_time_id, approve=approve, by=actor(), at=now())
    done = "approved. It will be on a later invoice" if approve else "declined. It will not be charged"
    flash(f"The extra time is {done}.", "success")
    return redirect(url_for("school.visits", urn=school.urn), 303)


def _extra(school: School, extra_time_id: int) -> ExtraTime:
    """Return extra time of this school that waits; decided or another's is not there."""
    waiting = awaiting_school(reading(), school.id).extra_time
    found = next((extra for extra in waiting if extra.id == extra_time_id), None)
    if found is None:
        raise NotFound()
    return found


def _page(school: School, visit_id: int, form: QueryForm) -> str:
    session = reading()
    found = visit_in(session, visit_id, school_id=school.id)
    return render_template(
        "school/visit.html",
        navigation=school_menu(school),
        school=school,
        visit=found,
        record=visit_record(session, found),
        booked_for=booked_for(found),
        form=form,
        may_answer=may(Permission.RESPOND_TO_VISIT) and found.status is not VisitStatus.PLANNED,
    )


def _before() -> tuple[date, int] | None:
    day, _, visit_id = request.args.get("before", "").partition(".")
    try:
        return (date.fromisoformat(day), int(visit_id)) if visit_id.isdecimal() else None
    except ValueError:
        return None
