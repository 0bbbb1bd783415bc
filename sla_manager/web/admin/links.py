"""Importing the register's links: what became of schools, for the services to look at."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.words import counted
from sla_manager.people.commands.links import import_links
from sla_manager.people.rules.register import UnreadableCells
from sla_manager.people.rules.roles import Permission
from sla_manager.web.admin import blueprint
from sla_manager.web.admin.menu import admin_menu
from sla_manager.web.admin.register import plain_name
from sla_manager.web.forms import BaseForm, FileField
from sla_manager.web.guard import permitted
from sla_manager.web.pages import actor, now, transaction


class LinksForm(BaseForm):
    """The links file."""

    file = FileField(
        "Links file (CSV, up to 50 MB)",
        enter="Choose a links file",
        hint="All links, as downloaded from Get Information about Schools.",
    )


@blueprint.route("/register/links", methods=["GET", "POST"])
@permitted(Permission.IMPORT_REGISTER)
def links() -> str | Response | tuple[str, int]:
    """Take a links file. No agreement changes: each change found waits for its service to confirm it."""
    form = LinksForm()
    mistakes: list[str] = []
    if form.is_sent():
        content = form.file.data.read()
        try:
            with transaction() as session:
                report = import_links(
                    session, content, filename=plain_name(form.file.data.filename), by=actor(), at=now()
                )
            flash(
                f"{counted(report.new, 'new link')} imported, {counted(report.found, 'change')} of schools found.",
                "success",
            )
            return redirect(url_for("admin.links"), 303)
        except UnreadableCells as error:
            mistakes = [str(one) for one in error.errors]
            form.refuse(Refused(error.opening, field="file"))
        except Refused as error:
            form.refuse(error)
    page = render_template("admin/links.html", navigation=admin_menu(), form=form, mistakes=mistakes)
    return page, 422 if form.errors else 200
