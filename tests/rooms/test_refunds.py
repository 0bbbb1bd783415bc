"""Money given back: never more than came, a double click once, overpayments freed first (P8)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest

from sla_manager.billing.commands import issue_credit_note
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.errors import Conflict, Refused
from sla_manager.kernel.money import Money
from sla_manager.payments.commands.receipts import record_receipt
from sla_manager.payments.commands.refunds import (
    MoreThanReceived,
    free_money,
    free_overpayment,
    refund_receipt,
    reverse_refund,
)
from sla_manager.payments.models import Receipt, Refund
from sla_manager.payments.queries import open_amount, receipt, unallocated_total
from sla_manager.store.database import Database
from tests.rooms.owing import BY, THIRD, agree, documents, run_on

DAY = date(2026, 3, 5)
AT = as_at(DAY)


def received(database: Database, amount: str, **paid: str) -> Receipt:
    """Record a payment of the one customer; d1="5.00" sets it against the document 1."""
    owner = documents(database)[0].customer_id
    allocations = {int(name[1:]): Money.parse(one) for name, one in paid.items()}
    with database.transaction() as session:
        return record_receipt(
            session, owner, amount=Money.parse(amount), received_on=DAY, method="card", allocations=allocations,
            by=BY, at=AT,
        )  # fmt: skip


def back(database: Database, receipt_id: int, amount: str, key: str | None = None) -> Refund:
    """Give a part back by bank transfer."""
    with database.transaction() as session:
        return refund_receipt(
            session, receipt_id, amount=Money.parse(amount), method="bank_transfer", reason="Agreed",
            refunded_on=DAY, once_key=key, by=BY, at=AT,
        )  # fmt: skip


def left(database: Database, receipt_id: int) -> str:
    """Return what is on account of a payment."""
    with database.reading() as session:
        return str(receipt(session, receipt_id).left)


@pytest.fixture
def owing(database: Database) -> Database:
    """Three invoices of 1,766.40."""
    agree(database)
    run_on(database, THIRD)
    return database


def test_p8_parts_up_to_the_last_penny_and_not_one_more(owing: Database) -> None:
    made = received(owing, "100.00")
    for amount in ("33.33", "33.33", "33.33", "0.01"):
        back(owing, made.id, amount)
    with pytest.raises(MoreThanReceived, match=r"£0\.01 is more than is left of this payment: £0\.00"):
        back(owing, made.id, "0.01")
    with owing.reading() as session:
        assert str(unallocated_total(session)) == "0.00"


def test_p8_a_double_click_refunds_once(owing: Database) -> None:
    made = received(owing, "100.00")
    start = threading.Barrier(2)

    def press(_: int) -> int:
        start.wait()
        return back(owing, made.id, "60.00", key="press").id

    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(press, range(2)))) == 1
    assert left(owing, made.id) == "40.00"


def test_two_refunds_at_once_never_give_back_more_than_came(owing: Database) -> None:
    made = received(owing, "100.00")
    start = threading.Barrier(2)

    def press(number: int) -> bool:
        start.wait()
        try:
            back(owing, made.id, "60.00", key=f"press {number}")
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(press, range(2))) == [False, True]
    assert left(owing, made.id) == "40.00"


def test_a_refund_that_did_not_happen_is_undone_once(owing: Database) -> None:
    made = received(owing, "100.00")
    refund = back(owing, made.id, "100.00")
    with owing.transaction() as session:
        reverse_refund(session, refund.id, reason="The account is closed", by=BY, at=AT)
    assert left(owing, made.id) == "100.00"
    with pytest.raises(Conflict, match="undone already"), owing.transaction() as session:
        reverse_refund(session, refund.id, reason="Again", by=BY, at=AT)


def test_what_is_set_against_documents_is_not_given_back(owing: Database) -> None:
    one, *_ = documents(owing)
    made = received(owing, "1766.40", **{f"d{one.id}": "1766.40"})
    with pytest.raises(MoreThanReceived):
        back(owing, made.id, "0.01")
    for wrong in (
        {"amount": Money(0)},
        {"reason": " "},
        {"method": "gold"},
        {"refunded_on": DAY + timedelta(days=1)},
    ):
        asked = {
            "amount": Money(1),
            "method": "cheque",
            "reason": "x",
            "refunded_on": DAY,
            "by": BY,
            "at": AT,
        }
        with pytest.raises(Refused), owing.transaction() as session:
            refund_receipt(session, made.id, **{**asked, **wrong})  # type: ignore[arg-type]  # the test's own words


def test_an_overpaid_document_is_freed_to_the_penny_and_refunded(owing: Database) -> None:
    one, *_ = documents(owing)
    first = received(owing, "1500.00", **{f"d{one.id}": "1500.00"})
    second = received(owing, "266.40", **{f"d{one.id}": "266.40"})
    with owing.transaction() as session:
        issue_credit_note(session, one.id, amounts={1: Money(368_00)}, reason="A day was lost", by=BY, at=AT)
    with owing.transaction() as session:
        assert str(free_overpayment(session, one.id, by=BY, at=AT)) == "441.60"
    assert (left(owing, first.id), left(owing, second.id)) == ("175.20", "266.40")
    back(owing, first.id, "175.20")
    back(owing, second.id, "266.40")
    with owing.reading() as session:
        assert str(open_amount(session, one.id)) == "0.00"
    with pytest.raises(Refused, match="Nothing is paid beyond"), owing.transaction() as session:
        free_overpayment(session, one.id, by=BY, at=AT)


def test_money_that_went_by_itself_is_taken_off_the_latest_document_first(owing: Database) -> None:
    one, two, _ = documents(owing)
    made = received(owing, "3532.80", **{f"d{one.id}": "1766.40", f"d{two.id}": "1766.40"})
    with owing.transaction() as session:
        free_money(session, made.id, Money(2000_00), reason="Lost at the bank", by=BY, at=AT)
    with owing.reading() as session:
        assert [str(open_amount(session, each.id)) for each in (one, two)] == ["233.60", "1766.40"]
    assert left(owing, made.id) == "2000.00"
