"""The price review: a percentage on the whole list, seen line by line, then made from a day on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sla_manager.catalogue.commands.reviews import (
    ListHasChanged,
    Review,
    ReviewRow,
    apply_review,
    preview_review,
)
from sla_manager.catalogue.queries import offerings
from sla_manager.catalogue.rules.families import Family
from sla_manager.catalogue.rules.reviews import Rounding, read_percentage
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.periods import FinancialYear
from sla_manager.people.models import TradingService
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Permission
from sla_manager.web.forms import (
    BaseForm,
    ChoiceField,
    ChoicesField,
    DateField,
    FilterForm,
    TextField,
    choice,
)
from sla_manager.web.guard import in_service
from sla_manager.web.pages import actor, now, reading, today, transaction
from sla_manager.web.service import blueprint
from sla_manager.web.service.menu import service_menu


class ReviewForm(FilterForm):
    """What to preview; it stands in the address, so that a preview can be sent to a colleague."""

    percentage = TextField(
        "By how much do prices rise?",
        enter="Enter a percentage, like 4.2",
        hint="Per cent, like 4.2. A minus sign lowers them.",
        longest=12,
        look={"classes": "govuk-input--width-4", "suffix": {"text": "%"}},
    )
    rounding = ChoiceField("How are new prices rounded?", enter="Choose how they are rounded")
    starts_on = DateField("From which day?", enter="Enter the day from which the new prices hold")
    classes = ChoicesField("For which customers? (optional)", hint="Tick none for all of them.")
    offerings = ChoicesField("Which services? (optional)", hint="Tick none for all of them.")


class ConfirmForm(BaseForm):
    """The button that makes what was seen."""


@blueprint.route("/<service>/prices/review", methods=["GET", "POST"])
@in_service(Permission.MANAGE_CATALOGUE)
def price_review(service: TradingService) -> str | tuple[str, int] | Response:
    """Ask, show what would follow, and make it. What was agreed before keeps its price."""
    session = reading()
    sold = [one for one in offerings(session, service.id, today()) if one.family is not Family.CORE]
    form = ReviewForm.of_request()
    form.rounding.choices = [choice(one.value, one.title) for one in Rounding]
    form.classes.choices = [choice(one.value, one.title) for one in CustomerClass]
    form.offerings.choices = [choice(str(one.id), one.name) for one in sold]
    if not request.args:
        form.rounding.data = Rounding.PENNY.value
        form.starts_on.data = next_year(today())
    confirm, preview, status = ConfirmForm(), None, 200
    if request.args:
        try:
            preview = preview_review(session, service.id, _review(form)) if form.validate() else None
        except Refused as error:
            form.refuse(error)
        status = 200 if preview else 422
    if preview and confirm.is_sent():
        try:
            return _made(service, preview.review)
        except ListHasChanged as error:
            confirm.form_errors.append(error.message)
            status = 409
        except Refused as error:
            form.refuse(error)
            status = 422
    page = render_template(
        "service/price_review.html",
        navigation=service_menu(service),
        service=service,
        form=form,
        confirm=confirm,
        preview=preview,
        groups=_groups(preview.rows) if preview else [],
    )
    return page, status


def next_year(day: date) -> date:
    """Return the first day of the next financial year."""
    return FinancialYear.of(day).period.end


def _review(form: Any) -> Review:
    return Review(
        basis_points=read_percentage(form.percentage.data),
        rounding=Rounding(form.rounding.data),
        starts_on=form.starts_on.data,
        customer_classes=frozenset(CustomerClass(one) for one in form.classes.data or ()),
        offering_ids=frozenset(int(one) for one in form.offerings.data or ()),
    )


def _groups(rows: Sequence[ReviewRow]) -> list[tuple[ReviewRow, list[str]]]:
    """Return the rows with those together that differ in the kind of customer only, and its kinds."""
    groups: dict[Any, tuple[ReviewRow, list[str]]] = {}
    for row in rows:
        key = (row.offering_id, row.now, row.new, row.shape, str(row.terms), row.standing)
        groups.setdefault(key, (row, []))[1].append(row.customer_class.title)
    return list(groups.values())


def _made(service: TradingService, review: Review) -> Response:
    service_id, code = service.id, service.code
    with transaction() as session:
        made = apply_review(
            session,
            service_id,
            review,
            expected_sha256=request.form.get("seen", ""),
            by=actor(),
            at=now(),
        )
    words = (
        f"{len(made)} new prices hold from {review.starts_on:%-d %B %Y}."
        if made
        else "These prices are set already."
    )
    flash(words, "success")
    return redirect(url_for("service.prices", service=code), 303)
