"""What lowers a price, what is in a package, and for how long prices are promised."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from sla_manager.agreements.queries.standing import package_parts
from sla_manager.catalogue.commands.bundles import add_discount, end_discount, freeze_prices, set_package
from sla_manager.catalogue.models import Discount, Offering, PriceFreeze
from sla_manager.catalogue.queries import offering, offerings
from sla_manager.catalogue.rules.discounts import DiscountKind, DiscountRule
from sla_manager.catalogue.rules.families import Family
from sla_manager.catalogue.rules.reviews import read_percentage
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.quantities import read_quantity
from sla_manager.people.models import TradingService
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Permission
from sla_manager.web.forms import (
    BaseForm,
    ChoicesField,
    DateField,
    MoneyField,
    QuantityField,
    TextField,
    WholeNumberField,
    choice,
)
from sla_manager.web.guard import in_service
from sla_manager.web.pages import actor, now, reading, today, transaction
from sla_manager.web.service import blueprint
from sla_manager.web.service.menu import service_menu


class FreezeForm(BaseForm):
    """For how many years maintained schools keep their prices."""

    first_years = WholeNumberField("Years the first time", enter="Enter 1, 2 or 3", least=1, most=3)
    later_years = WholeNumberField("Years at a renewal", enter="Enter a number from 1 to 5", least=1, most=5)


class DiscountForm(BaseForm):
    """What every discount says; each kind asks for its own besides."""

    name = TextField(
        "Name", enter="Enter its name", hint="It stands on the quote, like Early bird.", longest=80
    )
    starts_on = DateField("First day", enter="Enter its first day")
    ends_on = DateField("Last day (optional)", hint="Needed for an early bird. The day itself counts.")
    percent = TextField(
        "Per cent taken off", longest=8, look={"classes": "govuk-input--width-4", "suffix": {"text": "%"}}
    )
    unit_price = MoneyField("Or a price for each")
    threshold = QuantityField("From how many on?")
    free_quantity = QuantityField("How many are free?")
    needs = ChoicesField("What has to be bought?")
    offerings = ChoicesField("What does it lower? (optional)", hint="Tick none for everything that is sold.")
    classes = ChoicesField("For which customers? (optional)", hint="Tick none for all of them.")


ASKS: dict[DiscountKind, tuple[str, ...]] = {
    DiscountKind.EARLY_BIRD: ("name", "percent", "starts_on", "ends_on", "offerings", "classes"),
    DiscountKind.TAKE_ALL: ("name", "percent", "needs", "starts_on", "ends_on", "offerings", "classes"),
    DiscountKind.SUBSCRIBER: (
        "name", "percent", "unit_price", "needs", "offerings", "starts_on", "ends_on", "classes",
    ),
    DiscountKind.BUNDLE: (
        "name", "needs", "threshold", "offerings", "free_quantity", "starts_on", "ends_on", "classes",
    ),
}  # fmt: skip
"""What each kind asks for, in the order of its page."""


@blueprint.route("/<service>/prices/discounts", methods=["GET", "POST"])
@in_service(Permission.MANAGE_CATALOGUE)
def discounts(service: TradingService) -> str | tuple[str, int] | Response:
    """List what lowers a price and what is promised, and say for how long prices are held."""
    session = reading()
    freeze = session.scalar(select(PriceFreeze).where(PriceFreeze.service_id == service.id))
    form, status, code = FreezeForm(), 200, service.code
    if not form.is_submitted() and freeze is not None:
        form.first_years.data, form.later_years.data = freeze.first_years, freeze.later_years
    if form.is_sent():
        try:
            with transaction() as writing:
                freeze_prices(
                    writing,
                    service.id,
                    first_years=form.first_years.data,
                    later_years=form.later_years.data,
                    by=actor(),
                    at=now(),
                )
            flash("From now on maintained schools keep the price that they agree.", "success")
            return redirect(url_for("service.discounts", service=code), 303)
        except Refused as error:
            form.refuse(error)
    if form.is_submitted():
        status = 422
    session = reading()
    query = select(Discount).where(Discount.service_id == service.id).order_by(Discount.id.desc())
    names = {one.id: one.name for one in offerings(session, service.id, today())}
    page = render_template(
        "service/discounts.html",
        navigation=service_menu(service),
        service=service,
        discounts=list(session.scalars(query)),
        names=names,
        freeze=freeze,
        kinds=list(DiscountKind),
        today=today(),
        form=form,
        end=BaseForm(),
    )
    return page, status


@blueprint.route("/<service>/prices/discounts/new", methods=["GET", "POST"])
@in_service(Permission.MANAGE_CATALOGUE)
def new_discount(service: TradingService) -> str | tuple[str, int] | Response:
    """Add a discount of the kind that the address names, an early bird without one."""
    named = request.args.get("kind", DiscountKind.EARLY_BIRD.value)
    if named not in set(DiscountKind):
        raise NotFound
    kind, status, code = DiscountKind(named), 200, service.code
    form = _discount_form(service, kind)
    if form.is_sent():
        try:
            with transaction() as session:
                added = add_discount(session, service.id, _rule(kind, form), by=actor(), at=now())
            flash(f"{added.name} lowers prices from {added.starts_on:%-d %B %Y}.", "success")
            return redirect(url_for("service.discounts", service=code), 303)
        except Refused as error:
            form.refuse(error)
    if form.is_submitted():
        status = 422
    page = render_template(
        "service/new_discount.html", navigation=service_menu(service), service=service, kind=kind, form=form
    )
    return page, status


def _discount_form(service: TradingService, kind: DiscountKind) -> Any:
    fields = {name: getattr(DiscountForm, name) for name in ASKS[kind]}
    form: Any = type("DiscountFormOfKind", (BaseForm,), fields)()
    sold = [one for one in offerings(reading(), service.id, today()) if one.family is not Family.CORE]
    for name in ("needs", "offerings"):
        if name in fields:
            form[name].choices = [choice(str(one.id), one.name) for one in sold]
    form.classes.choices = [choice(one.value, one.title) for one in CustomerClass]
    if not form.is_submitted():
        form.starts_on.data = today()
    return form


def _rule(kind: DiscountKind, form: Any) -> DiscountRule:
    def given(name: str) -> Any:
        return form[name].data if name in form else None

    return DiscountRule(
        kind=kind,
        name=given("name"),
        percent=read_percentage(given("percent")) if given("percent") else None,
        unit_price=given("unit_price"),
        threshold=given("threshold"),
        free_quantity=given("free_quantity"),
        offering_ids=frozenset(int(one) for one in given("offerings") or ()),
        needs_ids=frozenset(int(one) for one in given("needs") or ()),
        customer_classes=frozenset(CustomerClass(one) for one in given("classes") or ()),
        starts_on=given("starts_on"),
        ends_on=given("ends_on"),
    )


@blueprint.post("/<service>/prices/discounts/<int:discount_id>/end")
@in_service(Permission.MANAGE_CATALOGUE)
def discount_end(service: TradingService, discount_id: int) -> Response:
    """End a discount today: quotes that have it keep it."""
    code, form = service.code, BaseForm()
    found = reading().get(Discount, discount_id)
    if found is None or found.service_id != service.id:
        raise NotFound
    if form.is_sent():
        with transaction() as session:
            ended = end_discount(session, discount_id, on=today(), by=actor(), at=now())
        flash(f"{ended.name} ends today. Quotes that have it keep it.", "success")
    return redirect(url_for("service.discounts", service=code), 303)


@blueprint.route("/<service>/prices/<int:offering_id>/package", methods=["GET", "POST"])
@in_service(Permission.MANAGE_CATALOGUE)
def package(service: TradingService, offering_id: int) -> str | tuple[str, int] | Response:
    """Say what is in a package: how much of which offering. What is in it stays."""
    session = reading()
    found = offering(session, offering_id, service_id=service.id)
    others = [one for one in offerings(session, service.id, today()) if one.id != found.id]
    form, status, code = _package_form(others), 200, service.code
    if form.is_sent():
        try:
            with transaction() as writing:
                set_package(writing, found.id, _included(form, others), by=actor(), at=now())
            flash(f"{found.name} is a package now.", "success")
            return redirect(url_for("service.offering_prices", service=code, offering_id=found.id), 303)
        except Refused as error:
            form.refuse(error)
    if form.is_submitted():
        status = 422
    page = render_template(
        "service/package.html",
        navigation=service_menu(service),
        service=service,
        offering=found,
        parts=package_parts(reading(), service.id).get(found.id, []),
        form=form,
    )
    return page, status


def _package_form(others: list[Offering]) -> Any:
    fields = {
        f"part_{one.id}": TextField(
            one.name,
            hint=f"How many {one.unit}s" + (", named as free" if one.family is Family.CORE else ""),
            look={"classes": "govuk-input--width-4"},
            longest=12,
        )
        for one in others
    }
    return type("PackageForm", (BaseForm,), fields)()


def _included(form: Any, others: list[Offering]) -> list[tuple[int, Decimal]]:
    found = []
    for one in others:
        typed = form[f"part_{one.id}"].data
        if typed:
            found.append((one.id, read_quantity(typed, field=f"part_{one.id}")))
    return found
