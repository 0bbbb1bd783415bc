"""Setting a password by a link that is sent by mail."""

from __future__ import annotations

from flask import current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sla_manager.kernel.errors import Refused
from sla_manager.people.commands import request_password_link, set_password_by_link
from sla_manager.people.queries import person_of_reset
from sla_manager.people.rules.passwords import SHORTEST
from sla_manager.store.audit import Actor
from sla_manager.web.forms import BaseForm, EmailField, PasswordField
from sla_manager.web.guard import public
from sla_manager.web.pages import now, reading, transaction
from sla_manager.web.sign_in import blueprint
from sla_manager.web.sign_in.limits import count_attempt


class ForgottenForm(BaseForm):
    """Where the link goes."""

    email = EmailField("Email address", enter="Enter your email address")


class NewPasswordForm(BaseForm):
    """The password that counts from now on."""

    password = PasswordField(
        "New password",
        enter="Enter a new password",
        hint=f"At least {SHORTEST} characters. Three random words make a good password.",
        look={"autocomplete": "new-password"},
    )


def password_page() -> str:
    """Return the public address to which a link's token is added."""
    return f"{current_app.config['SLA_ADDRESS']}/password/set/"


@blueprint.route("/password/forgotten", methods=["GET", "POST"])
@public
def forgotten() -> str | Response | tuple[str, int]:
    """Ask for a link. The answer is the same whether or not we know the address (S15)."""
    form = ForgottenForm()
    if form.is_sent():
        count_attempt("password-link", form.email.data)
        by = Actor(None, "Password page", request.remote_addr)
        with transaction() as session:
            request_password_link(session, form.email.data, page=password_page(), by=by, at=now())
        return redirect(url_for("sign_in.link_sent"), 303)
    return render_template("sign_in/forgotten.html", form=form), 422 if form.errors else 200


@blueprint.get("/password/sent")
@public
def link_sent() -> str:
    """Say what happens next, to anybody who asked."""
    return render_template("sign_in/link_sent.html")


@blueprint.route("/password/set/<token>", methods=["GET", "POST"])
@public
def set_password(token: str) -> str | Response | tuple[str, int]:
    """Set a password by a link; opening the page does not use the link up."""
    form = NewPasswordForm()
    if form.is_sent():
        count_attempt("set-password", token)
        by = Actor(None, "Password page", request.remote_addr)
        try:
            with transaction() as session:
                set_password_by_link(session, token, password=form.password.data, by=by, at=now())
            flash("Your password is set. Sign in with it.", "success")
            return redirect(url_for("sign_in.sign_in"), 303)
        except Refused as error:
            form.refuse(error)
    if person_of_reset(reading(), token, at=now()) is None:
        return render_template("sign_in/link_over.html"), 410
    return render_template("sign_in/set_password.html", form=form), 422 if form.errors else 200
