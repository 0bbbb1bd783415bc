"""A service's visits: found and looked at; queries of schools settled."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.people.models import TradingService
from sla_manager.people.rules.roles import Permission
from sla_manager.visits.commands import settle_query
from sla_manager.visits.models import VisitStatus
from sla_manager.visits.queries import (
    PAGE_OF_VISITS,
    balances_with_booked,
    officers,
    visit_in,
    visit_record,
    visits_page,
)
from sla_manager.web.forms import (
    BaseForm,
    DateField,
    FilterForm,
    LongTextField,
    MinutesField,
    SelectField,
    choice,
)
from sla_manager.web.guard import in_service
from sla_manager.web.pages import actor, now, reading, today, transaction
from sla_manager.web.service import blueprint
from sla_manager.web.service.menu import service_menu
from sla_manager.web.visiting import booked_for, officer_choices


class VisitsFilter(FilterForm):
    """Which visits to list."""

    officer = SelectField("Officer")
    status = SelectField("Status")
    since = DateField("From")


class SettleForm(BaseForm):
    """What was decided on a school's query."""

    wording = LongTextField("What do you tell the school?", enter="Write what you decided")
    minutes = MinutesField(
        "Time to take off instead (leave empty to change nothing)",
        least=Minutes(0),
        hint="Enter 0 hours 0 minutes to give everything back.",
    )


@blueprint.get("/<service>/visits")
@in_service(Permission.SEE_SERVICE)
def visits(service: TradingService) -> str:
    """List visits from today on, or as the filter says, in pages."""
    form = VisitsFilter.of_request()
    form.officer.choices = [choice("", "Everybody"), *officer_choices(officers(reading(), service.id))[1:]]
    form.status.choices = [choice("", "Any"), *(choice(s.value, s.title) for s in VisitStatus)]
    if not request.args:
        form.since.data, form.status.data = today(), VisitStatus.PLANNED.value
    form.validate()
    officer, status = form.officer.data or "", form.status.data or ""
    found = visits_page(
        reading(),
        service.id,
        since=form.since.data,
        officer_id=int(officer) if officer.isdecimal() else None,
        status=VisitStatus(status) if status in list(VisitStatus) else None,
        after=request.args.get("after", ""),
    )
    kept: dict[str, Any] = {key: value for key, value in request.args.items() if key != "after"}
    if not kept:
        kept = {"since": today().isoformat(), "status": VisitStatus.PLANNED.value}
    more = (
        f"{found[PAGE_OF_VISITS - 1].day.isoformat()}.{found[PAGE_OF_VISITS - 1].id}"
        if len(found) > PAGE_OF_VISITS
        else ""
    )
    return render_template(
        "service/visits.html",
        navigation=service_menu(service),
        service=service,
        filter=form,
        visits=found[:PAGE_OF_VISITS],
        more=url_for("service.visits", service=service.code, **kept, after=more) if more else "",
    )


@blueprint.get("/<service>/visits/<int:visit_id>")
@in_service(Permission.SEE_SERVICE)
def visit(service: TradingService, visit_id: int) -> str:
    """Show a visit with everything that became of it."""
    return _page(service, visit_id, SettleForm())


@blueprint.post("/<service>/visits/<int:visit_id>/settle")
@in_service(Permission.PLAN_VISITS)
def settle(service: TradingService, visit_id: int) -> tuple[str, int] | Response:
    """Settle a query with words, and where the school is right, with time given back."""
    visit_in(reading(), visit_id, service_id=service.id)
    form, status = SettleForm(), 422
    if form.is_sent():
        typed = form.minutes.typed or {}
        minutes = form.minutes.data if any(typed.values()) else None
        try:
            with transaction() as session:
                settle_query(
                    session, visit_id, wording=form.wording.data, minutes=minutes, by=actor(), at=now()
                )
            flash("The query is settled. The school reads what you wrote.", "success")
            return redirect(url_for("service.visit", service=service.code, visit_id=visit_id), 303)
        except Refused as error:
            form.refuse(error)
            status = error.status
    return _page(service, visit_id, form), status


def _page(service: TradingService, visit_id: int, form: SettleForm) -> str:
    session = reading()
    found = visit_in(session, visit_id, service_id=service.id)
    balance = None
    if found.tranche is not None:
        rows = balances_with_booked(session, agreement_id=found.tranche.line.agreement_id)
        balance = next((row for row in rows if row.tranche.tranche_id == found.tranche_id), None)
    return render_template(
        "service/visit.html",
        navigation=service_menu(service),
        service=service,
        visit=found,
        record=visit_record(session, found),
        balance=balance,
        booked_for=booked_for(found),
        form=form,
        planned=found.status is VisitStatus.PLANNED,
        begun=found.starts_at <= now(),
    )
