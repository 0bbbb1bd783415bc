"""A service's agreements: found, read, varied."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sla_manager.agreements.models import Agreement, AgreementLine
from sla_manager.agreements.queries import (
    acceptance_of,
    agreements_page,
    instalments,
    ledger,
    variations,
    version_files,
    versions,
)
from sla_manager.agreements.queries import (
    agreement as one_agreement,
)
from sla_manager.agreements.queries.lists import PAGE
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.people.models import TradingService
from sla_manager.people.rules.roles import Permission
from sla_manager.visits.commands import vary_agreement
from sla_manager.visits.queries import balances_with_booked, variation_preview
from sla_manager.web.downloads import agreement_pdf
from sla_manager.web.forms import BaseForm, DateField, LongTextField, QuantityField, once_key
from sla_manager.web.guard import in_service
from sla_manager.web.paces import paced
from sla_manager.web.pages import actor, now, reading, today, transaction
from sla_manager.web.service import blueprint
from sla_manager.web.service.menu import service_menu


class VariationForm(BaseForm):
    """A dated change of one line's quantity."""

    quantity = QuantityField(
        "Change of quantity",
        hint="Write -2 for two fewer, 3 for three more.",
        enter="Enter by how many it changes, like 3 or -2",
    )
    effective_on = DateField("From which day?", enter="Enter the day from which it holds")
    reason = LongTextField("Reason", enter="Write why, it stands in the agreement's history")
    once = once_key()


@blueprint.get("/<service>/agreements")
@in_service(Permission.SEE_SERVICE)
def agreements(service: TradingService) -> str:
    """List agreements, the latest first, in pages."""
    wanted = request.args.get("status", "")
    statuses = [status for status in AgreementStatus if status.value == wanted]
    before = request.args.get("before", "")
    rows = agreements_page(
        reading(),
        service_id=service.id,
        statuses=statuses,
        before=int(before) if before.isdecimal() else None,
    )
    return render_template(
        "service/agreements.html",
        navigation=service_menu(service),
        service=service,
        rows=rows[:PAGE],
        older=rows[PAGE - 1].id if len(rows) > PAGE else None,
        is_first=not before.isdecimal(),
        statuses=list(AgreementStatus),
        wanted=wanted,
    )


@blueprint.get("/<service>/agreements/<int:agreement_id>")
@in_service(Permission.SEE_SERVICE)
def agreement(service: TradingService, agreement_id: int) -> str:
    """Show one agreement with its tranches, what is left and its history."""
    session = reading()
    found = one_agreement(session, agreement_id, service_id=service.id)
    return render_template(
        "service/agreement.html",
        navigation=service_menu(service),
        service=service,
        agreement=found,
        balances=paced(session, balances_with_booked(session, agreement_id=found.id), today()),
        instalments=instalments(session, found.id),
        variations=variations(session, found.id),
        acceptance=acceptance_of(session, found.id),
        versions=versions(session, found.id),
        files=version_files(session, found.id),
    )


@blueprint.get("/<service>/agreements/<int:agreement_id>/ledger/<int:tranche_id>")
@in_service(Permission.SEE_SERVICE)
def day_ledger(service: TradingService, agreement_id: int, tranche_id: int) -> str:
    """Show every entry that led to a balance."""
    session = reading()
    found = one_agreement(session, agreement_id, service_id=service.id)
    rows = balances_with_booked(session, agreement_id=found.id)
    row = next((one for one in rows if one.tranche.tranche_id == tranche_id), None)
    if row is None:
        raise NotFound
    return render_template(
        "service/ledger.html",
        navigation=service_menu(service),
        service=service,
        agreement=found,
        row=row,
        entries=ledger(session, tranche_id),
    )


@blueprint.get("/<service>/agreements/<int:agreement_id>/documents/<int:version_id>.pdf")
@in_service(Permission.SEE_SERVICE)
def agreement_document(service: TradingService, agreement_id: int, version_id: int) -> Response:
    """Download the printed document of a version."""
    return agreement_pdf(one_agreement(reading(), agreement_id, service_id=service.id), version_id)


@blueprint.route("/<service>/agreements/<int:agreement_id>/lines/<int:line_id>/vary", methods=["GET", "POST"])
@in_service(Permission.VARY_AGREEMENTS)
def vary(service: TradingService, agreement_id: int, line_id: int) -> str | tuple[str, int] | Response:
    """Ask by how much, show what will follow, then do it: the same form twice, the second time confirmed."""
    found = one_agreement(reading(), agreement_id, service_id=service.id)
    line = next((one for one in found.lines if one.id == line_id), None)
    if line is None:
        raise NotFound
    form, preview, status = VariationForm(), None, 200
    if not form.is_submitted():
        form.effective_on.data = today()
    if form.is_sent():
        try:
            preview = variation_preview(
                reading(), line.id, quantity=form.quantity.data, effective_on=form.effective_on.data
            )
            if request.form.get("confirmed") == "yes":
                return _varied(service.code, found, line, form.quantity.data, form.effective_on.data, form)
        except Refused as error:
            form.refuse(error)
    if form.is_submitted() and preview is None:
        status = 422
    page = render_template(
        "service/vary.html",
        navigation=service_menu(service),
        service=service,
        agreement=found,
        line=line,
        form=form,
        preview=preview,
    )
    return page, status


def _varied(
    code: str, found: Agreement, line: AgreementLine, quantity: Decimal, day: date, form: VariationForm
) -> Response:
    with transaction() as session:
        vary_agreement(
            session,
            line.id,
            quantity=quantity,
            effective_on=day,
            reason=form.reason.data,
            by=actor(),
            at=now(),
            once_key=form.once.data,
        )
    flash(f"{found.reference} is varied.", "success")
    return redirect(url_for("service.agreement", service=code, agreement_id=found.id), 303)
