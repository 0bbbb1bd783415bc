"""What is free and what is sold, with this school's prices; and the quote that begins a purchase."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from flask import redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from sla_manager.agreements.commands import LineWanted, prepare_quote
from sla_manager.agreements.queries.purchases import Purchase, purchases
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.catalogue.models import Offering, Price
from sla_manager.catalogue.offers import Catalogue, Offer, catalogue_of_school, price_figures
from sla_manager.catalogue.queries import offerings, prices_on
from sla_manager.catalogue.rules.families import FREE_SENTENCE, CoreDuty, free_duty
from sla_manager.catalogue.rules.finding import find, free_offerings
from sla_manager.catalogue.rules.quantities import quantity_hint
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.words import pounds
from sla_manager.people.models import School, TradingService
from sla_manager.people.rules.roles import GRANTS, Permission
from sla_manager.web.forms import BaseForm, ChoiceField, DateField, QuantityField, TextField, choice, once_key
from sla_manager.web.guard import in_school, my_memberships
from sla_manager.web.pages import actor, now, reading, today, transaction
from sla_manager.web.school import blueprint
from sla_manager.web.school.home import school_menu

SCHEDULES = (
    (Schedule.SINGLE, "In one sum", "One document, on the first day."),
    (Schedule.THREE, "In three parts", "One document for each term of the agreement."),
    (Schedule.SEVEN_FIVE, "In two parts", "Seven twelfths first, five twelfths from April."),
    (Schedule.MONTHLY, "Monthly", "An equal part for each calendar month."),
    (Schedule.ON_DELIVERY, "After each visit", "Each month, for what was delivered."),
)


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
        hint=next((one.hint for one in shelves if one.hint), None),
        nothing_found=bool(need) and not any(one.offers for one in shelves),
        figures=price_figures(session, school, on=today()),
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


def shelf(catalogue: Catalogue, need: str, bought: list[Purchase]) -> Shelf:
    """Return a service's catalogue, narrowed to a need; what is free is never left out."""
    duty = free_duty(need) if need else None
    free = free_offerings(need, catalogue.free)
    by_id = {one.offering.id: one for one in catalogue.offers}
    if need:
        found = find(need, [one.offering for one in catalogue.offers])
        offers = [(f"What fits “{need}”", [by_id[one.id] for one in found])] if found else []
    else:
        offers = [(family.title, found_offers) for family, found_offers in catalogue.sold]
    mine = [one for one in bought if one.service_id == catalogue.service.id]
    return Shelf(
        catalogue,
        FREE_SENTENCE if duty or free else None,
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


def _for_phase(one: Offering, school: School) -> bool:
    return not one.phases or any(str(phase).lower() in school.phase.lower() for phase in one.phases)


class QuoteForm(BaseForm):
    """How much of what, from when until when, and how it is paid. Quantities are added for each offering."""

    starts_on = DateField("First day", enter="Enter the first day of the agreement")
    ends_on = DateField("Last day", enter="Enter the last day of the agreement")
    schedule = ChoiceField("How do you want to pay?", enter="Choose how you want to pay")
    paid_from = ChoiceField("Which money pays for it?", enter="Choose which money pays for it")
    purchase_order = TextField("Purchase order number (optional)", longest=60)
    once = once_key()


def quote_form(offered: list[tuple[Offering, Price]], school: School) -> Any:
    """Return the form with a quantity for each offering that has a price for this school."""
    fields: dict[str, Any] = {}
    for one, price in offered:
        asked = quantity_hint(one.unit, one.minimum, one.maximum, one.step, one.limit_basis)
        fields[f"quantity_{one.id}"] = QuantityField(
            f"{one.name}: how many {one.unit}s?",
            hint=f"{pounds(price.unit_price)} for each {one.unit}. {asked}",
        )
    form = type("QuoteFormOfSchool", (QuoteForm,), fields)()
    form.schedule.choices = [choice(kind.value, text, hint) for kind, text, hint in SCHEDULES]
    form.paid_from.choices = [choice("budget", "The school's budget")]
    if school.customer_class.is_own:
        form.paid_from.choices.append(choice("private_fund", "The school's private fund (VAT is added)"))
    if not form.is_submitted():
        form.starts_on.data, form.ends_on.data = default_term(today())
        form.schedule.data, form.paid_from.data = Schedule.SINGLE.value, "budget"
        for one, _ in offered:
            if request.args.get("offering") == str(one.id):
                form[f"quantity_{one.id}"].data = one.minimum
    return form


def default_term(day: date) -> tuple[date, date]:
    """Return the dates a new agreement begins with: today until the end of the financial year."""
    return day, FinancialYear.of(day).period.last


@blueprint.route("/<int:urn>/quotes/new", methods=["GET", "POST"])
@in_school(Permission.ORDER)
def new_quote(school: School) -> str | tuple[str, int] | Response:
    """Ask for a quote: how much, when, how paid."""
    session = reading()
    service = _service(request.args.get("service"))
    prices = prices_on(session, service.id, school.customer_class, today())
    offered = [
        (one, prices[one.id])
        for one in offerings(session, service.id, today())
        if one.id in prices and _for_phase(one, school)
    ]
    form = quote_form(offered, school)
    status = 200
    if form.is_sent():
        try:
            return _prepared(form, offered, school, service)
        except Refused as error:
            form.refuse(error)
    if form.is_submitted():
        status = 422
    page = render_template(
        "school/new_quote.html",
        navigation=school_menu(school),
        school=school,
        service=service,
        form=form,
        offered=offered,
    )
    return page, status


def _service(code: str | None) -> TradingService:
    services = list(reading().scalars(select(TradingService).order_by(TradingService.id)))
    return next((one for one in services if one.code == code), services[0])


def _prepared(
    form: Any, offered: list[tuple[Offering, Price]], school: School, service: TradingService
) -> Response:
    wanted = [
        LineWanted(one.id, form[f"quantity_{one.id}"].data)
        for one, _ in offered
        if form[f"quantity_{one.id}"].data not in (None, Decimal(0))
    ]
    if not wanted:
        field = f"quantity_{offered[0][0].id}" if offered else None
        raise Refused("Enter how many you need of at least one service.", field=field)
    school_id, service_id = school.id, service.id
    with transaction() as session:
        quote = prepare_quote(
            session,
            service_id=service_id,
            school_id=school_id,
            starts_on=form.starts_on.data,
            ends_on=form.ends_on.data,
            schedule=Schedule(form.schedule.data),
            lines=wanted,
            paid_from=form.paid_from.data,
            purchase_order=form.purchase_order.data or "",
            by=actor(),
            at=now(),
            once_key=form.once.data,
        )
    return redirect(url_for("school.agreement", urn=school.urn, agreement_id=quote.id), 303)
