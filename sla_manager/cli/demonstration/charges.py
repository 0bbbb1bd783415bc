"""One-off charges in the demonstration: one that the next run bills, one that a school agreed to."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.billing.commands.charges import ChargeLine, record_charge
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.money import Money
from sla_manager.people.models import Customer, School, TradingService
from sla_manager.store.audit import Actor

FINANCE = Actor(None, "Samir Patel")


def tell_charges(session: Session, service: TradingService, *, at: datetime) -> None:
    """Record training for an academy, and a referral that a maintained school agreed to."""
    day = london_date(at) - timedelta(days=3)
    for is_own, kind, line in (
        (False, "training", _line("Attendance training for governors", "2", "session", 250_00)),
        (True, "referral", _line("One referral beyond the agreement", "1", "referral", 145_00)),
    ):
        found = _payer(session, is_own=is_own)
        if found is None:
            continue
        school, customer = found
        consent = {
            "name": "Morwenna Tapscott",
            "role": "Head teacher",
            "on": day.isoformat(),
            "how": "By mail",
        }
        record_charge(
            session,
            service_id=service.id,
            customer_id=customer.id,
            school_id=school.id,
            kind=kind,
            lines=[line],
            delivered_on=day,
            consent=consent if is_own else None,
            once_key=f"demonstration:{kind}",
            by=FINANCE,
            at=at,
        )


def _line(what: str, quantity: str, unit: str, pence: int) -> ChargeLine:
    return ChargeLine(description=what, quantity=Decimal(quantity), unit=unit, unit_price=Money(pence))


def _payer(session: Session, *, is_own: bool) -> tuple[School, Customer] | None:
    query = select(School, Customer).join(Customer, Customer.school_id == School.id).order_by(School.urn)
    rows = session.execute(query)
    return next(
        ((school, customer) for school, customer in rows if school.customer_class.is_own == is_own), None
    )
