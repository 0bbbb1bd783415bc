"""The form of a basket: a quantity for each line, or a weekly pattern, or a split by years; dates and payment."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import wtforms
from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.models import Basket
from sla_manager.agreements.queries.baskets import basket_lines, payers
from sla_manager.agreements.queries.payment import billing_facts
from sla_manager.agreements.rules.baskets import BasketLine, BasketWanted
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.catalogue.models import Offering
from sla_manager.catalogue.rules.patterns import Every, VisitPattern
from sla_manager.catalogue.rules.quantities import quantity_hint
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.periods import FinancialYear, Period, financial_years
from sla_manager.people.models import School
from sla_manager.web.forms import (
    BaseForm,
    ChoiceField,
    DateField,
    QuantityField,
    SelectField,
    TextField,
    WholeNumberField,
    choice,
    once_key,
)

SCHEDULES = (
    (Schedule.SINGLE, "In one sum", "One document, on the first day."),
    (Schedule.THREE, "In three parts", "One document for each term of the agreement."),
    (Schedule.SEVEN_FIVE, "In two parts", "Seven twelfths first, five twelfths from April."),
    (Schedule.MONTHLY, "Monthly", "An equal part for each calendar month."),
    (Schedule.ON_DELIVERY, "After each visit", "Each month, for what was delivered."),
)
TRUST = "trust"


class BasketForm(BaseForm):
    """When and how. Each line's quantity is added by `basket_form`."""

    starts_on = DateField("First day", enter="Enter the first day of the agreement")
    ends_on = DateField("Last day", enter="Enter the last day of the agreement")
    schedule = ChoiceField("How do you want to pay?", enter="Choose how you want to pay")
    paid_from = ChoiceField("Who pays for it?", enter="Choose who pays for it")
    purchase_order = TextField("Purchase order number (optional)", longest=60)
    version = wtforms.HiddenField()
    basket = wtforms.HiddenField()
    once = once_key()

    offerings: dict[int, Offering]
    years: tuple[FinancialYear, ...]
    trust_customer_id: int | None
    own_customer_id: int

    def read_version(self) -> int:
        """Return the version that was on the page; anything else is older than every basket."""
        text = self.version.data or ""
        return int(text) if text.isdecimal() and len(text) < 10 else 0

    def names(self) -> set[str]:
        """Return the names of the form's own fields."""
        return set(self._fields)

    @property
    def names_of_offerings(self) -> dict[int, str]:
        """What is called what, for the page."""
        return {number: one.name for number, one in self.offerings.items()}

    def warn(self, refusal: Refused, offering_id: int | None) -> None:
        """Put what a quote would be refused for beside its line, or above the form."""
        field = self._fields.get(f"quantity_{offering_id}") or self._fields.get(refusal.field or "")
        if field is None:
            self.form_errors.append(refusal.message)
        else:
            field.errors = [*field.errors, refusal.message]


def basket_form(session: Session, school: School, service_id: int, kept: Basket) -> BasketForm:
    """Return the form of a basket, filled with what is kept unless something was sent.

    What was sent decides which lines there are, so that nothing of hers is lost when somebody else changed them.
    """
    stored = {line.offering_id: line for line in basket_lines(kept)}
    sent = [name.removeprefix("quantity_") for name in request.form if name.startswith("quantity_")]
    asked = [int(number) for number in sent if number.isdecimal() and len(number) < 10][:40]
    ids = (asked or list(stored)) if request.method == "POST" else list(stored)
    query = select(Offering).where(Offering.id.in_(ids), Offering.service_id == service_id)
    known = {one.id: one for one in session.scalars(query)}
    offerings = {number: known[number] for number in ids if number in known}
    start_month = billing_facts(session).start_month
    years = financial_years(Period.through(kept.starts_on, kept.ends_on), start_month=start_month)
    fields: dict[str, Any] = {}
    for one in offerings.values():
        fields |= _line_fields(one, years)
    form: BasketForm = type("BasketFormOfSchool", (BasketForm,), fields)()
    form.offerings, form.years = offerings, years
    _offer_payers(session, form, school)
    if not form.is_submitted():
        _fill(form, kept, stored)
    return form


