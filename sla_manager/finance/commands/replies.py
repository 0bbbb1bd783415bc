"""Take in what a finance system answers: the file once, each answer once, whatever is sent again."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

import sla_manager.finance.constraints  # noqa: F401  (gives the database its sentences)
from sla_manager.billing.models import Document
from sla_manager.billing.queries.locks import open_day
from sla_manager.catalogue.rules.vat import Route
from sla_manager.finance.models import LedgerAnswer, LedgerReply, ReplyLayout, ReplyReading
from sla_manager.finance.queries.layouts import layout
from sla_manager.finance.queries.replies import handed_over_numbers, reading_of, reply, table_of
from sla_manager.finance.rules.replies import PAID, Answer, Reading, plain_number, read_answers
from sla_manager.gateways.spreadsheets import read_spreadsheet
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.money import Money
from sla_manager.kernel.references import sha256
from sla_manager.kernel.words import counted
from sla_manager.payments.commands import record_receipt
from sla_manager.payments.queries import open_amount
from sla_manager.store.audit import Actor, record


def receive_reply(
    session: Session, target: str, *, filename: str, content: bytes, by: Actor, at: datetime
) -> LedgerReply:
    """Keep a reply's file as it came; the same file for the same target gives back the one that is here.

    Raises `UnreadableSpreadsheet` for what is no table.
    """
    layout(session, target)
    hashed = sha256(content)
    known = session.scalar(
        select(LedgerReply).where(LedgerReply.target == target, LedgerReply.sha256 == hashed)
    )
    if known is not None:
        return known
    read_spreadsheet(content)
    received = LedgerReply(
        target=target, filename=filename[-200:] or "reply", sha256=hashed, content=content, uploaded_at=at,
        uploaded_by=by.name,
    )  # fmt: skip
    session.add(received)
    session.flush()
    record(
        session, "receive_reply", about="ledger_reply", about_id=received.id, by=by, at=at,
        summary=f"{received.filename} of {target} received.", details={"sha256": hashed},
    )  # fmt: skip
    return received


def take_in_reply(
    session: Session, reply_id: int, reading: Reading, *, payments: bool = False, by: Actor, at: datetime
) -> ReplyReading:
    """Note each answer at its document. A reply that was taken in already stays as it is.

    Answers that an earlier reply gave are passed over; rows about no document of this target's batches are left
    out and counted. With `payments`, each "paid" is recorded as a payment and set against its document.
    """
    found = reply(session, reply_id)
    _wait_for_turn(session, found.target)
    done = reading_of(session, reply_id)
    if done is not None:
        return done
    table = table_of(found)
    answers = read_answers(table.columns, table.rows, reading)
    known = handed_over_numbers(session, found.target)
    rows, left_out = _rows(answers, known)
    given = set(session.scalars(select(LedgerAnswer.fingerprint).where(LedgerAnswer.target == found.target)))
    fresh = [row for row in rows if row["fingerprint"] not in given]
    if payments:
        for row in fresh:
            row["receipt_id"] = _paid(session, found, row, by=by, at=at)
    if fresh:
        same = {"reply_id": reply_id, "target": found.target}
        session.execute(insert(LedgerAnswer), [same | row for row in fresh])
    done = ReplyReading(
        reply_id=reply_id, columns={"columns": dict(reading.columns), "every": reading.every},
        words={status: list(words) for status, words in reading.words.items()}, answers=len(fresh),
        repeated=len(rows) - len(fresh), left_out=left_out, read_at=at, read_by=by.name,
    )  # fmt: skip
    session.add(done)
    _keep_layout(session, found.target, done)
    session.flush()
    record(
        session, "take_in_reply", about="ledger_reply", about_id=reply_id, by=by, at=at,
        summary=f"{found.filename}: {counted(done.answers, 'answer')} taken in.",
        details={"repeated": done.repeated, "left_out": left_out, "payments": payments},
    )  # fmt: skip
    return done


def _rows(answers: list[Answer], known: dict[str, int]) -> tuple[list[dict[str, Any]], int]:
    """Return answers as they are stored, and how many are about no document that was handed over.

    A payment that a file names twice was made twice; any other answer that it repeats is one.
    """
    rows: dict[str, dict[str, Any]] = {}
    seen: Counter[str] = Counter()
    left_out = 0
    for answer in answers:
        document_id = known.get(plain_number(answer.number))
        if document_id is None:
            left_out += 1
            continue
        first = answer.fingerprint(document_id, 1)
        seen[first] += 1
        fingerprint = answer.fingerprint(document_id, seen[first] if answer.status == PAID else 1)
        rows.setdefault(fingerprint, {
            "document_id": document_id, "row": answer.row, "status": answer.status, "reason": answer.reason,
            "reference": answer.reference, "answered_on": answer.on, "amount": answer.amount, "receipt_id": None,
            "fingerprint": fingerprint,
        })  # fmt: skip
    return list(rows.values()), left_out


def _paid(
    session: Session, found: LedgerReply, row: dict[str, Any], *, by: Actor, at: datetime
) -> int | None:
    """Record the payment that an answer tells of, and return its id; what is more than open stays on account."""
    document = session.get_one(Document, row["document_id"])
    if row["status"] != PAID or document.kind.is_credit:
        return None
    left = max(open_amount(session, document.id), Money(0))
    amount: Money = row["amount"] or left
    if not amount:
        return None
    on = open_day(session, row["answered_on"] or london_date(found.uploaded_at))
    set_against = min(amount, left)
    receipt = record_receipt(
        session, document.customer_id, amount=amount, received_on=on,
        method="journal" if document.kind.route is Route.RECHARGE else "bank_transfer",
        reference=(row["reference"] or f"{found.filename}, row {row['row']}")[:200],
        allocations={document.id: set_against} if set_against else None,
        once_key=f"ledger:{found.target}:{row['fingerprint']}", by=by, at=at,
    )  # fmt: skip
    return receipt.id


def _keep_layout(session: Session, target: str, done: ReplyReading) -> None:
    stored = session.scalar(select(ReplyLayout).where(ReplyLayout.target == target))
    if stored is None:
        stored = ReplyLayout(target=target)
        session.add(stored)
    stored.columns, stored.words = done.columns, done.words
    stored.changed_at, stored.changed_by = done.read_at, done.read_by


def _wait_for_turn(session: Session, target: str) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:what))"), {"what": f"reply:{target}"})
