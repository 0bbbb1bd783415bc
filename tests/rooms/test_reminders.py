"""Reminders: each stage once, the latest only, never of what is paid, held or recharged."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from sla_manager.billing.models import Document, FinancePolicy
from sla_manager.billing.queries.policy import finance_policy
from sla_manager.gateways.mail import Mail
from sla_manager.jobs.chasing import NobodyToRemindError, remind_payers
from sla_manager.jobs.outbox import send_outbox
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.money import Money
from sla_manager.payments.commands import allocate, record_receipt
from sla_manager.payments.commands import reminders as chasing
from sla_manager.payments.commands.holds import place_hold, release_hold
from sla_manager.payments.models import PayLink, Reminder, ReminderWithdrawal
from sla_manager.payments.queries.reminders import due_reminders, overdue_page, reminders_of
from sla_manager.people.models import School
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.store.constraints import explain
from sla_manager.store.database import Database
from sla_manager.store.outbox import OutboxMessage
from sla_manager.store.triggers import allow_again
from tests import builders
from tests.rooms.owing import BY, FIRST, SECOND, agree, documents, run_on

DUE_ON = date(2025, 11, 13)
LATE = DUE_ON + timedelta(days=8)


def an_invoice(database: Database, **more: Any) -> Document:
    """Return an invoice of 14 October 2025 for an academy whose business manager has an address."""
    agreement = agree(database, **more)
    with database.transaction() as session:
        builders.a_person(
            session, Role.SCHOOL_BUSINESS_MANAGER, school=session.get_one(School, agreement.school_id),
            email="manager@school.example", name="Ada Obi",
        )  # fmt: skip
    run_on(database, FIRST)
    return documents(database)[0]


def chase_on(database: Database, day: date) -> str:
    """Run the job on a day."""
    return remind_payers(database, at=as_at(day))


def posted(database: Database) -> list[str]:
    """Return the subjects of reminders in the outbox, in order."""
    with database.reading() as session:
        query = select(OutboxMessage.subject).where(OutboxMessage.key.startswith("reminder:"))
        return list(session.scalars(query.order_by(OutboxMessage.id)))


def pay(database: Database, document: Document, *, at: datetime) -> None:
    """Pay a document whole."""
    with database.transaction() as session:
        record_receipt(
            session, document.customer_id, amount=document.gross, received_on=FIRST, method="bank_transfer",
            allocations={document.id: document.gross}, by=BY, at=at,
        )  # fmt: skip


def test_each_stage_goes_once_on_its_day(database: Database) -> None:
    """Seven days after the due date, then 21, then 35; every other night nothing."""
    invoice = an_invoice(database)
    assert invoice.due_on == DUE_ON
    for day in range(45):
        chase_on(database, DUE_ON + timedelta(days=day))
    assert posted(database) == [
        f"Reminder: {invoice.number} is 7 days overdue",
        f"Reminder: {invoice.number} is 21 days overdue",
        f"Last reminder: {invoice.number} is 35 days overdue",
    ]
    with database.reading() as session:
        kept = [
            (one.stage, one.days_overdue, one.open, one.mails) for one, _ in reminders_of(session, invoice.id)
        ]
        body = session.scalars(select(OutboxMessage.body).where(OutboxMessage.key == "reminder:1:1")).one()
    assert kept == [(stage, days, invoice.gross, 1) for stage, days in ((1, 7), (2, 21), (3, 35))]
    assert body.startswith("Dear Ada Obi,\n\n")
    assert f"{{address}}/school/{school_number(database, invoice)}/documents/{invoice.id}" in body
    assert "interest" not in body


def school_number(database: Database, invoice: Document) -> int:
    """Return the URN of the school that an invoice is for."""
    with database.reading() as session:
        return session.scalars(select(School.urn).where(School.name == invoice.customer_name)).one()


def test_p11_a_standstill_of_weeks_is_followed_by_one_mail(database: Database) -> None:
    """Down until day 36: only the latest stage goes. Down until day 20: the next keeps its distance."""
    invoice = an_invoice(database)
    chase_on(database, DUE_ON + timedelta(days=20))
    for day in (21, 22, 26):
        chase_on(database, DUE_ON + timedelta(days=day))
    assert posted(database) == [f"Reminder: {invoice.number} is 20 days overdue"]
    chase_on(database, DUE_ON + timedelta(days=90))
    chase_on(database, DUE_ON + timedelta(days=91))
    assert posted(database)[1:] == [f"Last reminder: {invoice.number} is 90 days overdue"]


def test_p11_what_is_held_or_disputed_is_not_chased_and_afterwards_is(database: Database) -> None:
    """While a hold is in force nobody is written to; a reminder by hand is refused by the database too."""
    invoice = an_invoice(database)
    with database.transaction() as session:
        hold = place_hold(
            session, invoice.id, kind="dispute", reason="Three days, not four.", by=BY, at=as_at(FIRST)
        )
    assert chase_on(database, LATE) == "0 invoices chased, 0 mails posted"
    assert refused(database, invoice.id) == "This invoice is held, so nobody is reminded of it."
    with database.transaction() as session:
        release_hold(session, hold.id, outcome="Four, as logged.", by=BY, at=as_at(LATE))
    assert chase_on(database, LATE) == "1 invoice chased, 1 mail posted"


def refused(database: Database, document_id: int) -> str:
    """Return what the database says to a reminder that is written past the command."""
    with pytest.raises(IntegrityError) as told, database.transaction() as session:
        session.add(
            Reminder(
                document_id=document_id,
                stage=9,
                days_overdue=9,
                open=Money(1),
                mails=0,
                posted_at=as_at(LATE),
            )
        )
    said = explain(told.value)
    assert said is not None
    return said.message


def test_p11_recharges_and_what_is_paid_are_never_chased(database: Database) -> None:
    """A maintained school's recharge has nothing to pay; a paid invoice neither."""
    recharge = an_invoice(database, customer_class=CustomerClass.OWN_MAINTAINED)
    assert chase_on(database, LATE) == "0 invoices chased, 0 mails posted"
    assert refused(database, recharge.id).startswith("Recharges and credit notes are never chased")
    agree(database)
    run_on(database, FIRST)
    invoice = documents(database)[-1]
    pay(database, invoice, at=as_at(LATE))
    assert chase_on(database, LATE) == "0 invoices chased, 0 mails posted"
    assert refused(database, invoice.id).startswith("Nothing is open")


