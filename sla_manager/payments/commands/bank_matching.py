"""Bank lines matched by somebody: with documents of one or several customers, with an account, or as not ours.

The receipts, their allocations and the match are made together or not at all. A match is taken back by itself:
its allocations are reversed, the money leaves the receipt by a refund that names the reason, and the line waits
again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

import sla_manager.payments.constraints  # noqa: F401  (gives the database its sentences)
from sla_manager.billing.models import Document
from sla_manager.billing.queries.locks import open_day
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.words import pounds
from sla_manager.payments.commands.receipts import LONGEST_REFERENCE, record_receipt, reverse_allocation
from sla_manager.payments.commands.refunds import refund_receipt
from sla_manager.payments.models import BankLine, BankLineOpen, BankMatch, Receipt
from sla_manager.payments.queries.bank import THROUGH_THE_BANK, in_force, matches_of
from sla_manager.payments.queries.receipts import allocations_of, receipt, reversed_ids
from sla_manager.store.audit import Actor, record

LONGEST_REASON = 1_000


class MoreThanLine(Refused):
    """A line pays no more than is left of it."""

    def __init__(self, wanted: Money, left: Money) -> None:
        super().__init__(
            f"{pounds(wanted)} is more than is left of this bank line: {pounds(left)}. Enter that or less.",
            field="amount",
        )


def match_line(
    session: Session,
    line_id: int,
    *,
    documents: Mapping[int, Money],
    on_account: int | None = None,
    once_key: str,
    by: Actor,
    at: datetime,
) -> list[BankMatch]:
    """Match a whole line: amounts by document, what is left on account of the customer `on_account`.

    Each customer gets one receipt of the day on which the money arrived (locked: of the first open day). Refused:
    more than the line or than is open on a document, something left and nobody to keep it for, a line that is
    matched already.
    """
    line, left = _held_line(session, line_id)
    before = matches_of(session, [line_id])
    again = [one for one in before if (one.once_key or "").startswith(f"{once_key}:")]
    if again:
        return again
    if not left:
        raise Conflict("Nothing is left of this bank line: it was matched already.")
    shares, received_on = _shares(session, documents, on_account, left), open_day(session, line.booked_on)
    made = []
    for place, (customer_id, (amount, amounts)) in enumerate(sorted(shares.items()), len(before) + 1):
        paid = record_receipt(
            session, customer_id, amount=amount, received_on=received_on, method="bank_transfer",
            reference=(line.text or line.payer)[:LONGEST_REFERENCE], allocations=amounts,
            once_key=f"bank:{line_id}:{place}", by=by, at=at,
        )  # fmt: skip
        match = BankMatch(
            line_id=line_id, kind="receipt", receipt_id=paid.id, amount=amount, reason="", reverses_id=None,
            matched_at=at, matched_by=by.name, once_key=f"{once_key}:{customer_id}",
        )  # fmt: skip
        made.append(match)
        _keep(session, match, f"Bank line of {pounds(line.amount)}: {pounds(amount)} matched.", by, at)
    return made


def _held_line(session: Session, line_id: int) -> tuple[BankLine, Money]:
    """Hold a line against others, and return what is left of it."""
    line = session.scalar(select(BankLine).where(BankLine.id == line_id).with_for_update())
    if line is None:
        raise NotFound("There is no such bank line.")
    if line.amount.pence < 0:
        raise Refused("Money left by this line. Only money that arrived is matched.")
    left = session.scalar(select(BankLineOpen.open).where(BankLineOpen.line_id == line_id))
    return line, left or Money(0)


def _shares(
    session: Session, documents: Mapping[int, Money], on_account: int | None, left: Money
) -> dict[int, tuple[Money, dict[int, Money]]]:
    """Return by customer how much of the line is theirs, and what it is set against."""
    wanted = {key: amount for key, amount in sorted(documents.items()) if amount}
    if any(amount.pence < 0 for amount in wanted.values()):
        raise Refused("Enter amounts above £0.00.", field="amount")
    query = (
        select(Document.id, Document.customer_id)
        .where(Document.id.in_(wanted))
        .order_by(Document.id)
        .with_for_update()
    )
    customers = {row.id: row.customer_id for row in session.execute(query)}
    if wanted.keys() - customers.keys():
        raise NotFound("There is no such document.")
    rest = left - total(wanted.values())
    if rest.pence < 0:
        raise MoreThanLine(total(wanted.values()), left)
    if rest and on_account is None:
        raise Refused(
            f"{pounds(rest)} of {pounds(left)} is not matched. Choose whose account keeps it, "
            "or set it against documents.",
            field="on_account",
        )
    by_customer: dict[int, dict[int, Money]] = defaultdict(dict)
    for key, amount in wanted.items():
        by_customer[customers[key]][key] = amount
    if rest and on_account is not None:
        by_customer[on_account] = by_customer.get(on_account, {})
    return {
        one: (total(amounts.values()) + (rest if one == on_account else Money(0)), amounts)
        for one, amounts in by_customer.items()
    }


def _keep(session: Session, match: BankMatch, summary: str, by: Actor, at: datetime) -> None:
    session.add(match)
    session.flush()
    record(
        session, "match_bank_line", about="bank_line", about_id=match.line_id, by=by, at=at, summary=summary,
        details={"match_id": match.id, "receipt_id": match.receipt_id, "amount": str(match.amount)},
    )  # fmt: skip


def set_aside(
    session: Session, line_id: int, *, reason: str, once_key: str, by: Actor, at: datetime
) -> BankMatch:
    """Mark what is left of a line as money that is not ours, with the reason. It can be taken back."""
    _, left = _held_line(session, line_id)
    for one in matches_of(session, [line_id]):
        if one.once_key == f"{once_key}:not-ours":
            return one
    if not left:
        raise Conflict("Nothing is left of this bank line: it was matched already.")
    match = BankMatch(
        line_id=line_id, kind="not_ours", receipt_id=None, amount=left, reason=_reason(reason, "it is not ours"),
        reverses_id=None, matched_at=at, matched_by=by.name, once_key=f"{once_key}:not-ours",
    )  # fmt: skip
    _keep(session, match, f"{pounds(left)} is not ours: {match.reason}", by, at)
    return match


def match_recorded(
    session: Session, line_id: int, receipt_id: int, *, once_key: str, by: Actor, at: datetime
) -> BankMatch:
    """Say that a line is a payment that was recorded by hand before; several cheques may be one line.

    Nothing is booked anew. Refused: more than is left of the line, a payment that another line explains already,
    one that did not come through the bank.
    """
    line, left = _held_line(session, line_id)
    for one in matches_of(session, [line_id]):
        if one.once_key == f"{once_key}:recorded":
            return one
    paid = session.scalar(select(Receipt).where(Receipt.id == receipt_id).with_for_update())
    if paid is None:
        raise NotFound("There is no such payment.")
    if paid.method not in THROUGH_THE_BANK:
        raise Refused("This payment did not come through the bank.")
    if paid.amount > left:
        raise MoreThanLine(paid.amount, left)
    match = BankMatch(
        line_id=line_id, kind="recorded", receipt_id=receipt_id, amount=paid.amount, reason="Recorded by hand before.",
        reverses_id=None, matched_at=at, matched_by=by.name, once_key=f"{once_key}:recorded",
    )  # fmt: skip
    _keep(
        session,
        match,
        f"Bank line of {pounds(line.amount)} is payment {receipt_id}, recorded before.",
        by,
        at,
    )
    return match


def _reason(reason: str, why: str) -> str:
    cleaned = reason.strip()
    if not cleaned or len(cleaned) > LONGEST_REASON:
        raise Refused(f"Enter why {why}, in {LONGEST_REASON:,} characters at most.", field="reason")
    return cleaned


def take_back(session: Session, match_id: int, *, reason: str, by: Actor, at: datetime) -> BankMatch:
    """Take a match back; the line waits again. A receipt that the match made holds nothing any more.

    Refused when a part of the receipt was given back to the payer already.
    """
    first = session.get(BankMatch, match_id)
    if first is None:
        raise NotFound("There is no such match.")
    _held_line(session, first.line_id)
    if first not in in_force(matches_of(session, [first.line_id])):
        raise Conflict("This match was taken back already.")
    cleaned = _reason(reason, "it is taken back")
    if first.receipt_id is not None and first.kind == "receipt":
        _empty(session, first.receipt_id, match_id, cleaned, by, at)
    match = BankMatch(
        line_id=first.line_id, kind=first.kind, receipt_id=None, amount=-first.amount, reason=cleaned,
        reverses_id=first.id, matched_at=at, matched_by=by.name, once_key=None,
    )  # fmt: skip
    _keep(session, match, f"Match of {pounds(first.amount)} taken back: {cleaned}", by, at)
    return match


def _empty(session: Session, receipt_id: int, match_id: int, reason: str, by: Actor, at: datetime) -> None:
    """Take everything off a receipt, then the money out of it."""
    allocations = allocations_of(session, receipt_id=receipt_id)
    undone = reversed_ids(allocations)
    documents = sorted({one.document_id for one in allocations})
    session.execute(
        select(Document.id).where(Document.id.in_(documents)).order_by(Document.id).with_for_update()
    )
    session.execute(select(Receipt.id).where(Receipt.id == receipt_id).with_for_update())
    for one in allocations:
        if one.reverses_id is None and one.id not in undone:
            reverse_allocation(session, one.id, reason=reason, by=by, at=at)
    found = receipt(session, receipt_id)
    if found.left != found.receipt.amount:
        raise Refused(
            f"{pounds(found.receipt.amount - found.left)} of this payment was given back already. "
            "Undo that refund first, then take the match back.",
            field="reason",
        )
    refund_receipt(
        session, receipt_id, amount=found.left, method="journal", reference=f"Match {match_id}",
        reason=f"Bank line matched anew: {reason}"[:LONGEST_REASON], refunded_on=london_date(at),
        once_key=f"bank-match:{match_id}", by=by, at=at,
    )  # fmt: skip
