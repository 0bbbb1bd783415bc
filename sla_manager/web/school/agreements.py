"""A school's quotes, orders and agreements: read, ordered, downloaded, and every minute explained."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from sla_manager.agreements.commands import place_order, withdraw_quote
from sla_manager.agreements.models import Agreement
from sla_manager.agreements.queries import (
    acceptance_of,
    instalments,
    latest_version,
    ledger,
    newer_version,
    quoted_documents,
    school_agreements,
    variations,
    version_files,
    versions,
)
from sla_manager.agreements.queries import (
    agreement as one_agreement,
)
from sla_manager.agreements.queries.approvals import Spending, approvals_of, is_open, order_value, spending
from sla_manager.agreements.queries.endings import last_day, termination_of
from sla_manager.agreements.queries.papers import paper_of_school, papers_of_agreement
from sla_manager.agreements.queries.partnerships import partnership_of, used_of
from sla_manager.agreements.queries.seasons import ordering_window
from sla_manager.agreements.rules.partnerships import PartnershipKind
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.billing.queries.proposing import proposals
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.people.models import School
from sla_manager.people.queries import people_of_school
from sla_manager.people.rules.roles import Permission
from sla_manager.visits.queries import balances_with_booked
from sla_manager.web.attempts import refuse_foreign_fields
from sla_manager.web.downloads import agreement_pdf, paper_pdf
from sla_manager.web.forms import BaseForm, CheckboxField, TextField
from sla_manager.web.guard import in_school, me, my_memberships
from sla_manager.web.navigation import provider
from sla_manager.web.paces import paced
from sla_manager.web.pages import actor, now, reading, today, transaction
from sla_manager.web.printing import print_version_now
from sla_manager.web.school import blueprint
from sla_manager.web.school.home import school_menu

STATEMENT = "I have the authority to order this for the school, and I accept the terms in the document."


class OrderForm(BaseForm):
    """The acceptance of a quote."""

    role = TextField(
        "Your role at the school", enter="Enter your role, like School business manager", longest=80
    )
    purchase_order = TextField("Purchase order number (optional)", longest=60)
    authority = CheckboxField(STATEMENT, enter="Tick the box to say that you may order this for the school")


@blueprint.get("/<int:urn>/agreements")
@in_school(Permission.SEE_SCHOOL)
def agreements(school: School) -> str:
    """List quotes, orders and agreements, the latest first."""
    found = school_agreements(reading(), school.id)
    return render_template(
        "school/agreements.html", navigation=school_menu(school), school=school, agreements=found
    )


@blueprint.get("/<int:urn>/agreements/<int:agreement_id>")
@in_school(Permission.SEE_SCHOOL)
def agreement(school: School, agreement_id: int) -> str:
    """Show one: what, how much, when it is billed, what is left, and the signed document."""
    session = reading()
    found = one_agreement(session, agreement_id, school_id=school.id)
    window = ordering_window(session, found.service_id, found.starts_on)
    together = partnership_of(session, found.id)
    return render_template(
        "school/agreement.html",
        navigation=school_menu(school),
        school=school,
        agreement=found,
        documents=quoted_documents(session, found),
        instalments=instalments(session, found.id),
        balances=paced(session, balances_with_booked(session, agreement_id=found.id), today()),
        variations=variations(session, found.id),
        proposals=proposals(session, agreement_id=found.id),
        can_change=found.status is AgreementStatus.AGREED and today() <= last_day(found),
        termination=termination_of(session, found.id),
        acceptance=acceptance_of(session, found.id),
        versions=versions(session, found.id),
        files=version_files(session, found.id),
        newer=newer_version(session, found.id),
        can_order=_can_order(found) and not (together and together.trust_id),
        in_time=_can_order(found),
        opens_on=window.submit_from if window is not None and not window.is_open(today()) else None,
        together=together,
        pool=used_of(session, together) if together and together.kind is PartnershipKind.POOL else {},
        is_above_limit=not _spending(school).covers(order_value(session, found)),
        may_order=_spending(school).is_allowed,
        approvals=approvals_of(session, found.id),
        papers=papers_of_agreement(session, found.id),
        is_open=is_open,
        at=now(),
        form=BaseForm(),
    )


def _can_order(found: Agreement) -> bool:
    in_time = found.valid_until is not None and today() <= found.valid_until
    return found.status is AgreementStatus.QUOTED and in_time


def _spending(school: School) -> Spending:
    return spending(people_of_school(reading(), school), me().id, Permission.ORDER)


@blueprint.route("/<int:urn>/agreements/<int:agreement_id>/order", methods=["GET", "POST"])
@in_school(Permission.ORDER)
def order(school: School, agreement_id: int) -> str | tuple[str, int] | Response:
    """Check the answers, then order. A second press finds the order already placed and says so."""
    session = reading()
    found = one_agreement(session, agreement_id, school_id=school.id)
    form = OrderForm()
    if found.customer.purchase_order_required:
        form.purchase_order.label.text = "Purchase order number"
    refuse_foreign_fields({*form._fields}, about="agreement", about_id=found.id)
    if found.status is AgreementStatus.QUOTED and not _spending(school).covers(order_value(session, found)):
        return redirect(url_for("school.ask", urn=school.urn, agreement_id=found.id))
    session = reading()
    if not form.is_submitted():
        form.role.data = next(
            (m.role.title for m in my_memberships() if school.id == m.school_id),
            my_memberships()[0].role.title,
        )
        form.purchase_order.data = found.purchase_order
    status = 200
    if form.is_sent():
        try:
            return _ordered(form, school, found)
        except Refused as error:
            form.refuse(error)
    if form.is_submitted():
        status = 422
    page = render_template(
        "school/order.html",
        navigation=school_menu(school),
        school=school,
        agreement=found,
        documents=quoted_documents(session if not form.is_submitted() else reading(), found),
        form=form,
        person=me(),
        provider=provider(reading()),
        statement=STATEMENT,
    )
    return page, status


def _ordered(form: OrderForm, school: School, found: Agreement) -> Response:
    sha256 = latest_version(reading(), found.id).sha256
    with transaction() as session:
        placed = place_order(
            session,
            found.id,
            role=form.role.data,
            statement=STATEMENT,
            address=actor().address or "unknown",
            purchase_order=form.purchase_order.data or None,
            document_sha256=sha256,
            by=actor(),
            at=now(),
        )
    flash(
        f"You have ordered {placed.reference}. We will tell you when the service has accepted it.", "success"
    )
    return redirect(url_for("school.agreement", urn=school.urn, agreement_id=found.id), 303)


@blueprint.route("/<int:urn>/agreements/<int:agreement_id>/withdraw", methods=["GET", "POST"])
@in_school(Permission.ORDER)
def withdraw(school: School, agreement_id: int) -> str | Response:
    """Confirm that a quote is not wanted, then withdraw it."""
    found = one_agreement(reading(), agreement_id, school_id=school.id)
    if found.status is not AgreementStatus.QUOTED:
        raise Refused(f"{found.reference} is {found.status.title.lower()}: only a quote can be withdrawn.")
    form = BaseForm()
    if form.is_sent():
        with transaction() as session:
            withdraw_quote(session, agreement_id, by=actor(), at=now())
        flash(f"The quote {found.reference} is withdrawn.", "success")
        return redirect(url_for("school.agreements", urn=school.urn), 303)
    return render_template(
        "school/withdraw.html", navigation=school_menu(school), school=school, agreement=found, form=form
    )


@blueprint.get("/<int:urn>/agreements/<int:agreement_id>/ledger/<int:tranche_id>")
@in_school(Permission.SEE_SCHOOL)
def day_ledger(school: School, agreement_id: int, tranche_id: int) -> str:
    """Show every entry that led to a balance, with the balance after it."""
    session = reading()
    found = one_agreement(session, agreement_id, school_id=school.id)
    rows = balances_with_booked(session, agreement_id=found.id)
    row = next((one for one in rows if one.tranche.tranche_id == tranche_id), None)
    if row is None:
        raise NotFound
    return render_template(
        "school/ledger.html",
        navigation=school_menu(school),
        school=school,
        agreement=found,
        row=row,
        entries=ledger(session, tranche_id),
    )


@blueprint.post("/<int:urn>/agreements/<int:agreement_id>/documents/<int:version_id>/print")
@in_school(Permission.SEE_SCHOOL)
def print_document(school: School, agreement_id: int, version_id: int) -> Response:
    """Print a quote now, where it is not printed yet, and lead to the file."""
    form = BaseForm()
    if not form.is_sent():
        raise Refused("This page was open for too long. Open the quote again.")
    found = one_agreement(reading(), agreement_id, school_id=school.id)
    if all(one.id != version_id for one in versions(reading(), found.id)):
        raise NotFound
    print_version_now(version_id)
    return redirect(
        url_for("school.agreement_document", urn=school.urn, agreement_id=found.id, version_id=version_id),
        303,
    )


@blueprint.get("/<int:urn>/papers/<int:paper_id>.pdf")
@in_school(Permission.SEE_SCHOOL)
def paper(school: School, paper_id: int) -> Response:
    """Download a certificate or a letter to the school."""
    return paper_pdf(paper_of_school(reading(), paper_id, school_id=school.id))


@blueprint.get("/<int:urn>/agreements/<int:agreement_id>/documents/<int:version_id>.pdf")
@in_school(Permission.SEE_SCHOOL)
def agreement_document(school: School, agreement_id: int, version_id: int) -> Response:
    """Download the printed document of a version."""
    found = one_agreement(reading(), agreement_id, school_id=school.id)
    return agreement_pdf(found, version_id)
