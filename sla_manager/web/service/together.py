"""Schools that buy together: what is arranged, arranging one, and deciding on the whole of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from sla_manager.agreements.commands import LineWanted
from sla_manager.agreements.commands.partnerships import Partner, Purchase, prepare_partnership
from sla_manager.agreements.commands.stopping_partnerships import stop_together
from sla_manager.agreements.models import Partnership
from sla_manager.agreements.queries.partnerships import partnership, partnerships, pool_moves, used_of
from sla_manager.agreements.queries.policies import agreement_policy
from sla_manager.agreements.rules.partnerships import PartnershipKind
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.catalogue.models import Offering
from sla_manager.catalogue.queries import offerings
from sla_manager.catalogue.rules.families import Family
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.quantities import read_quantity
from sla_manager.people.models import School, TradingService
from sla_manager.people.rules.roles import Permission
from sla_manager.planning.commands.together import decide_together
from sla_manager.web.attempts import refuse_foreign_fields
from sla_manager.web.forms import (
    BaseForm,
    ChoiceField,
    DateField,
    FilterForm,
    LongTextField,
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

MOST_SCHOOLS = 60
_OPEN = (AgreementStatus.QUOTED, AgreementStatus.ORDERED)


class WhoForm(FilterForm):
    """How schools buy together, and which; it stands in the address."""

    kind = ChoiceField(
        "How do they buy together?",
        enter="Choose how they buy together",
        choices=[
            choice(PartnershipKind.SHARES.value, PartnershipKind.SHARES.title,
                   "Each school has its own days, by percentages or all alike."),
            choice(PartnershipKind.POOL.value, PartnershipKind.POOL.title,
                   "Each pays its share. A school may use what the others do not need, up to its cap."),
        ],
    )  # fmt: skip
    urns = LongTextField(
        "Which schools?",
        enter="Enter the number (URN) of each school",
        hint="The number (URN) of each school, one on a line.",
        longest=2_000,
        look={"rows": 6},
    )


class ArrangeForm(BaseForm):
    """What is shared; percentages and caps stand in a table of their own."""

    name = TextField("Name of the partnership", enter="Enter a name that the schools know", longest=80)
    offering = SelectField("What do they share?", enter="Choose what they share")
    quantity = TextField("How much in all?", enter="Enter how much they buy in all", longest=12)
    starts_on = DateField("First day", enter="Enter the first day of the agreements")
    ends_on = DateField("Last day", enter="Enter the last day of the agreements")
    schedule = ChoiceField("How do they pay?", enter="Choose how they pay")
    once = once_key()


class AcceptAllForm(BaseForm):
    """Accepting the whole; beyond capacity with the reason why."""

    reason = LongTextField(
        "Reason, if it is beyond capacity (optional)",
        hint="Kept with the agreements. The schools do not see it.",
        longest=2_000,
        look={"rows": 3},
    )


class StopForm(BaseForm):
    """Why nobody buys it after all; every school reads it."""

    reason = LongTextField(
        "Why is it stopped?", enter="Write why: every school reads it", longest=500, id="stop-reason"
    )


@dataclass
class Typed:
    """What was typed for each school, and what is wrong with it."""

    shares: dict[str, str]
    caps: dict[str, str]
    troubles: dict[str, str]

    @classmethod
    def of_request(cls) -> Typed:
        """Return what the page sent."""
        parts = {"share_": {}, "cap_": {}}  # type: dict[str, dict[str, str]]
        for name, text in request.form.items():
            for start, kept in parts.items():
                if name.startswith(start):
                    kept[name.removeprefix(start)] = text.strip()
        return cls(parts["share_"], parts["cap_"], {})


@blueprint.get("/<service>/together")
@in_service(Permission.SEE_SERVICE)
def together(service: TradingService) -> str:
    """List what schools buy together, the latest first."""
    return render_template(
        "service/together.html",
        navigation=service_menu(service),
        service=service,
        partnerships=partnerships(reading(), service_id=service.id),
    )


@blueprint.get("/<service>/together/new")
@in_service(Permission.DECIDE_ORDERS)
def who_together(service: TradingService) -> str | tuple[str, int] | Response:
    """Ask how schools buy together, and which."""
    form, status = WhoForm.of_request(), 200
    if request.args:
        status = 422
        if form.validate():
            try:
                found = _schools_named(form.urns.data)
                urns = [one.urn for one in found]
                return redirect(
                    url_for("service.arrange", service=service.code, kind=form.kind.data, urn=urns), 303
                )
            except Refused as error:
                form.refuse(error)
    page = render_template(
        "service/who_together.html", navigation=service_menu(service), service=service, form=form
    )
    return page, status


def _schools_named(text: str) -> list[School]:
    """Return the schools whose numbers stand in a text, in its order; refused: fewer than two, unknown ones."""
    words = text.replace(",", " ").split()
    numbers = list(dict.fromkeys(words))
    if not 2 <= len(numbers) <= MOST_SCHOOLS:
        raise Refused(
            f"{len(numbers)} is no number of partners. Enter 2 to {MOST_SCHOOLS} schools.", field="urns"
        )
    wanted = [int(one) for one in numbers if one.isascii() and one.isdecimal() and len(one) == 6]
    known = {one.urn: one for one in reading().scalars(select(School).where(School.urn.in_(wanted)))}
    unknown = [one for one in numbers if not one.isdecimal() or int(one) not in known]
    if unknown:
        raise Refused(
            f"No school has the number {unknown[0][:20]}. Look it up in the list of schools.", field="urns"
        )
    return [known[int(one)] for one in numbers]


@blueprint.route("/<service>/together/new/shares", methods=["GET", "POST"])
@in_service(Permission.DECIDE_ORDERS)
def arrange(service: TradingService) -> str | tuple[str, int] | Response:
    """Ask what is shared and how; then each school has its own quote."""
    kind, schools = _kind(), _schools_asked()
    if kind is None or not schools:
        return redirect(url_for("service.who_together", service=service.code))
    form, typed, status = _arrange_form(service), Typed.of_request(), 200
    if form.is_submitted():
        own = {f"{part}_{one.id}" for part in ("share", "cap") for one in schools}
        refuse_foreign_fields({*form._fields, *own}, about="service", about_id=service.id)
        status = 422
    if form.is_sent():
        try:
            return _arranged(service, kind, form, _partners(kind, schools, typed))
        except Refused as error:
            form.refuse(error)
    page = render_template(
        "service/arrange.html",
        navigation=service_menu(service),
        service=service,
        kind=kind,
        is_pool=kind is PartnershipKind.POOL,
        schools=schools,
        form=form,
        typed=typed,
    )
    return page, status


def _kind() -> PartnershipKind | None:
    given = request.args.get("kind", "")
    kinds = (PartnershipKind.SHARES, PartnershipKind.POOL)
    return next((one for one in kinds if one.value == given), None)


def _schools_asked() -> list[School]:
    try:
        return _schools_named(" ".join(request.args.getlist("urn")))
    except Refused:
        return []


def _arrange_form(service: TradingService) -> ArrangeForm:
    form = ArrangeForm()
    every = offerings(reading(), service.id, today())
    traded: list[Offering] = [one for one in every if one.family is not Family.CORE]
    form.offering.choices = [(str(one.id), f"{one.name}, by the {one.unit}") for one in traded]
    form.schedule.choices = [choice(kind.value, text, hint) for kind, text, hint in SCHEDULES]
    if not form.is_submitted():
        form.starts_on.data, form.ends_on.data = today(), FinancialYear.of(today()).period.last
        form.schedule.data = Schedule.SINGLE.value
    return form


def _partners(kind: PartnershipKind, schools: list[School], typed: Typed) -> list[Partner]:
    partners = []
    given = any(typed.shares.values())
    for one in schools:
        share = _number(typed, "share", one, "percentage", typed.shares.get(str(one.id), "") or "0")
        cap_text = typed.caps.get(str(one.id), "") if kind is PartnershipKind.POOL else ""
        cap = _number(typed, "cap", one, "number of hours", cap_text) if cap_text else None
        partners.append(
            Partner(
                one.id,
                _whole(typed, f"share_{one.id}", one, share, 100) if given else None,
                Minutes(_whole(typed, f"cap_{one.id}", one, cap, 60)) if cap is not None else None,
            )
        )
    if typed.troubles:
        raise Refused(" ".join(typed.troubles.values()))
    return partners


def _number(typed: Typed, part: str, school: School, what: str, text: str) -> Decimal:
    try:
        return read_quantity(text)
    except Refused:
        typed.troubles[f"{part}_{school.id}"] = f"{school.name}: “{text[:20]}” is no {what}."
        return Decimal(0)


def _whole(typed: Typed, name: str, school: School, number: Decimal, parts: int) -> int:
    """Return a number in hundredths of a per cent, or in minutes; refused when it is finer."""
    exact = number * parts
    if exact != exact.to_integral_value():
        typed.troubles[name] = (
            f"{school.name}: {number} is too fine. Use at most two decimals, or whole minutes."
        )
        return 0
    return int(exact)


def _arranged(
    service: TradingService, kind: PartnershipKind, form: ArrangeForm, partners: list[Partner]
) -> Response:
    service_id, code = service.id, service.code
    policy = agreement_policy(reading(), service_id)
    try:
        quantity = read_quantity(form.quantity.data)
    except Refused as error:
        raise Refused(str(error), field="quantity") from error
    with transaction() as session:
        made = prepare_partnership(
            session,
            partners,
            [LineWanted(int(form.offering.data), quantity)],
            kind=kind,
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
    flash(
        f"Each of the {len(made.members)} schools has its quote. It is agreed when all have ordered.",
        "success",
    )
    return redirect(url_for("service.bought_together", service=code, partnership_id=made.id), 303)


@blueprint.get("/<service>/together/<int:partnership_id>")
@in_service(Permission.SEE_SERVICE)
def bought_together(service: TradingService, partnership_id: int) -> str:
    """Show one: who shares how much, who has not ordered yet, what moved in a pool."""
    return _page(service, partnership(reading(), partnership_id, service_id=service.id))


def _page(service: TradingService, found: Partnership, *, form: Any = None) -> str:
    session = reading()
    statuses = {one.agreement.status for one in found.members}
    return render_template(
        "service/bought_together.html",
        navigation=service_menu(service),
        service=service,
        together=found,
        weights=sum(one.weight for one in found.members),
        use=used_of(session, found),
        moves=pool_moves(session, found.id),
        missing=[one.school.name for one in found.members if one.agreement.status is AgreementStatus.QUOTED],
        is_ordered=statuses <= {AgreementStatus.ORDERED, AgreementStatus.AGREED}
        and AgreementStatus.ORDERED in statuses,
        is_open=bool(statuses & set(_OPEN)) and AgreementStatus.AGREED not in statuses,
        form=form or AcceptAllForm(formdata=None),
        accepting=form if isinstance(form, AcceptAllForm) else AcceptAllForm(formdata=None),
        stopping=form if isinstance(form, StopForm) else StopForm(formdata=None),
    )


@blueprint.post("/<service>/together/<int:partnership_id>/accept")
@in_service(Permission.DECIDE_ORDERS)
def accept_all(service: TradingService, partnership_id: int) -> tuple[str, int] | Response:
    """Accept every order of it, or none."""
    found, form = partnership(reading(), partnership_id, service_id=service.id), AcceptAllForm()
    code = service.code
    if form.is_sent():
        try:
            with transaction() as session:
                decide_together(session, found.id, reason=form.reason.data or "", by=actor(), at=now())
            flash("All orders are agreed. Their days can be planned now.", "success")
            return redirect(
                url_for("service.bought_together", service=code, partnership_id=partnership_id), 303
            )
        except Refused as error:
            form.refuse(error)
    return _page(service, partnership(reading(), partnership_id, service_id=service.id), form=form), 422


@blueprint.post("/<service>/together/<int:partnership_id>/stop")
@in_service(Permission.DECIDE_ORDERS)
def stop_all(service: TradingService, partnership_id: int) -> tuple[str, int] | Response:
    """Decline or withdraw every part of it, with one reason for all."""
    found, form = partnership(reading(), partnership_id, service_id=service.id), StopForm()
    code = service.code
    if form.is_sent():
        try:
            with transaction() as session:
                stop_together(session, found.id, reason=form.reason.data, by=actor(), at=now())
            flash("It is stopped. Every school reads why.", "success")
            return redirect(
                url_for("service.bought_together", service=code, partnership_id=partnership_id), 303
            )
        except Refused as error:
            form.refuse(error)
    return _page(service, partnership(reading(), partnership_id, service_id=service.id), form=form), 422
