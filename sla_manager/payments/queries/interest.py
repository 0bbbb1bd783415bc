"""What the law adds to a late invoice, worked out from what is stored; and the Bank Rates that are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from sla_manager.billing.models import Billed, Document, OneOffCharge, OneOffWithdrawal
from sla_manager.billing.queries.policy import finance_policy
from sla_manager.billing.rules.kinds import DocumentKind
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.periods import ONE_DAY
from sla_manager.kernel.words import long_date, per_cent, pounds
from sla_manager.payments.models import Allocation, BankRate, Hold, HoldRelease, LatePaymentClaim, Receipt
from sla_manager.payments.queries.holds import is_held
from sla_manager.payments.rules.interest import (
    Part,
    Pause,
    Stretch,
    explained,
    fixed_sum,
    interest,
    reference_day,
    statutory_rate,
    stretches,
)

RATE_IS_KNOWN_FOR = timedelta(days=45)
"""After a recorded Bank Rate the Bank of England may have decided again: it does so eight times a year."""


class NotClaimable(Refused):
    """Nothing may be claimed on this invoice, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LateSum:
    """The sum that may be claimed today on an invoice, with all that it follows from."""

    document_id: int
    number: str
    due_on: date
    until: date
    debt: Money
    reference_day: date
    bank_rate: int
    rate: int
    stretches: tuple[Stretch, ...]
    whole_interest: Money
    claimed_before: Money
    interest: Money
    compensation: Money

    @property
    def amount(self) -> Money:
        """Interest and compensation together."""
        return self.interest + self.compensation

    @property
    def sentences(self) -> tuple[str, ...]:
        """The sum in words."""
        said = [
            f"{self.number}: {pounds(self.debt)} after credits was due on {long_date(self.due_on)}.",
            (
                f"Bank Rate on {long_date(self.reference_day)} was {per_cent(self.bank_rate)}, and 8 % over it "
                f"is {per_cent(self.rate)}."
            ),
            *explained(self.stretches, self.rate),
        ]
        if self.claimed_before:
            said.append(
                f"{pounds(self.claimed_before)} of it was claimed before, so {pounds(self.interest)} is left."
            )
        if self.compensation:
            said.append(
                f"The fixed sum for a debt of {pounds(self.debt)} is {pounds(self.compensation)}, once."
            )
        return tuple(said)


def bank_rates(session: Session) -> list[BankRate]:
    """Return the Bank Rates that are recorded, the latest day first; of one day only what counts."""
    found: dict[date, BankRate] = {}
    for one in session.scalars(select(BankRate).order_by(BankRate.from_day.desc(), BankRate.id.desc())):
        found.setdefault(one.from_day, one)
    return list(found.values())


def bank_rate_on(session: Session, day: date) -> int:
    """Return the Bank Rate of a day in basis points; a day beyond what is known is refused."""
    query = select(BankRate).order_by(BankRate.from_day.desc(), BankRate.id.desc()).limit(1)
    latest, held = session.scalar(query), session.scalar(query.where(BankRate.from_day <= day))
    if held is None or latest is None or day > latest.from_day + RATE_IS_KNOWN_FOR:
        raise NotClaimable(
            f"The Bank Rate of {long_date(day)} is not recorded. Record it on the page “Bank Rate” first."
        )
    return held.rate


def claims_on(session: Session, document_id: int) -> list[LatePaymentClaim]:
    """Return the claims on an invoice that stand, the oldest first; one whose charge was withdrawn does not."""
    withdrawn = exists().where(OneOffWithdrawal.charge_id == LatePaymentClaim.charge_id)
    query = select(LatePaymentClaim).where(LatePaymentClaim.document_id == document_id, ~withdrawn)
    return list(session.scalars(query.order_by(LatePaymentClaim.id)))


