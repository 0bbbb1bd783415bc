"""Approval: whoever prepared an order asks, and somebody who may approve it decides, on a phone if need be."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sla_manager.agreements.commands.approvals import approve_order, decline_approval
from sla_manager.agreements.commands.asking import ask_approval, withdraw_approval
from sla_manager.agreements.models import Agreement, Approval
from sla_manager.agreements.queries import agreement as one_agreement
from sla_manager.agreements.queries import latest_version, newer_version, quoted_documents, version_files
from sla_manager.agreements.queries.approvals import (
    Approver,
    approval_by_token,
    approval_for,
    approval_of_school,
    approvers,
    is_open,
    order_value,
)
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.words import pounds
from sla_manager.people.models import School
from sla_manager.people.rules.roles import Permission
from sla_manager.web.attempts import refuse_foreign_fields
from sla_manager.web.forms import BaseForm, CheckboxField, ChoiceField, LongTextField, TextField, choice
from sla_manager.web.guard import in_school, me, my_memberships, my_school, signed_in
from sla_manager.web.pages import actor, now, reading, today, transaction
from sla_manager.web.school import blueprint
from sla_manager.web.school.home import school_menu

STATEMENT = (
    "I have the authority to approve this order for the school, and I accept the terms in the document."
)


class AskForm(BaseForm):
    """Who is asked, and with which words."""

    approver = ChoiceField("Who do you ask?", enter="Choose who you ask")
    purchase_order = TextField("Purchase order number (optional)", longest=60)
    message = LongTextField("Message (optional)", longest=1000, look={"rows": 3})


class ApproveForm(BaseForm):
    """The approver's evidence."""

    authority = CheckboxField(STATEMENT, enter="Tick the box to say that you may approve this for the school")


class DeclineForm(BaseForm):
    """Why not; whoever prepared it reads it."""

    reason = LongTextField(
        "Why do you not approve it?", enter="Write why", longest=1000, id="decline-reason", look={"rows": 2}
    )


@blueprint.route("/<int:urn>/agreements/<int:agreement_id>/ask", methods=["GET", "POST"])
@in_school(Permission.ORDER)
def ask(school: School, agreement_id: int) -> str | tuple[str, int] | Response:
    """Put a quote to somebody who may approve it; where nobody may, say who could."""
    found = one_agreement(reading(), agreement_id, school_id=school.id)
    if found.status is not AgreementStatus.QUOTED:
        raise Refused(f"{found.reference} is {found.status.title.lower()}: it needs no approval.")
    value = order_value(reading(), found)
    others = approvers(reading(), school, apart_from=[one for one in (me().id, found.prepared_by_id) if one])
    able = [one for one in others if one.covers(value)]
    form = AskForm()
    form.approver.choices = [choice(one.person_id, one.name, _may(one)) for one in able]
    if not form.is_submitted():
        form.purchase_order.data = found.purchase_order
        form.approver.data = str(able[0].person_id) if len(able) == 1 else None
    if found.customer.purchase_order_required:
        form.purchase_order.label.text = "Purchase order number"
    refuse_foreign_fields({*form._fields}, about="agreement", about_id=found.id)
    if able and form.is_sent():
        try:
            return _asked(form, school, found)
        except Refused as error:
            form.refuse(error)
    page = render_template(
        "school/ask.html",
        navigation=school_menu(school),
        school=school,
        agreement=found,
        value=value,
        able=able,
        unable=[one for one in others if not one.covers(value)],
        may=_may,
        form=form,
    )
    return page, 422 if form.is_submitted() else 200


def _asked(form: AskForm, school: School, found: Agreement) -> Response:
    urn, school_id, agreement_id = school.urn, school.id, found.id
    with transaction() as session:
        ask_approval(
            session,
            agreement_id,
            school_id=school_id,
            approver_id=int(form.approver.data),
            message=form.message.data or "",
            purchase_order=form.purchase_order.data or "",
            by=actor(),
            at=now(),
        )
    asked = next(label for value, label, *_ in form.approver.iter_choices() if value == form.approver.data)
    flash(f"{asked} has a mail with a link. We tell you what is decided.", "success")
    return redirect(url_for("school.agreement", urn=urn, agreement_id=agreement_id), 303)


def _may(one: Approver) -> str:
    upto = "any amount" if one.limit is None else f"up to {pounds(one.limit)} net"
    return f"{one.role.title}, {upto}"


