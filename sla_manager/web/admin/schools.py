"""Schools and trusts: the list, a school's facts, its customer class, link officer and documents."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sla_manager.kernel.errors import Refused
from sla_manager.people import queries
from sla_manager.people.commands import change_customer, override_customer_class, set_link_officer
from sla_manager.people.models import School
from sla_manager.people.queries import (
    SchoolSearch,
    customer_of_school,
    officers,
    people_of_school,
    school_by_urn,
    schools_count,
    schools_page,
    the_provider,
)
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Permission
from sla_manager.web.admin import blueprint
from sla_manager.web.admin.menu import admin_menu, kept_filter
from sla_manager.web.figures import shown_figures
from sla_manager.web.forms import (
    BaseForm,
    CheckboxField,
    EmailField,
    FilterForm,
    SelectField,
    TextField,
    choice,
)
from sla_manager.web.guard import may, permitted
from sla_manager.web.pages import actor, now, reading, today, transaction

CLASSES = [choice(one.value, one.title) for one in CustomerClass]


class SchoolFilter(FilterForm):
    """Which schools."""

    text = TextField("Name, postcode or URN")
    customer_class = SelectField("Customer class", choices=[choice("", "All"), *CLASSES])
    status = SelectField(
        "Status", choices=[choice("", "All"), choice("open", "Open"), choice("closed", "Closed")]
    )


class ClassForm(BaseForm):
    """Another class than the register implies."""

    customer_class = SelectField("Customer class", choices=[choice("", "As the register implies"), *CLASSES])
    reason = TextField("Reason", hint="Finance and auditors read it.", longest=500)


class LinkOfficerForm(BaseForm):
    """Who is the school's first contact."""

    officer = SelectField("Link officer")


class CustomerForm(BaseForm):
    """How the school receives its documents."""

    email = EmailField("Email address for invoices (optional)")
    purchase_order_required = CheckboxField("Documents must carry a purchase order number")


@blueprint.get("/schools")
@permitted(Permission.IMPORT_REGISTER, Permission.SEE_AUDIT_TRAIL)
def schools() -> str:
    """List schools by name, a page at a time."""
    form = SchoolFilter.of_request()
    trust_id = request.args.get("trust", type=int)
    chosen = form.customer_class.data
    search = SchoolSearch(
        text=form.text.data or "",
        customer_class=CustomerClass(chosen) if chosen in set(CustomerClass) else None,
        status=form.status.data or "",
        trust_id=trust_id,
    )
    name, urn = request.args.get("after"), request.args.get("urn", type=int)
    session = reading()
    found, more = schools_page(session, search, after=(name, urn) if name is not None and urn else None)
    kept = kept_filter("text", "customer_class", "status", "trust")
    return render_template(
        "admin/schools.html",
        navigation=admin_menu(),
        form=form,
        schools=found,
        count=schools_count(session, search),
        first=url_for("admin.schools", **kept) if name is not None else "",
        more=url_for("admin.schools", **kept, after=more[0], urn=more[1]) if more else "",
        filtered=bool(kept),
    )


@blueprint.get("/trusts")
@permitted(Permission.IMPORT_REGISTER, Permission.SEE_AUDIT_TRAIL)
def trusts() -> str:
    """List the trusts with the number of their schools."""
    return render_template("admin/trusts.html", navigation=admin_menu(), trusts=queries.trusts(reading()))


@blueprint.get("/schools/<int:urn>")
@permitted(Permission.IMPORT_REGISTER, Permission.SEE_AUDIT_TRAIL)
def school(urn: int) -> str:
    """Show what the register says of a school, its class and how it came about, its people and its officer."""
    return _page(urn)


@blueprint.post("/schools/<int:urn>/class")
@permitted(Permission.IMPORT_REGISTER)
def school_class(urn: int) -> Response | tuple[str, int]:
    """Override the class with a reason, or take the override back."""
    form = ClassForm()
    if form.is_sent():
        chosen = CustomerClass(form.customer_class.data) if form.customer_class.data else None
        key = school_by_urn(reading(), urn).id
        try:
            with transaction() as session:
                changed = override_customer_class(
                    session, key, chosen, reason=form.reason.data or "", by=actor(), at=now()
                )
            flash(f"{changed.name} is charged as {changed.customer_class.described}.", "success")
            return redirect(url_for("admin.school", urn=urn), 303)
        except Refused as error:
            form.refuse(error)
    return _page(urn, form=form, class_form=form), 422


@blueprint.post("/schools/<int:urn>/link-officer")
@permitted(Permission.IMPORT_REGISTER)
def school_link_officer(urn: int) -> Response | tuple[str, int]:
    """Name the link officer, or nobody."""
    form = _officer_form()
    if form.is_sent():
        key = school_by_urn(reading(), urn).id
        try:
            with transaction() as session:
                set_link_officer(
                    session, key, int(form.officer.data) if form.officer.data else None, by=actor(), at=now()
                )
            flash("The link officer is set.", "success")
            return redirect(url_for("admin.school", urn=urn), 303)
        except Refused as error:
            form.refuse(error)
    return _page(urn, form=form, officer_form=form), 422


@blueprint.post("/schools/<int:urn>/customer")
@permitted(Permission.IMPORT_REGISTER)
def school_customer(urn: int) -> Response | tuple[str, int]:
    """Set where documents go and whether they need a purchase order."""
    form = CustomerForm()
    if form.is_sent():
        key = customer_of_school(reading(), school_by_urn(reading(), urn).id).id
        try:
            with transaction() as session:
                change_customer(
                    session,
                    key,
                    email=form.email.data or "",
                    purchase_order_required=bool(form.purchase_order_required.data),
                    by=actor(),
                    at=now(),
                )
            flash("Saved.", "success")
            return redirect(url_for("admin.school", urn=urn), 303)
        except Refused as error:
            form.refuse(error)
    return _page(urn, form=form, customer_form=form), 422


def _page(urn: int, **forms: Any) -> str:
    session = reading()
    found = school_by_urn(session, urn)
    customer = customer_of_school(session, found.id)
    return render_template(
        "admin/school.html",
        **{
            "navigation": admin_menu(),
            "school": found,
            "customer": customer,
            "derivation": derivation(found, the_provider(session).authority_code),
            "people": people_of_school(session, found),
            "published": shown_figures(session, found.id),
            "may_change": may(Permission.IMPORT_REGISTER),
            "class_form": ClassForm(
                formdata=None,
                data={"customer_class": found.customer_class_override or "", "reason": found.override_reason},
            ),
            "officer_form": _officer_form(found),
            "customer_form": CustomerForm(formdata=None, obj=customer),
            **forms,
        },
    )


def _officer_form(found: School | None = None) -> LinkOfficerForm:
    chosen = str(found.link_officer_id or "") if found is not None else ""
    form = (
        LinkOfficerForm(formdata=None, data={"officer": chosen}) if found is not None else LinkOfficerForm()
    )
    every = officers(reading(), on=today())
    form.officer.choices = [
        choice("", "Nobody"),
        *(choice(one.id, f"{one.name} ({one.service.name})") for one in every if one.ends_on is None),
    ]
    return form


def derivation(school: School, authority_code: str) -> str:
    """Say how the register leads to a school's class."""
    own = school.la_code.lstrip("0") == authority_code.lstrip("0")
    whose = "this council's own authority" if own else "another authority"
    return (
        f"The register says: {school.type_name or 'type ' + school.type_code} ({school.type_group_name}), "
        f"{school.la_name} ({school.la_code}), {whose}. That makes it {school.derived_class.described}."
    )
