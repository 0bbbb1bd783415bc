"""Electronic invoices: what leaves how, where customers take them, one document's file."""

from __future__ import annotations

import wtforms
from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from sla_manager.billing.commands.e_invoices import set_electronic_address
from sla_manager.billing.e_invoices import make_e_invoice
from sla_manager.billing.models import ElectronicAddress
from sla_manager.billing.queries import document
from sla_manager.billing.queries.e_invoices import (
    electronic_address,
    electronic_addresses,
    waiting_e_invoices,
)
from sla_manager.billing.queries.policy import finance_policy
from sla_manager.billing.rules.e_invoices import LONGEST_REFERENCE, SCHEMES
from sla_manager.gateways.archive import Archive
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.payments.queries import customer_words, customers_matching
from sla_manager.people.models import Customer
from sla_manager.people.rules.roles import Permission
from sla_manager.web.e_invoices import e_invoice_file
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.forms import BaseForm, ChoiceField, FilterForm, TextField, choice
from sla_manager.web.guard import may, permitted
from sla_manager.web.pages import actor, archive_folder, database, now, reading, transaction

FORMS = {
    "none": "No electronic invoices: each invoice is a PDF",
    "xml": "A UBL file for the Peppol network, beside the PDF",
    "hybrid": "Inside the PDF: one file for people and for software",
}


class CustomerFilter(FilterForm):
    """Whose electronic address."""

    q = TextField("School, trust or account reference")


class AddressForm(BaseForm):
    """Where a customer takes electronic invoices."""

    scheme = ChoiceField(
        "What kind of electronic address is it?",
        choices=[choice("", "None: this customer takes a PDF"), *(choice(*one) for one in SCHEMES.items())],
    )
    identifier = TextField("Number of the address", hint="For example GB123456789 or 5060012340001.")
    buyer_reference = TextField(
        "The customer’s own reference (optional)",
        hint="It is sent where an invoice has no purchase order number.",
        longest=LONGEST_REFERENCE,
    )
    version = wtforms.HiddenField()


@blueprint.get("/e-invoices")
@permitted(Permission.SEE_DOCUMENTS)
def e_invoices() -> str:
    """Show how invoices leave, what waits, and the customers' electronic addresses."""
    session = reading()
    form = CustomerFilter.of_request()
    asked = (form.q.data or "").strip()
    count, waiting = waiting_e_invoices(session)
    return render_template(
        "finance/e_invoices.html",
        navigation=finance_menu(),
        policy=finance_policy(session),
        forms=FORMS,
        schemes=SCHEMES,
        filter=form,
        asked=asked,
        found=_named(customers_matching(session, asked)) if len(asked) >= 2 else [],
        addresses=_with_names(session),
        waiting=waiting,
        count=count,
        may_change=may(Permission.MANAGE_MONEY),
    )


def _named(customers: list[Customer]) -> list[tuple[Customer, str]]:
    return [(customer, customer_words(customer)) for customer in customers]


def _with_names(session: Session) -> list[tuple[ElectronicAddress, str]]:
    found = electronic_addresses(session)
    query = (
        select(Customer)
        .where(Customer.id.in_([one.customer_id for one in found]))
        .options(joinedload(Customer.school), joinedload(Customer.trust))
    )
    names = {customer.id: customer_words(customer) for customer in session.scalars(query)}
    return sorted(((one, names[one.customer_id]) for one in found), key=lambda pair: pair[1])


@blueprint.route("/e-invoices/<int:customer_id>", methods=["GET", "POST"])
@permitted(Permission.MANAGE_MONEY)
def e_invoice_address(customer_id: int) -> ResponseReturnValue:
    """Ask where a customer takes electronic invoices."""
    form, session = AddressForm(), reading()
    query = select(Customer).where(Customer.id == customer_id)
    customer = session.scalar(query.options(joinedload(Customer.school), joinedload(Customer.trust)))
    if customer is None:
        raise NotFound
    name = customer_words(customer)
    if not form.is_submitted():
        _fill(form, electronic_address(session, customer_id))
    if form.is_sent():
        try:
            with transaction() as session:
                set_electronic_address(
                    session, customer_id, scheme=form.scheme.data or "", identifier=form.identifier.data or "",
                    buyer_reference=form.buyer_reference.data or "", expected_version=_version(form),
                    by=actor(), at=now(),
                )  # fmt: skip
            flash(f"The electronic address of {name} is saved.", "success")
            return redirect(url_for("finance.e_invoices"), 303)
        except Refused as error:
            form.refuse(error)
    page = render_template(
        "finance/e_invoice_address.html", navigation=finance_menu(), form=form, name=name, customer=customer
    )
    return page, 422 if form.is_submitted() else 200


def _fill(form: AddressForm, stored: ElectronicAddress | None) -> None:
    form.scheme.data = stored.scheme if stored else ""
    form.identifier.data = stored.identifier if stored else ""
    form.buyer_reference.data = stored.buyer_reference if stored else ""
    form.version.data = str(stored.version if stored else 0)


def _version(form: AddressForm) -> int:
    typed = form.version.data or ""
    return int(typed) if typed.isdecimal() and len(typed) < 10 else -1


@blueprint.post("/documents/<int:document_id>/e-invoice")
@permitted(Permission.MANAGE_MONEY)
def make_document_e_invoice(document_id: int) -> ResponseReturnValue:
    """Make a document's electronic invoice now."""
    try:
        make_e_invoice(
            database(), document_id, archive=Archive(archive_folder()), by=actor(), at=now()
        )  # fmt: skip
    except Refused as error:
        flash(error.message)
    else:
        flash(
            "The electronic invoice is made. It passed the official schema and every rule on amounts.",
            "success",
        )
    return redirect(url_for("finance.document", document_id=document_id) + "#e-invoice", 303)


@blueprint.get("/documents/<int:document_id>/e-invoice.xml")
@permitted(Permission.SEE_DOCUMENTS)
def document_e_invoice(document_id: int) -> ResponseReturnValue:
    """Hand out the kept electronic invoice, after its hash was compared."""
    return e_invoice_file(document(reading(), document_id))
