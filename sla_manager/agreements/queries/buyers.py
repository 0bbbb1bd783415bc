"""Who buys and for when, with everything of theirs that a price can stand on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from sla_manager.agreements.models import Agreement, AgreementLine
from sla_manager.agreements.queries.standing import SharedFacts
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.catalogue.models import Price, PriceHold
from sla_manager.catalogue.rules.shapes import SchoolFigures
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.periods import Period
from sla_manager.people.figures import figure_of, pupil_counts
from sla_manager.people.models import School
from sla_manager.people.rules.customer_classes import CustomerClass


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """Who buys and for when: what decides price, VAT and years."""

    customer_class: CustomerClass
    phase: str
    private_fund: bool
    term: Period
    start_month: int
    today: date
    held: Mapping[int, Price] = field(default_factory=dict)
    """The prices that the school was promised, by offering."""
    figures: SchoolFigures = field(default_factory=SchoolFigures)
    running: frozenset[int] = frozenset()
    """The offerings that the school has in agreements that run."""


def buyer_of(
    session: Session, school: School, term: Period, *, paid_from: str, today: date, shared: SharedFacts
) -> Buyer:
    """Return who buys and for when: class, phase, promised prices, and what else prices stand on."""
    if paid_from not in ("budget", "private_fund"):
        raise Refused("Say whether the school’s budget or its private fund pays.", field="paid_from")
    if paid_from == "private_fund" and not school.customer_class.is_own:
        raise Refused("Only a maintained school has a private fund. Choose its budget.", field="paid_from")
    buyer = Buyer(
        customer_class=school.customer_class,
        phase=school.phase,
        private_fund=paid_from == "private_fund",
        term=term,
        start_month=shared.billing.start_month,
        today=today,
    )
    if school.customer_class.is_own:
        buyer = replace(buyer, held=held_prices(session, school, on=term.start))
    if shared.needs_figures:
        buyer = replace(buyer, figures=figures_of_school(session, school, on=term.start))
    if shared.needs_running:
        buyer = replace(buyer, running=running_offerings(session, school.id, term))
    return buyer


def held_prices(session: Session, school: School, *, on: date) -> dict[int, Price]:
    """Return the prices that a school was promised and that hold on a day, by offering.

    They win over the list, whether it rose or fell since (C7): a hold names the version of the price that was
    agreed, and neither a new version nor a price review changes one. A promise was made to a kind of customer; a
    school that became another kind pays the list.
    """
    query = (
        select(PriceHold)
        .join(Price, Price.id == PriceHold.price_id)
        .where(
            PriceHold.school_id == school.id,
            PriceHold.starts_on <= on,
            PriceHold.until > on,
            Price.customer_class == school.customer_class,
        )
        .order_by(PriceHold.starts_on)
        .options(joinedload(PriceHold.price))
    )
    return {one.offering_id: one.price for one in session.scalars(query)}


def figures_of_school(session: Session, school: School, *, on: date) -> SchoolFigures:
    """Return what is published of a school by a day, each figure with where it comes from."""
    counted = pupil_counts(session, [school.id], on=on).get(school.id)
    absence = figure_of(session, school.id)
    return SchoolFigures(
        phase=school.phase,
        pupils=counted.pupils if counted else None,
        pupils_from=counted.source if counted else "",
        absence=absence.persistent if absence else None,
        absence_from=f"{absence.year}/{(absence.year + 1) % 100:02d}" if absence else "",
    )


def running_offerings(session: Session, school_id: int, term: Period) -> frozenset[int]:
    """Return the offerings, and the packages, of a school's agreements that run at some time of a term."""
    query = (
        select(AgreementLine.offering_id, AgreementLine.price_facts)
        .join(Agreement, Agreement.id == AgreementLine.agreement_id)
        .where(
            Agreement.school_id == school_id,
            Agreement.status == AgreementStatus.AGREED,
            Agreement.starts_on < term.end,
            or_(Agreement.ends_early_on.is_(None), Agreement.ends_early_on >= term.start),
            Agreement.ends_on >= term.start,
        )
    )
    found: set[int] = set()
    for offering_id, facts in session.execute(query):
        found.add(offering_id)
        if "package_id" in facts:
            found.add(int(facts["package_id"]))
    return frozenset(found)
