"""Changes of agreements in one place: what waits for a signature, and what becomes of schools."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from sla_manager.agreements.commands.transfers import Consent
from sla_manager.agreements.models import Agreement
from sla_manager.agreements.queries import agreement as one_agreement
from sla_manager.agreements.queries.policies import agreement_policy
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.billing.commands.changing import confirm_change
from sla_manager.billing.queries.changing import (
    ChangeWaiting,
    change_effect,
    changes_waiting,
    new_payers,
    school_change,
    touches,
)
from sla_manager.billing.queries.proposing import proposals
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.people.commands.links import decide_change, enter_change
from sla_manager.people.models import School, TradingService
from sla_manager.people.rules.links import ChangeKind
from sla_manager.people.rules.roles import Permission
from sla_manager.web.forms import (
    BaseForm,
    ChoiceField,
    DateField,
    LongTextField,
    SelectField,
    TextField,
    WholeNumberField,
    choice,
    once_key,
)
from sla_manager.web.guard import in_service
from sla_manager.web.pages import actor, now, reading, today, transaction
from sla_manager.web.service import blueprint
from sla_manager.web.service.menu import service_menu


class EnterForm(BaseForm):
    """What becomes of a school, entered by hand."""

    school = SelectField("Which school?", enter="Choose the school")
    kind = ChoiceField("What happens?", enter="Choose what happens")
    to_urn = WholeNumberField(
        "URN of the school that comes after",
        hint="For a conversion or a merger. Leave it empty for a closure or a change of trust.",
    )
    effective_on = DateField("From which day?", enter="Enter the first day on which it holds")
    reason = LongTextField("Note (optional)", longest=2_000)
    once = once_key()


class ConfirmForm(BaseForm):
    """Who agreed to it, and who pays from then on."""

    to_customer = ChoiceField("Who pays from then on?", enter="Choose who pays from then on")
    schedule = SelectField("How is the rest paid?", enter="Choose how it is paid")
    name = TextField("Who agreed to it?", enter="Enter the person’s name", longest=120)
    role = TextField("In what role?", enter="Enter the role, like Chief finance officer", longest=80)
    statement = TextField(
        "Where is that written?", enter="Say where, like Letter of 12 December 2025", longest=300
    )
    once = once_key()


class DismissForm(BaseForm):
    """Why nothing follows."""

    reason = LongTextField("Why does nothing follow from it?", enter="Write why, for your colleagues")


@blueprint.get("/<service>/changes")
@in_service(Permission.SEE_SERVICE)
def changes(service: TradingService) -> str:
    """Show what waits: changes to be signed, and changes of schools with running agreements."""
    session = reading()
    return render_template(
        "service/changes.html",
        navigation=service_menu(service),
        service=service,
        proposals=proposals(session, service_id=service.id, only_open=True),
        found=changes_waiting(session, service.id),
        policy=agreement_policy(session, service.id),
    )


@blueprint.route("/<service>/changes/new", methods=["GET", "POST"])
@in_service(Permission.VARY_AGREEMENTS)
def enter_school_change(service: TradingService) -> str | tuple[str, int] | Response:
    """Enter what becomes of a school that the register does not say yet."""
    form = EnterForm()
    form.school.choices = [choice("", "")] + [
        choice(str(one.id), f"{one.name} ({one.urn})") for one in _schools(service)
    ]
    form.kind.choices = [choice(one.value, one.title) for one in ChangeKind]
    if not form.is_submitted():
        form.effective_on.data = today()
    if form.is_sent():
        try:
            with transaction() as session:
                change = enter_change(
                    session,
                    kind=ChangeKind(form.kind.data),
                    from_school_id=int(form.school.data),
                    to_urn=form.to_urn.data,
                    effective_on=form.effective_on.data,
                    reason=form.reason.data or "",
                    by=actor(),
                    at=now(),
                    once_key=form.once.data,
                )
                change_id = change.id
            return redirect(
                url_for("service.school_change_page", service=service.code, change_id=change_id), 303
            )
        except Refused as error:
            form.refuse(error)
    page = render_template(
        "service/new_change.html", navigation=service_menu(service), service=service, form=form
    )
    return page, 422 if form.is_submitted() else 200


def _schools(service: TradingService) -> list[School]:
    query = (
        select(School)
        .join(Agreement, Agreement.school_id == School.id)
        .where(Agreement.service_id == service.id, Agreement.status == AgreementStatus.AGREED)
        .distinct()
        .order_by(School.name)
    )
    return list(reading().scalars(query))


@blueprint.get("/<service>/changes/schools/<int:change_id>")
@in_service(Permission.SEE_SERVICE)
def school_change_page(service: TradingService, change_id: int) -> str:
    """Show a change of a school, and what it would do to each agreement."""
    session = reading()
    waiting = school_change(session, change_id, service_id=service.id)
    return render_template(
        "service/school_change.html",
        navigation=service_menu(service),
        service=service,
        change=waiting.change,
        effects=[(one, change_effect(session, waiting.change, one)) for one in waiting.agreements],
    )


@blueprint.route("/<service>/changes/schools/<int:change_id>/dismiss", methods=["GET", "POST"])
@in_service(Permission.VARY_AGREEMENTS)
def dismiss_change(service: TradingService, change_id: int) -> str | tuple[str, int] | Response:
    """Put a change aside with a reason; agreements stay as they are."""
    change = school_change(reading(), change_id, service_id=service.id).change
    form = DismissForm()
    if form.is_sent():
        try:
            with transaction() as session:
                decide_change(
                    session, change_id, confirmed=False, reason=form.reason.data, by=actor(), at=now()
                )
            flash("The change is put aside. Nothing follows from it.", "success")
            return redirect(url_for("service.changes", service=service.code), 303)
        except Refused as error:
            form.refuse(error)
    page = render_template(
        "service/dismiss_change.html",
        navigation=service_menu(service),
        service=service,
        change=change,
        form=form,
    )
    return page, 422 if form.is_submitted() else 200


@blueprint.route(
    "/<service>/changes/schools/<int:change_id>/agreements/<int:agreement_id>", methods=["GET", "POST"]
)
@in_service(Permission.VARY_AGREEMENTS)
def follow_change(
    service: TradingService, change_id: int, agreement_id: int
) -> str | tuple[str, int] | Response:
    """Show what an agreement's following the change does, then confirm it."""
    waiting = school_change(reading(), change_id, service_id=service.id)
    found = one_agreement(reading(), agreement_id, service_id=service.id)
    if found.school_id != waiting.change.from_school_id:
        raise NotFound
    form = _confirm_form(waiting)
    if form.is_sent():
        try:
            return _followed(service, waiting, found, form)
        except Refused as error:
            form.refuse(error)
    session = reading()
    now_touched = touches(waiting.change, one_agreement(session, agreement_id, service_id=service.id))
    page = render_template(
        "service/follow_change.html",
        navigation=service_menu(service),
        service=service,
        change=waiting.change,
        agreement=found,
        preview=change_effect(session, waiting.change, found) if now_touched else None,
        form=form,
    )
    return page, 422 if form.is_submitted() else 200


