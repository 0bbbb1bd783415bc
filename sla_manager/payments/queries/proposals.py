"""Proposals for bank lines: the books as the matching rules want them, read for the lines of one page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, exists, func, literal_column, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from sla_manager.billing.models import Document
from sla_manager.billing.rules.kinds import DocumentKind, series_of
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.references import document_number
from sla_manager.payments.models import BankLine, BankMatch, DocumentBalance, Receipt
from sla_manager.payments.queries.bank import OpenLine
from sla_manager.payments.rules.matching import SHORTEST_ORDER, Arrived, Books, Matcher, OpenItem, Proposal
from sla_manager.payments.rules.references import Reference, references
from sla_manager.people.models import Customer, School, TradingService, Trust

_CHARGES = (DocumentKind.INVOICE, DocumentKind.RECHARGE_NOTE)
_CHUNK = 500
_STILL: ColumnElement[bool] = literal_column("document_balance.open > 0")


def propose(session: Session, lines: Sequence[OpenLine]) -> dict[int, Proposal]:
    """Return a proposal for each line, by its id. The queries are as many for one line as for fifty."""
    arrived = [_arrived(one) for one in lines]
    matcher = Matcher(books_for(session, arrived))
    return {one.line_id: matcher.propose(one) for one in arrived}


def _arrived(one: OpenLine) -> Arrived:
    line = one.line
    text = f"{line.text} {line.bank_reference}".strip()
    return Arrived(line.id, one.open, text, line.payer, line.payer_account)


def books_for(session: Session, arrived: Sequence[Arrived]) -> Books:
    """Return the books as far as some lines need them: everything open, and what else they name."""
    series = {
        series_of(one, kind) for one in session.scalars(select(TradingService.series)) for kind in _CHARGES
    }
    names, account_references = _customers(session)
    payers = Books(
        (),
        series,
        names=names,
        account_references=account_references,
        accounts=_paid_before(session, BankLine.payer_account, {one.payer_account for one in arrived}),
        payers={
            payer.upper(): customer_id
            for payer, customer_id in _paid_before(
                session, BankLine.payer, {one.payer for one in arrived}
            ).items()
        },
    )
    said = {one for each in arrived for one in references(each.text, series)}
    items = open_items(session, _needed(payers, arrived, said))
    return replace(payers, items=items, settled=_settled(session, said - {item.reference for item in items}))


def _needed(payers: Books, arrived: Sequence[Arrived], said: Collection[Reference]) -> ColumnElement[bool]:
    """Return the condition of the documents that some lines may pay; of very many lines, every document."""
    if len(arrived) > _CHUNK:
        return true()
    orders = {word for one in arrived for word in one.text.upper().split() if len(word) >= SHORTEST_ORDER}
    return or_(
        Document.number.in_(_numbers(said)),
        DocumentBalance.customer_id.in_(Matcher(payers).payers(arrived)),
        DocumentBalance.open.in_({one.amount for one in arrived}),
        func.upper(Document.purchase_order).in_(orders),
    )


def _numbers(said: Collection[Reference]) -> dict[str, Reference]:
    return {document_number(one.series, FinancialYear(one.year), one.sequence): one for one in said}


def open_items(session: Session, needed: ColumnElement[bool]) -> list[OpenItem]:
    """Return the documents with something open that are needed, the oldest first. One query."""
    query = (
        select(
            Document.id, Document.series, Document.year, Document.sequence, Document.number, Document.customer_id,
            DocumentBalance.open, Document.purchase_order,
        )
        .join(DocumentBalance, DocumentBalance.document_id == Document.id)
        .where(_STILL, needed)
        .order_by(Document.issued_on, Document.id)
    )  # fmt: skip
    return [
        OpenItem(key, Reference(series, year, sequence), number, customer_id, amount, order)
        for key, series, year, sequence, number, customer_id, amount, order in session.execute(query)
    ]


def _customers(session: Session) -> tuple[dict[int, list[str]], dict[str, int]]:
    """Return each customer's names, those of a trust's schools among them, and the references of accounts."""
    names: dict[int, list[str]] = {}
    account_references: dict[str, int] = {}
    query = (
        select(Customer.id, Customer.account_reference, School.name, Trust.name)
        .outerjoin(School, School.id == Customer.school_id)
        .outerjoin(Trust, Trust.id == Customer.trust_id)
    )
    for customer_id, account, school, trust in session.execute(query):
        names[customer_id] = [school or trust or ""]
        if len(account) >= 4:
            account_references[account.upper()] = customer_id
    own = aliased(Customer)
    members = (
        select(Customer.id, School.name)
        .join(School, School.trust_id == Customer.trust_id)
        .where(~exists().where(own.school_id == School.id))
    )
    for customer_id, school in session.execute(members):
        names[customer_id].append(school)
    return names, account_references


def _paid_before(
    session: Session, column: InstrumentedAttribute[str], wanted: Iterable[str]
) -> dict[str, int]:
    """Return who was confirmed as the payer behind an account or a name, where that was one customer only."""
    undone = aliased(BankMatch)
    found: dict[str, set[int]] = defaultdict(set)
    for chunk in _chunks(sorted({one for one in wanted if one})):
        query = (
            select(column, Receipt.customer_id)
            .join(BankMatch, BankMatch.line_id == BankLine.id)
            .join(Receipt, Receipt.id == BankMatch.receipt_id)
            .where(column.in_(chunk), column != "", ~exists().where(undone.reverses_id == BankMatch.id))
            .distinct()
        )
        for value, customer_id in session.execute(query):
            found[value].add(customer_id)
    return {value: customers.pop() for value, customers in found.items() if len(customers) == 1}


def _settled(session: Session, named: Collection[Reference]) -> dict[Reference, int]:
    """Return the customers of documents that are named and have nothing open."""
    numbers = _numbers(named)
    found = {}
    for chunk in _chunks(sorted(numbers)):
        query = select(Document.number, Document.customer_id).where(
            Document.number.in_(chunk), Document.kind.in_(_CHARGES)
        )
        found.update({numbers[number]: customer_id for number, customer_id in session.execute(query)})
    return found


def _chunks(rows: Sequence[str]) -> Iterable[Sequence[str]]:
    for start in range(0, len(rows), _CHUNK):
        yield rows[start : start + _CHUNK]
