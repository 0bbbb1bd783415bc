"""Schools of different owners that share days, by percentages or as a pool with caps: arranged by the service."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from sla_manager.agreements.commands import LineWanted
from sla_manager.agreements.commands.partnerships import Partner, Purchase, prepare_partnership
from sla_manager.agreements.queries.partnerships import partnership, partnerships
from sla_manager.agreements.queries.policies import agreement_policy
from sla_manager.agreements.rules.partnerships import PartnershipKind
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.catalogue.queries import offering, offerings
from sla_manager.catalogue.rules.families import Family
from sla_manager.catalogue.rules.reviews import read_percentage
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.quantities import minutes_of, read_quantity
from sla_manager.people.models import TradingService
from sla_manager.people.queries import school_by_urn
from sla_manager.people.rules.roles import Permission
from sla_manager.planning.commands import decide_order
from sla_manager.visits.queries import balances_with_booked
from sla_manager.web.forms import (
    BaseForm,
    ChoiceField,
    DateField,
    LongTextField,
    QuantityField,
    SelectField,
    TextField,
    choice,
    once_key,
)
from sla_manager.web.guard import in_service
from sla_manager.web.pages import actor, now, reading, today, transaction
from sla_manager.web.school.basket_form import SCHEDULES
from sla_manager.web.service import blueprint
from sla_manager.web.service.menu import service_menu

_SIGNED = (AgreementStatus.ORDERED, AgreementStatus.AGREED, AgreementStatus.ENDED)


class PartnershipForm(BaseForm):
    """Who shares what, and how."""

    name = TextField("Name", enter="Enter a name, like Hillside schools", longest=120)
    kind = ChoiceField("How do they share?", enter="Choose how they share")
    offering = SelectField("What do they buy?", enter="Choose what they buy")
    quantity = QuantityField("How much together?", enter="Enter how much they buy together")
    partners = LongTextField(
        "Schools",
        enter="Enter at least two schools",
        hint="One line for each: the URN, its per cent, and in a pool the most days it may use. Like: 900013 50 4",
        look={"rows": 6},
    )
    starts_on = DateField("First day", enter="Enter the first day")
    ends_on = DateField("Last day", enter="Enter the last day")
    schedule = ChoiceField("How do they pay?", enter="Choose how they pay")
    once = once_key()


@blueprint.get("/<service>/partnerships")
@in_service(Permission.SEE_SERVICE)
def partnership_list(service: TradingService) -> str:
    """List the schools that buy together, the latest first."""
    return render_template(
        "service/partnerships.html",
        navigation=service_menu(service),
        service=service,
        partnerships=partnerships(reading(), service_id=service.id),
    )


@blueprint.route("/<service>/partnerships/new", methods=["GET", "POST"])
@in_service(Permission.DECIDE_ORDERS)
def new_partnership(service: TradingService) -> str | tuple[str, int] | Response:
    """Arrange a partnership: a quote for each school, for its share."""
    form, status, code = _form(service), 200, service.code
    if form.is_sent():
        try:
            made = _made(service, form)
            flash(f"{made.name} is prepared. Each school orders its own quote.", "success")
            return redirect(url_for("service.one_partnership", service=code, partnership_id=made.id), 303)
        except Refused as error:
            form.refuse(error)
    if form.is_submitted():
        status = 422
    page = render_template(
        "service/new_partnership.html", navigation=service_menu(service), service=service, form=form
    )
    return page, status


def _form(service: TradingService) -> Any:
    form: Any = PartnershipForm()
    sold = [one for one in offerings(reading(), service.id, today()) if one.family is not Family.CORE]
    form.kind.choices = [
        choice(one.value, one.title) for one in PartnershipKind if one is not PartnershipKind.TRUST
    ]
    form.offering.choices = [choice(str(one.id), one.name) for one in sold]
    form.schedule.choices = [choice(kind.value, text, hint) for kind, text, hint in SCHEDULES]
    if not form.is_submitted():
        form.starts_on.data, form.ends_on.data = today(), FinancialYear.of(today()).period.last
        form.schedule.data, form.kind.data = Schedule.SINGLE.value, PartnershipKind.SHARES.value
    return form


def _made(service: TradingService, form: Any) -> Any:
    session, service_id = reading(), service.id
    bought = offering(session, int(form.offering.data), service_id=service_id)
    policy = agreement_policy(session, service_id)
    partners = [
        _partner(line, bought.unit_minutes) for line in form.partners.data.splitlines() if line.strip()
    ]
    with transaction() as writing:
        return prepare_partnership(
            writing,
            partners,
            [LineWanted(bought.id, form.quantity.data)],
            kind=PartnershipKind(form.kind.data),
            name=form.name.data,
            purchase=Purchase(
                service_id=service_id,
                starts_on=form.starts_on.data,
                ends_on=form.ends_on.data,
                schedule=Schedule(form.schedule.data),
                notice_months=policy.notice_months,
                renews=policy.renews,
            ),
            by=actor(),
            at=now(),
            once_key=form.once.data,
        )


def _partner(line: str, unit: Any) -> Partner:
    """Read a line: the URN, the per cent (or nothing: all alike), the cap in units of what is bought (or nothing)."""
    urn, share, cap, *more = [*line.split(), "", "", ""][:4]
    if not urn.isdecimal() or len(urn) > 9 or any(more):
        raise Refused(
            f"“{line.strip()[:40]}” is not a line that can be read. Enter one like: 900013 50 4",
            field="partners",
        )
    try:
        school = school_by_urn(reading(), int(urn))
    except NotFound as missing:
        raise Refused(
            f"There is no school with the URN {urn}. Check the number.", field="partners"
        ) from missing
    try:
        percent = read_percentage(share) if share else None
        most = minutes_of(read_quantity(cap), unit) if cap and unit is not None else None
    except Refused as unread:
        raise Refused(f"{school.name}: {unread.message}", field="partners") from unread
    return Partner(school.id, percent, most)


@blueprint.get("/<service>/partnerships/<int:partnership_id>")
@in_service(Permission.SEE_SERVICE)
def one_partnership(service: TradingService, partnership_id: int) -> str:
    """Show who shares what, who has not ordered yet, and in a pool what is left of it."""
    session = reading()
    found = partnership(session, partnership_id, service_id=service.id)
    balances = {
        member.id: balances_with_booked(session, agreement_id=member.agreement_id) for member in found.members
    }
    return render_template(
        "service/partnership.html",
        navigation=service_menu(service),
        service=service,
        partnership=found,
        whole=sum(member.weight for member in found.members),
        missing=[one.school.name for one in found.members if one.agreement.status not in _SIGNED],
        can_accept=all(one.agreement.status is AgreementStatus.ORDERED for one in found.members),
        balances=balances,
        form=BaseForm(),
    )


@blueprint.post("/<service>/partnerships/<int:partnership_id>/accept")
@in_service(Permission.DECIDE_ORDERS)
def accept_partnership(service: TradingService, partnership_id: int) -> Response:
    """Accept every order of a partnership, or none; what is beyond capacity is decided on its own page."""
    code, form = service.code, BaseForm()
    found = partnership(reading(), partnership_id, service_id=service.id)
    if form.is_sent():
        try:
            with transaction() as session:
                for member in sorted(found.members, key=lambda one: one.agreement_id):
                    decide_order(session, member.agreement_id, by=actor(), at=now())
            flash(f"{found.name} is agreed. Its days can be planned now.", "success")
        except Refused as error:
            flash(error.message)
    return redirect(url_for("service.one_partnership", service=code, partnership_id=partnership_id), 303)
