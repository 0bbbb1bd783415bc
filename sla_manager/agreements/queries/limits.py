"""How much of an offering a buyer may have: for whom it is, its limits and step, by the term or by a pattern."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sla_manager.agreements.queries.buyers import Buyer
from sla_manager.agreements.queries.standing import SharedFacts
from sla_manager.agreements.rules.pace import school_weeks
from sla_manager.catalogue.models import Offering
from sla_manager.catalogue.rules.families import refuse_core
from sla_manager.catalogue.rules.patterns import PatternRefused, VisitPattern
from sla_manager.catalogue.rules.quantities import check_quantity
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.words import counted

_WEEK = 7


class NotForYou(Refused):
    """An offering that is for other schools, or is no longer offered."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"“{name}” {why} Choose something else, or ask the service.", field="offering")


class TooLittleEachWeek(Refused):
    """Some offerings have a smallest quantity for every school week."""

    def __init__(self, offering: Offering, each: Decimal, weeks: int) -> None:
        super().__init__(
            f"“{offering.name}” is at least {counted(each, offering.unit)} a week. That is "
            f"{counted(each * weeks, offering.unit)} in {counted(weeks, 'school week')}.",
            field="quantity",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """The whole quantity of a line, how it comes about, and the step and the most that the whole may have."""

    quantity: Decimal
    words: str
    step: Decimal
    maximum: Decimal | None


def offered(shared: SharedFacts, buyer: Buyer, offering_id: int) -> Offering:
    """Return an offering that a buyer may have; core, withdrawn, and what is for others is refused."""
    offering = shared.offerings.get(offering_id)
    if offering is None:
        raise NotFound
    refuse_core(offering.family, offering.name)
    if offering.withdrawn_on is not None and offering.withdrawn_on <= buyer.term.start:
        raise NotForYou(offering.name, "is no longer offered.")
    if offering.customer_classes and buyer.customer_class.value not in offering.customer_classes:
        raise NotForYou(offering.name, "is for other kinds of school.")
    if offering.phases and buyer.phase not in offering.phases:
        raise NotForYou(offering.name, f"is for these phases only: {', '.join(offering.phases)}.")
    return offering


def whole_of(
    shared: SharedFacts, buyer: Buyer, offering: Offering, quantity: Decimal, pattern: VisitPattern | None
) -> Whole:
    """Return the whole quantity within the offering's limits: 12 hours in each of 3 terms are 36.

    A pattern is a quantity for the whole agreement; where limits are for each term, they hold for all terms together.
    """
    times = _terms_touched(shared, buyer, offering) if offering.limit_basis == "term" else 1
    step, maximum = offering.step * times, None if offering.maximum is None else offering.maximum * times
    if pattern is not None:
        _refuse_too_many_weeks(buyer, pattern)
        whole = pattern.quantity(unit=offering.unit, unit_minutes=offering.unit_minutes)
        words = f"{pattern.words} = {counted(whole, offering.unit)}; "
        _check(offering, whole, offering.minimum * times, maximum, basis="agreement")
        step = offering.step
    else:
        _check(offering, quantity, offering.minimum, offering.maximum, basis=offering.limit_basis)
        whole, words = quantity * times, ""
        if offering.limit_basis == "term":
            words = (
                f"{counted(quantity, offering.unit)} × {counted(times, 'term')} = "
                f"{counted(whole, offering.unit)}; "
            )
    if offering.minimum_per_week is not None:
        weeks = school_weeks(buyer.term, shared.terms)
        if whole < offering.minimum_per_week * weeks:
            raise TooLittleEachWeek(offering, offering.minimum_per_week, weeks)
    return Whole(quantity=whole, words=words, step=step, maximum=maximum)


def _check(
    offering: Offering, quantity: Decimal, minimum: Decimal, maximum: Decimal | None, *, basis: str
) -> None:
    check_quantity(
        quantity, unit=offering.unit, minimum=minimum, maximum=maximum, step=offering.step, basis=basis
    )


def _refuse_too_many_weeks(buyer: Buyer, pattern: VisitPattern) -> None:
    weeks = -(-buyer.term.days // _WEEK)
    if pattern.weeks > weeks:
        raise PatternRefused(
            f"There are no {counted(pattern.weeks, 'week')} between these dates. Enter at most {weeks}.",
            field="pattern",
        )


def _terms_touched(shared: SharedFacts, buyer: Buyer, offering: Offering) -> int:
    term = buyer.term
    touched = sum(1 for one in shared.terms if one.starts_on < term.end and one.ends_on >= term.start)
    if not touched:
        raise Refused(
            f"“{offering.name}” is sold by the term, and no school term lies between these dates. "
            "Choose other dates, or ask the council to enter its terms.",
            field="starts_on",
        )
    return touched
