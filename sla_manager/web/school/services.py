"""What is free and what is sold, with this school's prices."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from flask import render_template, request
from sqlalchemy import select

from sla_manager.agreements.queries.purchases import Purchase, purchases
from sla_manager.catalogue.models import Offering
from sla_manager.catalogue.offers import Catalogue, Offer, catalogue_of_school, price_figures
from sla_manager.catalogue.rules.families import FREE_SENTENCE, CoreDuty, free_duty
from sla_manager.catalogue.rules.finding import find, free_offerings
from sla_manager.kernel.periods import FinancialYear
from sla_manager.people.models import School, TradingService
from sla_manager.people.rules.roles import GRANTS, Permission
from sla_manager.web.figures import shown_figures
from sla_manager.web.guard import in_school, my_memberships
from sla_manager.web.pages import reading, today
from sla_manager.web.school import blueprint
from sla_manager.web.school.home import school_menu


@blueprint.get("/<int:urn>/services")
@in_school(Permission.SEE_CATALOGUE)
def services(school: School) -> str:
    """Show the free core offer first, how much the school may need, and what can be bought at which price."""
    session = reading()
    need = request.args.get("need", "").strip()[:200]
    this_year = FinancialYear.of(today())
    bought = purchases(session, school.id, [this_year.first, this_year.first - 1])
    shelves = [
        shelf(catalogue_of_school(session, one, school, on=today()), need, bought)
        for one in session.scalars(select(TradingService).order_by(TradingService.name))
    ]
    return render_template(
        "school/services.html",
        navigation=school_menu(school),
        school=school,
        shelves=shelves,
        need=need,
        hints=free_shelves(shelves),
        nothing_found=bool(need) and not any(one.offers for one in shelves),
        figures=price_figures(session, school, on=today()),
        published=shown_figures(session, school.id),
        may_order=may_in_school(school, Permission.ORDER),
        once=lambda: secrets.token_urlsafe(24),
    )


@dataclass(frozen=True)
class Shelf:
    """One service as a school sees it: what is free, what is suggested, what fits her need, what she bought."""

    catalogue: Catalogue
    hint: str | None
    duty: CoreDuty | None
    free: list[Offering]
    offers: list[tuple[str, list[Offer]]]
    bought: list[tuple[Purchase, Offer | None]]

    @property
    def suggested(self) -> list[Offer]:
        """What the service suggests, or says that it cannot."""
        return [one for one in self.catalogue.offers if one.suggestion is not None]


def free_shelves(shelves: list[Shelf]) -> list[Shelf]:
    """Return the services that say "this is free": those that list it, else the first, for the duty is theirs all."""
    hinting = [one for one in shelves if one.hint]
    return [one for one in hinting if one.free] or hinting[:1]


def shelf(catalogue: Catalogue, need: str, bought: list[Purchase]) -> Shelf:
    """Return a service's catalogue, narrowed to a need; what is free is never left out."""
    duty = free_duty(need) if need else None
    under_duty = [one for one in catalogue.free if duty is not None and one.duty is duty]
    free = free_offerings(need, catalogue.free) or under_duty
    by_id = {one.offering.id: one for one in catalogue.offers}
    if need:
        found = find(need, [one.offering for one in catalogue.offers])
        offers = [(f"What fits “{need}”", [by_id[one.id] for one in found])] if found else []
    else:
        offers = [(family.title, found_offers) for family, found_offers in catalogue.sold]
    mine = [one for one in bought if one.service_id == catalogue.service.id]
    return Shelf(
        catalogue,
        FREE_SENTENCE if free or duty is not None else None,
        duty,
        free,
        offers,
        [(one, by_id.get(one.offering_id)) for one in mine],
    )


def may_in_school(school: School, permission: Permission) -> bool:
    """Say whether who is signed in holds a permission in this school, for what a page offers."""
    return any(
        permission in GRANTS[membership.role]
        and (
            membership.school_id == school.id
            or (membership.trust_id is not None and membership.trust_id == school.trust_id)
        )
        for membership in my_memberships()
    )
