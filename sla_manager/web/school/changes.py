"""A school changes its agreement: asks for more or less, signs what is proposed, gives notice."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sla_manager.agreements.models import Agreement
from sla_manager.agreements.queries import agreement as one_agreement
from sla_manager.agreements.rules.endings import NoEarlyEnd, end_by_notice
from sla_manager.agreements.rules.proposals import ProposalStatus
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.billing.commands.ending import terminate_agreement
from sla_manager.billing.commands.proposing import ask_for_change, decline_change, sign_change
from sla_manager.billing.queries.endings import EndingPreview, ending_preview
from sla_manager.billing.queries.proposing import change_preview, proposal
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.people.models import School
from sla_manager.people.rules.roles import Permission
from sla_manager.web.forms import (
    BaseForm,
    CheckboxField,
    DateField,
    LongTextField,
    QuantityField,
    TextField,
    once_key,
)
from sla_manager.web.guard import in_school, may, me, my_memberships
from sla_manager.web.pages import actor, now, reading, today, transaction
from sla_manager.web.school import blueprint
from sla_manager.web.school.home import school_menu

STATEMENT = "I have the authority to change this for the school, and I accept the change."
NOTICE = "I have the authority to end this agreement for the school."


class AskForm(BaseForm):
    """More or less of a line, from a day on."""

    quantity = QuantityField(
        "By how much should it change?",
        hint="Write 3 for three more, -2 for two fewer.",
        enter="Enter by how much it should change, like 3 or -2",
    )
    effective_on = DateField("From which day?", enter="Enter the day from which it should hold")
    reason = LongTextField("Why?", enter="Write why, so that the service can answer")
    once = once_key()


class SignForm(BaseForm):
    """The signature under a change."""

    role = TextField(
        "Your role at the school", enter="Enter your role, like School business manager", longest=80
    )
    authority = CheckboxField(STATEMENT, enter="Tick the box to say that you may change this for the school")


class DeclineForm(BaseForm):
    """Why a change is not wanted."""

    reason = LongTextField("Why do you decline it?", enter="Write why, so that the service can offer another")


class NoticeForm(BaseForm):
    """The notice that ends an agreement early."""

    role = TextField("Your role at the school", enter="Enter your role, like Head teacher", longest=80)
    reason = LongTextField("Why do you end it?", enter="Write why, it stands in the agreement’s history")
    authority = CheckboxField(NOTICE, enter="Tick the box to say that you may end this for the school")
    once = once_key()


def _my_role(school: School) -> str:
    own = [one for one in my_memberships() if one.school_id == school.id]
    return (own or my_memberships())[0].role.title


@blueprint.route(
    "/<int:urn>/agreements/<int:agreement_id>/lines/<int:line_id>/change", methods=["GET", "POST"]
)
@in_school(Permission.ORDER)
def ask_change(school: School, agreement_id: int, line_id: int) -> str | tuple[str, int] | Response:
    """Ask for more or less: what it would do is shown first, the second time it is sent."""
    found = one_agreement(reading(), agreement_id, school_id=school.id)
    line = next((one for one in found.lines if one.id == line_id), None)
    if line is None:
        raise NotFound
    form, preview, status = AskForm(), None, 200
    if not form.is_submitted():
        form.effective_on.data = today()
    if form.is_sent():
        try:
            preview = change_preview(
                reading(), line.id, quantity=form.quantity.data, effective_on=form.effective_on.data,
                reason=form.reason.data, today=today(),
            )  # fmt: skip
            if request.form.get("confirmed") == "yes":
                return _asked(school, found, line_id, form)
        except Refused as error:
            form.refuse(error)
            preview, status = None, error.status
    if form.is_submitted() and preview is None and status == 200:
        status = 422
    page = render_template(
        "school/ask_change.html",
        navigation=school_menu(school),
        school=school,
        agreement=found,
        line=line,
        form=form,
        preview=preview,
    )
    return page, status


def _asked(school: School, found: Agreement, line_id: int, form: AskForm) -> Response:
    urn = school.urn
    with transaction() as session:
        ask_for_change(
            session,
            line_id,
            quantity=form.quantity.data,
            effective_on=form.effective_on.data,
            reason=form.reason.data,
            by=actor(),
            at=now(),
            once_key=form.once.data,
        )
    flash("The service has your request. It will propose the change, or tell you why not.", "success")
    return redirect(url_for("school.agreement", urn=urn, agreement_id=found.id), 303)


@blueprint.get("/<int:urn>/changes/<int:proposal_id>")
@in_school(Permission.SEE_SCHOOL)
def change(school: School, proposal_id: int) -> str:
    """Show what a change does, where it stands and who signed it."""
    form = SignForm()
    form.role.data = _my_role(school)
    return _page(school, proposal_id, form)


@blueprint.post("/<int:urn>/changes/<int:proposal_id>/sign")
@in_school(Permission.ORDER)
def sign_proposed(school: School, proposal_id: int) -> tuple[str, int] | Response:
    """Sign a change. What moved since the page was opened is shown anew before that."""
    proposal(reading(), proposal_id, school_id=school.id)
    form, status = SignForm(), 422
    if form.is_sent():
        try:
            return _signed(school, proposal_id, form)
        except Refused as error:
            form.refuse(error)
            status = error.status
    return _page(school, proposal_id, form), status


def _page(school: School, proposal_id: int, form: SignForm) -> str:
    session = reading()
    found = proposal(session, proposal_id, school_id=school.id)
    preview, trouble = None, ""
    if found.status is ProposalStatus.PROPOSED and today() <= found.valid_until:
        try:
            preview = change_preview(
                session, found.line_id, quantity=found.quantity, effective_on=found.effective_on,
                reason=found.reason, today=today(),
            )  # fmt: skip
        except Refused as error:
            trouble = error.message
    return render_template(
        "school/change.html",
        navigation=school_menu(school),
        school=school,
        proposal=proposal(session, proposal_id, school_id=school.id),
        preview=preview,
        trouble=trouble,
        form=form,
        person=me(),
        can_sign=may(Permission.ORDER),
    )


def _signed(school: School, proposal_id: int, form: SignForm) -> Response:
    urn = school.urn
    with transaction() as session:
        sign_change(
            session,
            proposal_id,
            role=form.role.data,
            statement=STATEMENT,
            address=actor().address or "unknown",
            seen_sha256=request.form.get("seen", ""),
            by=actor(),
            at=now(),
        )
    flash("The change is signed. It holds from now on.", "success")
    return redirect(url_for("school.change", urn=urn, proposal_id=proposal_id), 303)


@blueprint.route("/<int:urn>/changes/<int:proposal_id>/decline", methods=["GET", "POST"])
@in_school(Permission.ORDER)
def decline_proposed(school: School, proposal_id: int) -> str | tuple[str, int] | Response:
    """Decline a change with a reason that the service reads."""
    found = proposal(reading(), proposal_id, school_id=school.id)
    form, status = DeclineForm(), 200
    if form.is_sent():
        try:
            with transaction() as session:
                decline_change(session, proposal_id, reason=form.reason.data, by=actor(), at=now())
            flash("The change is declined. Your agreement stays as it is.", "success")
            return redirect(url_for("school.change", urn=school.urn, proposal_id=proposal_id), 303)
        except Refused as error:
            form.refuse(error)
            status = error.status
    if form.is_submitted() and status == 200:
        status = 422
    page = render_template(
        "school/decline_change.html", navigation=school_menu(school), school=school, proposal=found, form=form
    )
    return page, status


@blueprint.route("/<int:urn>/agreements/<int:agreement_id>/notice", methods=["GET", "POST"])
@in_school(Permission.ORDER)
def give_notice(school: School, agreement_id: int) -> str | tuple[str, int] | Response:
    """Show what ending it now would mean, then give notice; the day counts from today."""
    found = one_agreement(reading(), agreement_id, school_id=school.id)
    form, status = NoticeForm(), 200
    if not form.is_submitted():
        form.role.data = _my_role(school)
    if form.is_sent():
        try:
            return _noticed(school, found, form)
        except Refused as error:
            form.refuse(error)
            status = error.status
    if form.is_submitted() and status == 200:
        status = 422
    preview, trouble = _notice_preview(school, agreement_id)
    page = render_template(
        "school/notice.html",
        navigation=school_menu(school),
        school=school,
        agreement=one_agreement(reading(), agreement_id, school_id=school.id),
        form=form,
        preview=preview,
        trouble=trouble,
        person=me(),
    )
    return page, status


def _notice_preview(school: School, agreement_id: int) -> tuple[EndingPreview | None, str]:
    session = reading()
    found = one_agreement(session, agreement_id, school_id=school.id)
    if found.status is not AgreementStatus.AGREED or found.ends_early_on is not None:
        return None, f"{found.reference} does not run any more, or ends early already."
    try:
        last = end_by_notice(
            found.reference, starts_on=found.starts_on, ends_on=found.ends_on, months=found.notice_months,
            notice_on=today(),
        )  # fmt: skip
    except NoEarlyEnd as error:
        return None, f"{error.message} Ask the service."
    except Refused as error:
        return None, error.message
    return ending_preview(session, agreement_id, ends_on=last), ""


def _noticed(school: School, found: Agreement, form: NoticeForm) -> Response:
    urn = school.urn
    with transaction() as session:
        ended = terminate_agreement(
            session,
            found.id,
            cause="notice",
            notice_on=today(),
            given_by="school",
            name=me().name,
            role=form.role.data,
            reason=form.reason.data,
            seen_sha256=request.form.get("seen", ""),
            by=actor(),
            at=now(),
            once_key=form.once.data,
        )
        last = ended.ends_on
    flash(f"You have given notice. The agreement ends on {last:%-d %B %Y}.", "success")
    return redirect(url_for("school.agreement", urn=urn, agreement_id=found.id), 303)