def _confirm_form(waiting: ChangeWaiting) -> ConfirmForm:
    form = ConfirmForm()
    if waiting.change.kind is ChangeKind.CLOSURE:
        del form.to_customer, form.schedule
        return form
    payers = new_payers(reading(), waiting.change)
    form.to_customer.choices = [
        choice(str(one.customer_id), one.name, "The trust" if one.is_trust else "The school itself")
        for one in payers
    ]
    form.schedule.choices = [
        choice(one.value, one.title) for one in Schedule if one is not Schedule.ON_DELIVERY
    ]
    if not form.is_submitted():
        form.to_customer.data = str(payers[0].customer_id) if payers else None
        form.schedule.data = Schedule.SINGLE.value
    return form


def _followed(
    service: TradingService, waiting: ChangeWaiting, found: Agreement, form: ConfirmForm
) -> Response:
    closing = waiting.change.kind is ChangeKind.CLOSURE
    code, service_id = service.code, service.id
    with transaction() as session:
        confirm_change(
            session,
            waiting.change.id,
            found.id,
            service_id=service_id,
            to_customer_id=None if closing else int(form.to_customer.data),
            schedule=Schedule.SINGLE if closing else Schedule(form.schedule.data),
            consent=Consent(name=form.name.data, role=form.role.data, statement=form.statement.data),
            seen_sha256=request.form.get("seen", ""),
            by=actor(),
            at=now(),
            once_key=form.once.data,
        )
    flash(f"{found.reference} has followed the change.", "success")
    return redirect(url_for("service.agreement", service=code, agreement_id=found.id), 303)
