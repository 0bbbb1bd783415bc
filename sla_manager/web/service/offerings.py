"""Adding something to sell, and setting its price in whichever shape it has."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sla_manager.catalogue.commands import set_price as set_price_of
from sla_manager.catalogue.commands.offerings import NewOffering, add_offering
from sla_manager.catalogue.commands.reviews import PriceInThePast
from sla_manager.catalogue.models import Offering
from sla_manager.catalogue.queries import offering
from sla_manager.catalogue.rules.families import Family, refuse_core
from sla_manager.catalogue.rules.preset_shapes import Phase, Unit
from sla_manager.catalogue.rules.price_terms import check_terms
from sla_manager.catalogue.rules.shapes import PartYear, PriceShape, TopUp, plainest
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.money import Money
from sla_manager.people.models import TradingService
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Permission
from sla_manager.web.forms import (
    BaseForm,
    CheckboxField,
    ChoiceField,
    ChoicesField,
    DateField,
    LongTextField,
    MinutesField,
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
from sla_manager.web.service.price_review import next_year


class OfferingForm(BaseForm):
    """Something new to sell."""

    name = TextField("Name", enter="Enter its name", longest=200)
    code = TextField("Short code", enter="Enter a short code", hint="Like EWO-DAY.", longest=40)
    description = LongTextField("What the school gets (optional)")
    family = ChoiceField("What kind of service is it?", enter="Choose what kind of service it is")
    unit = ChoiceField("What is it counted in?", enter="Choose what it is counted in")
    unit_minutes = MinutesField("How long is one? (optional)", hint="Needed for days and hours.")
    minimum = QuantityField("Least that can be ordered", enter="Enter the least that can be ordered")
    step = QuantityField("In steps of", enter="Enter the step, like 0.5 or 1")
    maximum = QuantityField("Most that can be ordered (optional)")
    per_term = CheckboxField("It is ordered for each term")
    part_year = ChoiceField("What does part of a year cost?", enter="Choose what part of a year costs")
    classes = ChoicesField("For which customers? (optional)", hint="Tick none for all of them.")
    phases = ChoicesField("For which phases? (optional)", hint="Tick none for all of them.")


@blueprint.route("/<service>/prices/new", methods=["GET", "POST"])
@in_service(Permission.MANAGE_CATALOGUE)
def new_offering(service: TradingService) -> str | tuple[str, int] | Response:
    """Add something to sell."""
    form, status, code = OfferingForm(), 200, service.code
    form.family.choices = [choice(one.value, one.title) for one in Family if one is not Family.CORE]
    form.unit.choices = [choice(one.value, one.value.capitalize()) for one in Unit]
    form.part_year.choices = [choice(one.value, one.title) for one in PartYear]
    form.classes.choices = [choice(one.value, one.title) for one in CustomerClass]
    form.phases.choices = [choice(one.value, one.value) for one in Phase]
    if not form.is_submitted():
        form.minimum.data = form.step.data = QuantityField.read(form.minimum, "1")
        form.part_year.data = PartYear.FULL.value
    if form.is_sent():
        try:
            with transaction() as session:
                added = add_offering(session, service.id, _offering(form), by=actor(), at=now())
            flash(f"{added.name} is added. Set its price, so that schools can order it.", "success")
            return redirect(url_for("service.set_price", service=code, offering_id=added.id), 303)
        except Refused as error:
            form.refuse(error)
    if form.is_submitted():
        status = 422
    page = render_template(
        "service/new_offering.html", navigation=service_menu(service), service=service, form=form
    )
    return page, status


def _offering(form: OfferingForm) -> NewOffering:
    return NewOffering(
        code=form.code.data,
        name=form.name.data,
        description=form.description.data or "",
        family=Family(form.family.data),
        unit=Unit(form.unit.data),
        unit_minutes=form.unit_minutes.data,
        step=form.step.data,
        minimum=form.minimum.data,
        maximum=form.maximum.data,
        per_term=bool(form.per_term.data),
        part_year=PartYear(form.part_year.data),
        customer_classes=tuple(CustomerClass(one) for one in form.classes.data or ()),
        phases=tuple(form.phases.data or ()),
    )


class PriceForm(BaseForm):
    """For whom and from when; each shape asks for its own amounts besides."""

    classes = ChoicesField("Who pays this price?", enter="Tick at least one kind of customer")
    starts_on = DateField("From which day?", enter="Enter the day from which it holds")


class UnitForm(PriceForm):
    """So much for each."""

    unit_price = MoneyField("Price of one", enter="Enter the price of one, like 368.00")


class TiersForm(PriceForm):
    """A price for each that falls with the whole quantity."""

    tiers = LongTextField(
        "Prices",
        enter="Enter at least one price",
        hint="One line for each: from how many, then the price of one. Like: 4 500.00",
        look={"classes": "govuk-!-width-one-third", "rows": 6},
    )
    top_up = ChoiceField("What does more of it cost later in the year?", enter="Choose what more of it costs")


class PupilForm(PriceForm):
    """A base and so much for each pupil."""

    base = MoneyField("Base for every school", enter="Enter the base, like 466.14")
    each = MoneyField("For each pupil", enter="Enter the amount for each pupil, like 1.14")
    fallback_pupils = WholeNumberField(
        "Pupils of a school without a published figure (optional)",
        hint="Without this number such a school cannot order it.",
        least=1,
        most=20_000,
    )


class BandsForm(PriceForm):
    """A fixed price by phase, pupils or absence."""

    by = ChoiceField("What does the price depend on?", enter="Choose what the price depends on")
    bands = LongTextField(
        "Bands",
        enter="Enter at least one band",
        hint="One line for each: from which number (or the phase), then the price. Like: 0 250.00 or Primary 250.00",
        look={"classes": "govuk-!-width-one-half", "rows": 8},
    )


FORMS: dict[PriceShape, type[PriceForm]] = {
    PriceShape.UNIT: UnitForm,
    PriceShape.TIERS: TiersForm,
    PriceShape.PER_PUPIL: PupilForm,
    PriceShape.BANDS: BandsForm,
}
BANDED = (("phase", "The school's phase"), ("pupils", "Its pupils"), ("absence", "Its persistent absence"))


@blueprint.route("/<service>/prices/<int:offering_id>/set", methods=["GET", "POST"])
@in_service(Permission.MANAGE_CATALOGUE)
def set_price(service: TradingService, offering_id: int) -> str | tuple[str, int] | Response:
    """Set a price from a day on, in the shape that the address names."""
    found = offering(reading(), offering_id, service_id=service.id)
    refuse_core(found.family, found.name)
    named = request.args.get("shape", "")
    shape = PriceShape(named) if named in set(PriceShape) else PriceShape.UNIT
    form, status = _form(shape), 200
    if form.is_sent():
        try:
            return _priced(service, found, shape, form)
        except Refused as error:
            form.refuse(error)
    if form.is_submitted():
        status = 422
    page = render_template(
        "service/set_price.html",
        navigation=service_menu(service),
        service=service,
        offering=found,
        shape=shape,
        shapes=list(PriceShape),
        form=form,
    )
    return page, status


def _form(shape: PriceShape) -> Any:
    form: Any = FORMS[shape]()
    form.classes.choices = [choice(one.value, one.title) for one in CustomerClass]
    if isinstance(form, TiersForm):
        form.top_up.choices = [choice(one.value, one.title) for one in TopUp]
    if isinstance(form, BandsForm):
        form.by.choices = [choice(key, title) for key, title in BANDED]
    if not form.is_submitted():
        form.starts_on.data = next_year(today())
        if isinstance(form, TiersForm):
            form.top_up.data = TopUp.ORIGINAL.value
    return form


def _priced(service: TradingService, found: Offering, shape: PriceShape, form: Any) -> Response:
    if form.starts_on.data < today():
        raise PriceInThePast(form.starts_on.data, today())
    terms = _terms(shape, form)
    check_terms(shape, terms, minimum=found.minimum)
    price = form.unit_price.data if shape is PriceShape.UNIT else plainest(shape, terms)
    code, offering_id, name = service.code, found.id, found.name
    with transaction() as session:
        for kind in form.classes.data:
            set_price_of(
                session,
                offering_id,
                CustomerClass(kind),
                unit_price=price,
                shape=shape,
                terms=terms,
                starts_on=form.starts_on.data,
                by=actor(),
                at=now(),
            )
    flash(f"The price of {name} is set from {form.starts_on.data:%-d %B %Y}.", "success")
    return redirect(url_for("service.offering_prices", service=code, offering_id=offering_id), 303)


def _terms(shape: PriceShape, form: Any) -> dict[str, Any]:
    if shape is PriceShape.TIERS:
        rows = [_row(line, "tiers", "4 500.00") for line in form.tiers.data.splitlines() if line.strip()]
        return {"tiers": [list(row) for row in rows], "top_up": form.top_up.data}
    if shape is PriceShape.PER_PUPIL:
        terms = {"base": str(form.base.data), "each": str(form.each.data)}
        return terms | (
            {"fallback_pupils": form.fallback_pupils.data} if form.fallback_pupils.data is not None else {}
        )
    if shape is PriceShape.BANDS:
        rows = [_row(line, "bands", "0 250.00") for line in form.bands.data.splitlines() if line.strip()]
        return {"by": form.by.data, "bands": _bands(form.by.data, rows)}
    return {}


def _row(line: str, field: str, like: str) -> tuple[str, str]:
    """Read a line of two: what it begins with, and the price at its end."""
    first, _, last = line.strip().rpartition(" ")
    if not first:
        raise Refused(f"“{line.strip()[:40]}” needs two parts. Enter a line like {like}", field=field)
    return first.strip(), str(Money.parse(last, field=field))


def _bands(by: str, rows: list[tuple[str, str]]) -> list[dict[str, Any]]:
    if by == "phase":
        return [{"phase": first, "price": price} for first, price in rows]
    ends = [first for first, _ in rows[1:]] + [None]
    return [
        {"from": first, "to": end, "price": price} for (first, price), end in zip(rows, ends, strict=True)
    ]
