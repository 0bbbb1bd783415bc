"""The first page of an empty installation: the council, its first service, its first administrator."""

from __future__ import annotations

from flask import abort, current_app, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from sla_manager.kernel.errors import Refused
from sla_manager.people.commands import add_person, add_service, change_provider, create_provider, grant_role
from sla_manager.people.models import Person
from sla_manager.people.queries import provider
from sla_manager.people.rules.addresses import read_lines
from sla_manager.people.rules.passwords import SHORTEST
from sla_manager.people.rules.roles import Role
from sla_manager.store.audit import Actor
from sla_manager.web.forms import BaseForm, EmailField, LongTextField, PasswordField, TextField
from sla_manager.web.guard import public
from sla_manager.web.pages import now, reading, transaction
from sla_manager.web.sign_in import blueprint
from sla_manager.web.sign_in.entry import begin_session

OPEN_BEFORE = ("sign_in.first_run", "sign_in.accessibility", "sign_in.cookies", "machine.health", "static")
_KNOWN = "sla.council_is_set_up"


class FirstRunForm(BaseForm):
    """Everything that a council needs to begin."""

    council = TextField("Name of the council", enter="Enter the council's name", longest=200)
    authority_code = TextField(
        "Local authority code",
        enter="Enter the authority's code",
        hint="Three digits, as in the national register of schools, like 203.",
        look={"classes": "govuk-input--width-4", "inputmode": "numeric"},
    )
    address = LongTextField(
        "Postal address", enter="Enter the council's address", hint="One line for each part."
    )
    vat_number = TextField("VAT number (optional)", hint="GB and 9 digits. You can add it later.")
    service_name = TextField(
        "Name of the first service", enter="Enter the service's name", default="Education Welfare Service"
    )
    code = TextField(
        "Short name of the service",
        enter="Enter a short name",
        default="ews",
        hint="It stands in page addresses, like ews.",
    )
    series = TextField(
        "Beginning of document numbers",
        enter="Enter what numbers begin with",
        default="EWS",
        hint="EWS gives numbers like EWS/26-27/000001.",
    )
    name = TextField("Your name", enter="Enter your name", look={"autocomplete": "name"}, longest=200)
    email = EmailField("Your email address", enter="Enter your email address")
    password = PasswordField(
        "Your password",
        enter="Enter a password",
        hint=f"At least {SHORTEST} characters. Three random words make a good password.",
        look={"autocomplete": "new-password"},
    )


@blueprint.before_app_request
def lead_to_first_run() -> Response | None:
    """While there is no council, every page leads to the first one."""
    if request.endpoint in OPEN_BEFORE or is_set_up():
        return None
    return redirect(url_for("sign_in.first_run"))


def is_set_up() -> bool:
    """Say whether there is a council; once there is one, the database is not asked again."""
    if not current_app.extensions.get(_KNOWN):
        current_app.extensions[_KNOWN] = provider(reading()) is not None
    return bool(current_app.extensions[_KNOWN])


@blueprint.route("/first-run", methods=["GET", "POST"])
@public
def first_run() -> str | Response | tuple[str, int]:
    """Set the council up in one step. Afterwards this page is not there."""
    if is_set_up():
        abort(404)
    form = FirstRunForm()
    if form.is_sent():
        try:
            with transaction() as session:
                person = _set_up(session, form)
            begin_session(person)
            flash(f"{form.council.data} is set up. Import the register of schools next.", "success")
            return redirect(url_for("sign_in.start"), 303)
        except Refused as error:
            form.refuse(error)
    return render_template("sign_in/first_run.html", form=form), 422 if form.errors else 200


def _set_up(session: Session, form: FirstRunForm) -> Person:
    by, at = Actor(None, form.name.data, request.remote_addr), now()
    create_provider(session, authority_code=form.authority_code.data, name=form.council.data, by=by, at=at)
    change_provider(
        session,
        address=read_lines(form.address.data),
        vat_number=form.vat_number.data or "",
        demonstration=bool(current_app.config["SLA_DEMONSTRATION"]),
        by=by,
        at=at,
    )
    add_service(
        session, code=form.code.data, series=form.series.data, name=form.service_name.data, by=by, at=at
    )
    person = add_person(
        session, name=form.name.data, email=form.email.data, password=form.password.data, by=by, at=at
    )
    grant_role(session, person.id, Role.ADMINISTRATOR, by=by, at=at)
    return person
