"""What a service sells, for whom and at which price: every version, and how each is billed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from sla_manager.catalogue.commands import set_billing_rule, withdraw_offering
from sla_manager.catalogue.models import Offering, Price
from sla_manager.catalogue.queries import billing_rules, offering, offerings, price_history
from sla_manager.catalogue.rules.families import Family
from sla_manager.catalogue.rules.price_words import price_words
from sla_manager.catalogue.rules.quantities import quantity_hint
from sla_manager.catalogue.rules.vat import Route, Treatment, VatCode, treatment
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.people.models import TradingService
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Permission
from sla_manager.web.forms import BaseForm, ChoiceField, DateField, TextField, choice
from sla_manager.web.guard import in_service
from sla_manager.web.pages import actor, now, reading, today, transaction
from sla_manager.web.service import blueprint
from sla_manager.web.service.menu import service_menu

BILLED = {
    "recharge": (Route.RECHARGE, VatCode.OUTSIDE_SCOPE, "Recharge, outside the scope of VAT"),
    "standard": (Route.INVOICE, VatCode.STANDARD, "Invoice with VAT at the standard rate"),
    "exempt": (Route.INVOICE, VatCode.EXEMPT, "Invoice, exempt from VAT"),
    "zero": (Route.INVOICE, VatCode.ZERO, "Invoice at the zero rate"),
}
"""Ways of billing that there are: a recharge is always outside the scope, and nothing else is."""


class BilledForm(BaseForm):
    """How an offering is billed to a class."""

    way = ChoiceField("How is it billed?", enter="Choose how it is billed")
    reason = TextField(
        "Why",
        enter="Say why it is billed this way",
        hint="It is printed on the document, like: Exempt: education by an eligible body.",
        longest=300,
    )


class WithdrawForm(BaseForm):
    """From when something is no longer sold."""

    on = DateField("From which day is it no longer offered?", enter="Enter the day")


def price_now(versions: Iterable[Price], on: date) -> Price | None:
    """Return the version that holds on a day, or None."""
    return next(
        (one for one in versions if one.starts_on <= on and (not one.ends_on or one.ends_on > on)), None
    )


@blueprint.get("/<service>/prices")
@in_service(Permission.MANAGE_CATALOGUE)
def prices(service: TradingService) -> str:
    """Show the price list: what is free, then what is sold, with today's price for each kind of customer."""
    session = reading()
    offered = offerings(session, service.id, today())
    history = price_history(session, service.id)
    rows = [
        (one, {kind: price_now(_of(history.get(one.id, []), kind), today()) for kind in CustomerClass})
        for one in offered
        if one.family is not Family.CORE
    ]
    used = [kind for kind in CustomerClass if any(held[kind] for _, held in rows)]
    return render_template(
        "service/prices.html",
        navigation=service_menu(service),
        service=service,
        core=[one for one in offered if one.family is Family.CORE],
        rows=rows,
        classes=used,
        titles=[{"text": kind.title, "numeric": True} for kind in used],
        coming=_coming(history),
    )


def _of(versions: Iterable[Price], kind: CustomerClass) -> list[Price]:
    return [one for one in versions if one.customer_class is kind]


def _coming(history: dict[int, list[Price]]) -> dict[int, date]:
    """Return the first day on which a new price of an offering begins, by offering."""
    return {
        offering_id: min(later)
        for offering_id, versions in history.items()
        if (later := [one.starts_on for one in versions if one.starts_on > today()])
    }


