"""Money that was moved by hand in the database is named: open amounts, allocations, payments, refunds (N10)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from sla_manager.billing.commands import issue_credit_note
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.money import Money
from sla_manager.payments.commands import record_receipt, reverse_allocation
from sla_manager.payments.models import Refund
from sla_manager.reports.money_integrity import money_problems
from sla_manager.store.database import Database
from tests.rooms.owing import BY, THIRD, agree, documents, run_on

AT = as_at(date(2026, 3, 5))
ONE, TWO, THREE = (f"EWS/25-26/00000{place}" for place in (1, 2, 3))
BY_HAND = (
    ("UPDATE document_balance SET open = open - 100 WHERE document_id = 2", TWO, "balance_off"),
    ("UPDATE document_balance SET due_on = '2099-01-01' WHERE document_id = 2", TWO, "balance_off"),
    ("DELETE FROM document_balance WHERE document_id = 3", THREE, "balance_missing"),
    ("UPDATE document_balance SET document_id = 4 WHERE document_id = 3", "EWS-CN/25-26/000001", "balance_of_credit"),
    ("UPDATE allocation SET amount = amount + 1 WHERE id = 2", TWO, "balance_off"),
    ("UPDATE allocation SET amount = 400000 WHERE id = 1", ONE, "allocated_off"),
    ("UPDATE allocation SET amount = -500 WHERE id = 3", ONE, "reversal_off"),
    ("UPDATE allocation SET document_id = 2 WHERE id = 3", TWO, "reversal_off"),
    ("UPDATE receipt SET amount = 100 WHERE id = 1", "payment 1", "receipt_off"),
    ("UPDATE refund SET amount = 200000 WHERE id = 1", "payment 1", "receipt_off"),
    ("UPDATE refund SET amount = -1 WHERE id = 2", "payment 1", "refund_off"),
    ("UPDATE receipt SET customer_id = customer_id + 1 WHERE id = 1", TWO, "allocated_to_another"),
)  # fmt: skip


class _Undo(Exception):
    """Ends a change by hand without keeping it."""


@contextmanager
def changed_by_hand(database: Database, statement: str) -> Iterator[Session]:
    """Do what the database refuses, as somebody with all keys to it could, look, and take it back."""
    with suppress(_Undo), database.transaction() as session:
        if database.is_sqlite:
            for table in ("allocation", "receipt", "refund"):
                session.execute(text(f"DROP TRIGGER {table}_no_update"))
            session.execute(text("PRAGMA defer_foreign_keys = ON"))
        else:
            session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text(statement))
        yield session
        raise _Undo


def paid_and_given_back(database: Database) -> None:
    """Fill the books: three invoices, one credited in part; £3,000 came, was moved and partly went back."""
    agree(database)
    run_on(database, THIRD)
    one, two, _ = documents(database)
    with database.transaction() as session:
        made = record_receipt(
            session, one.customer_id, amount=Money(3000_00), received_on=date(2026, 3, 4), method="cheque",
            allocations={one.id: Money(500_00), two.id: Money(1766_40)}, by=BY, at=AT,
        )  # fmt: skip
    with database.transaction() as session:
        reverse_allocation(session, 1, reason="Meant for the second", by=BY, at=AT)
        issue_credit_note(session, two.id, amounts={1: Money(184_00)}, reason="Ill", by=BY, at=AT)
        session.add(back(made.id, Money(300_00)))
        session.flush()
        session.add(back(made.id, Money(-300_00), reverses_id=1))


def back(receipt_id: int, amount: Money, reverses_id: int | None = None) -> Refund:
    """Return a refund, or what undoes one."""
    return Refund(
        receipt_id=receipt_id, amount=amount, method="cheque", reference="", reason="Asked for",
        refunded_on=date(2026, 3, 5), reverses_id=reverses_id, recorded_at=AT, recorded_by="Test",
    )  # fmt: skip


def test_n10_each_row_of_money_that_is_changed_by_hand_is_named(database: Database) -> None:
    paid_and_given_back(database)
    with database.reading() as session:
        assert list(money_problems(session)) == []
    for statement, about, code in BY_HAND:
        with changed_by_hand(database, statement) as session:
            found = list(money_problems(session))
        assert (about, code) in {(one.about, one.code) for one in found}, statement
        assert all(one.what_to_do for one in found)
    with database.reading() as session:
        assert list(money_problems(session)) == []


def test_an_open_amount_that_was_moved_is_said_with_both_figures(database: Database) -> None:
    paid_and_given_back(database)
    with changed_by_hand(database, BY_HAND[0][0]) as session:
        (found,) = money_problems(session)
    assert found.message == "−£221.80 is kept as open, but its credits and payments leave −£220.80."
