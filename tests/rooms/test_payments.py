"""Money received: allocated, reversed, never more than is open, never twice."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.billing.commands import issue_credit_note
from sla_manager.billing.models import Document
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.kernel.money import Money, total
from sla_manager.payments.commands import (
    MoreThanLeft,
    MoreThanOpen,
    allocate,
    record_receipt,
    reverse_allocation,
)
from sla_manager.payments.models import Allocation, Receipt
from sla_manager.payments.queries import (
    DocumentState,
    debtors_by_age,
    open_amount,
    open_documents,
    receipt,
    receipts_page,
    state_is,
    unallocated_total,
)
from sla_manager.payments.rules.ageing import Age, age_of
from sla_manager.store.database import Database
from tests.rooms.owing import BY, FIRST, THIRD, agree, agree_many, documents, run_on

AT = as_at(date(2026, 3, 5))


def received(database: Database, customer_id: int, amount: str, **documents_paid: str) -> Receipt:
    """Record a payment; d12="5.00" sets it against the document with the id 12."""
    allocations = {int(name[1:]): Money.parse(paid) for name, paid in documents_paid.items()}
    with database.transaction() as session:
        return record_receipt(
            session, customer_id, amount=Money.parse(amount), received_on=date(2026, 3, 4), method="bank_transfer",
            reference="BACS 1", allocations=allocations, by=BY, at=AT,
        )  # fmt: skip


def left(database: Database, document_id: int) -> str:
    """Return what is open."""
    with database.reading() as session:
        return str(open_amount(session, document_id))


def three_invoices(database: Database) -> list[Document]:
    """Return the three invoices of 1,766.40 of one academy."""
    agree(database)
    run_on(database, THIRD)
    return documents(database)


def test_one_transfer_over_three_invoices_leaves_its_remainder_on_account(database: Database) -> None:
    one, two, three = three_invoices(database)
    paid = {f"d{one.id}": "1766.40", f"d{two.id}": "1766.40", f"d{three.id}": "1000.00"}
    made = received(database, one.customer_id, "5000.00", **paid)
    assert [left(database, each.id) for each in (one, two, three)] == ["0.00", "0.00", "766.40"]
    with database.reading() as session:
        assert str(receipt(session, made.id).left) == "467.20"
        assert str(unallocated_total(session)) == "467.20"
        assert [document.id for document, _ in open_documents(session, one.customer_id)] == [three.id]


def test_p10_each_allocation_is_reversible_alone_and_once(database: Database) -> None:
    one, two, _ = three_invoices(database)
    made = received(
        database, one.customer_id, "3532.80", **{f"d{one.id}": "1766.40", f"d{two.id}": "1766.40"}
    )
    with database.reading() as session:
        first = session.scalars(select(Allocation).order_by(Allocation.id)).first()
    assert first is not None
    with database.transaction() as session:
        reverse_allocation(session, first.id, reason="Meant for another school", by=BY, at=AT)
    assert [left(database, each.id) for each in (one, two)] == ["1766.40", "0.00"]
    with database.reading() as session:
        assert str(receipt(session, made.id).left) == "1766.40"
    with pytest.raises(Conflict, match="reversed already"), database.transaction() as session:
        reverse_allocation(session, first.id, reason="Again", by=BY, at=AT)


def test_more_than_is_open_or_left_is_refused_with_the_figures(database: Database) -> None:
    one, _, _ = three_invoices(database)
    with pytest.raises(
        MoreThanOpen, match=r"£1,766\.41 is more than is open on EWS/25-26/000001: £1,766\.40"
    ):
        received(database, one.customer_id, "2000.00", **{f"d{one.id}": "1766.41"})
    with database.reading() as session:
        assert session.scalars(select(Receipt)).all() == []
    made = received(database, one.customer_id, "100.00")
    with pytest.raises(MoreThanLeft, match=r"£100\.00"), database.transaction() as session:
        allocate(session, made.id, {one.id: Money(100_01)}, by=BY, at=AT)


def test_p6_more_than_is_open_is_impossible_in_the_database(database: Database) -> None:
    one, _, _ = three_invoices(database)
    made = received(database, one.customer_id, "5000.00")
    row = {
        "receipt_id": made.id, "credit_note_id": None, "document_id": one.id, "amount": Money(1766_41),
        "reverses_id": None, "allocated_at": AT, "allocated_by": "Test",
    }  # fmt: skip
    with (
        pytest.raises(IntegrityError, match="allocation_exceeds_document"),
        database.transaction() as session,
    ):
        session.execute(insert(Allocation), [row])
    with database.transaction() as session:
        issue_credit_note(session, one.id, amounts={1: Money(100_00)}, reason="Agreed", by=BY, at=AT)
    with (
        pytest.raises(IntegrityError, match="allocation_exceeds_document"),
        database.transaction() as session,
    ):
        session.execute(insert(Allocation), [row | {"amount": Money(1646_41)}])
    with database.transaction() as session:
        session.execute(insert(Allocation), [row | {"amount": Money(1646_40)}])


def test_a_credit_after_payment_leaves_the_document_in_credit_and_a_reversal_still_works(
    database: Database,
) -> None:
    one, _, _ = three_invoices(database)
    received(database, one.customer_id, "1766.40", **{f"d{one.id}": "1766.40"})
    with database.transaction() as session:
        issue_credit_note(session, one.id, amounts={1: Money(368_00)}, reason="A day was lost", by=BY, at=AT)
    assert left(database, one.id) == "-441.60"
    with database.transaction() as session:
        first = session.scalars(select(Allocation)).one()
        reverse_allocation(session, first.id, reason="Paid back", by=BY, at=AT)
    assert left(database, one.id) == "1324.80"


def test_another_customers_document_is_not_there_and_nothing_is_recorded(database: Database) -> None:
    agree_many(database, 2, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    one, other = documents(database)
    with pytest.raises(NotFound):
        received(database, one.customer_id, "10.00", **{f"d{other.id}": "5.00"})
    with database.reading() as session:
        assert session.scalars(select(Receipt)).all() == []


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("amount", Money(0), "above £0.00"),
        ("received_on", date(2026, 3, 6), "is in the future"),
        ("method", "barter", "how the money came"),
        ("reference", "x" * 201, "200 characters"),
    ],
)
def test_a_payment_that_cannot_be_says_why(sqlite: Database, field: str, value: object, said: str) -> None:
    one, _, _ = three_invoices(sqlite)
    typed: dict[str, object] = {
        "amount": Money(1), "received_on": date(2026, 3, 4), "method": "cheque", "reference": "", "by": BY, "at": AT
    }  # fmt: skip
    with pytest.raises(Refused, match=said) as refused, sqlite.transaction() as session:
        record_receipt(session, one.customer_id, **(typed | {field: value}))  # type: ignore[arg-type]
    assert refused.value.field == field


def test_a_double_click_records_one_payment(database: Database) -> None:
    one, _, _ = three_invoices(database)
    for _ in range(2):
        with database.transaction() as session:
            record_receipt(
                session, one.customer_id, amount=Money(5), received_on=date(2026, 3, 4), method="cash", once_key="k",
                by=BY, at=AT,
            )  # fmt: skip
    with database.reading() as session:
        assert len(receipts_page(session, customer_id=one.customer_id)) == 1


def test_receipts_and_allocations_are_append_only(database: Database) -> None:
    one, _, _ = three_invoices(database)
    received(database, one.customer_id, "10.00", **{f"d{one.id}": "5.00"})
    for statement in (
        "UPDATE receipt SET amount = 1",
        "DELETE FROM allocation",
        "UPDATE allocation SET amount = 1",
    ):
        with pytest.raises(IntegrityError, match="append_only"), database.transaction() as session:
            session.execute(text(statement))


def test_n7_paying_issuing_and_recording_at_once_all_succeed(database: Database) -> None:
    agree_many(database, 12, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    first = documents(database)
    agree_many(database, 6, schedule=Schedule.SINGLE)
    failures: list[BaseException] = []

    def keep(act: object) -> None:
        try:
            act()  # type: ignore[operator]
        except BaseException as error:  # noqa: BLE001  # a thread's failure is the test's
            failures.append(error)

    def pay() -> None:
        for one in first:
            received(database, one.customer_id, "10.00", **{f"d{one.id}": "10.00"})

    def credit() -> None:
        for one in reversed(first):
            with database.transaction() as session:
                issue_credit_note(session, one.id, amounts={1: Money(1_00)}, reason="Agreed", by=BY, at=AT)

    acts = [pay, credit, lambda: run_on(database, THIRD), pay]
    threads = [threading.Thread(target=keep, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert failures == []
    with database.reading() as session:
        open_now = [open_amount(session, one.id) for one in first]
    assert open_now == [one.gross - Money(20_00) - Money(1_20) for one in first]


def test_two_people_who_pay_one_invoice_at_once_pay_it_once(database: Database) -> None:
    one, _, _ = three_invoices(database)
    payments = [received(database, one.customer_id, "1766.40") for _ in range(2)]

    def pay(made: Receipt) -> str:
        try:
            with database.transaction() as session:
                allocate(session, made.id, {one.id: Money(1766_40)}, by=BY, at=AT)
        except MoreThanOpen:
            return "refused"
        return "paid"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(pay, payments)) == ["paid", "refused"]
    assert left(database, one.id) == "0.00"


def test_debtors_are_counted_by_age_and_the_list_knows_what_is_overdue(database: Database) -> None:
    one, two, three = three_invoices(database)
    today = date(2026, 4, 15)
    assert {each.due_on for each in (one, two, three)} == {THIRD + timedelta(days=30)}
    received(database, one.customer_id, "1766.40", **{f"d{one.id}": "1766.40"})
    with database.reading() as session:
        aged = {each.age: (str(each.amount), each.documents) for each in debtors_by_age(session, today)}
        overdue = session.scalars(select(Document.id).where(state_is(DocumentState.OVERDUE, today))).all()
        paid = session.scalars(select(Document.id).where(state_is(DocumentState.PAID, today))).all()
    assert aged[Age.TO_30] == ("3532.80", 2)
    assert total(Money.parse(amount) for amount, _ in aged.values()) == Money(3532_80)
    assert set(overdue) == {two.id, three.id}
    assert paid == [one.id]


@settings(max_examples=100, deadline=None)
@given(st.integers(-400, 400))
def test_every_day_has_one_age_and_ages_only_grow(days: int) -> None:
    due = date(2026, 3, 1)
    order = list(Age)
    now, then = age_of(due, due + timedelta(days=days)), age_of(due, due + timedelta(days=days + 1))
    assert order.index(then) >= order.index(now)