def test_p11_a_reminder_that_waited_for_the_mail_server_is_taken_back_when_the_money_came(
    database: Database,
) -> None:
    """Posted, not sent, paid: the mail never leaves, and the books say why. An unpaid one leaves."""
    invoice = an_invoice(database)
    chase_on(database, LATE)
    pay(database, invoice, at=as_at(LATE))
    left: list[Mail] = []
    send_outbox(database, send=left.append, at=as_at(LATE + timedelta(days=1)))
    assert ([mail.subject for mail in left if mail.key.startswith("reminder:")], posted(database)) == ([], [])
    with database.reading() as session:
        assert session.scalars(select(ReminderWithdrawal.reason)).one() == "Nothing was open any more."
    agree(database)
    with database.transaction() as session:
        builders.a_person(
            session, Role.SCHOOL_BUSINESS_MANAGER, email="b@school.example",
            school=session.scalars(select(School).order_by(School.id.desc())).first(),
        )  # fmt: skip
    run_on(database, FIRST)
    chase_on(database, LATE)
    send_outbox(database, send=left.append, at=as_at(LATE + timedelta(days=1)))
    assert [mail.recipient for mail in left if mail.key.startswith("reminder:")] == ["b@school.example"]


def test_payers_without_an_address_fail_the_job_in_words_once(database: Database) -> None:
    """It is noted as chased, so that the next night is quiet; the council's own days count, none means none."""
    agree(database)
    run_on(database, FIRST)
    with database.transaction() as session:
        rules = finance_policy(session)
        session.add(rules)
        rules.reminder_days, rules.version, rules.changed_at = [], 1, as_at(FIRST)
    assert chase_on(database, LATE) == "0 invoices chased, 0 mails posted"
    with database.transaction() as session:
        session.get_one(FinancePolicy, 1).reminder_days = [3, 40]
    with pytest.raises(NobodyToRemindError, match="1 without an address"):
        chase_on(database, LATE)
    assert chase_on(database, LATE + timedelta(days=1)) == "0 invoices chased, 0 mails posted"


