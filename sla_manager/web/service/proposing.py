"""Changing what was bought: proposed to the school with its preview, or recorded as signed on paper."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sla_manager.agreements.models import Agreement, AgreementLine
from sla_manager.agreements.queries import agreement as one_agreement
from sla_manager.agreements.rules.proposals import Medium, ProposalStatus
from sla_manager.billing.commands.proposing import (
    decline_change,
    propose_asked,
    propose_change,
    record_paper_signature,
    withdraw_change,
)
from sla_manager.billing.queries.proposing import ChangePreview, change_preview, proposal
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.quantities import minutes_of
from sla_manager.people.models import TradingService
from sla_manager.people.rules.roles import Permission
from sla_manager.planning.queries import room_for
from sla_manager.web.forms import (
    BaseForm,
    ChoiceField,
    DateField,
    LongTextField,
    QuantityField,
    TextField,
    choice,
    once_key,
)
from sla_manager.web.guard import in_service
from sla_manager.web.pages import actor, now, reading, today, transaction
from sla_manager.web.service import blueprint
from sla_manager.web.service.menu import service_menu

_PAPER_HINT = "Only when it is signed on paper already."


class ProposeForm(BaseForm):
    """A dated change of one line's quantity, and how it is signed."""

    quantity = QuantityField(
        "By how much does it change?",
        hint="Write 3 for three more, -2 for two fewer.",
        enter="Enter by how much it changes, like 3 or -2",
    )
    effective_on = DateField("From which day?", enter="Enter the day from which it holds")
    reason = LongTextField("Reason", enter="Write why, it stands in the agreement’s history")
    medium = ChoiceField("How is it signed?", enter="Choose how it is signed")
    name = TextField("Who signed the paper?", hint=_PAPER_HINT, longest=120)
    role = TextField("In what role?", hint=_PAPER_HINT, longest=80)
    statement = TextField("Where is the paper kept?", hint=_PAPER_HINT, longest=300)
    once = once_key()


class PaperForm(BaseForm):
    """A signature on paper."""

    name = TextField("Who signed the paper?", enter="Enter the person’s name", longest=120)
    role = TextField("In what role?", enter="Enter the role, like Head teacher", longest=80)
    statement = TextField("Where is the paper kept?", enter="Say where the paper is kept", longest=300)


class CloseForm(BaseForm):
    """Why a change is declined or taken back."""

    reason = LongTextField("Why?", enter="Write why, the school reads it")


@blueprint.route("/<service>/agreements/<int:agreement_id>/lines/<int:line_id>/vary", methods=["GET", "POST"])
@in_service(Permission.VARY_AGREEMENTS)
def vary(service: TradingService, agreement_id: int, line_id: int) -> str | tuple[str, int] | Response:
    """Ask by how much, show what will follow, then propose it: the same form twice, the second time confirmed."""
    found = one_agreement(reading(), agreement_id, service_id=service.id)
    line = next((one for one in found.lines if one.id == line_id), None)
    if line is None:
        raise NotFound
    form, preview, status = ProposeForm(), None, 200
    form.medium.choices = [
        choice(Medium.PAGE.value, "The school signs it on its page", "We write to the school."),
        choice(
            Medium.PAPER.value, "It is signed on paper", "Enter below who signed it and where it is kept."
        ),
    ]
    if not form.is_submitted():
        form.effective_on.data, form.medium.data = today(), Medium.PAGE.value
    if form.is_sent():
        try:
            preview = _preview(line, form)
            if request.form.get("confirmed") == "yes":
                return _proposed(service, line, form)
        except Refused as error:
            form.refuse(error)
            preview, status = None, error.status
    if form.is_submitted() and preview is None and status == 200:
        status = 422
    page = render_template(
        "service/vary.html",
        navigation=service_menu(service),
        service=service,
        agreement=one_agreement(reading(), agreement_id, service_id=service.id),
        line=line,
        form=form,
        preview=preview,
        beyond=_beyond(line, form.quantity.data, form.effective_on.data) if preview else "",
    )
    return page, status


def _beyond(line: AgreementLine, quantity: Decimal, effective_on: date) -> str:
    """Say how far more time would go beyond what officers have left, or nothing: whoever proposes it decides."""
    if quantity <= 0 or line.unit_minutes is None:
        return ""
    session = reading()
    agreement = session.get_one(Agreement, line.agreement_id)
    more = minutes_of(quantity, line.unit_minutes)
    room = room_for(
        session, agreement.service_id, max(effective_on, today()), agreement.ends_on, more, today()
    )
    return room.sentence if room.over.minutes > 0 else ""


def _preview(line: AgreementLine, form: ProposeForm) -> ChangePreview:
    return change_preview(
        reading(), line.id, quantity=form.quantity.data, effective_on=form.effective_on.data,
        reason=form.reason.data, today=today(),
    )  # fmt: skip


