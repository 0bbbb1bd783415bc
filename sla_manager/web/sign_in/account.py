"""Your account: your roles in words, and your password."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from sla_manager.gateways.passwords import is_password
from sla_manager.kernel.errors import Refused
from sla_manager.people.commands import change_password
from sla_manager.people.models import Membership
from sla_manager.people.queries import person_by_id
from sla_manager.people.rules.passwords import SHORTEST
from sla_manager.people.rules.roles import GRANTS
from sla_manager.web.forms import BaseForm, PasswordField
from sla_manager.web.guard import me, my_memberships, signed_in
from sla_manager.web.pages import actor, now, reading, transaction
from sla_manager.web.sign_in import blueprint
from sla_manager.web.sign_in.entry import begin_session
from sla_manager.web.sign_in.limits import count_attempt


class ChangePasswordForm(BaseForm):
    """The old password and the new one."""

    current = PasswordField(
        "Current password", enter="Enter your current password", look={"autocomplete": "current-password"}
    )
    password = PasswordField(
        "New password",
        enter="Enter a new password",
        hint=f"At least {SHORTEST} characters. Three random words make a good password.",
        look={"autocomplete": "new-password"},
    )


@blueprint.get("/account")
@signed_in
def account() -> str:
    """Show who you are here, and what your roles let you do."""
    roles = [
        {
            "title": membership.role.title,
            "place": place_of(membership),
            "sentences": sorted(permission.sentence for permission in GRANTS[membership.role]),
            "order_limit": membership.order_limit,
        }
        for membership in my_memberships()
    ]
    return render_template("sign_in/account.html", person=me(), roles=roles)


@blueprint.route("/account/password", methods=["GET", "POST"])
@signed_in
def new_password() -> str | Response | tuple[str, int]:
    """Change your password: every other session of yours ends (S7)."""
    form = ChangePasswordForm()
    if form.is_sent():
        count_attempt("change-password", me().email)
        stored = person_by_id(reading(), me().id).password_hash
        try:
            if not is_password(stored, form.current.data):
                raise Refused("This is not your current password.", field="current")
            with transaction() as session:
                person = change_password(session, me().id, password=form.password.data, by=actor(), at=now())
            begin_session(person)
            flash("Your password is changed. You are signed out everywhere else.", "success")
            return redirect(url_for("sign_in.account"), 303)
        except Refused as error:
            form.refuse(error)
    return render_template("sign_in/new_password.html", form=form), 422 if form.errors else 200


def place_of(membership: Membership) -> str:
    """Return the name of the place in which a role is held."""
    place = membership.school or membership.trust or membership.service
    return place.name if place is not None else "the whole council"
