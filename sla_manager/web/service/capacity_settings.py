"""What is kept free for the core offer and the team in a year: each figure with its why."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.quantities import PLACES, minutes_of
from sla_manager.people.models import TradingService
from sla_manager.people.rules.roles import Permission
from sla_manager.planning.commands import set_capacity
from sla_manager.planning.queries import capacity_plan, settings_of
from sla_manager.planning.queries.capacity import open_schools
from sla_manager.planning.rules.capacity import CapacitySettings
from sla_manager.web import display
from sla_manager.web.forms import (
    BaseForm,
    ChoiceField,
    LongTextField,
    MinutesField,
    QuantityField,
    WholeNumberField,
    choice,
)
from sla_manager.web.guard import in_service
from sla_manager.web.pages import actor, now, reading, transaction
from sla_manager.web.service import blueprint
from sla_manager.web.service.capacity import chosen_year
from sla_manager.web.service.menu import service_menu

TIMES = ("court", "duty_rota", "audits", "training", "supervision", "planned_leave")
_DAYS: dict[str, Any] = {"least": Decimal(0), "most": Decimal(20_000), "unit": "days"}
_NONE = "Enter a number of days, 0 if there are none"


class CapacityForm(BaseForm):
    """The settings of a year. Days are of all officers together."""

    day_length = MinutesField(
        "How long is a day?", hint="Longer working days count as one of these: the rest is breaks.",
        least=Minutes(60), most=Minutes(720), enter="Enter how long a day is",
    )  # fmt: skip
    every_school = ChoiceField("Which schools have their meeting each term?", enter="Choose which schools")
    schools = WholeNumberField("How many schools?", hint="Only if you enter a number", least=Decimal(0))
    meeting = MinutesField(
        "One targeting support meeting, with preparation",
        hint="Every school has one a term, bought or not. Count preparing, meeting, notes and travel.",
        enter="Enter how long one takes",
    )
    court = QuantityField("Court and prosecutions", hint="Days a year. Booked court days count against it.",
                          enter=_NONE, **_DAYS)  # fmt: skip
    duty_rota = QuantityField("Duty rota", hint="Days a year that officers answer calls and emails.",
                              enter=_NONE, **_DAYS)  # fmt: skip
    audits = QuantityField("Statutory audits", hint="Days a year for register and penalty notice audits.",
                           enter=_NONE, **_DAYS)  # fmt: skip
    training = QuantityField("Officers’ own training", hint="Days a year. Booked training counts against it.",
                             enter=_NONE, **_DAYS)  # fmt: skip
    supervision = QuantityField("Supervision and team meetings", enter=_NONE,
                                hint="Days a year. Booked supervision counts against it.", **_DAYS)  # fmt: skip
    planned_leave = QuantityField("Leave in term time", hint="Days a year. Booked leave counts against it.",
                                  enter=_NONE, **_DAYS)  # fmt: skip
    note = LongTextField("Where do these figures come from?", hint="For whoever sets next year’s (optional).",
                         longest=2_000, look={"rows": 3})  # fmt: skip


@blueprint.route("/<service>/capacity/settings", methods=["GET", "POST"])
@in_service(Permission.DECIDE_ORDERS)
def capacity_settings(service: TradingService) -> str | tuple[str, int] | Response:
    """Set what a year is counted with."""
    year, code, service_id = chosen_year(), service.code, service.id
    plan, status = capacity_plan(reading(), service.id, year), 200
    form = CapacityForm()
    _offer(form, service, open_schools(reading(), year))
    if form.is_sent():
        try:
            wanted = _read(form)
            typed = request.form.get("version", "")
            with transaction() as session:
                set_capacity(
                    session,
                    service_id,
                    year,
                    settings=wanted,
                    every_school=form.every_school.data == "every",
                    note=form.note.data or "",
                    expected_version=int(typed) if typed.isdecimal() and len(typed) < 9 else -1,
                    by=actor(),
                    at=now(),
                )
            flash(f"The capacity of {year} is set. New orders are measured by it.", "success")
            return redirect(url_for("service.capacity_board", service=code, year=str(year)), 303)
        except Refused as error:
            form.refuse(error)
            status = error.status
    elif form.is_submitted():
        status = 422
    page = render_template(
        "service/capacity_settings.html",
        navigation=service_menu(service),
        service=service,
        year=year,
        plan=plan,
        form=form,
    )
    return (page, status) if status != 200 else page


def _offer(form: CapacityForm, service: TradingService, schools: int) -> None:
    form.every_school.choices = [
        choice("every", f"Every open school of the authority ({display.number(schools)} now)"),
        choice("number", "A number that I enter"),
    ]
    if form.is_submitted():
        return
    year = chosen_year()
    plan = capacity_plan(reading(), service.id, year)
    held = settings_of(reading(), service.id, year)
    form.day_length.data, form.meeting.data = held.day_length, held.meeting
    form.every_school.data = "number" if plan is not None and plan.schools is not None else "every"
    form.schools.data = plan.schools if plan is not None else None
    form.note.data = plan.note if plan is not None else ""
    for name in TIMES:
        form[name].data = _in_days(getattr(held, name), held.day_length)


def _in_days(minutes: Minutes, day: Minutes) -> Decimal:
    exact = minutes.in_units(day)
    return (Decimal(exact.numerator) / exact.denominator).quantize(Decimal(1).scaleb(-PLACES), ROUND_HALF_UP)


def _read(form: CapacityForm) -> CapacitySettings:
    day = form.day_length.data
    if form.every_school.data == "number" and form.schools.data is None:
        raise Refused("Enter how many schools have a meeting each term.", field="schools")
    times = {}
    for name in TIMES:
        try:
            times[name] = minutes_of(form[name].data, day)
        except Refused:
            raise Refused(
                f"{display.number(form[name].data)} days of {display.hours(day)} are no whole minutes. "
                "Enter days or half days, like 4.5.",
                field=name,
            ) from None
    return CapacitySettings(
        day_length=day, meeting=form.meeting.data, schools=form.schools.data or 0, **times
    )
