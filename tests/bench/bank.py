"""5,000 bank lines beside 10,000 open documents: read, taken, taken again, proposed, a page of them, confirmed."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import Table as SqlTable
from sqlalchemy import insert, select

from sla_manager.billing.models import Document
from sla_manager.billing.runs import run
from sla_manager.gateways.statements import read_statement
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.references import document_number, sha256
from sla_manager.payments.commands.bank_import import take_statement
from sla_manager.payments.commands.bank_matching import match_line
from sla_manager.payments.queries.bank import open_lines, unmatched_total
from sla_manager.payments.queries.proposals import propose
from sla_manager.payments.rules.matching import Proposal, Sureness
from sla_manager.store.database import Database
from tests.bench.databases import lent, statements
from tests.rooms.owing import BY, agree_many

DOCUMENTS, LINES, CONFIRMED = 10_000, 5_000, 200
FIRST, VAT = 20, Money(294_40)
DAY = date(2025, 10, 14)
AT = as_at(DAY)
_T = TypeVar("_T")


def rows() -> list[tuple[str, str]]:
    """Return the times and questions of each step, on both databases."""
    found = []
    for kind in ("SQLite", "PostgreSQL"):
        with lent(kind) as database:
            _fill(database)
            found += [(f"{kind}: {label}", figure) for label, figure in _steps(database)]
    return found


def _steps(database: Database) -> list[tuple[str, str]]:
    content = _statement()
    found = []

    def measured(label: str, act: Callable[[], _T], each: int = 0) -> _T:
        with statements(database) as count:
            started = time.perf_counter()
            result = act()
            spent = (time.perf_counter() - started) * 1000
        share = f", {spent / each:.2f} ms and {count.number / each:.1f} questions each" if each else ""
        found.append((label, f"{spent:,.0f} ms, {count.number:,} questions{share}"))
        return result

    file = measured(f"read {LINES:,} lines of camt.053", lambda: read_statement(content))

    def take(name: str) -> int:
        with database.transaction() as session:
            return take_statement(
                session, file, content_hash=sha256(name.encode()), file_name=name, by=BY, at=AT
            ).taken

    assert measured("take them", lambda: take("first")) == LINES
    assert measured("take them again: nothing new", lambda: take("second")) == 0
    every = measured(f"propose all beside {DOCUMENTS:,} open documents", lambda: _proposals(database, LINES))
    assert sum(one.sureness is Sureness.SURE for one in every) >= LINES * 4 // 5
    page = measured("propose a page of 50", lambda: _proposals(database, 50))
    assert len(page) == 50
    measured("how many wait, and how much", lambda: _waiting(database))
    sure = [one for one in every if one.sureness is Sureness.SURE][:CONFIRMED]
    measured(f"confirm {CONFIRMED} lines", lambda: _confirm(database, sure), each=CONFIRMED)
    return found


def _proposals(database: Database, limit: int) -> list[Proposal]:
    with database.reading() as session:
        return list(propose(session, open_lines(session, limit=limit)).values())


def _waiting(database: Database) -> int:
    with database.reading() as session:
        return unmatched_total(session)[0]


def _confirm(database: Database, proposals: list[Proposal]) -> None:
    for one in proposals:
        with database.transaction() as session:
            match_line(
                session, one.arrived.line_id, documents={part.item.document_id: part.amount for part in one.parts},
                once_key=f"bench-{one.arrived.line_id}", by=BY, at=AT,
            )  # fmt: skip


def _statement() -> bytes:
    """Return a camt.053 file: nine lines in ten name a document, the others say a name or nothing."""
    entries = "".join(
        f'<Ntry><Amt Ccy="GBP">{_gross(number)}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>'
        f"<BookgDt><Dt>{DAY}</Dt></BookgDt>"
        f"<NtryDtls><TxDtls><RltdPties><Dbtr><Nm>PAYER {number}</Nm></Dbtr></RltdPties><RmtInf><Ustrd>"
        f"{_words(number)}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
        for number in range(1, LINES + 1)
    )
    return (
        "<Document><BkToCstmrStmt><Stmt><Acct><Id><IBAN>GB29NWBK60161331926819</IBAN></Id></Acct>"
        f"{entries}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def _words(number: int) -> str:
    if number % 10 == 0:
        return f"ACADEMY {number} THANK YOU"
    return document_number("EWS", FinancialYear(2025), number).replace("/", " " if number % 2 else "")


def _fill(database: Database) -> None:
    """Issue twenty invoices to as many academies, and copy them."""
    agree_many(database, FIRST)
    run(database, as_at=DAY, by=BY, at=AT)
    table = Document.__table__
    assert isinstance(table, SqlTable)
    with database.transaction() as session:
        first = [dict(one) for one in session.execute(select(table).order_by(table.c.id)).mappings()]
        copies = [
            first[number % len(first)] | _next(number) for number in range(len(first) + 1, DOCUMENTS + 1)
        ]
        session.execute(insert(table), copies)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()


def _next(number: int) -> dict[str, Any]:
    name = document_number("EWS", FinancialYear(2025), number)
    amounts = {"net": _gross(number) - VAT, "vat": VAT, "gross": _gross(number)}
    return {"id": number, "sequence": number, "number": name, "hash": f"{number:064d}", **amounts}


def _gross(number: int) -> Money:
    """Return what is open on a document: each copy asks for a penny more."""
    return Money(1766_40 + (number if number > FIRST else 0))
