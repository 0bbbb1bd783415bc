"""The pages within a service, for its manager: those of every day in the menu, the others a step further."""

from __future__ import annotations

from dataclasses import dataclass

from flask import render_template

from sla_manager.people.models import TradingService
from sla_manager.people.rules.roles import Permission
from sla_manager.web.guard import in_service
from sla_manager.web.navigation import Entry, entry
from sla_manager.web.service import blueprint


@dataclass(frozen=True, slots=True)
class Place:
    """A page of the service: its name, where it is, and what one does there."""

    text: str
    endpoint: str
    about: str = ""


EVERY_DAY = (
    Place("Today", "service.home"),
    Place("Orders", "service.orders"),
    Place("Agreements", "service.agreements"),
    Place("Seasons", "service.season_list"),
    Place("Capacity", "service.capacity_board"),
    Place("Diaries", "service.board"),
    Place("Visits", "service.visits"),
    Place("Prices", "service.prices"),
)
FURTHER: tuple[tuple[str, tuple[Place, ...]], ...] = (
    (
        "Agreements",
        (
            Place("Bought together", "service.together", "Trusts, partners that share days, pools"),
            Place("Changes", "service.changes", "Variations to sign, schools that convert, merge or close"),
            Place("Automatic renewal", "service.renewing", "Agreements that renew unless notice is given"),
            Place(
                "Notice and renewal", "service.agreement_policy_page", "What new agreements say about both"
            ),
        ),
    ),
    (
        "Visits",
        (
            Place("Absences", "service.absences", "Leave, training, sickness, and who covers"),
            Place("Support meetings", "service.meetings", "The free termly meeting, school by school"),
            Place("Pace", "service.pace", "How fast bought time is used"),
        ),
    ),
    (
        "What you sell",
        (
            Place(
                "Discounts and promised prices",
                "service.discounts",
                "Early birds, packages of everything, freezes",
            ),
            Place("Suggestions", "service.needs", "How much a school is told it may need"),
            Place("Brochures", "service.brochures", "The service with its prices, to print"),
        ),
    ),
    (
        "The books",
        (
            Place(
                "Spreadsheets",
                "service.takeover_start",
                "Take agreements over, and compare both sets of books",
            ),
            Place("Year close", "service.year_close", "What lapses on 31 March"),
        ),
    ),
)


def service_menu(service: TradingService) -> list[Entry]:
    """Return the menu of a service; a page that is a step further stands in it while one is there."""
    entries = [entry(one.text, one.endpoint, service=service.code) for one in EVERY_DAY]
    further = [entry(one.text, one.endpoint, service=service.code) for _, places in FURTHER for one in places]
    here = max((one for one in further if one["active"]), key=lambda one: len(one["href"]), default=None)
    more = entry("More", "service.more", service=service.code)
    entries = [*entries, *([here] if here else []), more]
    for other in entries[:-1]:
        if other is not here and here is not None:
            other["active"] = False
    entries[0]["active"] = entries[0]["active"] and not any(other["active"] for other in entries[1:])
    return entries


@blueprint.get("/<service>/more")
@in_service(Permission.SEE_SERVICE)
def more(service: TradingService) -> str:
    """List every page of the service that is not in the menu, with what one does there."""
    return render_template(
        "service/more.html", navigation=service_menu(service), service=service, groups=FURTHER
    )
