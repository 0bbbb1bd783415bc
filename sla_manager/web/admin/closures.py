"""Days on which one school is closed to visits: INSET days and the like."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from sla_manager.kernel.errors import Refused
from sla_manager.people.queries import school_by_urn
from sla_manager.people.rules.roles import Permission
from sla_manager.visits.commands.closures import add_closure, withdraw_closure
from sla_manager.visits.queries.closures import closures
from sla_manager.web.admin import blueprint
from sla_manager.web.admin.menu import admin_menu
from sla_manager.web.forms import BaseForm, DateField, TextField
from sla_manager.web.guard import permitted
from sla_manager.web.pages import actor, now, reading, today, transaction


class ClosureForm(BaseForm):
    """When the school is closed, and why."""

    starts_on = DateField("First day", enter="Enter the first day")
    ends_on = DateField("Last day", enter="Enter the last day")
    why = TextField("Why", enter="Enter why, like INSET day", longest=200)


class ActForm(BaseForm):
    """A button without questions."""


@blueprint.route("/schools/<int:urn>/closures", methods=["GET", "POST"])
@permitted(Permission.MANAGE_PROVIDER)
def school_closures(urn: int) -> str | Response | tuple[str, int]:
    """List a school's closures to come and add one."""
    school = school_by_urn(reading(), urn)
    form = ClosureForm()
    if form.is_sent():
        try:
            with transaction() as session:
                add_closure(
                    session,
                    school.id,
                    starts_on=form.starts_on.data,
                    ends_on=form.ends_on.data,
                    why=form.why.data,
                    by=actor(),
                    at=now(),
                )
            flash("The closure is added. Look at the diary for visits on these days.", "success")
            return redirect(url_for("admin.school_closures", urn=urn), 303)
        except Refused as error:
            form.refuse(error)
    page = render_template(
        "admin/closures.html",
        navigation=admin_menu(),
        school=school,
        form=form,
        closures=closures(reading(), school.id, since=today()),
        act_form=ActForm(formdata=None),
    )
    return page, 422 if form.errors else 200


@blueprint.post("/schools/<int:urn>/closures/<int:closure_id>/withdraw")
@permitted(Permission.MANAGE_PROVIDER)
def closure_withdraw(urn: int, closure_id: int) -> Response:
    """Take a wrong closure back."""
    school = school_by_urn(reading(), urn)
    with transaction() as session:
        withdraw_closure(session, closure_id, school_id=school.id, by=actor(), at=now())
    flash("The closure is withdrawn.", "success")
    return redirect(url_for("admin.school_closures", urn=urn), 303)
