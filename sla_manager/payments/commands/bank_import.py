"""Statements taken: each line of the bank once, whatever file it comes in and however often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import TypeVar

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

import sla_manager.payments.constraints  # noqa: F401  (gives the database its sentences)
from sla_manager.gateways.statements import (
    DATE_ORDERS,
    Columns,
    Finding,
    StatementFile,
    StatementLine,
    account_number,
)
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.references import sha256
from sla_manager.kernel.words import long_date
from sla_manager.payments.models import BankImport, BankLayout, BankLine
from sla_manager.store.audit import Actor, record

_CHUNK = 500
_T = TypeVar("_T")
LONGEST_NAME = 100


class StatementHasFindings(Refused):
    """Some lines cannot be read, or the balances do not add up: nothing was taken. `findings` says which."""

    def __init__(self, findings: Sequence[Finding], readable: int) -> None:
        self.findings = tuple(findings)
        things = "1 thing is" if len(self.findings) == 1 else f"{len(self.findings):,} things are"
        super().__init__(
            f"Nothing was taken yet: {things} wrong with this file. Download it again, "
            f"or choose it again and take the {readable:,} lines that can be read.",
            field="accept_findings",
        )


def identity_of(account: str, line: StatementLine) -> str:
    """Return a hash of what the bank says of a line: the same line of another file has the same."""
    words = (
        account, line.booked_on.isoformat(), str(line.amount), line.bank_reference, line.payer, line.payer_account,
        line.text,
    )  # fmt: skip
    return sha256("\x1f".join(words).encode())


def take_statement(
    session: Session,
    file: StatementFile,
    *,
    content_hash: str,
    file_name: str,
    account: str = "",
    accept_findings: bool = False,
    by: Actor,
    at: datetime,
) -> BankImport:
    """Take the lines of a file that are not known yet. The same file again gives back its first import.

    `account` is for files that do not say whose they are. Lines that are the same within one file are all kept,
    as the first, the second … of their kind; an overlapping file brings only what is more than that.
    """
    query = select(BankImport).where(BankImport.sha256 == content_hash, BankImport.written == file.written)
    made = session.scalar(query)
    if made is not None:
        return made
    named = _named(file, account)
    kept, findings = _possible(named, file.findings, london_date(at))
    findings = [*_otherwise(session, file.written, kept), *findings]
    if findings and not accept_findings:
        raise StatementHasFindings(findings, len(kept))
    if not kept:
        raise Refused("The file has no lines that can be taken.", field="file")
    rows = _unknown(session, kept)
    days = [line.booked_on for _, line in kept]
    made = BankImport(
        file_name=file_name[-200:], written=file.written, sha256=content_hash, taken=len(rows),
        accounts=sorted({one for one, _ in kept}), known=len(kept) - len(rows),
        findings=[[one.number, one.said] for one in findings], first_on=min(days), last_on=max(days), imported_at=at,
        imported_by=by.name,
    )  # fmt: skip
    session.add(made)
    session.flush()
    for chunk in _chunks(rows):
        session.execute(insert(BankLine), [row | {"import_id": made.id} for row in chunk])
    record(
        session, "take_statement", about="bank_import", about_id=made.id, by=by, at=at,
        summary=f"{len(rows):,} lines of {made.file_name} taken, {made.known:,} were known.",
        details={"sha256": content_hash, "accounts": made.accounts, "findings": len(findings)},
    )  # fmt: skip
    return made


def _named(file: StatementFile, account: str) -> list[tuple[str, StatementLine]]:
    """Return each line with its account: the file's own, else the one that was typed."""
    typed = account_number(account)
    if not typed and not all(one.account for one in file.statements):
        raise Refused(
            "The file does not say which account it is of. Enter the sort code and account number.",
            field="account",
        )
    return [(one.account or typed, line) for one in file.statements for line in one.lines]


def _possible(
    lines: Iterable[tuple[str, StatementLine]], findings: Sequence[Finding], today: date
) -> tuple[list[tuple[str, StatementLine]], list[Finding]]:
    """Part lines of days that have not come from the others."""
    kept, found = [], list(findings)
    for account, line in lines:
        if line.booked_on > today:
            found.append(Finding(line.number, f"{long_date(line.booked_on)} has not come yet."))
        else:
            kept.append((account, line))
    return kept, sorted(found, key=lambda one: one.number)


