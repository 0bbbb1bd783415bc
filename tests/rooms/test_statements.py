"""A customer's account: every movement in order, and the same balance from either side."""

from __future__ import annotations

from datetime import date

import pytest

from sla_manager.billing.commands import issue_credit_note
from sla_manager.config import ROOT
from sla_manager.gateways.printing.press import Press
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.errors import NotFound
from sla_manager.kernel.money import Money, total
from sla_manager.payments.commands import record_receipt
from sla_manager.payments.commands.holds import place_hold
from sla_manager.payments.models import Refund
from sla_manager.payments.papers import statement_facts
from sla_manager.payments.queries import statements
from sla_manager.payments.queries.statements import statement
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.database import Database
from tests.rooms.owing import BY, FIRST, SECOND, agree, documents, run_on

TODAY = date(2026, 3, 5)


def story(database: Database) -> int:
    """Return a customer with two invoices, a part credited, a payment over both, and a part of it paid back."""
    agree(database)
    for day in (FIRST, SECOND):
        run_on(database, day)
    one, two = documents(database)
    with database.transaction() as session:
        issue_credit_note(
            session,
            one.id,
            amounts={1: Money(100_00)},
            reason="A day less.",
            by=BY,
            at=as_at(date(2026, 1, 5)),
        )
    with database.transaction() as session:
        receipt = record_receipt(
            session, one.customer_id, amount=Money(2_000_00), received_on=date(2026, 1, 20), method="bank_transfer",
            reference="BACS 77", allocations={one.id: Money(1_646_40), two.id: Money(53_60)}, by=BY,
            at=as_at(date(2026, 1, 21)),
        )  # fmt: skip
        session.add(
            Refund(
                receipt_id=receipt.id, amount=Money(100_00), method="bank_transfer", reference="", reason="Asked for",
                refunded_on=date(2026, 2, 2), recorded_at=as_at(date(2026, 2, 2)), recorded_by="Test",
            )
        )  # fmt: skip
        place_hold(session, two.id, kind="hold", reason="PO", by=BY, at=as_at(TODAY))
    return one.customer_id


def test_an_account_lists_everything_and_both_sides_agree(database: Database) -> None:
    """Asked for less paid is what is open less what is on account; the part before a day is its opening balance."""
    customer_id = story(database)
    with database.reading() as session:
        whole = statement(session, customer_id, since=None, today=TODAY)
        later = statement(session, customer_id, since=date(2026, 1, 20), today=TODAY)
        with pytest.raises(NotFound):
            statement(session, 999, since=None, today=TODAY)
    moved = [(one.on.isoformat(), one.what, str(one.amount), str(one.balance)) for one in whole.movements]
    assert moved == [
        ("2025-10-14", "Invoice", "1766.40", "1766.40"),
        ("2026-01-01", "Invoice", "1766.40", "3532.80"),
        ("2026-01-05", "Credit note", "-120.00", "3412.80"),
        ("2026-01-20", "Payment by bank transfer", "-2000.00", "1412.80"),
        ("2026-02-02", "Paid back", "100.00", "1512.80"),
    ]
    assert (str(whole.opening), str(whole.closing)) == ("0.00", "1512.80")
    assert (str(whole.to_pay), str(whole.on_account)) == ("1712.80", "200.00")
    assert total(one.open for one in whole.open) - whole.on_account == whole.closing
    assert [(str(one.open), one.is_overdue, one.held) for one in whole.open] == [("1712.80", True, True)]
    assert [str(amount) for _, amount in whole.ages] == ["0.00", "0.00", "1712.80", "0.00", "0.00"]
    assert (str(later.opening), str(later.closing), len(later.movements)) == ("3412.80", "1512.80", 2)


def test_a_long_account_keeps_its_last_movements_and_the_rest_in_its_opening(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer_id = story(database)
    monkeypatch.setattr(statements, "MOST", 2)
    with database.reading() as session:
        short = statement(session, customer_id, since=None, today=TODAY)
    assert (str(short.opening), str(short.closing), len(short.movements)) == ("3412.80", "1512.80", 2)
    assert short.since == date(2026, 1, 20)


def test_a_school_of_our_own_has_nothing_to_pay(database: Database) -> None:
    """Its recharges move by journal: never overdue, nowhere called a debt."""
    agree(database, customer_class=CustomerClass.OWN_MAINTAINED)
    run_on(database, FIRST)
    note = documents(database)[0]
    with database.reading() as session:
        found = statement(session, note.customer_id, since=None, today=TODAY)
        facts = statement_facts(session, found)
    assert (found.to_pay, found.overdue, found.by_journal) == (Money(0), Money(0), note.gross)
    assert "there is nothing for you to pay" in facts["paragraphs"][0]


def test_the_letter_says_what_is_open_how_to_pay_and_what_happened(database: Database) -> None:
    customer_id = story(database)
    with database.reading() as session:
        found = statement(session, customer_id, since=None, today=TODAY)
        page = Press(ROOT / "templates").page("statement_of_account", statement_facts(session, found))
    for words in (
        "Statement of account",
        "£1,712.80 is to be paid",
        "Balance before",
        "£1,512.80",
        "BACS 77",
        "Held",
    ):
        assert words in page
