"""One-off charges: recorded once, withdrawn until they are billed, billed by the next run.

Training, audits and referrals that no agreement covers; a debit note that adds to a document; interest on late
payment. A charge within the council needs the school's recorded consent (domain section 9).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, joinedload

import sla_manager.billing.constraints  # noqa: F401  (gives the database its sentences)
from sla_manager.billing.models import (
    CHARGE_KINDS,
    Billed,
    Document,
    OneOffCharge,
    OneOffLine,
    OneOffWithdrawal,
)
from sla_manager.catalogue.models import Offering
from sla_manager.catalogue.queries import treatment_of
from sla_manager.catalogue.rules.families import Family
from sla_manager.catalogue.rules.vat import Route, VatCode, treatment
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.unique_pupil_numbers import refuse_pupil_numbers
from sla_manager.kernel.words import pounds
from sla_manager.people.models import Customer, School, TradingService
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.audit import Actor, record

MOST_LINES = 50
LONGEST_TEXT = 500
LATE_PAYMENT_REASON = "Outside the scope of VAT: compensation for late payment, no supply"
_ADDS_TO = ("debit", "late_payment")
_CONSENT = ("name", "role", "on", "how")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeLine:
    """A line to be charged. Its VAT follows its offering and the customer's class; without an offering, the class."""

    description: str
    quantity: Decimal
    unit: str
    unit_price: Money
    offering_id: int | None = None
    explanation: tuple[str, ...] = field(default=())


class ConsentMissing(Refused):
    """Money leaves a school's budget only with its consent."""

    def __init__(self, customer: str) -> None:
        super().__init__(
            f"A recharge takes money from the budget of {customer}. "
            "Enter who agreed to it, in which role, when and how.",
            field="consent_name",
        )


class RoutesDiffer(Refused):
    """One charge is one document."""

    def __init__(self) -> None:
        super().__init__(
            "Some of these lines are invoiced and some are recharged. Record them as two charges.",
            field="lines",
        )


def record_charge(
    session: Session,
    *,
    service_id: int,
    customer_id: int,
    school_id: int | None,
    kind: str,
    lines: Sequence[ChargeLine],
    delivered_on: date,
    route: Route | None = None,
    purchase_order: str = "",
    consent: Mapping[str, Any] | None = None,
    supplements_id: int | None = None,
    reason: str = "",
    once_key: str | None = None,
    private_fund: bool = False,
    by: Actor,
    at: datetime,
) -> OneOffCharge:
    """Record something to be billed once, outside an agreement. The same `once_key` gives back the same charge.

    `route` is a check: refused when the lines are billed another way. `consent` holds name, role, on (a date as
    text) and how, and is required of a recharge. `supplements_id` is the document that a debit adds to.
    """
    if once_key is not None:
        made = session.scalar(select(OneOffCharge).where(OneOffCharge.once_key == once_key))
        if made is not None:
            return made
    customer, school = _parties(session, customer_id, school_id)
    if session.get(TradingService, service_id) is None:
        raise NotFound
    _check(kind, lines, delivered_on, purchase_order, reason, at)
    _check_supplemented(session, kind, customer, supplements_id)
    rows = [
        _row(session, position, line, kind, customer, service_id, delivered_on, private_fund=private_fund)
        for position, line in enumerate(lines, start=1)
    ]
    routes = {found for found, _ in rows}
    if len(routes) != 1 or (route is not None and route not in routes):
        raise RoutesDiffer
    (found_route,) = routes
    charge = OneOffCharge(
        service_id=service_id, customer_id=customer_id, school_id=school.id if school else None, kind=kind,
        route=found_route, delivered_on=delivered_on, net=total(row.net for _, row in rows),
        purchase_order=purchase_order.strip(), supplements_id=supplements_id, reason=reason.strip(),
        consent=_consent(found_route, consent, customer), created_at=at, created_by=by.name, once_key=once_key,
    )  # fmt: skip
    if charge.net.pence <= 0:
        raise Refused("This comes to £0.00, so there is nothing to charge.", field="lines")
    session.add(charge)
    session.flush()
    for _, row in rows:
        row.charge_id = charge.id
        session.add(row)
    session.flush()
    record(
        session, "record_charge", about="one_off_charge", about_id=charge.id, by=by, at=at,
        summary=f"One-off charge of {pounds(charge.net)} net for {_name(customer)}.",
        details={"kind": kind, "customer_id": customer_id, "net": str(charge.net)},
    )  # fmt: skip
    return charge


