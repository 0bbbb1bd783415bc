"""The pages within finance."""

from __future__ import annotations

from sla_manager.people.rules.roles import Permission
from sla_manager.web.guard import may
from sla_manager.web.navigation import Entry, entry

PAGES = (
    ("Today", "finance.home", Permission.SEE_DOCUMENTS),
    ("Invoice run", "finance.run_preview", Permission.ISSUE_DOCUMENTS),
    ("Documents", "finance.documents", Permission.SEE_DOCUMENTS),
    ("Payments", "finance.receipts", Permission.SEE_DOCUMENTS),
    ("Exports", "finance.exports", Permission.EXPORT),
    ("Parked", "finance.parked", Permission.SEE_DOCUMENTS),
    ("Check the books", "finance.integrity", Permission.SEE_DOCUMENTS),
)


def finance_menu() -> list[Entry]:
    """Return the menu of finance, as far as the person may open its pages."""
    entries = [entry(text, endpoint) for text, endpoint, permission in PAGES if may(permission)]
    if entries:
        entries[0]["active"] = entries[0]["active"] and not any(other["active"] for other in entries[1:])
    return entries
