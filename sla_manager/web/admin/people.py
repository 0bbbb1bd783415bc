"""People and their roles: add, give, take, end, send a link."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.people.commands import (
    add_person,
    deactivate_person,
    end_role,
    grant_role,
    reactivate_person,
    request_password_link,
)
from sla_manager.people.models import Membership
from sla_manager.people.queries import (
    memberships_of,
    people_page,
    person_by_id,
    school_by_urn,
    services,
    trusts,
)
from sla_manager.people.rules.roles import GRANTS, Permission, Role, Scope
from sla_manager.web.admin import blueprint
from sla_manager.web.admin.menu import admin_menu, kept_filter
from sla_manager.web.forms import (
    BaseForm,
    CheckboxField,
    EmailField,
    FilterForm,
    MoneyField,
    SelectField,
    TextField,
    WholeNumberField,
    choice,
)
from sla_manager.web.guard import permitted
from sla_manager.web.pages import actor, now, reading, transaction
from sla_manager.web.sign_in.account import place_of
from sla_manager.web.sign_in.passwords import password_page

ROLES = [choice(role.value, f"{role.title} (in a {role.scope.value})") for role in Role]


class PeopleFilter(FilterForm):
    """Which people."""

    text = TextField("Name or email address")
    role = SelectField(
        "Role", choices=[choice("", "All"), *(choice(role.value, role.title) for role in Role)]
    )


class PersonForm(BaseForm):
    """Somebody new."""

    name = TextField("Name", enter="Enter the person's name", longest=200)
    email = EmailField("Email address", enter="Enter the person's email address")
    send_link = CheckboxField("Send them a link to set a password", default=True)


class RoleForm(BaseForm):
    """A role and its place."""

    role = SelectField("Role", enter="Choose a role", choices=[choice("", "Choose a role"), *ROLES])
    school = WholeNumberField("School's URN", hint="For a role in a school.", least=1, most=9_999_999)
    trust = SelectField("Trust", hint="For a role in a trust.")
    service = SelectField("Service", hint="For a role in a service.")
    order_limit = MoneyField("Order limit (optional)", hint="What they may order by themselves, before VAT.")


class ActForm(BaseForm):
    """A button without questions."""


@blueprint.get("/people")
@permitted(Permission.MANAGE_PEOPLE)
def people() -> str:
    """List people by name, a page at a time."""
    form = PeopleFilter.of_request()
    role = Role(form.role.data) if form.role.data in set(Role) else None
    name, key = request.args.get("after"), request.args.get("id", type=int)
    session = reading()
    found, more = people_page(
        session, text=form.text.data or "", role=role, after=(name, key) if name is not None and key else None
    )
    roles: dict[int, list[str]] = {}
    for membership in memberships_of(session, [person.id for person in found]):
        roles.setdefault(membership.person_id, []).append(f"{membership.role.title}, {place_of(membership)}")
    kept = kept_filter("text", "role")
    return render_template(
        "admin/people.html",
        navigation=admin_menu(),
        form=form,
        people=found,
        roles=roles,
        first=url_for("admin.people", **kept) if name is not None else "",
        more=url_for("admin.people", **kept, after=more[0], id=more[1]) if more else "",
    )


@blueprint.route("/people/new", methods=["GET", "POST"])
@permitted(Permission.MANAGE_PEOPLE)
def new_person() -> str | Response | tuple[str, int]:
    """Add somebody, and send a link to set a password."""
    form = PersonForm()
    if form.is_sent():
        try:
            with transaction() as session:
                person = add_person(
                    session, name=form.name.data, email=form.email.data, password=None, by=actor(), at=now()
                )
                if form.send_link.data:
                    request_password_link(session, person.email, page=password_page(), by=actor(), at=now())
            flash(f"{person.name} is added. Give them a role next.", "success")
            return redirect(url_for("admin.person", person_id=person.id), 303)
        except Refused as error:
            form.refuse(error)
    page = render_template("admin/new_person.html", navigation=admin_menu(), form=form)
    return page, 422 if form.errors else 200


@blueprint.get("/people/<int:person_id>")
@permitted(Permission.MANAGE_PEOPLE)
def person(person_id: int) -> str:
    """Show a person, her roles and what can be done."""
    return _page(person_id, _role_form(formdata=None))


@blueprint.post("/people/<int:person_id>/roles")
@permitted(Permission.MANAGE_PEOPLE)
def give_role(person_id: int) -> Response | tuple[str, int]:
    """Give a role in its place."""
    form = _role_form()
    if form.is_sent():
        role = Role(form.role.data)
        try:
            place = _place_of(form, role)
            with transaction() as session:
                grant_role(
                    session, person_id, role, order_limit=form.order_limit.data, by=actor(), at=now(), **place
                )
            flash(f"The role of {role.title.lower()} is given.", "success")
            return redirect(url_for("admin.person", person_id=person_id), 303)
        except NotFound as error:
            form.refuse(Refused(error.message, field="school"))
        except Refused as error:
            form.refuse(error)
    return _page(person_id, form, form=form), 422


@blueprint.route("/people/<int:person_id>/roles/<int:membership_id>/end", methods=["GET", "POST"])
@permitted(Permission.MANAGE_PEOPLE)
def take_role(person_id: int, membership_id: int) -> str | Response | tuple[str, int]:
    """Ask, then take a role away."""
    held = _held(person_id, membership_id)
    form = ActForm()
    name, role, where = person_by_id(reading(), person_id).name, held.role, place_of(held)
    if form.is_sent():
        try:
            with transaction() as session:
                end_role(session, membership_id, by=actor(), at=now())
            flash(f"{name} is no longer {role.title.lower()}.", "success")
            return redirect(url_for("admin.person", person_id=person_id), 303)
        except Refused as error:
            form.refuse(error)
    consequences = [
        f"{name} can no longer do what this role allows: {', '.join(sorted(p.sentence for p in GRANTS[role]))}",
        "They are signed out everywhere.",
        "What they did stays, with their name.",
    ]
    return _confirm(
        form, f"End the role of {role.title.lower()}, {where}?", consequences, "End the role", person_id
    )


@blueprint.route("/people/<int:person_id>/deactivate", methods=["GET", "POST"])
@permitted(Permission.MANAGE_PEOPLE)
def deactivate(person_id: int) -> str | Response | tuple[str, int]:
    """Ask, then let a person sign in no more."""
    name = person_by_id(reading(), person_id).name
    form = ActForm()
    if form.is_sent():
        try:
            with transaction() as session:
                deactivate_person(session, person_id, by=actor(), at=now())
            flash(f"{name} can no longer sign in.", "success")
            return redirect(url_for("admin.person", person_id=person_id), 303)
        except Refused as error:
            form.refuse(error)
    consequences = [
        "They are signed out everywhere and cannot sign in.",
        "Their links for setting a password and their calendar feed stop working.",
        "Their roles and everything they did stay. You can let them in again.",
    ]
    return _confirm(form, f"Stop {name} from signing in?", consequences, "Stop sign-in", person_id)


@blueprint.post("/people/<int:person_id>/reactivate")
@permitted(Permission.MANAGE_PEOPLE)
def reactivate(person_id: int) -> Response:
    """Let a person sign in again."""
    with transaction() as session:
        reactivate_person(session, person_id, by=actor(), at=now())
    flash("They can sign in again.", "success")
    return redirect(url_for("admin.person", person_id=person_id), 303)


@blueprint.post("/people/<int:person_id>/link")
@permitted(Permission.MANAGE_PEOPLE)
def send_link(person_id: int) -> Response:
    """Send a link for setting a password."""
    email = person_by_id(reading(), person_id).email
    with transaction() as session:
        request_password_link(session, email, page=password_page(), by=actor(), at=now())
    flash(f"A link is on its way to {email}. It works once, within an hour.", "success")
    return redirect(url_for("admin.person", person_id=person_id), 303)


@blueprint.get("/roles")
@permitted(Permission.MANAGE_PEOPLE, Permission.SEE_AUDIT_TRAIL)
def roles() -> str:
    """Show the one table of roles and permissions."""
    return render_template(
        "admin/roles.html",
        navigation=admin_menu(),
        roles=list(Role),
        permissions=list(Permission),
        grants=GRANTS,
    )


def _page(person_id: int, role_form: RoleForm, **more: Any) -> str:
    session = reading()
    found = person_by_id(session, person_id)
    held = [(membership, place_of(membership)) for membership in memberships_of(session, [found.id])]
    return render_template(
        "admin/person.html",
        navigation=admin_menu(),
        person=found,
        held=held,
        role_form=role_form,
        act_form=ActForm(formdata=None),
        **more,
    )


def _confirm(
    form: ActForm, question: str, consequences: list[str], button: str, person_id: int
) -> tuple[str, int]:
    page = render_template(
        "layout/confirm.html",
        navigation=admin_menu(),
        form=form,
        question=question,
        consequences=consequences,
        button=button,
        back=url_for("admin.person", person_id=person_id),
        grave=True,
    )
    return page, 422 if form.errors else 200


def _held(person_id: int, membership_id: int) -> Membership:
    found = [one for one in memberships_of(reading(), [person_id]) if one.id == membership_id]
    if not found:
        raise NotFound()
    return found[0]


def _role_form(**options: Any) -> RoleForm:
    form = RoleForm(**options)
    session = reading()
    form.trust.choices = [choice("", "None"), *(choice(trust.id, trust.name) for trust, _ in trusts(session))]
    form.service.choices = [choice("", "None"), *(choice(one.id, one.name) for one in services(session))]
    return form


def _place_of(form: RoleForm, role: Role) -> dict[str, int]:
    """Return the place that was chosen for a role; only the field that belongs to the role is looked at."""
    if role.scope is Scope.SCHOOL and form.school.data:
        return {"school_id": school_by_urn(reading(), form.school.data).id}
    if role.scope is Scope.TRUST and form.trust.data:
        return {"trust_id": int(form.trust.data)}
    if role.scope is Scope.SERVICE and form.service.data:
        return {"service_id": int(form.service.data)}
    return {}