def _proposed(service: TradingService, line: AgreementLine, form: ProposeForm) -> Response:
    code, on_paper = service.code, form.medium.data == Medium.PAPER.value
    if on_paper and not (form.name.data and form.role.data and form.statement.data):
        raise Refused("Enter who signed the paper, in what role, and where it is kept.", field="name")
    with transaction() as session:
        kept = propose_change(
            session,
            line.id,
            quantity=form.quantity.data,
            effective_on=form.effective_on.data,
            reason=form.reason.data,
            by=actor(),
            at=now(),
            once_key=form.once.data,
        )
        proposal_id = kept.id
        if on_paper:
            record_paper_signature(
                session, proposal_id, name=form.name.data, role=form.role.data, statement=form.statement.data,
                by=actor(), at=now(),
            )  # fmt: skip
    flash(
        "The change is signed and made." if on_paper else "The change is put to the school to sign.",
        "success",
    )
    return redirect(url_for("service.proposed_change", service=code, proposal_id=proposal_id), 303)


@blueprint.get("/<service>/changes/<int:proposal_id>")
@in_service(Permission.SEE_SERVICE)
def proposed_change(service: TradingService, proposal_id: int) -> str:
    """Show a proposed change: what it would do now, where it stands, who signed it."""
    return _page(service, proposal_id, PaperForm(), CloseForm())


def _page(service: TradingService, proposal_id: int, paper: PaperForm, close: CloseForm) -> str:
    session = reading()
    found = proposal(session, proposal_id, service_id=service.id)
    is_open = found.status in (ProposalStatus.ASKED, ProposalStatus.PROPOSED)
    preview, trouble = None, ""
    if is_open:
        try:
            preview = change_preview(
                session, found.line_id, quantity=found.quantity, effective_on=found.effective_on,
                reason=found.reason, today=today(),
            )  # fmt: skip
        except Refused as error:
            trouble = error.message
    return render_template(
        "service/proposed_change.html",
        navigation=service_menu(service),
        service=service,
        proposal=proposal(session, proposal_id, service_id=service.id),
        preview=preview,
        beyond=_beyond(found.line, found.quantity, found.effective_on) if preview else "",
        trouble=trouble,
        is_open=is_open,
        paper=paper,
        close=close,
        form=close if close.error_list() else paper,
    )


@blueprint.post("/<service>/changes/<int:proposal_id>/propose")
@in_service(Permission.VARY_AGREEMENTS)
def propose_asked_change(service: TradingService, proposal_id: int) -> Response:
    """Put what the school asked for to it to sign."""
    code = service.code
    proposal(reading(), proposal_id, service_id=service.id)
    with transaction() as session:
        propose_asked(session, proposal_id, by=actor(), at=now())
    flash("The change is put to the school to sign.", "success")
    return redirect(url_for("service.proposed_change", service=code, proposal_id=proposal_id), 303)


@blueprint.post("/<service>/changes/<int:proposal_id>/paper")
@in_service(Permission.VARY_AGREEMENTS)
def paper_signature(service: TradingService, proposal_id: int) -> tuple[str, int] | Response:
    """Record that the school signed on paper."""
    proposal(reading(), proposal_id, service_id=service.id)
    form = PaperForm()
    if form.is_sent():
        try:
            with transaction() as session:
                record_paper_signature(
                    session, proposal_id, name=form.name.data, role=form.role.data,
                    statement=form.statement.data, by=actor(), at=now(),
                )  # fmt: skip
            flash("The change is signed and made.", "success")
            return redirect(
                url_for("service.proposed_change", service=service.code, proposal_id=proposal_id), 303
            )
        except Refused as error:
            form.refuse(error)
    return _page(service, proposal_id, form, CloseForm(formdata=None)), 422


@blueprint.post("/<service>/changes/<int:proposal_id>/close")
@in_service(Permission.VARY_AGREEMENTS)
def close_change(service: TradingService, proposal_id: int) -> tuple[str, int] | Response:
    """Decline what the school asked for, or take our own proposal back."""
    found = proposal(reading(), proposal_id, service_id=service.id)
    asked, form = found.status is ProposalStatus.ASKED, CloseForm()
    if form.is_sent():
        try:
            with transaction() as session:
                (decline_change if asked else withdraw_change)(
                    session, proposal_id, reason=form.reason.data, by=actor(), at=now()
                )
            flash("The change is declined." if asked else "The change is taken back.", "success")
            return redirect(url_for("service.changes", service=service.code), 303)
        except Refused as error:
            form.refuse(error)
    return _page(service, proposal_id, PaperForm(formdata=None), form), 422
