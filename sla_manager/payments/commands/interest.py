"""Interest and compensation claimed: what is worked out today becomes a charge of its own, billed by the next run."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

import sla_manager.payments.constraints  # noqa: F401  (gives the database its sentences)
from sla_manager.agreements.models import Agreement
from sla_manager.billing.commands.charges import ChargeLine, record_charge
from sla_manager.billing.models import Document
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import NotFound
from sla_manager.kernel.money import Money
from sla_manager.kernel.words import long_date, pounds
from sla_manager.payments.models import LatePaymentClaim
from sla_manager.payments.queries.interest import LateSum, late_sum
from sla_manager.people.models import Customer, School
from sla_manager.store.audit import Actor, record


def claim_late_payment(
    session: Session, document_id: int, *, once_key: str, by: Actor, at: datetime
) -> LatePaymentClaim:
    """Claim what the law adds to an invoice today. The same `once_key` gives back the same claim.

    Raises `NotClaimable` where claims are off, the invoice is not late, is held, or bears nothing more.
    """
    known = session.scalar(select(LatePaymentClaim).where(LatePaymentClaim.once_key == once_key))
    if known is not None:
        return known
    document = session.get(Document, document_id, with_for_update=True)
    if document is None:
        raise NotFound
    found = late_sum(session, document_id, today=london_date(at))
    charge = record_charge(
        session, service_id=document.service_id, customer_id=document.customer_id,
        school_id=_school_of(session, document), kind="late_payment", lines=_lines(found),
        delivered_on=found.until, supplements_id=document_id,
        reason=f"Late payment of {document.number}, due on {long_date(found.due_on)}",
        once_key=f"late:{once_key}", by=by, at=at,
    )  # fmt: skip
    claim = LatePaymentClaim(
        document_id=document_id, after=found.due_on, until=found.until, debt=found.debt,
        reference_day=found.reference_day, bank_rate=found.bank_rate, rate=found.rate, interest=found.interest,
        compensation=found.compensation, explanation=list(found.sentences), charge_id=charge.id,
        once_key=once_key, made_at=at, made_by=by.name,
    )  # fmt: skip
    session.add(claim)
    session.flush()
    record(
        session, "claim_late_payment", about="document", about_id=document_id, by=by, at=at,
        summary=f"{pounds(found.amount)} claimed for late payment of {document.number}.",
        details={"interest": str(found.interest), "compensation": str(found.compensation), "charge_id": charge.id},
    )  # fmt: skip
    return claim


def _school_of(session: Session, document: Document) -> int | None:
    """Return the school that the invoice was for, as far as its payer still pays for it."""
    customer = session.get_one(Customer, document.customer_id)
    if document.agreement_id is None or customer.trust_id is None:
        return customer.school_id
    school = session.get_one(School, session.get_one(Agreement, document.agreement_id).school_id)
    return school.id if school.trust_id == customer.trust_id else None


def _lines(found: LateSum) -> list[ChargeLine]:
    lines = []
    if found.interest:
        what = f"Statutory interest on {found.number} to {long_date(found.until)}"
        lines.append(_line(what, found.interest, found.sentences))
    if found.compensation:
        lines.append(
            _line(f"Fixed sum for late payment of {found.number}", found.compensation, found.sentences[-1:])
        )
    return lines


def _line(what: str, amount: Money, why: tuple[str, ...]) -> ChargeLine:
    return ChargeLine(
        description=what, quantity=Decimal(1), unit="claim", unit_price=amount, explanation=why
    )  # fmt: skip
