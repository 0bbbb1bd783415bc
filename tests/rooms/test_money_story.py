"""Eighteen months of one school's money, as finance would tell them: ordered, invoiced, paid in part, chased,
credited, refunded, closed; and the next year again. Every figure is said with its day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import zip_longest
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from sla_manager.agreements.commands.years import close_year
from sla_manager.agreements.queries import balances
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.billing.commands import issue_credit_note
from sla_manager.billing.commands.crediting import credit_lost_time
from sla_manager.billing.models import Document
from sla_manager.billing.runs import run
from sla_manager.catalogue.models import Offering
from sla_manager.finance.commands import make_batch
from sla_manager.gateways.archive import Archive
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import FinancialYear
from sla_manager.payments.commands import allocate, record_receipt
from sla_manager.payments.commands.locks import lock_period
from sla_manager.payments.commands.refunds import free_overpayment, refund_receipt
from sla_manager.payments.commands.reminders import chase
from sla_manager.payments.models import Receipt
from sla_manager.payments.queries import open_amount
from sla_manager.payments.queries.statements import statement
from sla_manager.reports.deferrals import year_end
from sla_manager.reports.integrity import problems
from sla_manager.reports.money_integrity import money_problems
from sla_manager.store.database import Database
from sla_manager.store.outbox import OutboxMessage
from sla_manager.visits.commands import log_delivery
from sla_manager.visits.rules.slots import Part
from tests import visiting
from tests.rooms import selling
from tests.rooms.owing import BY

FIRST_YEAR, SECOND_YEAR = FinancialYear(2025), FinancialYear(2026)

STORY = (
    "14 Oct 2025  12 days bought at £368.00, invoiced in three instalments.",
    "14 Oct 2025  EWS/25-26/000001: 1472.00 + 294.40 = 1766.40, due 13 Nov 2025.",
    "10 Nov 2025  £1000.00 arrives; 766.40 of EWS/25-26/000001 stays open.",
    "20 Nov 2025  Reminder posted: EWS/25-26/000001 is 7 days overdue",
    "21 Nov 2025  Nobody is reminded a second time.",
    "05 Dec 2025  £766.40 arrives; 0.00 of EWS/25-26/000001 stays open.",
    "01 Jan 2026  EWS/25-26/000002: 1472.00 + 294.40 = 1766.40, due 31 Jan 2026.",
    "29 Jan 2026  £1766.40 arrives; 0.00 of EWS/25-26/000002 stays open.",
    "01 Mar 2026  EWS/25-26/000003: 1472.00 + 294.40 = 1766.40, due 31 Mar 2026.",
    "20 Mar 2026  £1766.40 arrives; 0.00 of EWS/25-26/000003 stays open.",
    "24 Mar 2026  A day is lost to sickness: EWS-CN/25-26/000001, -368.00 + -73.60 = -441.60.",
    "24 Mar 2026  EWS/25-26/000003 is paid by £441.60 too much.",
    "27 Mar 2026  £441.60 goes back by bank transfer; £0.00 is on account.",
    "02 Apr 2026  2025-26 is closed: 2 days lapse, worth £736.00.",
    "02 Apr 2026  Income of 2025-26: £4048.00; deferred £0.00, accrued £0.00.",
    "02 Apr 2026  Handed over: 4 documents, 4048.00 + 809.60 = 4857.60.",
    "02 Apr 2026  A credit dated in March is refused.",
    "07 Apr 2026  8 days bought for 2026-27; 8 days can be used.",
    "07 Apr 2026  EWS/26-27/000001: 2944.00 + 588.80 = 3532.80, due 07 May 2026.",
    "02 May 2026  £3600.00 arrives; £67.20 is on account.",
    "30 Sep 2026  Invoiced £2944.00, earned £1840.00: £1104.00 is deferred.",
    "02 Apr 2027  2026-27 is closed: 3 days lapse, worth £1104.00.",
    "02 Apr 2027  Income of 2026-27: £2944.00; deferred £0.00, accrued £0.00.",
    "14 Apr 2027  The account stands at £67.20 in the school’s favour.",
    "14 Apr 2027  The books are in order.",
)


@dataclass
class Teller:
    """Does what a day asks for, and tells it."""

    database: Database
    told: list[str] = field(default_factory=list)
    today: date = date(2025, 10, 14)

    def on(self, day: str) -> None:
        """Let it be a day; on the first of each month that passes, open amounts must be what the facts say."""
        until = date.fromisoformat(day)
        assert until >= self.today, day
        while self.today < until:
            self.today += timedelta(days=1)
            if self.today.day == 1:
                with self.database.reading() as session:
                    assert list(money_problems(session)) == []

    def tell(self, words: str) -> None:
        """Tell something of this day."""
        self.told.append(f"{self.today:%d %b %Y}  {words}")

    def invoices(self) -> None:
        """Run the invoices of the day."""
        for one in run(self.database, as_at=self.today, by=BY, at=as_at(self.today)).documents:
            with self.database.reading() as session:
                found = session.get_one(Document, one.id)
            self.tell(f"{one.number}: {one.net} + {one.vat} = {one.gross}, due {found.due_on:%d %b %Y}.")

    def document(self, number: str) -> Document:
        """Return a document."""
        with self.database.reading() as session:
            return session.scalars(select(Document).where(Document.number == number)).one()

    def receives(self, amount: str, number: str, *, of_it: str = "") -> int:
        """Let money arrive and be set against an invoice."""
        document = self.document(number)
        with self.database.transaction() as session:
            made = record_receipt(
                session, document.customer_id, amount=Money.parse(amount), received_on=self.today,
                method="bank_transfer", reference=number, by=BY, at=as_at(self.today),
            )  # fmt: skip
            allocate(
                session, made.id, {document.id: Money.parse(of_it or amount)}, by=BY, at=as_at(self.today)
            )
            left = open_amount(session, document.id)
        if not of_it:
            self.tell(f"£{amount} arrives; {left} of {number} stays open.")
        return made.id

    def is_chased(self) -> list[str]:
        """Let the reminders' job come by; return the subjects of what it posts."""
        with self.database.reading() as session:
            before = session.scalars(select(OutboxMessage.id)).all()
        chase(self.database, at=as_at(self.today))
        with self.database.reading() as session:
            query = select(OutboxMessage.subject).where(
                OutboxMessage.id.not_in(before), OutboxMessage.key.startswith("reminder:")
            )
            return list(session.scalars(query))

    def closes(self, year: FinancialYear) -> None:
        """Close a year: what lapses, and what its income is."""
        with self.database.transaction() as session:
            done = close_year(session, year, by=BY, at=as_at(self.today))
        days = done.lapsed_minutes.minutes // 444
        self.tell(f"{year} is closed: {days} days lapse, worth £{done.lapsed_value}.")
        with self.database.reading() as session:
            both = year_end(session, year, self.today)
        ends = both.closing
        self.tell(f"Income of {year}: £{both.income}; deferred £{ends.deferred}, accrued £{ends.accrued}.")