def test_a_reminder_can_hold_a_link_to_pay_of_its_own(database: Database) -> None:
    """Where cards are taken: one link for each person, taken back like any reminder when the money came."""
    invoice = an_invoice(database)
    assert remind_payers(database, cards=True, at=as_at(LATE)) == "1 invoice chased, 1 mail posted"
    with database.reading() as session:
        mail = session.scalars(
            select(OutboxMessage).where(OutboxMessage.key == "pay-link:reminder:1:1")
        ).one()
        assert session.scalars(select(PayLink.recipient)).all() == ["manager@school.example"]
    assert "{address}/pay/" in mail.body
    pay(database, invoice, at=as_at(LATE))
    left: list[Mail] = []
    send_outbox(database, send=left.append, at=as_at(LATE + timedelta(days=1)))
    assert [one for one in left if "overdue" in one.subject] == []


def test_overdue_invoices_are_listed_the_longest_first_page_by_page(database: Database) -> None:
    an_invoice(database)
    agree(database)
    run_on(database, SECOND)
    today = SECOND + timedelta(days=40)
    chase_on(database, LATE)
    with database.reading() as session:
        whole, end = overdue_page(session, today)
        paged, place = overdue_page(session, today, limit=1)
        while place is not None:
            rows, place = overdue_page(session, today, after=place, limit=1)
            paged += rows
    assert end is None
    assert paged == whole
    assert [one.due_on for one in whole] == sorted(one.due_on for one in whole)
    assert [(one.stage, one.held) for one in whole] == [(1, False), (0, False), (0, False), (0, False)]


def test_two_workers_at_once_remind_once(database: Database) -> None:
    invoice = an_invoice(database)
    together = threading.Barrier(2)

    def work() -> None:
        together.wait(10)
        chasing.chase(database, at=as_at(LATE))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(20)
    assert posted(database) == [f"Reminder: {invoice.number} is 8 days overdue"]


def race(database: Database, invoice: Document, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the job see an open invoice while a payment of it is under way, and the payment commit first."""
    seen, at = threading.Event(), as_at(LATE)
    looked: Callable[..., Any] = due_reminders

    def look(*args: Any, **more: Any) -> Any:
        found = looked(*args, **more)
        seen.set()
        return found

    monkeypatch.setattr(chasing, "due_reminders", look)
    with database.transaction() as session:
        receipt = record_receipt(
            session, invoice.customer_id, amount=invoice.gross, received_on=FIRST, method="card", by=BY, at=at
        )
        allocate(session, receipt.id, {invoice.id: invoice.gross}, by=BY, at=at)
        job = threading.Thread(target=chasing.chase, args=(database,), kwargs={"at": at})
        job.start()
        assert seen.wait(10)
    job.join(20)
    assert not job.is_alive()
    return posted(database)


def test_p11_no_reminder_while_a_payment_commits(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job waits for the payment, looks again, and posts nothing."""
    assert race(database, an_invoice(database), monkeypatch) == []


def test_p11_control_without_looking_again_the_reminder_would_go(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same with what was read before, and without the database's rule: a payer who has paid is chased."""
    invoice = an_invoice(database)
    with database.reading() as session:
        read_before = chasing.still_due(session, [invoice.id], [7, 21, 35], at=as_at(LATE))
    monkeypatch.setattr(chasing, "still_due", lambda *_, **__: read_before)
    with database.engine.begin() as connection:
        allow_again(Plainly(connection), "reminder_of_debt", table="reminder")
    assert race(database, invoice, monkeypatch) == [f"Reminder: {invoice.number} is 8 days overdue"]


class Plainly:
    """Runs a migration's step on a connection."""

    def __init__(self, connection: Any) -> None:
        self.connection, self.dialect = connection, connection.dialect

    def execute(self, sqltext: str) -> object:
        return self.connection.execute(text(sqltext))

    def get_context(self) -> Plainly:
        return self
