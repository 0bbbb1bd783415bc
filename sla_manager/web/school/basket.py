"""The school's basket: what she is about to buy, priced as it stands, saved by several people, then quoted."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from sla_manager.agreements.commands.baskets import (
    change_basket,
    put_in_basket,
    quote_basket,
    take_out,
    usual_term,
)
from sla_manager.agreements.commands.refilling import fill_basket_from
from sla_manager.agreements.models import Agreement, Basket
from sla_manager.agreements.queries.baskets import (
    BasketView,
    basket_lines,
    open_basket,
    open_baskets,
    view_basket,
)
from sla_manager.agreements.queries.payment import billing_facts
from sla_manager.agreements.rules.baskets import BasketChanged, BasketWanted, without
from sla_manager.catalogue.models import Offering
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.quantities import read_quantity
from sla_manager.people.models import School, TradingService
from sla_manager.people.rules.roles import Permission
from sla_manager.web.attempts import refuse_foreign_fields
from sla_manager.web.forms import BaseForm
from sla_manager.web.guard import in_school
from sla_manager.web.pages import actor, now, reading, today, transaction
from sla_manager.web.school import blueprint
from sla_manager.web.school.basket_form import BasketForm, basket_form, wanted_of
from sla_manager.web.school.home import school_menu


@blueprint.post("/<int:urn>/basket/add")
@in_school(Permission.ORDER)
def add_to_basket(school: School) -> Response:
    """Put one offering into the basket of its service; a second press adds nothing."""
    refuse_foreign_fields((), about="school", about_id=school.id)
    number = request.form.get("offering", "")
    offering = reading().get(Offering, int(number)) if number.isdecimal() and len(number) < 10 else None
    if offering is None:
        raise NotFound
    quantity = read_quantity(request.form.get("quantity", ""))
    service = reading().get_one(TradingService, offering.service_id)
    with transaction() as session:
        put_in_basket(
            session,
            service_id=service.id,
            school_id=school.id,
            offering_id=offering.id,
            quantity=quantity,
            once_key=request.form.get("once", "")[:64] or None,
            by=actor(),
            at=now(),
        )
    flash(f"“{offering.name}” is in your basket.", "success")
    return redirect(url_for("school.basket", urn=school.urn, service=service.code), 303)


@blueprint.get("/<int:urn>/quotes/new")
@in_school(Permission.ORDER)
def new_quote(school: School) -> Response:
    """Lead to the basket, where a quote begins."""
    code = request.args.get("service")
    return redirect(url_for("school.basket", urn=school.urn, service=code), 302)


@blueprint.route("/<int:urn>/basket", methods=["GET", "POST"])
@in_school(Permission.ORDER)
def basket(school: School) -> str | tuple[str, int] | Response:
    """Show the basket with today's prices; save it, take something out, or make the quote."""
    service = _service(school)
    found = open_basket(reading(), service_id=service.id, school_id=school.id)
    if request.method == "POST":
        return _sent(school, service)
    if found is None or not found.lines:
        return _empty(school, service)
    form = basket_form(reading(), school, service.id, found)
    return _page(_Desk(school, service, found, form), _view(school, service, found))


@blueprint.post("/<int:urn>/agreements/<int:agreement_id>/change")
@in_school(Permission.ORDER)
def change_quote(school: School, agreement_id: int) -> Response:
    """Fill the basket with a quote, to change it."""
    form = BaseForm()
    if not form.is_sent():
        raise Refused("This page was open for too long. Open the quote again, then change it.")
    with transaction() as session:
        filled = fill_basket_from(session, agreement_id, school_id=school.id, by=actor(), at=now())
    service = reading().get_one(TradingService, filled.service_id)
    return redirect(url_for("school.basket", urn=school.urn, service=service.code), 303)


@dataclass(frozen=True)
class _Desk:
    """What the page of a basket needs: whose, with which service, what is kept and what was typed."""

    school: School
    service: TradingService
    kept: Basket
    form: BasketForm

    @property
    def address(self) -> str:
        """Where the page is."""
        return url_for("school.basket", urn=self.school.urn, service=self.service.code)


def _service(school: School) -> TradingService:
    """Return the service that the address names, else the one whose basket holds something, else the first."""
    session = reading()
    code = request.args.get("service")
    every = list(session.scalars(select(TradingService).order_by(TradingService.name, TradingService.id)))
    named = next((one for one in every if one.code == code), None)
    if named is not None:
        return named
    if code or not every:
        raise NotFound
    filled = [one.service_id for one in open_baskets(session, school.id)]
    return next((one for one in every if one.id in filled), every[0])


