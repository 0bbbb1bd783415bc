"""The pages within a service, for its manager."""

from __future__ import annotations

from sla_manager.people.models import TradingService
from sla_manager.web.navigation import Entry, entry

PAGES = (
    ("Today", "service.home"),
    ("Orders", "service.orders"),
    ("Agreements", "service.agreements"),
    ("Bought together", "service.together"),
    ("Changes", "service.changes"),
    ("Seasons", "service.season_list"),
    ("Capacity", "service.capacity_board"),
    ("Diaries", "service.board"),
    ("Visits", "service.visits"),
    ("Absences", "service.absences"),
    ("Support meetings", "service.meetings"),
    ("Pace", "service.pace"),
    ("Prices", "service.prices"),
    ("Suggestions", "service.needs"),
    ("Brochures", "service.brochures"),
    ("Spreadsheets", "service.takeover_start"),
    ("Year close", "service.year_close"),
)


def service_menu(service: TradingService) -> list[Entry]:
    """Return the menu of a service; the first entry is active on its own page only."""
    entries = [entry(text, endpoint, service=service.code) for text, endpoint in PAGES]
    entries[0]["active"] = entries[0]["active"] and not any(other["active"] for other in entries[1:])
    return entries