def _line_fields(one: Offering, years: tuple[FinancialYear, ...]) -> dict[str, Any]:
    hint = quantity_hint(one.unit, one.minimum, one.maximum, one.step, one.limit_basis)
    fields: dict[str, Any] = {f"quantity_{one.id}": QuantityField(f"How many {one.unit}s?", hint=hint)}
    if one.unit_minutes is not None and one.limit_basis != "term":
        every = SelectField("How often?", choices=[choice(kind.value, kind.title) for kind in Every])
        fields[f"every_{one.id}"] = every
        fields[f"hours_{one.id}"] = QuantityField(
            "Hours a week", hint="For a half day each fortnight, like 1.85."
        )
        fields[f"weeks_{one.id}"] = WholeNumberField("School weeks", least=1, most=53)
    if len(years) > 1:
        for year in years:
            fields[f"split_{one.id}_{year.first}"] = QuantityField(f"In the financial year {year}")
    return fields


def _offer_payers(session: Session, form: BasketForm, school: School) -> None:
    form.schedule.choices = [choice(kind.value, text, hint) for kind, text, hint in SCHEDULES]
    form.paid_from.choices = [choice("budget", "The school's budget")]
    if school.customer_class.is_own:
        form.paid_from.choices.append(choice("private_fund", "The school's private fund (VAT is added)"))
    found = payers(session, school)
    form.own_customer_id = found[0].id
    form.trust_customer_id = found[1].id if len(found) > 1 else None
    if len(found) > 1 and found[1].trust is not None:
        form.paid_from.choices.append(choice(TRUST, found[1].trust.name))


def _fill(form: BasketForm, kept: Basket, stored: dict[int, BasketLine]) -> None:
    form.starts_on.data, form.ends_on.data = kept.starts_on, kept.ends_on
    form.schedule.data = kept.schedule.value
    trust_pays = kept.payer_id is not None and kept.payer_id == form.trust_customer_id
    form.paid_from.data = TRUST if trust_pays else kept.paid_from
    form.purchase_order.data = kept.purchase_order
    form.version.data, form.basket.data = str(kept.version), str(kept.id)
    for number, line in stored.items():
        if line.pattern is None:
            form[f"quantity_{number}"].data = line.quantity
        elif f"hours_{number}" in form:
            form[f"every_{number}"].data = line.pattern.every.value
            form[f"hours_{number}"].data = line.pattern.hours_a_week
            form[f"weeks_{number}"].data = line.pattern.weeks
        for year, part in (line.year_split or {}).items():
            if f"split_{number}_{year.first}" in form:
                form[f"split_{number}_{year.first}"].data = part


def wanted_of(form: BasketForm) -> BasketWanted:
    """Return what a form that can be read asks for; a line left empty is not wanted any more."""
    lines = [line for one in form.offerings.values() if (line := _line_of(form, one)) is not None]
    trust_pays = form.paid_from.data == TRUST
    return BasketWanted(
        lines=tuple(lines),
        starts_on=form.starts_on.data,
        ends_on=form.ends_on.data,
        schedule=Schedule(form.schedule.data),
        paid_from="budget" if trust_pays else form.paid_from.data,
        payer_id=form.trust_customer_id if trust_pays else form.own_customer_id,
        purchase_order=form.purchase_order.data or "",
    )


def _line_of(form: BasketForm, one: Offering) -> BasketLine | None:
    pattern = _pattern_of(form, one)
    quantity: Decimal = form[f"quantity_{one.id}"].data or Decimal(0)
    if pattern is not None:
        whole = pattern.quantity(unit=one.unit, unit_minutes=one.unit_minutes)
        return BasketLine(offering_id=one.id, quantity=whole, pattern=pattern)
    if not quantity:
        return None
    parts = {
        year: form[name].data
        for year in form.years
        if (name := f"split_{one.id}_{year.first}") in form and form[name].data is not None
    }
    return BasketLine(offering_id=one.id, quantity=quantity, year_split=parts or None)


def _pattern_of(form: BasketForm, one: Offering) -> VisitPattern | None:
    if f"hours_{one.id}" not in form:
        return None
    hours, weeks = form[f"hours_{one.id}"].data, form[f"weeks_{one.id}"].data
    if hours is None and weeks is None:
        return None
    if hours is None or weeks is None:
        raise Refused(
            f"Enter both hours a week and school weeks for “{one.name}”, or neither.",
            field=f"hours_{one.id}" if hours is None else f"weeks_{one.id}",
        )
    return VisitPattern(Every(form[f"every_{one.id}"].data), hours, weeks)
