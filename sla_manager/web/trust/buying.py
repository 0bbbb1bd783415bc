"""A trust buys for several schools: which and what, how much of it, then one check and one signature."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from sla_manager.agreements.commands import LineWanted
from sla_manager.agreements.commands.partnerships import (
    Purchase,
    order_together,
    prepare_trust_purchase,
    purchase_sha256,
)
from sla_manager.agreements.models import Partnership
from sla_manager.agreements.queries import acceptance_of, quoted_documents
from sla_manager.agreements.queries.partnerships import partnership, partnerships
from sla_manager.agreements.queries.policies import agreement_policy
from sla_manager.agreements.rules.partnerships import Invoicing
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.catalogue.models import Offering
from sla_manager.catalogue.queries import offerings, prices_on
from sla_manager.catalogue.rules.families import Family
from sla_manager.catalogue.rules.quantities import quantity_hint
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.money import total
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.quantities import read_quantity
from sla_manager.people.models import School, TradingService, Trust
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Permission, Role
from sla_manager.web.attempts import refuse_foreign_fields
from sla_manager.web.forms import (
    BaseForm,
    CheckboxField,
    ChoiceField,
    ChoicesField,
    DateField,
    FilterForm,
    TextField,
    choice,
    once_key,
)
from sla_manager.web.guard import in_trust, me
from sla_manager.web.navigation import provider
from sla_manager.web.pages import actor, now, reading, today, transaction
from sla_manager.web.school.basket_form import SCHEDULES
from sla_manager.web.trust import blueprint
from sla_manager.web.trust.home import schools_of, trust_menu

STATEMENT = "I have the authority to order this for the trust and its schools, and I accept the terms in the documents."


class WhatForm(FilterForm):
    """For which schools, and what; it stands in the address."""

    schools = ChoicesField("For which schools?", enter="Choose at least one school")
    offerings = ChoicesField("What do they need?", enter="Choose at least one service")


class HowForm(BaseForm):
    """When and how; the quantities stand in a table of their own."""

    starts_on = DateField("First day", enter="Enter the first day of the agreements")
    ends_on = DateField("Last day", enter="Enter the last day of the agreements")
    schedule = ChoiceField("How does the trust want to pay?", enter="Choose how the trust wants to pay")
    invoicing = ChoiceField("How many invoices?", enter="Choose how many invoices")
    purchase_order = TextField(
        "Purchase order number (optional)", longest=60, look={"classes": "govuk-input--width-20"}
    )
    once = once_key()


class TrustOrderForm(BaseForm):
    """One signature for all of it."""

    role = TextField("Your role in the trust", enter="Enter your role, like Trust finance lead", longest=80)
    purchase_order = TextField(
        "Purchase order number (optional)", longest=60, look={"classes": "govuk-input--width-20"}
    )
    authority = CheckboxField(STATEMENT, enter="Tick the box to say that you may order this")


@blueprint.get("/<int:trust_id>/buy")
@in_trust(Permission.ORDER)
def buy(trust: Trust) -> str | Response:
    """Ask for which schools and what; then how much."""
    session = reading()
    service = _service()
    form = WhatForm.of_request()
    form.schools.choices = [
        choice(str(one.id), one.name, f"URN {one.urn}, {one.phase}") for one in schools_of(trust)
    ]
    form.offerings.choices = [choice(str(one.id), one.name) for one in _sold(service)]
    if ("schools" in request.args or "offerings" in request.args) and form.validate():
        chosen = {"schools": form.schools.data, "offerings": form.offerings.data}
        return redirect(url_for("trust.how_much", trust_id=trust.id, service=service.code, **chosen))
    services = list(session.scalars(select(TradingService).order_by(TradingService.name)))
    return render_template(
        "trust/buy.html",
        navigation=trust_menu(trust),
        trust=trust,
        form=form,
        service=service,
        services=services,
    )


def _service() -> TradingService:
    every = list(reading().scalars(select(TradingService).order_by(TradingService.name, TradingService.id)))
    code = request.args.get("service")
    found = next((one for one in every if one.code == code), None) if code else (every[0] if every else None)
    if found is None:
        raise NotFound
    return found


def _sold(service: TradingService) -> list[Offering]:
    prices = prices_on(reading(), service.id, CustomerClass.ACADEMY, today())
    every = offerings(reading(), service.id, today())
    return [one for one in every if one.family is not Family.CORE and one.id in prices]


@blueprint.route("/<int:trust_id>/buy/quantities", methods=["GET", "POST"])
@in_trust(Permission.ORDER)
def how_much(trust: Trust) -> str | tuple[str, int] | Response:
    """Ask how much each school needs, from when, and how it is paid; then prepare every quote at once."""
    service = _service()
    schools, wanted = _chosen(trust, service)
    if not schools or not wanted:
        return redirect(url_for("trust.buy", trust_id=trust.id, service=service.code))
    form, status = _how_form(), 200
    typed = {name: text for name, text in request.form.items() if name.startswith("quantity_")}
    troubles: dict[str, str] = {}
    if form.is_submitted():
        refuse_foreign_fields({*form._fields, *typed}, about="trust", about_id=trust.id)
        status = 422
    if form.is_sent():
        try:
            return _prepared(trust, service, form, _lines(schools, wanted, typed, troubles))
        except Refused as error:
            form.refuse(error)
    page = render_template(
        "trust/how_much.html",
        navigation=trust_menu(trust),
        trust=trust,
        service=service,
        schools=schools,
        wanted=wanted,
        hints={one.id: _hint(one) for one in wanted},
        form=form,
        typed=typed,
        troubles=troubles,
    )
    return page, status


def _chosen(trust: Trust, service: TradingService) -> tuple[list[School], list[Offering]]:
    named, asked = set(request.args.getlist("schools")), set(request.args.getlist("offerings"))
    schools = [one for one in schools_of(trust) if str(one.id) in named]
    wanted = [one for one in _sold(service) if str(one.id) in asked]
    return schools, wanted


def _hint(one: Offering) -> str:
    return quantity_hint(one.unit, one.minimum, one.maximum, one.step, one.limit_basis)


def _how_form() -> HowForm:
    form = HowForm()
    form.schedule.choices = [choice(kind.value, text, hint) for kind, text, hint in SCHEDULES]
    form.invoicing.choices = [choice(one.value, one.title) for one in Invoicing]
    if not form.is_submitted():
        form.starts_on.data, form.ends_on.data = today(), FinancialYear.of(today()).period.last
        form.schedule.data, form.invoicing.data = Schedule.SINGLE.value, Invoicing.TOGETHER.value
    return form


def _lines(
    schools: list[School], wanted: list[Offering], typed: dict[str, str], troubles: dict[str, str]
) -> dict[int, list[LineWanted]]:
    found: dict[int, list[LineWanted]] = {}
    for school in schools:
        for one in wanted:
            name = f"quantity_{school.id}_{one.id}"
            text = typed.get(name, "").strip()
            if not text:
                continue
            try:
                quantity = read_quantity(text)
            except Refused:
                troubles[name] = f"{school.name}: “{text[:40]}” is no quantity. {_hint(one)}"
                continue
            if quantity != Decimal(0):
                found.setdefault(school.id, []).append(LineWanted(one.id, quantity))
    if troubles:
        raise Refused(" ".join(troubles.values()))
    return found


def _prepared(
    trust: Trust, service: TradingService, form: HowForm, lines: dict[int, list[LineWanted]]
) -> Response:
    trust_id, service_id = trust.id, service.id
    policy = agreement_policy(reading(), service_id)
    with transaction() as session:
        made = prepare_trust_purchase(
            session,
            trust_id,
            lines,
            purchase=Purchase(
                service_id=service_id,
                starts_on=form.starts_on.data,
                ends_on=form.ends_on.data,
                schedule=Schedule(form.schedule.data),
                purchase_order=form.purchase_order.data or "",
                notice_months=policy.notice_months,
                renews=policy.renews,
            ),
            invoicing=Invoicing(form.invoicing.data),
            by=actor(),
            at=now(),
            once_key=form.once.data,
        )
    return redirect(url_for("trust.purchase", trust_id=trust_id, partnership_id=made.id), 303)


@blueprint.get("/<int:trust_id>/purchases")
@in_trust(Permission.SEE_SCHOOL)
def purchases(trust: Trust) -> str:
    """List what the trust bought together, the latest first."""
    found = partnerships(reading(), trust_id=trust.id)
    return render_template(
        "trust/purchases.html",
        navigation=trust_menu(trust),
        trust=trust,
        purchases=[(one, total(member.agreement.gross for member in one.members)) for one in found],
    )


@blueprint.route("/<int:trust_id>/purchases/<int:partnership_id>", methods=["GET", "POST"])
@in_trust(Permission.ORDER)
def purchase(trust: Trust, partnership_id: int) -> str | tuple[str, int] | Response:
    """Show a purchase school by school with every document to come, and order it with one signature."""
    session = reading()
    found = partnership(session, partnership_id, trust_id=trust.id)
    form, status = TrustOrderForm(), 200
    if not form.is_submitted():
        form.role.data = Role.TRUST_FINANCE_LEAD.title
        form.purchase_order.data = found.members[0].agreement.purchase_order
    if form.is_submitted():
        refuse_foreign_fields(set(form._fields) | {"seen"}, about="partnership", about_id=found.id)
        status = 422
    if form.is_sent():
        try:
            return _ordered(trust, found, form)
        except Refused as error:
            form.refuse(error)
    session = reading()
    found = partnership(session, partnership_id, trust_id=trust.id)
    agreements = [member.agreement for member in found.members]
    documents = _documents(found)
    page = render_template(
        "trust/purchase.html",
        navigation=trust_menu(trust),
        trust=trust,
        purchase=found,
        agreements=agreements,
        documents=documents,
        gross=total(one["gross"] for one in documents)
        if documents
        else total(one.gross for one in agreements),
        can_order=all(one.status is AgreementStatus.QUOTED and _in_time(one) for one in agreements),
        seen=purchase_sha256(session, found),
        acceptance=acceptance_of(session, agreements[0].id),
        form=form,
        person=me(),
        provider=provider(reading()),
    )
    return page, status


def _in_time(one: Any) -> bool:
    return one.valid_until is not None and today() <= one.valid_until


def _documents(found: Partnership) -> list[dict[str, Any]]:
    """Return the documents to come by date: those that stand on one invoice added up."""
    session = reading()
    groups: dict[Any, list[Any]] = {}
    for member in found.members:
        for one in quoted_documents(session, member.agreement):
            key: Any = (one.due_on, one.route, one.label)
            if found.invoicing is Invoicing.EACH:
                key = (*key, member.school.name)
            groups.setdefault(key, []).append((member.school.name, one))
    rows = []
    for (due_on, route, label, *_), parts in sorted(
        groups.items(), key=lambda item: (item[0][0], str(item[0][1:]))
    ):
        net, vat = total(one.net for _, one in parts), _vat(route, [one for _, one in parts])
        rows.append(
            {"due_on": due_on, "label": label, "schools": [name for name, _ in parts], "net": net, "vat": vat,
             "gross": net + vat}
        )  # fmt: skip
    return rows


def _vat(route: Any, parts: list[Any]) -> Any:
    """Return the VAT of one document: once per code and rate on the sum of its lines."""
    sums: dict[Any, Any] = {}
    for one in parts:
        for row in one.vat_rows:
            sums.setdefault((row.code, row.rate), []).append(row.net)
    return total(total(nets).per_cent(rate) for (_, rate), nets in sums.items())


def _ordered(trust: Trust, found: Partnership, form: TrustOrderForm) -> Response:
    trust_id = trust.id
    with transaction() as session:
        placed = order_together(
            session,
            found.id,
            role=form.role.data,
            statement=STATEMENT,
            address=actor().address or "unknown",
            seen_sha256=request.form.get("seen", ""),
            purchase_order=form.purchase_order.data or None,
            by=actor(),
            at=now(),
        )
    flash(
        f"You have ordered for {len(placed.members)} schools. The service will accept or decline.", "success"
    )
    return redirect(url_for("trust.purchase", trust_id=trust_id, partnership_id=found.id), 303)