@blueprint.post("/<int:urn>/approvals/<int:approval_id>/withdraw")
@in_school(Permission.ORDER)
def take_back(school: School, approval_id: int) -> Response:
    """Take a question back."""
    form = BaseForm()
    if not form.is_sent():
        raise Refused("This page was open for too long. Open the quote again.")
    urn, school_id = school.urn, school.id
    with transaction() as session:
        quote = withdraw_approval(session, approval_id, school_id=school_id, by=actor(), at=now())
    flash("The question is taken back. The link in the mail does nothing any more.", "success")
    return redirect(url_for("school.agreement", urn=urn, agreement_id=quote.id), 303)


@blueprint.route("/approvals/<token>", methods=["GET", "POST"])
@signed_in
def approve_by_link(token: str) -> str | tuple[str, int] | Response:
    """Decide by the link of a mail: for the person whom it was sent to. Opening the page does not use it up."""
    found = approval_by_token(reading(), token, person_id=me().id)
    school = my_school(found.agreement.school.urn, Permission.APPROVE_ORDERS)
    return _decide(school, found)


@blueprint.route("/<int:urn>/approvals/<int:approval_id>", methods=["GET", "POST"])
@in_school(Permission.APPROVE_ORDERS)
def approve(school: School, approval_id: int) -> str | tuple[str, int] | Response:
    """Decide what waits for me, found from the school's first page; others who approve may read it."""
    found = approval_of_school(reading(), approval_id, school_id=school.id)
    if request.method == "POST" and found.approver_id != me().id:
        raise NotFound
    return _decide(school, found)


def _decide(school: School, approval: Approval) -> str | tuple[str, int] | Response:
    approving, declining = ApproveForm(), DeclineForm()
    refuse_foreign_fields(
        {*approving._fields, *declining._fields, "decision"}, about="approval", about_id=approval.id
    )
    is_decline = request.form.get("decision") == "decline"
    form: ApproveForm | DeclineForm = declining if is_decline else approving
    if form.is_sent():
        try:
            return _decided(school, approval, declining if is_decline else None)
        except Refused as error:
            form.refuse(error)
            if error.status == 409:
                approval = approval_for(reading(), approval.id, person_id=me().id)
    session = reading()
    found = one_agreement(session, approval.agreement_id, school_id=school.id)
    version = latest_version(session, found.id)
    in_time = found.valid_until is not None and today() <= found.valid_until
    status = 422 if form.is_submitted() else 200
    is_live = is_open(approval, at=now()) and found.status is AgreementStatus.QUOTED and in_time
    page = render_template(
        "school/approve.html",
        navigation=[],
        school=school,
        agreement=found,
        approval=approval,
        version=version,
        file=version_files(session, found.id).get(version.id),
        newer=newer_version(session, found.id),
        documents=quoted_documents(session, found),
        value=order_value(session, found),
        is_open=is_live and approval.approver_id == me().id,
        is_asked=is_live,
        in_time=in_time,
        approving=approving if not is_decline else ApproveForm(formdata=None),
        declining=declining if is_decline else DeclineForm(formdata=None),
        form=form,
    )
    has_run_out = approval.decided_at is None and now() >= approval.expires_at
    return page, 410 if status == 200 and has_run_out else status


def _decided(school: School, approval: Approval, declining: DeclineForm | None) -> Response:
    urn, approval_id, by, at = school.urn, approval.id, actor(), now()
    role, address = my_role(school), by.address or "unknown"
    with transaction() as session:
        if declining is not None:
            done = decline_approval(
                session, approval_id, reason=declining.reason.data, address=address, by=by, at=at
            )
        else:
            done = approve_order(
                session, approval_id, role=role, statement=STATEMENT, address=address, by=by, at=at
            )
    flash(
        f"You have approved {done.reference}. It is ordered."
        if declining is None
        else f"You have not approved {done.reference}. {approval.asked_by} is told why.",
        "success",
    )
    return redirect(url_for("school.agreement", urn=urn, agreement_id=done.id), 303)


def my_role(school: School) -> str:
    """Return as what I act for a school: the role that may approve there."""
    held = [
        one.role
        for one in my_memberships()
        if one.school_id == school.id or (one.trust_id is not None and one.trust_id == school.trust_id)
    ]
    able = {one.person_id: one.role for one in approvers(reading(), school)}
    return able[me().id].title if me().id in able else held[0].title
