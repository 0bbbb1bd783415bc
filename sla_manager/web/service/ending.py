"""Ending an agreement early: asked, shown with its figures and visits, then confirmed."""

from __future__ import annotations

from datetime import date

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sla_manager.agreements.models import Agreement
from sla_manager.agreements.queries import agreement as one_agreement
from sla_manager.billing.commands.ending import end_of, terminate_agreement
from sla_manager.billing.queries.endings import EndingPreview, ending_preview
from sla_manager.kernel.errors import Refused
from sla_manager.people.models import TradingService
from sla_manager.people.rules.roles import Permission
from sla_manager.web.forms import BaseForm, ChoiceField, DateField, LongTextField, TextField, choice, once_key
from sla_manager.web.guard import in_service
from sla_manager.web.pages import actor, now, reading, today, transaction
from sla_manager.web.service import blueprint
from sla_manager.web.service.menu import service_menu

WAYS = {
    "school": ("notice", "school", "The school gave notice"),
    "council": ("notice", "council", "We give notice"),
    "consent": ("consent", "both", "Both sides consent to another day"),
}


class EndForm(BaseForm):
    """How, when and why an agreement ends before its last day."""

    way = ChoiceField("How does it end?", enter="Choose how it ends")
    notice_on = DateField("On which day was notice given, or consent?", enter="Enter the day of the notice")
    ends_on = DateField("Last day (only when both sides consent)", hint="Notice decides it by itself.")
    name = TextField("Who gave notice or consent?", enter="Enter the person’s name", longest=120)
    role = TextField("In what role?", enter="Enter the role, like Head teacher", longest=80)
    reason = LongTextField("Reason", enter="Write why, it stands in the agreement’s history")
    once = once_key()


@blueprint.route("/<service>/agreements/<int:agreement_id>/end", methods=["GET", "POST"])
@in_service(Permission.VARY_AGREEMENTS)
def end_agreement(service: TradingService, agreement_id: int) -> str | tuple[str, int] | Response:
    """Ask how it ends, show what will follow, then end it: the same form twice, the second time confirmed."""
    found = one_agreement(reading(), agreement_id, service_id=service.id)
    form, preview, status = EndForm(), None, 200
    form.way.choices = [choice(key, title) for key, (_, _, title) in WAYS.items()]
    if not form.is_submitted():
        form.notice_on.data = today()
        form.way.data = "school" if found.notice_months else "consent"
    if form.is_sent():
        try:
            last = _last_day(found, form)
            preview = ending_preview(reading(), found.id, ends_on=last)
            if request.form.get("confirmed") == "yes":
                return _ended(service, found, form)
        except Refused as error:
            form.refuse(error)
            status = error.status
    if form.is_submitted() and preview is None:
        status = 422
    page = render_template(
        "service/end_agreement.html",
        navigation=service_menu(service),
        service=service,
        agreement=one_agreement(reading(), agreement_id, service_id=service.id),
        form=form,
        preview=_fresh(found, form) if preview is not None else None,
    )
    return page, status


def _last_day(found: Agreement, form: EndForm) -> date:
    cause, _, _ = WAYS[form.way.data]
    last = end_of(found, cause=cause, notice_on=form.notice_on.data, ends_on=form.ends_on.data)
    if not found.starts_on <= last < found.ends_on:
        raise Refused("The last day lies inside the agreement. Choose another.", field="ends_on")
    return last


def _fresh(found: Agreement, form: EndForm) -> EndingPreview:
    """Return the figures of this moment: a refused confirmation shows what they are now."""
    return ending_preview(reading(), found.id, ends_on=_last_day(found, form))


def _ended(service: TradingService, found: Agreement, form: EndForm) -> Response:
    cause, given_by, _ = WAYS[form.way.data]
    code = service.code
    with transaction() as session:
        termination = terminate_agreement(
            session,
            found.id,
            cause=cause,
            given_by=given_by,
            notice_on=form.notice_on.data,
            ends_on=form.ends_on.data,
            name=form.name.data,
            role=form.role.data,
            reason=form.reason.data,
            seen_sha256=request.form.get("seen", ""),
            by=actor(),
            at=now(),
            once_key=form.once.data,
        )
        last = termination.ends_on
    flash(f"{found.reference} ends on {last:%-d %B %Y}.", "success")
    return redirect(url_for("service.agreement", service=code, agreement_id=found.id), 303)
