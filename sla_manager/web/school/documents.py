"""A school's documents: what was invoiced or recharged, what is open, and each document's file."""

from __future__ import annotations

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from sla_manager.billing.queries import credits_of, document, file_of, school_documents
from sla_manager.kernel.errors import GatewayFailed
from sla_manager.payments.queries import open_amount, open_amounts, open_of_school
from sla_manager.payments.queries.disputes import disputes_in_force
from sla_manager.people.models import School
from sla_manager.people.rules.roles import Permission
from sla_manager.web.cards import pay_choice, to_the_card_page
from sla_manager.web.downloads import NOT_PRINTED, archived_pdf
from sla_manager.web.e_invoices import e_invoice_file, kept_e_invoice
from sla_manager.web.forms import BaseForm
from sla_manager.web.guard import in_school, may, me
from sla_manager.web.pages import actor, reading, today
from sla_manager.web.school import blueprint
from sla_manager.web.school.home import school_menu


@blueprint.get("/<int:urn>/documents")
@in_school(Permission.SEE_SCHOOL)
def documents(school: School) -> str:
    """List the school's documents with what is open on each."""
    session = reading()
    found = school_documents(session, school.id, after=request.args.get("after", ""))
    return render_template(
        "school/documents.html",
        navigation=school_menu(school),
        school=school,
        found=found,
        open=open_amounts(session, [row.id for row in found.rows]),
        owed=open_of_school(session, school.id),
        today=today(),
        to=lambda document_id: url_for("school.document", urn=school.urn, document_id=document_id),
        first=url_for("school.documents", urn=school.urn) if "after" in request.args else "",
        next=url_for("school.documents", urn=school.urn, after=found.after) if found.after else "",
    )


@blueprint.get("/<int:urn>/documents/<int:document_id>", endpoint="document")
@in_school(Permission.SEE_SCHOOL)
def one_document(school: School, document_id: int) -> str:
    """Show one document: each line opens to why it is this much."""
    session = reading()
    found = document(session, document_id, school_id=school.id)
    left = None if found.kind.is_credit else open_amount(session, document_id)
    return render_template(
        "school/document.html",
        navigation=school_menu(school),
        school=school,
        document=found,
        credits=credits_of(session, document_id),
        holds=disputes_in_force(session, document_id),
        may_dispute=may(Permission.DISPUTE),
        open=left,
        choice=pay_choice(found, left, may_pay=may(Permission.PAY)),
        paying=BaseForm(),
        file=file_of(session, document_id),
        e_invoice=kept_e_invoice(session, found),
    )


@blueprint.get("/<int:urn>/documents/<int:document_id>/pdf")
@in_school(Permission.SEE_SCHOOL)
def document_pdf(school: School, document_id: int) -> ResponseReturnValue:
    """Hand out the printed file of the school's own document."""
    session = reading()
    found = document(session, document_id, school_id=school.id)
    file = file_of(session, document_id)
    if file is None:
        raise GatewayFailed(NOT_PRINTED)
    return archived_pdf(file.path, file.sha256, found.number)


@blueprint.get("/<int:urn>/documents/<int:document_id>/e-invoice.xml")
@in_school(Permission.SEE_SCHOOL)
def document_e_invoice(school: School, document_id: int) -> ResponseReturnValue:
    """Hand out the electronic invoice of the school's own document, if one was made."""
    return e_invoice_file(document(reading(), document_id, school_id=school.id))


@blueprint.post("/<int:urn>/documents/<int:document_id>/pay")
@in_school(Permission.PAY)
def pay_document(school: School, document_id: int) -> ResponseReturnValue:
    """Go to the card provider's page for what is open on the school's own invoice."""
    found = document(reading(), document_id, school_id=school.id)
    return to_the_card_page(found.id, tell=me().email, by=actor())
