"""Signing in and out, and where each person begins."""

from __future__ import annotations

from urllib.parse import urlsplit

import structlog
from flask import flash, redirect, render_template, request, session, url_for
from flask_login import current_user, login_user
from werkzeug.wrappers import Response

from sla_manager.gateways.passwords import is_password
from sla_manager.people.commands import note_sign_in
from sla_manager.people.models import Person
from sla_manager.people.queries import person_by_email
from sla_manager.store.audit import Actor
from sla_manager.web.forms import BaseForm, EmailField, PasswordField
from sla_manager.web.guard import SignedInPerson, my_memberships, public, signed_in
from sla_manager.web.navigation import my_schools, my_trusts, places
from sla_manager.web.pages import now, reading, transaction
from sla_manager.web.sign_in import blueprint
from sla_manager.web.sign_in.limits import count_attempt

log = structlog.get_logger(__name__)
REFUSED = "The e-mail address or the password is not right. Check both and try again."


class SignInForm(BaseForm):
    """Who you are."""

    email = EmailField("Email address", enter="Enter your email address")
    password = PasswordField(
        "Password", enter="Enter your password", look={"autocomplete": "current-password"}
    )


@blueprint.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> str | Response | tuple[str, int]:
    """Ask for address and password. The answer is the same for an unknown address and a wrong password (S15)."""
    if request.method == "GET" and current_user.is_authenticated:
        return redirect(own_path(request.args.get("next")))
    form = SignInForm()
    if form.is_sent():
        count_attempt("sign-in", form.email.data)
        person = person_by_email(reading(), form.email.data)
        stored = person.password_hash if person is not None and person.active else None
        if is_password(stored, form.password.data) and person is not None:
            by = Actor(person.id, person.name, request.remote_addr)
            with transaction() as writing:
                note_sign_in(writing, person.id, by=by, at=now())
            begin_session(person)
            return redirect(own_path(request.args.get("next")), 303)
        log.warning("sign-in refused", address=request.remote_addr)
        form.form_errors.append(REFUSED)
    return render_template("sign_in/sign_in.html", form=form), 422 if form.errors or form.form_errors else 200


@blueprint.post("/sign-out")
@public
def sign_out() -> Response:
    """Forget who was here."""
    session.clear()
    flash("You have signed out.", "success")
    return redirect(url_for("sign_in.sign_in"), 303)


@blueprint.get("/")
@signed_in
def start() -> str | Response:
    """Lead to the one place where this person works, or ask which of them."""
    schools = my_schools()
    taken = {url_for("sign_in.start"), *(school_address(school.urn) for school in schools)}
    others = [place for place in places() if place["href"] not in taken]
    trusts = {one.id for one in my_trusts()}
    apart = [school for school in schools if school.trust_id not in trusts]
    addresses = [school_address(school.urn) for school in apart] + [place["href"] for place in others]
    if len(addresses) == 1:
        return redirect(addresses[0])
    return render_template(
        "sign_in/start.html",
        schools=[(school, school_address(school.urn)) for school in schools],
        others=others,
        has_roles=bool(my_memberships()),
    )


def school_address(urn: int) -> str:
    """Return the first page of a school."""
    return url_for("school.home", urn=urn)


def begin_session(person: Person) -> None:
    """Begin a new session for a person: nothing of an earlier one is carried over (S7)."""
    session.clear()
    session.permanent = True
    login_user(SignedInPerson.of(person))


def own_path(target: str | None) -> str:
    """Return where to go next: a path of this product, else the person's first page.

    Anything with a host, a scheme, a backslash or a character that nobody sees leads to the first page.
    """
    start_page = url_for("sign_in.start")
    if not target or not target.startswith("/") or target.startswith("//"):
        return start_page
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or "\\" in target or not target.isprintable() or " " in target:
        return start_page
    return target
