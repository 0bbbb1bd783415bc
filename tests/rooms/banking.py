"""Steps that tests take with the bank: a statement of one line, set aside, and a journal."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.gateways.statements import read_statement
from sla_manager.kernel.money import Money
from sla_manager.payments.commands.bank_import import take_statement
from sla_manager.payments.commands.bank_matching import set_aside
from sla_manager.payments.models import BankLine, JournalRemittance
from sla_manager.store.audit import Actor


def one_of_each(session: Session, day: date, *, by: Actor, at: datetime) -> dict[str, int]:
    """Return the ids of a statement, its line, what the line became, and a journal, as addresses name them."""
    file = read_statement(f'{day:%d/%m/%Y},"LIBRARY FINES",9.10\n'.encode())
    taken = take_statement(
        session, file, content_hash="1", file_name="day.csv", account="60161331926819", by=by, at=at
    )
    line_id = session.scalars(select(BankLine.id)).one()
    match = set_aside(session, line_id, reason="The library’s", once_key="aside", by=by, at=at)
    journal = JournalRemittance(
        reference="JNL 1", journal_on=day, total=Money(1), recorded_at=at, recorded_by=by.name, once_key=None
    )
    session.add(journal)
    session.flush()
    return {
        "bank_import_id": taken.id,
        "bank_line_id": line_id,
        "match_id": match.id,
        "journal_id": journal.id,
    }
