"""A visit of mine: where, what for, what is left; logging it in under a minute; nobody let me in."""

from __future__ import annotations

from typing import Any

import wtforms
from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sla_manager.agreements.models import AgreementLine
from sla_manager.catalogue.rules.families import CoreDuty, Family
from sla_manager.kernel.errors import Refused
from sla_manager.people.rules.roles import Permission
from sla_manager.visits.commands import log_delivery, record_no_access
from sla_manager.visits.models import ActivityKind, Visit, VisitStatus
from sla_manager.visits.queries import (
    BookedBalance,
    balances_with_booked,
    preview_no_access,
    visit_in,
    visit_record,
)
from sla_manager.visits.rules.deliveries import MOST_ACTIVITIES, ActivityDone
from sla_manager.web.forms import (
    BaseForm,
    LongTextField,
    MinutesField,
    PartForm,
    SelectField,
    TextField,
    WholeNumberField,
    choice,
)
from sla_manager.web.guard import permitted
from sla_manager.web.officer import blueprint
from sla_manager.web.officer.diary import my_officer, officer_menu
from sla_manager.web.pages import actor, now, reading, today, transaction
from sla_manager.web.visiting import booked_for

BOUGHT = "bought"


class ActivityForm(PartForm):
    """One part of the time: free core under its duty, or bought."""

    what = SelectField("What for")
    kind = SelectField("Kind of work", choices=[choice(kind.value, kind.title) for kind in ActivityKind])
    minutes = MinutesField("Time")
    cases = WholeNumberField("Cases (if any)", least=0)
    description = TextField("What you did (if it needs saying)", longest=500)


class DeliveryForm(BaseForm):
    """What was given at a visit. Rows without a time are left out."""

    activities = wtforms.FieldList(wtforms.FormField(ActivityForm), max_entries=MOST_ACTIVITIES)
    note = LongTextField(
        "Note for the school (if it needs one)",
        hint="Say how many pupils, never who. The school reads this.",
        look={"rows": 3},
    )


class NoAccessForm(BaseForm):
    """Why the visit could not happen; the school reads it."""

    reason = LongTextField(
        "What happened?",
        enter="Write what happened: the school reads it",
        hint="For example: nobody at reception knew of the visit, I waited until 9:40am.",
        look={"rows": 4},
    )


@blueprint.get("/visits/<int:visit_id>")
@permitted(Permission.SEE_OWN_DIARY)
def visit(visit_id: int) -> str:
    """Show one of my visits."""
    found = visit_in(reading(), visit_id, officer_id=my_officer().id)
    return render_template(
        "officer/visit.html",
        navigation=officer_menu(),
        visit=found,
        record=visit_record(reading(), found),
        balance=balance_of(found),
        booked_for=booked_for(found),
        may_log=found.status is VisitStatus.PLANNED and found.starts_at <= now(),
    )


@blueprint.route("/visits/<int:visit_id>/log", methods=["GET", "POST"])
@permitted(Permission.LOG_DELIVERY)
def log_visit(visit_id: int) -> str | tuple[str, int] | Response:
    """Log what was given: filled from the booking, split by adding rows, without any JavaScript."""
    found = visit_in(reading(), visit_id, officer_id=my_officer().id)
    form, status = DeliveryForm(), 200
    if not form.is_submitted():
        if found.status is not VisitStatus.PLANNED:
            return redirect(url_for("officer.visit", visit_id=visit_id))
        _prefill(form, found)
    _choices(form, found)
    if request.form.get("add"):
        if len(form.activities.entries) < MOST_ACTIVITIES:
            form.activities.append_entry({"what": _usual(found)})
        _choices(form, found)
    elif form.is_sent():
        try:
            with transaction() as session:
                log_delivery(
                    session,
                    visit_id,
                    activities=done(form, found),
                    note=form.note.data or "",
                    by=actor(),
                    at=now(),
                )
            flash(f"The visit at {found.school.name} is logged.", "success")
            return redirect(url_for("officer.visit", visit_id=visit_id), 303)
        except Refused as error:
            form.refuse(error)
            status = error.status
    elif form.is_submitted():
        status = 422
    page = render_template(
        "officer/log.html",
        navigation=officer_menu(),
        visit=found,
        form=form,
        balance=balance_of(found),
        booked_for=booked_for(found),
    )
    return (page, status) if status != 200 else page


@blueprint.route("/visits/<int:visit_id>/no-access", methods=["GET", "POST"])
@permitted(Permission.LOG_DELIVERY)
def no_access(visit_id: int) -> str | tuple[str, int] | Response:
    """Record that the school was not ready, after saying what that costs it."""
    found = visit_in(reading(), visit_id, officer_id=my_officer().id)
    form, status = NoAccessForm(), 200
    if form.is_sent():
        try:
            with transaction() as session:
                record_no_access(session, visit_id, reason=form.reason.data, by=actor(), at=now())
            flash("It is recorded. The school sees what you wrote.", "success")
            return redirect(url_for("officer.visit", visit_id=visit_id), 303)
        except Refused as error:
            form.refuse(error)
            status = error.status
    elif form.is_submitted():
        status = 422
    preview = preview_no_access(reading(), found, on=today())
    page = render_template(
        "officer/no_access.html", navigation=officer_menu(), visit=found, form=form, preview=preview
    )
    return (page, status) if status != 200 else page


def balance_of(visit: Visit) -> BookedBalance | None:
    """Return what is left of what a visit uses; None for core."""
    if visit.tranche is None:
        return None
    rows = balances_with_booked(reading(), agreement_id=visit.tranche.line.agreement_id)
    return next((row for row in rows if row.tranche.tranche_id == visit.tranche_id), None)


def done(form: DeliveryForm, visit: Visit) -> list[ActivityDone]:
    """Return the activities of the form, rows without a time left out."""
    line = visit.tranche.line if visit.tranche is not None else None
    return [_activity(row.form, line) for row in form.activities.entries if row.form.minutes.data]


def _activity(row: Any, line: AgreementLine | None) -> ActivityDone:
    duty = None if row.what.data == BOUGHT else CoreDuty(row.what.data)
    family = Family.CORE if duty is not None or line is None else line.family
    return ActivityDone(
        kind=row.kind.data,
        family=family,
        duty=duty,
        minutes=row.minutes.data,
        cases=row.cases.data or 0,
        description=row.description.data or "",
    )


def _usual(visit: Visit) -> str:
    return visit.duty.value if visit.duty is not None else BOUGHT


def _prefill(form: DeliveryForm, visit: Visit) -> None:
    """Fill the first row from the booking, so that an ordinary visit needs one press."""
    form.activities.append_entry({"what": _usual(visit), "kind": "work", "minutes": visit.booked})


def _choices(form: DeliveryForm, visit: Visit) -> None:
    """Offer free core first, then what was bought; a core visit has nothing bought to offer."""
    options = [choice(duty.value, f"Free core: {duty.title.lower()}") for duty in CoreDuty]
    if visit.tranche is not None:
        options.append(choice(BOUGHT, f"Bought: {visit.tranche.line.description}"))
    for row in form.activities.entries:
        row.form.what.choices = options
