"""Agreements that renew by themselves: until when notice can be given, and notice that came on paper."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sla_manager.agreements.commands.notices import give_notice
from sla_manager.agreements.queries import agreement as one_agreement
from sla_manager.agreements.queries.renewing import PAGE, renewing_agreement, renewing_agreements
from sla_manager.agreements.rules.renewing import next_period
from sla_manager.kernel.errors import Refused
from sla_manager.people.models import TradingService
from sla_manager.people.rules.roles import Permission
from sla_manager.web.forms import BaseForm, DateField, LongTextField, TextField
from sla_manager.web.guard import in_service
from sla_manager.web.pages import actor, now, reading, today, transaction
from sla_manager.web.service import blueprint
from sla_manager.web.service.menu import service_menu


class PaperNoticeForm(BaseForm):
    """Notice that came by letter or mail."""

    given_on = DateField("When did the notice come?", enter="Enter the day on which the notice came")
    given_by = TextField("Who gave it?", enter="Enter who gave the notice", longest=200)
    reason = LongTextField("Why? (optional)", longest=2000, look={"rows": 3})


@blueprint.get("/<service>/renewing")
@in_service(Permission.SEE_SERVICE)
def renewing(service: TradingService) -> str:
    """List the agreements that renew by themselves, with their last day for notice."""
    after = request.args.get("after", "")
    rows = renewing_agreements(
        reading(),
        today=today(),
        service_id=service.id,
        after=int(after) if after.isdecimal() and len(after) < 12 else 0,
        limit=PAGE + 1,
    )
    return render_template(
        "service/renewing.html",
        navigation=service_menu(service),
        service=service,
        rows=rows[:PAGE],
        more=rows[PAGE - 1].agreement.id if len(rows) > PAGE else None,
        is_first=not after,
        today=today(),
    )


@blueprint.route("/<service>/agreements/<int:agreement_id>/renewing", methods=["GET", "POST"])
@in_service(Permission.DECIDE_ORDERS)
def paper_notice(service: TradingService, agreement_id: int) -> ResponseReturnValue:
    """Record a notice of not renewing that the school gave on paper."""
    session = reading()
    found = one_agreement(session, agreement_id, service_id=service.id)
    standing = renewing_agreement(session, found)
    form, status = PaperNoticeForm(), 200
    if not form.is_submitted():
        form.given_on.data = today()
    if form.is_sent():
        try:
            code = service.code
            with transaction() as change:
                give_notice(
                    change,
                    agreement_id,
                    given_on=form.given_on.data,
                    given_by=form.given_by.data,
                    reason=form.reason.data or "",
                    by=actor(),
                    at=now(),
                )
            flash(f"The notice is recorded: {found.reference} does not renew.", "success")
            return redirect(url_for("service.renewing", service=code), 303)
        except Refused as error:
            form.refuse(error)
    if form.is_submitted():
        status = 422
    page = render_template(
        "service/stop_renewing.html",
        navigation=service_menu(service),
        service=service,
        agreement=found,
        standing=standing,
        until=next_period(found.ends_on).last,
        form=form,
    )
    return page, status
