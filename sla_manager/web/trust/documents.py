"""A trust's invoices and credit notes: those that it pays."""

from __future__ import annotations

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from sla_manager.billing.models import Document
from sla_manager.billing.queries import credits_of, document, documents_page, file_of
from sla_manager.kernel.errors import GatewayFailed, NotFound
from sla_manager.payments.queries import open_amount, open_amounts
from sla_manager.payments.queries.disputes import disputes_in_force
from sla_manager.people.models import Customer, School, Trust
from sla_manager.people.queries import customer_of_trust
from sla_manager.people.rules.roles import Permission
from sla_manager.web.cards import pay_choice, to_the_card_page
from sla_manager.web.downloads import NOT_PRINTED, archived_pdf
from sla_manager.web.e_invoices import e_invoice_file, kept_e_invoice
from sla_manager.web.forms import BaseForm
from sla_manager.web.guard import in_trust, may, me
from sla_manager.web.pages import actor, reading, today
from sla_manager.web.trust import blueprint
from sla_manager.web.trust.home import trust_menu


@blueprint.get("/<int:trust_id>/documents")
@in_trust(Permission.SEE_SCHOOL)
def documents(trust: Trust) -> str:
    """List the documents made out to the trust, with what is open on each."""
    session = reading()
    payer = customer_of_trust(session, trust.id)
    found = documents_page(
        session, where=Document.customer_id == payer.id, after=request.args.get("after", "")
    )
    return render_template(
        "trust/documents.html",
        navigation=trust_menu(trust),
        trust=trust,
        found=found,
        open=open_amounts(session, [row.id for row in found.rows]),
        today=today(),
        to=lambda document_id: url_for("trust.one_document", trust_id=trust.id, document_id=document_id),
        first=url_for("trust.documents", trust_id=trust.id) if "after" in request.args else "",
        next=url_for("trust.documents", trust_id=trust.id, after=found.after) if found.after else "",
    )


def own_document(trust: Trust, document_id: int) -> Document:
    """Return a document made out to the trust, or to one of its schools."""
    session = reading()
    found = document(session, document_id)
    payer = session.get_one(Customer, found.customer_id)
    school = session.get(School, payer.school_id) if payer.school_id is not None else None
    if trust.id not in (payer.trust_id, school.trust_id if school is not None else None):
        raise NotFound
    return found


@blueprint.get("/<int:trust_id>/documents/<int:document_id>")
@in_trust(Permission.SEE_SCHOOL)
def one_document(trust: Trust, document_id: int) -> str:
    """Show one document: each line opens to why it is this much."""
    session, found = reading(), own_document(trust, document_id)
    left = None if found.kind.is_credit else open_amount(session, document_id)
    return render_template(
        "trust/document.html",
        navigation=trust_menu(trust),
        trust=trust,
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


@blueprint.get("/<int:trust_id>/documents/<int:document_id>/pdf")
@in_trust(Permission.SEE_SCHOOL)
def document_pdf(trust: Trust, document_id: int) -> ResponseReturnValue:
    """Hand out the printed file of the trust's own document."""
    found = own_document(trust, document_id)
    file = file_of(reading(), document_id)
    if file is None:
        raise GatewayFailed(NOT_PRINTED)
    return archived_pdf(file.path, file.sha256, found.number)


@blueprint.get("/<int:trust_id>/documents/<int:document_id>/e-invoice.xml")
@in_trust(Permission.SEE_SCHOOL)
def document_e_invoice(trust: Trust, document_id: int) -> ResponseReturnValue:
    """Hand out the electronic invoice of the trust's own document, if one was made."""
    return e_invoice_file(own_document(trust, document_id))


@blueprint.post("/<int:trust_id>/documents/<int:document_id>/pay")
@in_trust(Permission.PAY)
def pay_document(trust: Trust, document_id: int) -> ResponseReturnValue:
    """Go to the card provider's page for what is open on the trust's own invoice."""
    return to_the_card_page(own_document(trust, document_id).id, tell=me().email, by=actor())
