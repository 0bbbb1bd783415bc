"""The pages of the administration, for those who may open them."""

from __future__ import annotations

from typing import Any

from flask import request

from sla_manager.people.rules.roles import Permission
from sla_manager.web.guard import may
from sla_manager.web.navigation import Entry, entry

PAGES = (
    ("Overview", "admin.home", (Permission.MANAGE_PEOPLE, Permission.SEE_AUDIT_TRAIL)),
    ("Register", "admin.register", (Permission.IMPORT_REGISTER,)),
    ("Attendance", "admin.attendance", (Permission.IMPORT_REGISTER,)),
    ("Schools", "admin.schools", (Permission.IMPORT_REGISTER, Permission.SEE_AUDIT_TRAIL)),
    ("Trusts", "admin.trusts", (Permission.IMPORT_REGISTER, Permission.SEE_AUDIT_TRAIL)),
    ("People", "admin.people", (Permission.MANAGE_PEOPLE,)),
    ("Roles", "admin.roles", (Permission.MANAGE_PEOPLE, Permission.SEE_AUDIT_TRAIL)),
    ("Officers", "admin.officers", (Permission.MANAGE_PEOPLE,)),
    ("Services", "admin.services", (Permission.MANAGE_PROVIDER,)),
    ("Terms", "admin.terms", (Permission.MANAGE_PROVIDER,)),
    ("Settings", "admin.settings", (Permission.MANAGE_PROVIDER,)),
    ("Outbox", "admin.outbox", (Permission.SEE_AUDIT_TRAIL,)),
    ("Audit trail", "admin.audit", (Permission.SEE_AUDIT_TRAIL,)),
)


def admin_menu() -> list[Entry]:
    """Return the menu of the administration; the first entry is active on its own page only."""
    entries = [
        entry(text, endpoint)
        for text, endpoint, wanted in PAGES
        if any(may(permission) for permission in wanted)
    ]
    for one in entries:
        if one["text"] == "Overview":
            one["active"] = one["active"] and not any(
                other["active"] for other in entries if other is not one
            )
    return entries


def kept_filter(*names: str) -> dict[str, Any]:
    """Return what this page's address asks for, of these names only, to carry over to the next page of a list."""
    return {name: request.args[name] for name in names if request.args.get(name)}
