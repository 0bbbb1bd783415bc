"""Two to four things that are sold, side by side: price for this school, what is included, VAT, how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import render_template, request
from sqlalchemy import select

from sla_manager.agreements.queries.purchases import Purchase, purchases
from sla_manager.catalogue.offers import Offer, catalogue_of_school
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.quantities import plain
from sla_manager.kernel.words import counted, pounds
from sla_manager.people.models import School, TradingService
from sla_manager.people.rules.roles import Permission
from sla_manager.web import display
from sla_manager.web.guard import in_school
from sla_manager.web.pages import reading, today
from sla_manager.web.school import blueprint
from sla_manager.web.school.home import school_menu
from sla_manager.web.school.services import may_in_school

FEWEST, MOST = 2, 4


@dataclass(frozen=True)
class Column:
    """One thing that is compared, the service that sells it, and what the school bought of it before."""

    offer: Offer
    service: TradingService
    bought: list[Purchase]


@dataclass(frozen=True)
class Row:
    """One question, and each column's answer in lines."""

    heading: str
    cells: list[list[str]]
    is_free: bool = False


@blueprint.get("/<int:urn>/compare")
@in_school(Permission.SEE_CATALOGUE)
def compare(school: School) -> str | tuple[str, int]:
    """Show what was ticked side by side; too few or too many are asked for again with what was ticked."""
    asked = [text for text in request.args.getlist("offering") if text.isdecimal() and len(text) < 10]
    wanted = list(dict.fromkeys(int(text) for text in asked))
    everything = _columns(school)
    chosen = [everything[one] for one in wanted if one in everything]
    problem = ""
    if wanted and not FEWEST <= len(chosen) <= MOST:
        problem = f"You ticked {len(chosen)}. Tick between {FEWEST} and {MOST} services."
    page = render_template(
        "school/compare.html",
        navigation=school_menu(school),
        school=school,
        choices=list(everything.values()),
        wanted=wanted,
        problem=problem,
        columns=[] if problem else chosen,
        rows=[] if problem or not chosen else comparison(chosen),
        may_order=may_in_school(school, Permission.ORDER),
    )
    return (page, 422) if problem else page


def _columns(school: School) -> dict[int, Column]:
    session, year = reading(), FinancialYear.of(today())
    bought = purchases(session, school.id, [year.first, year.first - 1])
    return {
        offer.offering.id: Column(
            offer, service, [one for one in bought if one.offering_id == offer.offering.id]
        )
        for service in session.scalars(select(TradingService).order_by(TradingService.name))
        for offer in catalogue_of_school(session, service, school, on=today()).offers
        if offer.price is not None
    }


def comparison(columns: Sequence[Column]) -> list[Row]:
    """Return the questions that differ between things that are sold; one that nobody answers is left out."""
    rows = [
        Row("Free core offer", [["Yours, whether or not you buy this"] for _ in columns], is_free=True),
        Row("Price list", [[*one.offer.words, *_later(one.offer)] for one in columns]),
        Row("For your school", [_example(one.offer) for one in columns]),
        Row("We suggest", [_suggestion(one.offer) for one in columns]),
        Row(
            "What it is",
            [[one.offer.offering.family.title, one.offer.offering.description] for one in columns],
        ),
        Row("What is included", [[part.words for part in one.offer.parts] for one in columns]),
        Row(
            "What you can use it for",
            [[str(text) for text in one.offer.offering.activities] for one in columns],
        ),
        Row("How much you can order", [[one.offer.limits] for one in columns]),
        Row("Length of one", [_length(one.offer) for one in columns]),
        Row("VAT and how it is billed", [[one.offer.billed] for one in columns]),
        Row("What you bought", [[_bought(purchase) for purchase in one.bought] for one in columns]),
    ]
    return [row for row in rows if any(text for cell in row.cells for text in cell)]


def _later(offer: Offer) -> list[str]:
    if offer.held_until is not None:
        return [f"Promised to you until {display.day(offer.held_until)}"]
    return [offer.coming]


def _example(offer: Offer) -> list[str]:
    if offer.example is None:
        return [offer.missing]
    a_term = " for a term" if offer.offering.limit_basis == "term" else ""
    vat = ", plus VAT" if offer.is_taxed else ""
    return [f"{offer.example.words}{a_term}{vat}", offer.example.hint]


def _suggestion(offer: Offer) -> list[str]:
    return [offer.suggestion.sentence] if offer.suggestion is not None else []


def _length(offer: Offer) -> list[str]:
    minutes = offer.offering.unit_minutes
    return [f"1 {offer.offering.unit} is {minutes.hours_and_minutes()}"] if minutes is not None else []


def _bought(one: Purchase) -> str:
    told = f"{one.year}: {counted(one.quantity, one.unit)}, {pounds(one.net)}"
    if one.balance is None or one.unit_minutes is None:
        return told
    figures, length = one.balance.figures, one.unit_minutes
    used = plain(figures.delivered.shown_in_units(length))
    lapsed = (
        f", {display.number(figures.lapsed.shown_in_units(length))} lapsed" if figures.lapsed.minutes else ""
    )
    left = (
        f", {display.number(one.balance.balance.shown_in_units(length))} left"
        if one.balance.balance.minutes
        else ""
    )
    return f"{told} ({used} delivered{lapsed}{left})"