def test_eighteen_months_of_one_schools_money(database: Database, tmp_path: Path) -> None:
    teller = Teller(database)
    with database.transaction() as session:
        scene = visiting.a_scene(session, quantity="12")
        selling.manager_of(session, scene.school, email="sbm@school.example")
    teller.tell("12 days bought at £368.00, invoiced in three instalments.")
    _the_first_invoices(teller, scene)
    _a_day_is_lost_and_the_year_closed(teller, scene)
    _the_next_year(teller, scene)
    _the_end(teller, Archive(tmp_path / "invoices"))
    for told, meant in zip_longest(teller.told, STORY):
        assert told == meant


def _visited(teller: Teller, scene: visiting.Scene, days: tuple[str, ...], line_id: int) -> None:
    """Let the officer give whole days."""
    for day in days:
        teller.on(day)
        with teller.database.transaction() as session:
            visit = visiting.a_visit(
                session, scene, teller.today, Part.DAY, line_id=line_id, at=as_at(teller.today)
            )
            log_delivery(session, visit.id, activities=[visiting.worked(444)], by=BY, at=as_at(teller.today))


def _the_first_invoices(teller: Teller, scene: visiting.Scene) -> None:
    teller.invoices()
    _visited(teller, scene, ("2025-11-04",), scene.line.id)
    teller.on("2025-11-10")
    teller.receives("1000.00", "EWS/25-26/000001")
    teller.on("2025-11-20")
    for subject in teller.is_chased():
        teller.tell(subject.replace("Reminder: ", "Reminder posted: "))
    teller.on("2025-11-21")
    assert teller.is_chased() == []
    teller.tell("Nobody is reminded a second time.")
    _visited(teller, scene, ("2025-11-25", "2025-12-02"), scene.line.id)
    teller.on("2025-12-05")
    teller.receives("766.40", "EWS/25-26/000001")
    _visited(teller, scene, ("2025-12-09", "2025-12-16"), scene.line.id)
    teller.on("2026-01-01")
    teller.invoices()
    _visited(teller, scene, ("2026-01-13", "2026-01-20", "2026-01-27"), scene.line.id)
    teller.on("2026-01-29")
    teller.receives("1766.40", "EWS/25-26/000002")
    _visited(teller, scene, ("2026-02-03",), scene.line.id)
    teller.on("2026-03-01")
    teller.invoices()
    teller.on("2026-03-20")
    teller.receives("1766.40", "EWS/25-26/000003")