def withdraw_charge(
    session: Session, charge_id: int, *, reason: str, by: Actor, at: datetime
) -> OneOffWithdrawal:
    """Say that a charge is not to be billed after all. Billed, it takes a credit note instead."""
    charge = session.get(OneOffCharge, charge_id, with_for_update=True)
    if charge is None:
        raise NotFound
    billed = select(Document.number).join(Billed, Billed.document_id == Document.id)
    number = session.scalar(billed.where(Billed.purpose == "one_off", Billed.source_id == charge_id))
    if number is not None:
        raise Conflict(f"This charge is billed by {number}. Issue a credit note for it instead.")
    if session.scalar(select(exists().where(OneOffWithdrawal.charge_id == charge_id))):
        raise Conflict("This charge was withdrawn already.")
    if not reason.strip() or len(reason) > LONGEST_TEXT:
        raise Refused(f"Enter why it is withdrawn, in {LONGEST_TEXT} characters at most.", field="reason")
    made = OneOffWithdrawal(charge_id=charge_id, reason=reason.strip(), withdrawn_at=at, withdrawn_by=by.name)
    session.add(made)
    session.flush()
    record(
        session, "withdraw_charge", about="one_off_charge", about_id=charge_id, by=by, at=at,
        summary=f"Charge of {pounds(charge.net)} withdrawn: {reason.strip()}", details={},
    )  # fmt: skip
    return made


def _parties(session: Session, customer_id: int, school_id: int | None) -> tuple[Customer, School | None]:
    customer = session.scalar(
        select(Customer)
        .where(Customer.id == customer_id)
        .options(joinedload(Customer.school), joinedload(Customer.trust))
    )
    if customer is None:
        raise NotFound
    school = session.get(School, school_id) if school_id is not None else customer.school
    if school_id is not None and (school is None or not _pays_for(customer, school)):
        raise NotFound("This customer does not pay for that school.")
    return customer, school


def _pays_for(customer: Customer, school: School) -> bool:
    own = customer.school_id == school.id
    return own or (customer.trust_id is not None and customer.trust_id == school.trust_id)


def _check(
    kind: str, lines: Sequence[ChargeLine], delivered_on: date, purchase_order: str, reason: str, at: datetime
) -> None:
    if kind not in CHARGE_KINDS:
        raise Refused("Choose what the charge is for.", field="kind")
    if not 1 <= len(lines) <= MOST_LINES:
        raise Refused(f"Enter between 1 and {MOST_LINES} lines.", field="lines")
    if delivered_on > london_date(at) + timedelta(days=366):
        raise Refused("Enter a day within the next year.", field="delivered_on")
    if len(purchase_order) > 100 or len(reason) > LONGEST_TEXT:
        raise Refused("Enter a shorter text.", field="reason")
    if kind == "debit" and not reason.strip():
        raise Refused("Enter why the debit note is needed.", field="reason")
    for line in lines:
        if not line.description.strip() or len(line.description) > LONGEST_TEXT:
            raise Refused(f"Enter what it is, in {LONGEST_TEXT} characters at most.", field="lines")
        refuse_pupil_numbers(line.description)
        if line.quantity <= 0 or -Decimal(line.quantity).normalize().as_tuple().exponent > 3:  # type: ignore[operator]  # a finite number's exponent is an integer
            raise Refused("Enter a quantity above 0 with three places at most, like 1.5.", field="lines")
        if line.unit_price.pence < 0:
            raise Refused("Enter a price of £0.00 or more.", field="lines")


def _check_supplemented(session: Session, kind: str, customer: Customer, supplements_id: int | None) -> None:
    if (kind in _ADDS_TO) != (supplements_id is not None):
        raise Refused("Choose the document that this adds to.", field="supplements")
    if supplements_id is None:
        return
    document = session.get(Document, supplements_id)
    if document is None or document.customer_id != customer.id or document.kind.is_credit:
        raise NotFound("This customer has no such invoice or recharge note.")


def _row(
    session: Session,
    position: int,
    line: ChargeLine,
    kind: str,
    customer: Customer,
    service_id: int,
    delivered_on: date,
    *,
    private_fund: bool,
) -> tuple[Route, OneOffLine]:
    customer_class = customer.school.customer_class if customer.school else CustomerClass.ACADEMY
    route, code, why = Route.INVOICE, VatCode.OUTSIDE_SCOPE, LATE_PAYMENT_REASON
    if line.offering_id is not None:
        offering = session.get(Offering, line.offering_id)
        if offering is None or offering.service_id != service_id:
            raise NotFound("This service has no such offering.")
        if offering.family is Family.CORE:
            raise Refused(
                f"{offering.name} is part of the free core offer. It is never charged.", field="offering"
            )
        found = treatment_of(
            session, offering, customer_class, private_fund=private_fund, tax_point=delivered_on
        )
        route, code, why = found.route, found.code, found.reason
    elif kind != "late_payment":
        decided = treatment(customer_class, private_fund=private_fund)
        route, code, why = decided.route, decided.code, decided.reason
    net = line.unit_price.times(line.quantity)
    return route, OneOffLine(
        position=position, offering_id=line.offering_id, description=line.description.strip(),
        quantity=line.quantity, unit=line.unit.strip(), unit_price=line.unit_price, net=net, vat_code=code,
        vat_reason=why, explanation=list(line.explanation),
    )  # fmt: skip


def _consent(route: Route, consent: Mapping[str, Any] | None, customer: Customer) -> dict[str, Any]:
    given = {name: str((consent or {}).get(name, "")).strip()[:200] for name in _CONSENT}
    if route is Route.RECHARGE and not all(given.values()):
        raise ConsentMissing(_name(customer))
    return given if any(given.values()) else {}


def _name(customer: Customer) -> str:
    payer = customer.trust or customer.school
    return payer.name if payer is not None else customer.account_reference