def late_sum(session: Session, document_id: int, *, today: date) -> LateSum:
    """Return what may be claimed on an invoice today; raises `NotClaimable` with the reason where nothing may."""
    document = session.get(Document, document_id)
    if document is None or document.kind.is_credit:
        raise NotFound
    due_on = _due_on(session, document, today)
    debt = document.gross + total(
        session.scalars(select(Document.gross).where(Document.credits_id == document_id))
    )
    if debt.pence <= 0:
        raise NotClaimable(f"{document.number} was credited in full, so nothing was ever late.")
    found = stretches(
        debt,
        after=due_on,
        until=today,
        parts=_parts(session, document_id),
        pauses=_pauses(session, document_id),
    )
    if all(one.held for one in found):
        raise NotClaimable(f"{document.number} was paid in time, or held on every day after it was due.")
    counts = reference_day(due_on + ONE_DAY)
    bank_rate = bank_rate_on(session, counts)
    return _summed(document, due_on, today, debt, counts, bank_rate, found, claims_on(session, document_id))


def _summed(
    document: Document,
    due_on: date,
    today: date,
    debt: Money,
    counts: date,
    bank_rate: int,
    found: tuple[Stretch, ...],
    claims: Sequence[LatePaymentClaim],
) -> LateSum:
    rate = statutory_rate(bank_rate)
    whole, before = interest(found, rate), total(one.interest for one in claims)
    left = max(whole - before, Money(0))
    compensation = Money(0) if any(one.compensation for one in claims) else fixed_sum(debt)
    if not left + compensation:
        raise NotClaimable(f"Everything that {document.number} bears was claimed already: {pounds(before)}.")
    return LateSum(
        document_id=document.id, number=document.number, due_on=due_on, until=today, debt=debt,
        reference_day=counts, bank_rate=bank_rate, rate=rate, stretches=found, whole_interest=whole,
        claimed_before=before, interest=left, compensation=compensation,
    )  # fmt: skip


def _due_on(session: Session, document: Document, today: date) -> date:
    """Return the due date of an invoice that may bear interest at all."""
    if document.kind is not DocumentKind.INVOICE or document.due_on is None:
        raise NotClaimable("Interest is claimed on invoices only, never on a recharge.")
    if not finance_policy(session).late_payment:
        raise NotClaimable("Claims for late payment are off. Turn them on in the finance settings first.")
    if document.due_on >= today:
        raise NotClaimable(f"{document.number} is not late: it is due on {long_date(document.due_on)}.")
    if is_held(session, document.id):
        raise NotClaimable(f"{document.number} is held. End the hold before you claim interest.")
    is_claim = exists().where(
        Billed.purpose == "one_off", Billed.document_id == document.id, Billed.source_id == OneOffCharge.id
    )
    if (
        session.scalar(select(OneOffCharge.id).where(OneOffCharge.kind == "late_payment", is_claim))
        is not None
    ):
        raise NotClaimable(
            f"{document.number} is itself a claim for late payment. Interest bears no interest."
        )
    return document.due_on


def _parts(session: Session, document_id: int) -> list[Part]:
    """Return what was paid, by the day on which the money came; what was taken back again cancels itself."""
    paid = (
        select(Receipt.received_on, Allocation.amount)
        .join(Receipt, Receipt.id == Allocation.receipt_id)
        .where(Allocation.document_id == document_id)
    )
    credited = (
        select(Document.issued_on, Allocation.amount)
        .join(Document, Document.id == Allocation.credit_note_id)
        .where(Allocation.document_id == document_id)
    )
    return [Part(on, amount) for query in (paid, credited) for on, amount in session.execute(query)]


def _pauses(session: Session, document_id: int) -> list[Pause]:
    query = (
        select(Hold.placed_at, HoldRelease.released_at)
        .outerjoin(HoldRelease, HoldRelease.hold_id == Hold.id)
        .where(Hold.document_id == document_id)
    )
    rows: list[tuple[datetime, datetime | None]] = [(one, other) for one, other in session.execute(query)]
    return [
        Pause(london_date(placed_at), None if released_at is None else london_date(released_at))
        for placed_at, released_at in rows
    ]