def _otherwise(session: Session, written: str, lines: Sequence[tuple[str, StatementLine]]) -> list[Finding]:
    """Say which days came in a file of another kind: banks word the same line differently, so it would double."""
    findings = []
    for account in sorted({one for one, _ in lines}):
        days = {line.booked_on for one, line in lines if one == account}
        query = (
            select(BankLine.booked_on, BankImport.written)
            .join(BankImport, BankImport.id == BankLine.import_id)
            .where(
                BankLine.account == account,
                BankLine.booked_on.between(min(days), max(days)),
                BankImport.written != written,
            )
            .distinct()
        )
        there = sorted((day, other) for day, other in session.execute(query) if day in days)
        if there:
            day, other = there[0]
            said = (
                f"Lines of {long_date(day)} were taken from a file of another kind ({other}). "
                "They would stand here twice."
            )
            findings.append(Finding(0, said))
    return findings


def _unknown(session: Session, lines: list[tuple[str, StatementLine]]) -> list[dict[str, object]]:
    """Return the rows of the lines that no file brought before."""
    seen: Counter[str] = Counter()
    placed = []
    for account, line in lines:
        identity = identity_of(account, line)
        seen[identity] += 1
        placed.append((account, line, identity, seen[identity]))
    known: dict[str, int] = {}
    for chunk in _chunks(list(seen)):
        query = select(BankLine.identity, func.max(BankLine.occurrence)).where(BankLine.identity.in_(chunk))
        known.update(
            (identity, most) for identity, most in session.execute(query.group_by(BankLine.identity))
        )
    return [
        _row(account, line, identity, occurrence)
        for account, line, identity, occurrence in placed
        if occurrence > known.get(identity, 0)
    ]


def _row(account: str, line: StatementLine, identity: str, occurrence: int) -> dict[str, object]:
    return {
        "number": line.number, "account": account, "booked_on": line.booked_on, "value_on": line.value_on,
        "amount": line.amount, "text": line.text, "payer": line.payer, "payer_account": line.payer_account,
        "bank_reference": line.bank_reference, "identity": identity, "occurrence": occurrence,
    }  # fmt: skip


def _chunks(rows: Sequence[_T]) -> Iterable[Sequence[_T]]:
    for start in range(0, len(rows), _CHUNK):
        yield rows[start : start + _CHUNK]


def add_layout(session: Session, columns: Columns, *, by: Actor, at: datetime) -> BankLayout:
    """Keep how another bank's CSV file is read, under a name of its own."""
    check_layout(columns)
    made = BankLayout(name=columns.name.strip(), columns=asdict(columns), made_at=at, made_by=by.name)
    session.add(made)
    session.flush()
    record(
        session, "add_bank_layout", about="bank_layout", about_id=made.id, by=by, at=at,
        summary=f"Bank file “{made.name}” described.", details=made.columns,
    )  # fmt: skip
    return made


def check_layout(columns: Columns) -> None:
    """Refuse a description that could not be read by."""
    if not 1 <= len(columns.name.strip()) <= LONGEST_NAME:
        raise Refused(f"Enter a name of at most {LONGEST_NAME} characters.", field="name")
    if not columns.day:
        raise Refused("Enter which column has the date.", field="day")
    if not columns.text:
        raise Refused("Enter which column has the description.", field="text")
    if bool(columns.amount) == bool(columns.paid_in and columns.paid_out):
        raise Refused(
            "Enter one column for the amount, or two: one for money in and one for money out.", field="amount"
        )
    if columns.date_order not in DATE_ORDERS:
        raise Refused("Choose how dates are written.", field="date_order")
    if not columns.headed and not all(name.isdigit() and 0 < int(name) <= 200 for name in columns.named):
        raise Refused("Without headings, call each column by its number, 1 the first.", field="day")


def layout_columns(session: Session, layout_id: int) -> Columns:
    """Return how a kept layout reads a file."""
    found = session.get(BankLayout, layout_id)
    if found is None:
        raise NotFound("There is no such bank file.")
    stored = dict(found.columns)
    return Columns(**(stored | {"text": tuple(stored["text"]), "account": tuple(stored["account"])}))
