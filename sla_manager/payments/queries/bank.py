"""Bank lines for pages: what is not matched yet, what a line became, what a file brought."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import BigInteger, ColumnElement, exists, func, literal_column, select, type_coerce
from sqlalchemy.orm import Session, aliased, joinedload

from sla_manager.kernel.errors import NotFound
from sla_manager.kernel.money import Money
from sla_manager.payments.models import (
    BankImport,
    BankLayout,
    BankLine,
    BankLineOpen,
    BankMatch,
    Receipt,
    Refund,
)
from sla_manager.people.models import Customer

PAGE = 50
AROUND = timedelta(days=14)
THROUGH_THE_BANK = ("bank_transfer", "cheque", "cash")
_STILL: ColumnElement[bool] = literal_column("bank_line_open.open > 0")
_PAYER = (
    joinedload(BankMatch.receipt).joinedload(Receipt.customer).joinedload(Customer.school),
    joinedload(BankMatch.receipt).joinedload(Receipt.customer).joinedload(Customer.trust),
)


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line that brought money, and what of it is not matched yet."""

    line: BankLine
    open: Money


def open_lines(session: Session, *, after: int | None = None, limit: int = PAGE) -> list[OpenLine]:
    """Return a page of the lines that are not matched, in the order in which they came."""
    query = (
        select(BankLine, BankLineOpen.open)
        .join(BankLineOpen, BankLineOpen.line_id == BankLine.id)
        .where(_STILL)
        .order_by(BankLineOpen.line_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(BankLineOpen.line_id > after)
    return [OpenLine(line, amount) for line, amount in session.execute(query)]


def unmatched_total(session: Session) -> tuple[int, Money]:
    """Return how many lines are not matched, and how much money that is."""
    query = select(func.count(), func.sum(type_coerce(BankLineOpen.open, BigInteger))).where(_STILL)
    count, pence = session.execute(query).one()
    return count, Money(int(pence or 0))


def bank_line(session: Session, line_id: int) -> OpenLine:
    """Return one line; what left has nothing to match."""
    query = (
        select(BankLine, BankLineOpen.open)
        .outerjoin(BankLineOpen, BankLineOpen.line_id == BankLine.id)
        .where(BankLine.id == line_id)
        .options(joinedload(BankLine.file))
    )
    row = session.execute(query).one_or_none()
    if row is None:
        raise NotFound("There is no such bank line.")
    return OpenLine(row[0], row[1] or Money(0))


def matches_of(session: Session, line_ids: Collection[int]) -> list[BankMatch]:
    """Return what lines became, in order, with receipts and their customers."""
    query = select(BankMatch).where(BankMatch.line_id.in_(line_ids)).options(*_PAYER).order_by(BankMatch.id)
    return list(session.scalars(query))


def in_force(matches: Sequence[BankMatch]) -> list[BankMatch]:
    """Return the matches that were not taken back."""
    undone = {one.reverses_id for one in matches}
    return [one for one in matches if one.reverses_id is None and one.id not in undone]


def match_of_receipt(session: Session, receipt_id: int) -> BankMatch | None:
    """Return the bank line that a receipt came from, when it came from one."""
    back = aliased(BankMatch)
    query = (
        select(BankMatch)
        .where(BankMatch.receipt_id == receipt_id, ~exists().where(back.reverses_id == BankMatch.id))
        .options(joinedload(BankMatch.line))
    )
    return session.scalar(query)


def recorded_already(session: Session, lines: Sequence[OpenLine]) -> dict[int, list[Receipt]]:
    """Return by line the payments of its amount that somebody recorded around that day and no line explains yet.

    Money that came twice into the books is the dearest mistake of matching: these are asked about first.
    """
    if not lines:
        return {}
    days = [one.line.booked_on for one in lines]
    back = aliased(BankMatch)
    matched = exists().where(
        BankMatch.receipt_id == Receipt.id, ~exists().where(back.reverses_id == BankMatch.id)
    )
    query = (
        select(Receipt)
        .where(
            Receipt.amount.in_({one.open for one in lines}),
            Receipt.received_on.between(min(days) - AROUND, max(days) + AROUND),
            Receipt.method.in_(THROUGH_THE_BANK),
            ~matched,
            ~exists().where(Refund.receipt_id == Receipt.id, Refund.amount == Receipt.amount),
        )
        .options(
            joinedload(Receipt.customer).joinedload(Customer.school),
            joinedload(Receipt.customer).joinedload(Customer.trust),
        )
        .order_by(Receipt.id)
        .limit(500)
    )
    found = list(session.scalars(query))
    return {
        one.line.id: [
            each
            for each in found
            if each.amount == one.open and abs(each.received_on - one.line.booked_on) <= AROUND
        ]
        for one in lines
    }


def imports_page(session: Session, *, before: int | None = None) -> list[BankImport]:
    """Return a page of the files that were taken, the latest first."""
    query = select(BankImport).order_by(BankImport.id.desc()).limit(PAGE)
    return list(session.scalars(query if before is None else query.where(BankImport.id < before)))


def bank_import(session: Session, import_id: int) -> BankImport:
    """Return one file that was taken."""
    found = session.get(BankImport, import_id)
    if found is None:
        raise NotFound("There is no such statement.")
    return found


def lines_of(session: Session, import_id: int, *, after: int | None = None) -> list[OpenLine]:
    """Return a page of the lines that a file brought, in its order."""
    query = (
        select(BankLine, BankLineOpen.open)
        .outerjoin(BankLineOpen, BankLineOpen.line_id == BankLine.id)
        .where(BankLine.import_id == import_id)
        .order_by(BankLine.id)
        .limit(PAGE)
    )
    if after is not None:
        query = query.where(BankLine.id > after)
    return [OpenLine(line, amount or Money(0)) for line, amount in session.execute(query)]


def layouts_of_banks(session: Session) -> list[BankLayout]:
    """Return the files of other banks that were described, by name."""
    return list(session.scalars(select(BankLayout).order_by(BankLayout.name)))


def accounts_seen(session: Session) -> list[str]:
    """Return the accounts of the last statements, for the person who has to type one."""
    found: dict[str, None] = {}
    for accounts in session.scalars(select(BankImport.accounts).order_by(BankImport.id.desc()).limit(PAGE)):
        found |= dict.fromkeys(accounts)
    return sorted(found)