@blueprint.get("/<service>/prices/<int:offering_id>")
@in_service(Permission.MANAGE_CATALOGUE)
def offering_prices(service: TradingService, offering_id: int) -> str:
    """Show one offering: what it is, every version of its prices, how it is billed to whom."""
    session = reading()
    found = offering(session, offering_id, service_id=service.id)
    history = price_history(session, service.id).get(found.id, [])
    rules = billing_rules(session, service.id)
    return render_template(
        "service/offering.html",
        navigation=service_menu(service),
        service=service,
        offering=found,
        versions=[(kind, _of(history, kind)) for kind in CustomerClass if _of(history, kind)],
        words={one.id: price_words(one.shape, one.unit_price, one.terms, unit=found.unit) for one in history},
        limits=quantity_hint(found.unit, found.minimum, found.maximum, found.step, found.limit_basis),
        for_whom=_for_whom(found),
        billed=[(kind, _treated(rules, found, kind), (found.id, kind) in rules) for kind in CustomerClass],
        today=today(),
        is_core=found.family is Family.CORE,
    )


def _for_whom(found: Offering) -> str:
    kinds = [CustomerClass(kind).title for kind in found.customer_classes] or ["every customer"]
    phases = [str(phase) for phase in found.phases] or ["every phase"]
    return f"{', '.join(kinds)}; {', '.join(phases)}"


def _class_named(name: str) -> CustomerClass:
    try:
        return CustomerClass(name)
    except ValueError:
        raise NotFound from None


def _treated(rules: dict[Any, Any], found: Offering, kind: CustomerClass) -> Treatment:
    rule = rules.get((found.id, kind))
    return Treatment(rule.route, rule.vat_code, rule.reason) if rule is not None else treatment(kind)


@blueprint.route("/<service>/prices/<int:offering_id>/billed/<customer_class>", methods=["GET", "POST"])
@in_service(Permission.MANAGE_CATALOGUE)
def billed(service: TradingService, offering_id: int, customer_class: str) -> Any:
    """Decide how an offering is billed to a kind of customer. Quotes made before keep what they say."""
    session = reading()
    found = offering(session, offering_id, service_id=service.id)
    kind = _class_named(customer_class)
    form, status, code = BilledForm(), 200, service.code
    form.way.choices = [choice(key, title) for key, (_, _, title) in BILLED.items()]
    if not form.is_submitted():
        held = _treated(billing_rules(session, service.id), found, kind)
        form.way.data = next(
            key for key, (route, vat, _) in BILLED.items() if (route, vat) == (held.route, held.code)
        )
        form.reason.data = held.reason
    if form.is_sent():
        route, vat_code, _ = BILLED[form.way.data]
        try:
            with transaction() as session:
                set_billing_rule(
                    session,
                    found.id,
                    kind,
                    route=route,
                    vat_code=vat_code,
                    reason=form.reason.data,
                    by=actor(),
                    at=now(),
                )
            flash(f"{found.name} for {kind.described} is billed this way from now on.", "success")
            return redirect(url_for("service.offering_prices", service=code, offering_id=found.id), 303)
        except Refused as error:
            form.refuse(error)
    if form.is_submitted():
        status = 422
    page = render_template(
        "service/billed.html",
        navigation=service_menu(service),
        service=service,
        offering=found,
        kind=kind,
        form=form,
    )
    return page, status


@blueprint.route("/<service>/prices/<int:offering_id>/withdraw", methods=["GET", "POST"])
@in_service(Permission.MANAGE_CATALOGUE)
def withdraw(service: TradingService, offering_id: int) -> str | tuple[str, int] | Response:
    """Stop selling something from a day on; agreements that have it keep it."""
    found = offering(reading(), offering_id, service_id=service.id)
    form, status, code = WithdrawForm(), 200, service.code
    if not form.is_submitted():
        form.on.data = today()
    if form.is_sent():
        try:
            if form.on.data < today():
                raise Refused("This day is in the past. Choose today or a later day.", field="on")
            with transaction() as session:
                withdraw_offering(session, found.id, on=form.on.data, by=actor(), at=now())
            flash(f"{found.name} is no longer offered from that day.", "success")
            return redirect(url_for("service.prices", service=code), 303)
        except Refused as error:
            form.refuse(error)
    if form.is_submitted():
        status = 422
    page = render_template(
        "service/withdraw_offering.html",
        navigation=service_menu(service),
        service=service,
        offering=found,
        form=form,
    )
    return page, status
