"""Pricing one line of a quote: limits, price, VAT and the share of each financial year, all frozen with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy.orm import Session

from sla_manager.agreements.models import AgreementLine
from sla_manager.agreements.rules.pace import school_weeks
from sla_manager.agreements.rules.tranches import TranchePart, tranches_as_agreed, tranches_by_months
from sla_manager.agreements.shares import written_shares
from sla_manager.catalogue.models import Offering
from sla_manager.catalogue.queries import offering as one_offering
from sla_manager.catalogue.queries import price_of, treatment_of
from sla_manager.catalogue.rules.families import refuse_core
from sla_manager.catalogue.rules.pricing import line_net
from sla_manager.catalogue.rules.quantities import check_quantity
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import FinancialYear, Period
from sla_manager.kernel.words import counted, pounds
from sla_manager.people.queries import terms
from sla_manager.people.rules.customer_classes import CustomerClass


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who buys and for when: what decides price, VAT and tranches."""

    customer_class: CustomerClass
    phase: str
    private_fund: bool
    term: Period
    start_month: int


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


def priced_line(
    session: Session,
    offering_id: int,
    quantity: Decimal,
    year_split: Mapping[FinancialYear, Decimal] | None,
    *,
    buyer: Buyer,
    service_id: int,
) -> AgreementLine:
    """Return a line with everything that is true of it now; refuses what cannot be bought."""
    offering = one_offering(session, offering_id, service_id=service_id)
    refuse_core(offering.family, offering.name)
    _refuse_others(offering, buyer)
    whole, words = _whole_quantity(session, offering, quantity, buyer.term)
    price = price_of(session, offering_id, buyer.customer_class, buyer.term.start)
    net = line_net(whole, price.unit_price)
    vat = treatment_of(
        session, offering, buyer.customer_class, private_fund=buyer.private_fund, tax_point=buyer.term.start
    )
    return AgreementLine(
        position=0,
        offering_id=offering.id,
        offering=offering,
        family=offering.family,
        description=offering.name,
        quantity=whole,
        unit=offering.unit,
        unit_minutes=offering.unit_minutes,
        step=offering.step,
        unit_price=price.unit_price,
        net=net,
        route=vat.route,
        vat_code=vat.code,
        vat_reason=vat.reason,
        charging_method=offering.charging_method,
        block_minutes=offering.block_minutes,
        counts_preparation=offering.counts_preparation,
        counts_report=offering.counts_report,
        counts_travel=offering.counts_travel,
        explanation=f"{words} × {pounds(price.unit_price)} = {pounds(net)}",
        year_shares=written_shares(_parts(offering, whole, net, year_split, buyer)),
    )


def _refuse_others(offering: Offering, buyer: Buyer) -> None:
    if offering.withdrawn_on is not None and offering.withdrawn_on <= buyer.term.start:
        raise NotForYou(offering.name, "is no longer offered.")
    if offering.customer_classes and buyer.customer_class.value not in offering.customer_classes:
        raise NotForYou(offering.name, "is for other kinds of school.")
    if offering.phases and buyer.phase not in offering.phases:
        raise NotForYou(offering.name, f"is for these phases only: {', '.join(offering.phases)}.")


def _whole_quantity(
    session: Session, offering: Offering, quantity: Decimal, term: Period
) -> tuple[Decimal, str]:
    """Return the whole agreed quantity and how it comes about: 12 hours in each of 3 terms are 36."""
    check_quantity(
        quantity,
        unit=offering.unit,
        minimum=offering.minimum,
        maximum=offering.maximum,
        step=offering.step,
        basis=offering.limit_basis,
    )
    known = terms(session)
    if offering.limit_basis == "term":
        touched = [one for one in known if one.starts_on < term.end and one.ends_on >= term.start]
        if not touched:
            raise Refused(
                f"“{offering.name}” is sold by the term, and no school term lies between these dates. "
                "Choose other dates, or ask the council to enter its terms.",
                field="starts_on",
            )
        whole = quantity * len(touched)
        return whole, (
            f"{counted(quantity, offering.unit)} × {counted(len(touched), 'term')} = "
            f"{counted(whole, offering.unit)}; {counted(whole, offering.unit)}"
        )
    if offering.minimum_per_week is not None:
        weeks = school_weeks(term, known)
        if quantity < offering.minimum_per_week * weeks:
            raise TooLittleEachWeek(offering, offering.minimum_per_week, weeks)
    return quantity, counted(quantity, offering.unit)


def _parts(
    offering: Offering,
    quantity: Decimal,
    net: Money,
    year_split: Mapping[FinancialYear, Decimal] | None,
    buyer: Buyer,
) -> tuple[TranchePart, ...]:
    if year_split is None:
        return tranches_by_months(
            quantity,
            offering.step,
            buyer.term,
            net=net,
            unit=offering.unit_minutes,
            start_month=buyer.start_month,
        )
    return tranches_as_agreed(
        quantity,
        offering.step,
        buyer.term,
        split=year_split,
        net=net,
        unit=offering.unit_minutes,
        start_month=buyer.start_month,
    )
