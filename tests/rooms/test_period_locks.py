"""Locked periods: nothing is dated in them, whoever tries, until they are opened again with a reason."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from sla_manager.billing.models import Document, PeriodLock, PeriodReopening
from sla_manager.billing.queries.locks import locked_through, locks
from sla_manager.billing.rules.locks import LockedFurther, PeriodIsLocked, PeriodNotOver
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.errors import Conflict, Refused
from sla_manager.kernel.money import Money
from sla_manager.payments.commands import allocate, record_receipt
from sla_manager.payments.commands import locks as locking
from sla_manager.payments.commands.locks import lock_period, reopen_period
from sla_manager.payments.models import Allocation, Receipt, Refund
from sla_manager.store.audit import AuditEntry
from sla_manager.store.database import Database
from tests.rooms.owing import BY, FIRST, THIRD, agree, documents, run_on

MARCH, APRIL = date(2026, 3, 31), date(2026, 4, 30)
MAY = as_at(date(2026, 5, 4))


def lock(database: Database, through: date, at: datetime = MAY) -> int:
    """Lock the books up to a day."""
    with database.transaction() as session:
        return lock_period(session, through, reason="VAT return sent", by=BY, at=at).id


def paid(database: Database, customer_id: int, on: date, at: datetime = MAY) -> int:
    """Record a payment of £100."""
    with database.transaction() as session:
        return record_receipt(
            session, customer_id, amount=Money(100_00), received_on=on, method="bank_transfer", by=BY, at=at
        ).id


def test_nothing_is_dated_in_a_locked_period_by_anybody(database: Database) -> None:
    agree(database)
    run_on(database, FIRST)
    first = documents(database)[0]
    receipt_id = paid(database, first.customer_id, MARCH)
    lock(database, MARCH)
    with pytest.raises(
        PeriodIsLocked, match=r"locked up to 31 March 2026.*dated 1 March 2026.*Use 1 April 2026"
    ):
        run_on(database, THIRD)
    with pytest.raises(PeriodIsLocked, match="dated 31 March 2026"):
        paid(database, first.customer_id, MARCH)
    with pytest.raises(IntegrityError, match="period_is_locked"), database.transaction() as session:
        allocate(
            session, receipt_id, {first.id: Money(1_00)}, by=BY, at=datetime(2026, 3, 31, 22, 59, tzinfo=UTC)
        )
    rows = {
        Receipt: {
            "customer_id": first.customer_id, "amount": Money(1_00), "received_on": MARCH, "method": "cash",
            "reference": "", "recorded_at": MAY, "recorded_by": "Test", "once_key": None,
        },
        Refund: {
            "receipt_id": receipt_id, "amount": Money(1_00), "method": "cheque", "reference": "", "reason": "x",
            "refunded_on": MARCH, "reverses_id": None, "recorded_at": MAY, "recorded_by": "Test", "once_key": None,
        },
        Document: {
            column.key: getattr(first, column.key) for column in Document.__table__.columns if column.key != "id"
        } | {"number": "EWS/25-26/000099", "sequence": 99},
    }  # fmt: skip
    for model, row in rows.items():
        with pytest.raises(IntegrityError, match="period_is_locked"), database.transaction() as session:
            session.execute(insert(model).values(**row))
    assert len(documents(database)) == 1


def test_the_day_after_a_lock_and_the_midnight_in_london_are_open(database: Database) -> None:
    agree(database)
    run_on(database, FIRST)
    lock(database, MARCH)
    run_on(database, date(2026, 4, 1))
    first, *late = documents(database)
    assert [(one.tax_point, one.issued_on) for one in late] == [
        (date(2026, 1, 1), date(2026, 4, 1)), (date(2026, 3, 1), date(2026, 4, 1)),
    ]  # fmt: skip
    receipt_id = paid(database, first.customer_id, date(2026, 4, 1))
    midnight = datetime(2026, 3, 31, 23, 0, tzinfo=UTC)
    with database.transaction() as session:
        allocate(session, receipt_id, {first.id: Money(1_00)}, by=BY, at=midnight)
    with database.reading() as session:
        assert [one.allocated_at for one in session.scalars(select(Allocation))] == [midnight]


def test_locks_rise_are_reopened_from_the_latest_and_leave_their_reasons(database: Database) -> None:
    march, april = lock(database, MARCH), lock(database, APRIL)
    assert lock(database, APRIL) == april
    with pytest.raises(LockedFurther, match="locked up to 30 April 2026 already"):
        lock(database, date(2026, 2, 28))
    with pytest.raises(PeriodNotOver, match=r"4 May 2026 is not over yet\. Lock up to 3 May 2026"):
        lock(database, date(2026, 5, 4))
    with pytest.raises(Refused, match="30 April 2026"), database.transaction() as session:
        reopen_period(session, march, reason="A late credit", by=BY, at=MAY)
    with pytest.raises(Refused, match="Enter why"), database.transaction() as session:
        reopen_period(session, april, reason=" ", by=BY, at=MAY)
    with database.transaction() as session:
        reopen_period(session, april, reason="A late credit", by=BY, at=MAY)
    with pytest.raises(Conflict, match="reopened already"), database.transaction() as session:
        reopen_period(session, april, reason="A late credit", by=BY, at=MAY)
    with database.reading() as session:
        assert locked_through(session) == MARCH
        assert [(one.through, one.reopening is not None) for one in locks(session)] == [
            (APRIL, True),
            (MARCH, False),
        ]
    lock(database, APRIL)
    with database.reading() as session:
        said = list(session.scalars(select(AuditEntry.summary).order_by(AuditEntry.id)))
        assert locked_through(session) == APRIL
    assert said == [
        "Books locked up to 31 March 2026: VAT return sent", "Books locked up to 30 April 2026: VAT return sent",
        "Books up to 30 April 2026 opened again: A late credit", "Books locked up to 30 April 2026: VAT return sent",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ((MARCH, datetime(2026, 3, 31, 23, tzinfo=UTC), datetime(2026, 3, 31, 22, tzinfo=UTC)), "is_over"),
        ((MARCH, datetime(2026, 3, 31, 23, tzinfo=UTC), MAY), "period_locked_already"),
    ],
)
def test_the_database_holds_the_order_of_locks(
    database: Database, row: tuple[date, datetime, datetime], rule: str
) -> None:
    march, april = lock(database, date(2026, 2, 28)), lock(database, APRIL)
    through, before, locked_at = row
    values = {
        "through": through,
        "before": before,
        "locked_at": locked_at,
        "reason": "x",
        "locked_by": "Test",
    }
    with pytest.raises(IntegrityError, match=rule), database.transaction() as session:
        session.execute(insert(PeriodLock).values(**values))
    reopened = {"lock_id": march, "reason": "x", "reopened_at": MAY, "reopened_by": "Test"}
    with pytest.raises(IntegrityError, match="period_locked_further"), database.transaction() as session:
        session.execute(insert(PeriodReopening).values(**reopened))
    for table in ("UPDATE period_lock SET through = '2030-01-01'", "DELETE FROM period_lock"):
        with (
            pytest.raises(IntegrityError, match="append_only_period_lock"),
            database.transaction() as session,
        ):
            session.connection().exec_driver_sql(table)
    assert april > march


def _late_payment(database: Database, customer_id: int) -> tuple[bool, bool]:
    """Let a payment dated in March begin before the lock, and be kept after it: was it kept, was the lock?"""
    written, locked = threading.Event(), threading.Event()

    def pay() -> bool:
        with database.transaction() as session:
            record_receipt(
                session, customer_id, amount=Money(1_00), received_on=MARCH, method="cash", by=BY, at=MAY
            )
            written.set()
            locked.wait(0.5)
        return not locked.is_set()

    def close() -> bool:
        assert written.wait(10)
        lock(database, MARCH)
        locked.set()
        return True

    with ThreadPoolExecutor(2) as pool:
        payment, lock_made = pool.submit(pay), pool.submit(close)
        return payment.result(timeout=20), lock_made.result(timeout=20)


def test_a_lock_waits_for_what_is_being_written(postgresql: Database) -> None:
    customer_id = agree(postgresql).customer_id
    kept_before_the_lock, locked = _late_payment(postgresql, customer_id)
    assert kept_before_the_lock
    assert locked


def test_control_without_holding_the_books_a_payment_slips_behind_the_lock(
    postgresql: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "hold_books", lambda session: None)
    customer_id = agree(postgresql).customer_id
    kept_before_the_lock, _ = _late_payment(postgresql, customer_id)
    assert not kept_before_the_lock
