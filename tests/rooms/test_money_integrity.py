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
from sla_manager.payments.commands.bank_matching import match_line
from sla_manager.payments.models import Refund
from sla_manager.payments.models.bank import BankImport, BankLine
from sla_manager.payments.models.cards import CardCheckout, CardDispute, CardReceipt, CardRefundOrder
from sla_manager.reports.collected_integrity import collected_problems
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

FACTS = ("allocation", "receipt", "refund", "bank_line", "bank_match", "card_receipt")
"""Tables of facts that these tests change by hand."""
COLLECTED = (
    ("UPDATE bank_line_open SET open = 5 WHERE line_id = 1", "bank line 1", "bank_line_off"),
    ("DELETE FROM bank_line_open WHERE line_id = 1", "bank line 1", "bank_line_off"),
    ("UPDATE bank_line SET amount = 100 WHERE id = 1", "bank line 1", "bank_line_off"),
    ("UPDATE bank_match SET amount = amount - 1 WHERE id = 1", "bank line 1", "bank_match_off"),
    ("UPDATE receipt SET once_key = 'card:pi_9' WHERE id = 1", "payment 1", "card_receipt_off"),
    ("UPDATE card_receipt SET payment_id = 'pi_other' WHERE id = 1", "card page c1", "card_payment_lost"),
    ("UPDATE card_refund_order SET status = 'failed' WHERE id = 1", "payment 2", "card_refund_off"),
    ("UPDATE card_dispute SET chargeback_id = 1 WHERE id = 1", "dispute dp_1", "card_dispute_off"),
)


class _Undo(Exception):
    """Ends a change by hand without keeping it."""


@contextmanager
def changed_by_hand(database: Database, statement: str) -> Iterator[Session]:
    """Do what the database refuses, as somebody with all keys to it could, look, and take it back."""
    with suppress(_Undo), database.transaction() as session:
        if database.is_sqlite:
            for table in FACTS:
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


def collected(database: Database) -> None:
    """Fill the books: one invoice paid by a bank line, another by card, £10 of that given back, £20 disputed."""
    agree(database)
    run_on(database, THIRD)
    one, two, _ = documents(database)
    with database.transaction() as session:
        taken = BankImport(
            file_name="march.csv", written="csv", sha256="0" * 64, accounts=[], taken=1, known=0, findings=[],
            first_on=None, last_on=None, imported_at=AT, imported_by="Test",
        )  # fmt: skip
        session.add(taken)
        session.flush()
        line = BankLine(
            import_id=taken.id, number=1, account="1", booked_on=date(2026, 3, 4), value_on=None,
            amount=Money(1766_40), text="EWS/25-26/000001", payer="", payer_account="", bank_reference="",
            identity="a", occurrence=1,
        )  # fmt: skip
        session.add(line)
        session.flush()
        match_line(session, line.id, documents={one.id: Money(1766_40)}, once_key="a", by=BY, at=AT)
        paid = record_receipt(
            session, two.customer_id, amount=Money(1766_40), received_on=date(2026, 3, 4), method="card",
            once_key="card:pi_1", by=BY, at=AT,
        )  # fmt: skip
        page = CardCheckout(
            reference="c1", document_id=two.id, customer_id=two.customer_id, amount=Money(1766_40),
            status="complete", page_id="cs_1", url="/", payment_id="pi_1", asked_at=AT, asked_by="Test", tell="",
            expires_at=AT, checked_at=AT,
        )  # fmt: skip
        session.add(page)
        session.flush()
        given = back(paid.id, Money(10_00))
        given.method = "card"
        session.add_all(
            [CardReceipt(payment_id="pi_1", receipt_id=paid.id, checkout_id=page.id, recorded_at=AT), given]
        )
        session.flush()
        order = CardRefundOrder(
            refund_id=given.id,
            payment_id="pi_1",
            provider_id="re_1",
            status="succeeded",
            asked_at=AT,
            checked_at=AT,
        )
        dispute = CardDispute(
            dispute_id="dp_1", receipt_id=paid.id, amount=Money(20_00), reason="", status="needs_response",
            answer_by=None, opened_at=AT, checked_at=AT, chargeback_id=None,
        )  # fmt: skip
        session.add_all([order, dispute])


def test_n10_bank_lines_and_card_payments_that_are_changed_by_hand_are_named(database: Database) -> None:
    collected(database)
    with database.reading() as session:
        assert [*collected_problems(session), *money_problems(session)] == []
    for statement, about, code in COLLECTED:
        with changed_by_hand(database, statement) as session:
            found = {(one.about, one.code) for one in collected_problems(session)}
        assert (about, code) in found, statement


def test_an_open_amount_that_was_moved_is_said_with_both_figures(database: Database) -> None:
    paid_and_given_back(database)
    with changed_by_hand(database, BY_HAND[0][0]) as session:
        (found,) = money_problems(session)
    assert found.message == "−£221.80 is kept as open, but its credits and payments leave −£220.80."
