"""What is chased in the demonstration: reminders that went out, a dispute that waits, a hold, a claim."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.billing.commands.policy import set_policy
from sla_manager.billing.models import Document
from sla_manager.billing.queries.policy import finance_policy
from sla_manager.billing.rules.kinds import DocumentKind
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.money import Money
from sla_manager.payments.commands.bank_rates import record_bank_rate
from sla_manager.payments.commands.disputes import answer_dispute, raise_dispute
from sla_manager.payments.commands.holds import place_hold
from sla_manager.payments.commands.interest import claim_late_payment
from sla_manager.payments.commands.reminders import chase
from sla_manager.payments.models import DocumentBalance
from sla_manager.payments.queries.interest import NotClaimable, bank_rates
from sla_manager.payments.rules.interest import reference_day
from sla_manager.people.commands import change_customer
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database

PAYER, FINANCE = Actor(None, "Priya Nair"), Actor(None, "Samir Patel")
NIGHTS_BACK = range(560, -1, -7)


def tell_chasing(database: Database, *, now: datetime) -> None:
    """Post the reminders of some nights; then claim on the oldest overdue invoice, dispute and hold the next two."""
    with database.transaction() as session:
        _allow_claims(session, at=now)
        for number, document in enumerate(_overdue(session, now), start=1):
            change_customer(
                session, document.customer_id, email=f"finance.{number}@school.example",
                purchase_order_required=False, by=FINANCE, at=now,
            )  # fmt: skip
    for days in NIGHTS_BACK:
        chase(database, at=now - timedelta(days=days))
    with database.transaction() as session:
        stories = (_claimed, _disputed, _held)
        for document, story in zip(_overdue(session, now), stories, strict=False):
            story(session, document, now)


def _allow_claims(session: Session, *, at: datetime) -> None:
    """Turn claims on, and say that Bank Rate is what it was last known to be."""
    policy = finance_policy(session)
    set_policy(
        session, purchase_order_from=policy.purchase_order_from, reminder_days=policy.reminder_days,
        late_payment=True, e_invoice=policy.e_invoice, endpoint_scheme=policy.endpoint_scheme,
        endpoint_id=policy.endpoint_id, seen_version=policy.version, by=FINANCE, at=at,
    )  # fmt: skip
    last = bank_rates(session)[0]
    day = reference_day(london_date(at))
    while day > last.from_day:
        record_bank_rate(session, from_day=day, rate=last.rate, by=FINANCE, at=at)
        day = reference_day(day)


def _overdue(session: Session, now: datetime) -> Sequence[Document]:
    """Return overdue invoices, the oldest first."""
    query = (
        select(Document)
        .join(DocumentBalance, DocumentBalance.document_id == Document.id)
        .where(
            DocumentBalance.kind == DocumentKind.INVOICE,
            DocumentBalance.open > Money(0),
            DocumentBalance.due_on < london_date(now) - timedelta(days=30),
        )
        .order_by(DocumentBalance.due_on, Document.id)
    )
    return session.scalars(query).all()


def _claimed(session: Session, document: Document, now: datetime) -> None:
    try:
        claim_late_payment(session, document.id, once_key="demonstration", by=FINANCE, at=now)
    except NotClaimable:
        return


def _disputed(session: Session, document: Document, now: datetime) -> None:
    hold = raise_dispute(
        session, document.id, by=PAYER, at=now - timedelta(days=12),
        text="The second visit in March was cut short. We expected half a day.",
    )  # fmt: skip
    answer_dispute(
        session, hold.id, text="We are asking the officer, and will answer this week.", ends=False, by=FINANCE,
        at=now - timedelta(days=10),
    )  # fmt: skip
    raise_dispute(
        session, document.id, text="Thank you. Our office diary says 9am to 11am.", by=PAYER,
        at=now - timedelta(days=9),
    )  # fmt: skip


def _held(session: Session, document: Document, now: datetime) -> None:
    place_hold(
        session, document.id, kind="hold", reason="The school is changing its bank account.", by=FINANCE,
        at=now - timedelta(days=4),
    )  # fmt: skip
