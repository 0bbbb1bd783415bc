"""The administration's first page: what there is, and what is missing to begin."""

from __future__ import annotations

from flask import render_template

from sla_manager.people.queries import counts, register_imports
from sla_manager.people.rules.roles import Permission
from sla_manager.web.admin import blueprint
from sla_manager.web.admin.menu import admin_menu
from sla_manager.web.guard import may, permitted
from sla_manager.web.pages import reading, today


@blueprint.get("/")
@permitted(Permission.MANAGE_PEOPLE, Permission.SEE_AUDIT_TRAIL)
def home() -> str:
    """Show how much there is of everything, and the next step of setting up."""
    session = reading()
    return render_template(
        "admin/home.html",
        navigation=admin_menu(),
        counts=counts(session, today()),
        imports=register_imports(session, limit=3),
        may_manage=may(Permission.MANAGE_PEOPLE),
    )
