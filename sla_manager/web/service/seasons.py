"""Seasons: planned, changed, prepared in the background with a page that shows how far it is, and closed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sla_manager.agreements.commands.seasons import (
    change_season,
    close_season,
    plan_season,
    request_renewals,
)
from sla_manager.agreements.models import Season
from sla_manager.agreements.queries.policies import agreement_policy
from sla_manager.agreements.queries.seasons import preparation, season_by_id, seasons
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.seasons import SeasonDates
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.periods import FinancialYear
from sla_manager.people.models import TradingService
from sla_manager.people.queries import the_provider
from sla_manager.people.rules.roles import Permission
from sla_manager.web.forms import (
    BaseForm,
    CheckboxField,
    ChoiceField,
    DateField,
    WholeNumberField,
    choice,
)
from sla_manager.web.guard import in_service
from sla_manager.web.pages import actor, expect_version, now, reading, today, transaction
from sla_manager.web.service import blueprint
from sla_manager.web.service.menu import service_menu

RELOAD_SECONDS = 3


class SeasonForm(BaseForm):
    """What is sold, when it is bought, and what each renewal proposes."""

    starts_on = DateField("First day that you sell", enter="Enter the first day that you sell")
    ends_on = DateField("Last day that you sell", enter="Enter the last day that you sell")
    builds_from = DateField(
        "Schools see their renewal from",
        hint="They can look at it and change it, but not order yet.",
        enter="Enter from when schools see their renewal",
    )
    submit_from = DateField("Schools can order from", enter="Enter from when schools can order")
    due_by = DateField(
        "Orders are due by",
        hint="Later orders are taken until the first day that you sell, and marked as late.",
        enter="Enter by when orders are due",
    )
    schedule = ChoiceField(
        "How is it paid?",
        hint="A school that paid in another way last year keeps its own way.",
        choices=[choice(one.value, one.title) for one in Schedule],
        enter="Choose how it is paid",
    )
    notice_months = WholeNumberField(
        "Months of notice",
        hint="With 0 an agreement runs to its last day.",
        enter="Enter how many months, or 0",
        look={"classes": "govuk-input--width-2"},
    )
    renews = CheckboxField("The new agreements renew by themselves for another year unless notice is given")


class ActForm(BaseForm):
    """A button alone."""


@blueprint.get("/<service>/seasons")
@in_service(Permission.SEE_SERVICE)
def season_list(service: TradingService) -> str:
    """List the seasons, the latest first."""
    return render_template(
        "service/seasons.html",
        navigation=service_menu(service),
        service=service,
        seasons=seasons(reading(), service.id),
        today=today(),
    )


@blueprint.route("/<service>/seasons/new", methods=["GET", "POST"])
@in_service(Permission.DECIDE_ORDERS)
def new_season(service: TradingService) -> ResponseReturnValue:
    """Ask for the dates of a season; next year's stand there already."""
    form = SeasonForm()
    if not form.is_submitted():
        _propose(form, service)
    if form.is_sent():
        try:
            service_id, code = service.id, service.code
            with transaction() as session:
                made = plan_season(session, service_id=service_id, by=actor(), at=now(), **_wanted(form))
            flash(f"The season {made.name} is planned.", "success")
            return redirect(url_for("service.season", service=code, season_id=made.id), 303)
        except Refused as error:
            form.refuse(error)
    return _form_page(service, form, None)


@blueprint.route("/<service>/seasons/<int:season_id>/change", methods=["GET", "POST"])
@in_service(Permission.DECIDE_ORDERS)
def edit_season(service: TradingService, season_id: int) -> ResponseReturnValue:
    """Change the dates of a season, or what its renewals propose."""
    found = season_by_id(reading(), season_id, service_id=service.id)
    form = SeasonForm(obj=found)
    if not form.is_submitted():
        form.schedule.data = found.schedule.value
    if form.is_sent():
        try:
            code = service.code
            expect_version(request.form.get("version"), found.version)
            with transaction() as session:
                change_season(
                    session, season_id, version=found.version, by=actor(), at=now(), **_wanted(form)
                )
            flash("The season is changed. Renewals that were prepared keep their own text.", "success")
            return redirect(url_for("service.season", service=code, season_id=season_id), 303)
        except Refused as error:
            form.refuse(error)
    return _form_page(service, form, found)