def _sent(school: School, service: TradingService) -> str | tuple[str, int] | Response:
    session = reading()
    number = request.form.get("basket", "")
    kept = session.get(Basket, int(number)) if number.isdecimal() and len(number) < 10 else None
    if kept is None or kept.school_id != school.id or kept.service_id != service.id:
        raise NotFound
    form = basket_form(session, school, service.id, kept)
    refuse_foreign_fields(form.names(), about="basket", about_id=kept.id)
    desk = _Desk(school, service, kept, form)
    act, _, about = request.form.get("act", "save").partition(":")
    form.validate_on_submit()
    status = 422
    if act == "remove" and about.isdecimal():
        return _taken_out(desk, int(about))
    if not form.errors:
        try:
            return _quoted(desk) if act == "quote" else _saved(desk)
        except BasketChanged as error:
            form.form_errors.append(error.message)
            form.version.data = str(error.version)
            return _page(desk, None, status=409, theirs=_theirs(desk))
        except Refused as error:
            form.warn(error, _culprit(desk))
            status = 409 if error.status == 409 else 422
    return _page(desk, None, status=status)


def _culprit(desk: _Desk) -> int | None:
    """Return the line that cannot be quoted as it was typed, where one alone is to blame."""
    try:
        typed = wanted_of(desk.form)
        return _priced(desk.school, desk.service, typed).refused_offering_id
    except Refused:
        return None


def _saved(desk: _Desk) -> Response:
    with transaction() as session:
        change_basket(
            session,
            desk.kept.id,
            school_id=desk.school.id,
            version=desk.form.read_version(),
            wanted=wanted_of(desk.form),
            by=actor(),
            at=now(),
        )
    flash("Your basket is saved. The prices below are for what is in it now.", "success")
    return redirect(desk.address, 303)


def _quoted(desk: _Desk) -> Response:
    with transaction() as session:
        quote = quote_basket(
            session,
            desk.kept.id,
            school_id=desk.school.id,
            version=desk.form.read_version(),
            wanted=wanted_of(desk.form),
            once_key=desk.form.once.data or None,
            by=actor(),
            at=now(),
        )
    return redirect(url_for("school.agreement", urn=desk.school.urn, agreement_id=quote.id), 303)


def _taken_out(desk: _Desk, offering_id: int) -> str | tuple[str, int] | Response:
    """Take a line out, and save the rest as it was typed where all of it can be read."""
    form = desk.form
    rest = (
        None if form.errors else replace(wanted_of(form), lines=without(wanted_of(form).lines, offering_id))
    )
    school_id, version, by, at = desk.school.id, form.read_version(), actor(), now()
    try:
        with transaction() as session:
            if rest is None:
                take_out(
                    session, desk.kept.id, offering_id, school_id=school_id, version=version, by=by, at=at
                )
            else:
                change_basket(
                    session, desk.kept.id, school_id=school_id, version=version, wanted=rest, by=by, at=at
                )
    except BasketChanged as error:
        form.form_errors.append(error.message)
        form.version.data = str(error.version)
        return _page(desk, None, status=409, theirs=_theirs(desk))
    flash("Taken out of your basket.", "success")
    return redirect(desk.address, 303)


def _theirs(desk: _Desk) -> tuple[Basket, BasketView] | None:
    """Return what is saved now, with its prices, for whoever saved second."""
    kept = reading().get(Basket, desk.kept.id)
    if kept is None or not kept.lines:
        return None
    return kept, _view(desk.school, desk.service, kept)


def _view(school: School, service: TradingService, kept: Basket) -> BasketView:
    return _priced(
        school,
        service,
        BasketWanted(
            lines=basket_lines(kept),
            starts_on=kept.starts_on,
            ends_on=kept.ends_on,
            schedule=kept.schedule,
            paid_from=kept.paid_from,
        ),
    )


def _priced(school: School, service: TradingService, wanted: BasketWanted) -> BasketView:
    return view_basket(
        reading(),
        school=school,
        service_id=service.id,
        lines=wanted.lines,
        starts_on=wanted.starts_on,
        ends_on=wanted.ends_on,
        schedule=wanted.schedule,
        paid_from=wanted.paid_from,
        today=today(),
    )


def _page(
    desk: _Desk,
    view: BasketView | None,
    *,
    status: int = 200,
    theirs: tuple[Basket, BasketView] | None = None,
) -> tuple[str, int]:
    session = reading()
    replaced = desk.kept.replaces_id
    if view is not None and view.refusal is not None:
        desk.form.warn(view.refusal, view.refused_offering_id)
    return (
        render_template(
            "school/basket.html",
            navigation=school_menu(desk.school),
            school=desk.school,
            service=desk.service,
            basket=desk.kept,
            form=desk.form,
            view=view,
            theirs=theirs,
            names=desk.form.names_of_offerings,
            replaced=session.get(Agreement, replaced) if replaced is not None else None,
            others=_others(desk.school, desk.service),
        ),
        status,
    )


def _empty(school: School, service: TradingService) -> str:
    start_month = billing_facts(reading()).start_month
    return render_template(
        "school/basket_empty.html",
        navigation=school_menu(school),
        school=school,
        service=service,
        last=usual_term(today(), start_month=start_month)[1],
        others=_others(school, service),
    )


def _others(school: School, service: TradingService) -> list[TradingService]:
    """Return the services with whom the school fills another basket."""
    ids = [one.service_id for one in open_baskets(reading(), school.id) if one.service_id != service.id]
    return [reading().get_one(TradingService, one) for one in ids]