def _a_day_is_lost_and_the_year_closed(teller: Teller, scene: visiting.Scene) -> None:
    database = teller.database
    teller.on("2026-03-24")
    with database.transaction() as session:
        (credit,) = credit_lost_time(
            session, scene.tranche.id, Minutes(444), decided_on=teller.today, reason="The officer was ill.",
            by=BY, at=as_at(teller.today),
        )  # fmt: skip
    teller.tell(f"A day is lost to sickness: {credit.number}, {credit.net} + {credit.vat} = {credit.gross}.")
    last = teller.document("EWS/25-26/000003")
    with database.reading() as session:
        teller.tell(f"{last.number} is paid by £{-open_amount(session, last.id)} too much.")
    teller.on("2026-03-27")
    with database.transaction() as session:
        freed = free_overpayment(session, last.id, by=BY, at=as_at(teller.today))
        receipt_id = session.scalars(select(Receipt.id).order_by(Receipt.id.desc())).first()
        assert receipt_id is not None
        refund_receipt(
            session, receipt_id, amount=freed, method="bank_transfer", reason="A day that was not given",
            refunded_on=teller.today, by=BY, at=as_at(teller.today),
        )  # fmt: skip
    with database.reading() as session:
        left = statement(session, last.customer_id, since=None, today=teller.today).on_account
    teller.tell(f"£{freed} goes back by bank transfer; £{left} is on account.")
    teller.on("2026-04-02")
    teller.closes(FIRST_YEAR)
    with database.transaction() as session:
        batch = make_batch(session, "plain", by=BY, at=as_at(teller.today))
        lock_period(
            session, FIRST_YEAR.period.last, reason="2025-26 is closed", by=BY, at=as_at(teller.today)
        )
    teller.tell(f"Handed over: {batch.count} documents, {batch.net} + {batch.vat} = {batch.gross}.")
    with pytest.raises(IntegrityError, match="period_is_locked"), database.transaction() as session:
        issue_credit_note(
            session, last.id, amounts={1: Money(1_00)}, reason="Late", issued_on=date(2026, 3, 31), by=BY,
            at=as_at(teller.today),
        )  # fmt: skip
    teller.tell("A credit dated in March is refused.")


def _the_next_year(teller: Teller, scene: visiting.Scene) -> None:
    database = teller.database
    teller.on("2026-04-07")
    with database.transaction() as session:
        again = selling.agreed(
            session, BY, as_at(teller.today), school=scene.school, quantity="8", starts_on=teller.today,
            offering=session.get_one(Offering, scene.line.offering_id), ends_on=SECOND_YEAR.period.last,
            schedule=Schedule.SINGLE,
        )  # fmt: skip
        line_id = again.lines[0].id
        left = balances(session, agreement_id=again.id)[0].balance
    teller.tell(f"8 days bought for {SECOND_YEAR}; {left.minutes // 444} days can be used.")
    teller.invoices()
    teller.on("2026-05-02")
    receipt_id = teller.receives("3600.00", "EWS/26-27/000001", of_it="3532.80")
    with database.reading() as session:
        owner = session.get_one(Receipt, receipt_id).customer_id
        account = statement(session, owner, since=None, today=teller.today)
    teller.tell(f"£3600.00 arrives; £{account.on_account} is on account.")
    days = ("2026-05-12", "2026-06-09", "2026-06-16", "2026-09-15", "2026-09-22")
    _visited(teller, scene, days, line_id)
    teller.on("2026-09-30")
    with database.reading() as session:
        (row,) = year_end(session, SECOND_YEAR, teller.today).closing.unsettled
    teller.tell(f"Invoiced £{row.invoiced}, earned £{row.earned}: £{row.deferred} is deferred.")
    teller.on("2027-04-02")
    teller.closes(SECOND_YEAR)


def _the_end(teller: Teller, archive: Archive) -> None:
    teller.on("2027-04-14")
    with teller.database.reading() as session:
        customer_id = session.scalars(select(Receipt.customer_id)).first()
        assert customer_id is not None
        account = statement(session, customer_id, since=date(2026, 4, 1), today=teller.today)
        teller.tell(f"The account stands at £{-account.closing} in the school’s favour.")
        assert [one.message for one in problems(session, archive)] == []
    teller.tell("The books are in order.")