def _form_page(service: TradingService, form: SeasonForm, found: Season | None) -> ResponseReturnValue:
    page = render_template(
        "service/season_form.html",
        navigation=service_menu(service),
        service=service,
        form=form,
        season=found,
    )
    return page, 422 if form.is_submitted() else 200


def _wanted(form: SeasonForm) -> dict[str, Any]:
    return {
        "dates": SeasonDates(
            starts_on=form.starts_on.data,
            ends_on=form.ends_on.data,
            builds_from=form.builds_from.data,
            submit_from=form.submit_from.data,
            due_by=form.due_by.data,
        ),
        "schedule": Schedule(form.schedule.data),
        "notice_months": form.notice_months.data,
        "renews": bool(form.renews.data),
    }


def _propose(form: SeasonForm, service: TradingService) -> None:
    """Propose the next financial year: seen now, ordered two weeks on, due a fortnight before it begins."""
    session = reading()
    month = the_provider(session).financial_year_start_month
    year = FinancialYear.of(today(), start_month=month).next()
    due_by = max(year.period.start - timedelta(days=14), today())
    form.starts_on.data, form.ends_on.data = year.period.start, year.period.last
    form.builds_from.data = today()
    form.submit_from.data = min(today() + timedelta(days=14), due_by)
    form.due_by.data = due_by
    form.schedule.data = Schedule.THREE.value
    policy = agreement_policy(session, service.id)
    form.notice_months.data, form.renews.data = policy.notice_months, policy.renews


@blueprint.post("/<service>/seasons/<int:season_id>/prepare")
@in_service(Permission.DECIDE_ORDERS)
def prepare_season(service: TradingService, season_id: int) -> ResponseReturnValue:
    """Ask for the renewals of every school; the worker prepares them, and the next page shows how far it is."""
    season_by_id(reading(), season_id, service_id=service.id)
    code = service.code
    if ActForm().is_sent():
        with transaction() as session:
            request_renewals(session, season_id, by=actor(), at=now())
    return redirect(url_for("service.season_progress", service=code, season_id=season_id), 303)


@blueprint.get("/<service>/seasons/<int:season_id>/progress")
@in_service(Permission.SEE_SERVICE)
def season_progress(service: TradingService, season_id: int) -> Response:
    """Show how many renewals are prepared; the page loads itself again until all are, unless it is told to stay."""
    session = reading()
    found = season_by_id(session, season_id, service_id=service.id)
    reload = RELOAD_SECONDS if found.is_being_prepared and request.args.get("stay") != "yes" else 0
    page = render_template(
        "service/season_progress.html",
        navigation=service_menu(service),
        service=service,
        season=found,
        done=preparation(session, found),
        reload=reload,
    )
    return Response(page, headers={"Refresh": str(reload)} if reload else {})


@blueprint.route("/<service>/seasons/<int:season_id>/close", methods=["GET", "POST"])
@in_service(Permission.DECIDE_ORDERS)
def end_season(service: TradingService, season_id: int) -> ResponseReturnValue:
    """Confirm that a season is over, then close it."""
    found = season_by_id(reading(), season_id, service_id=service.id)
    form = ActForm()
    if form.is_sent():
        code = service.code
        with transaction() as session:
            close_season(session, season_id, by=actor(), at=now())
        flash(f"The season {found.name} is closed. Nobody is reminded any more.", "success")
        return redirect(url_for("service.season", service=code, season_id=season_id), 303)
    return render_template(
        "service/season_close.html",
        navigation=service_menu(service),
        service=service,
        season=found,
        form=form,
    )
