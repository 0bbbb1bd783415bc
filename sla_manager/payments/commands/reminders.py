"""Reminders posted: what is open is looked at again while nobody can pay, in the transaction that posts (P11)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

import sla_manager.payments.constraints  # noqa: F401  (gives the database its sentences)
from sla_manager.agreements.queries.recipients import Recipient
from sla_manager.billing.models import Document
from sla_manager.billing.queries.policy import finance_policy
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.money import Money
from sla_manager.kernel.words import counted, long_date, pounds
from sla_manager.payments.commands.pay_links import HOLDS_FOR, make_pay_link
from sla_manager.payments.models import DocumentBalance, Reminder, ReminderWithdrawal
from sla_manager.payments.queries.holds import is_held
from sla_manager.payments.queries.payers import payers, portal_path
from sla_manager.payments.queries.reminders import Due, due_reminders
from sla_manager.people.models import Customer
from sla_manager.people.queries import the_provider
from sla_manager.store.audit import SYSTEM, Actor, record
from sla_manager.store.database import Database
from sla_manager.store.outbox import OutboxMessage, link, post

REMINDER_KEY = "reminder:"
WITH_LINK = f"pay-link:{REMINDER_KEY}"
"""Key of a reminder that holds a link to pay: its text is not kept once it is sent."""


@dataclass(slots=True)
class Chased:
    """What a run of reminders did: invoices chased, mails posted, payers whom nobody can write to."""

    cards: bool = False
    invoices: int = 0
    mails: int = 0
    unreachable: int = 0

    @property
    def words(self) -> str:
        """The outcome of the job."""
        said = f"{counted(self.invoices, 'invoice')} chased, {counted(self.mails, 'mail')} posted"
        return f"{said}, {self.unreachable} without an address" if self.unreachable else said


def chase(
    database: Database,
    *,
    cards: bool = False,
    by: Actor = SYSTEM,
    at: datetime,
    stopping: Callable[[], bool] = lambda: False,
) -> Chased:
    """Remind payers of what is overdue today, in small transactions; two at once remind nobody twice.

    `cards`: each mail holds a link of its own with which the invoice can be paid by card.
    """
    done, after, today = Chased(cards=cards), 0, london_date(at)
    while not stopping():
        with database.reading() as session:
            days = [int(day) for day in finance_policy(session).reminder_days]
            due, following = due_reminders(session, today, days, after=after)
        if due:
            with database.transaction() as session:
                _remind(session, [one.document_id for one in due], days, done, by=by, at=at)
        if following is None:
            break
        after = following
    return done


def _remind(
    session: Session,
    document_ids: Sequence[int],
    days: Sequence[int],
    done: Chased,
    *,
    by: Actor,
    at: datetime,
) -> None:
    """Post the reminders of documents that still want one, now that they are held against payments."""
    query = (
        select(Document)
        .where(Document.id.in_(document_ids))
        .options(
            joinedload(Document.customer).joinedload(Customer.school),
            joinedload(Document.customer).joinedload(Customer.trust),
            joinedload(Document.service),
        )
        .order_by(Document.id)
        .with_for_update(of=Document)
    )
    documents = {one.id: one for one in session.scalars(query)}
    still = still_due(session, document_ids, days, at=at)
    people = payers(session, {one.customer_id for one in still})
    for one in still:
        _remind_of(
            session,
            documents[one.document_id],
            one,
            people.get(one.customer_id, []),
            days,
            done,
            by=by,
            at=at,
        )


def still_due(
    session: Session, document_ids: Sequence[int], days: Sequence[int], *, at: datetime
) -> list[Due]:
    """Return which of these documents are to be chased as things are now."""
    return due_reminders(session, london_date(at), days, only=document_ids)[0]


def _remind_of(
    session: Session,
    document: Document,
    due: Due,
    people: Sequence[Recipient],
    days: Sequence[int],
    done: Chased,
    *,
    by: Actor,
    at: datetime,
) -> None:
    reminder = Reminder(
        document_id=document.id, stage=due.stage, days_overdue=due.days_overdue, open=due.open, mails=len(people),
        posted_at=at,
    )  # fmt: skip
    session.add(reminder)
    session.flush()
    subject, paragraphs = _mail(session, document, due, is_last=due.stage == len(days))
    for person in people:
        greeting = [f"Dear {person.name},"] if person.name else []
        pay = [_card_link(session, document, person, by=by, at=at)] if done.cards else []
        post(
            session, f"{WITH_LINK if pay else REMINDER_KEY}{reminder.id}:{person.key}", recipient=person.email,
            subject=subject, body="\n\n".join([*greeting, *paragraphs[:1], *pay, *paragraphs[1:]]) + "\n", at=at,
        )  # fmt: skip
    done.invoices += 1
    done.mails += len(people)
    done.unreachable += not people
    record(
        session, "remind_payer", about="document", about_id=document.id, by=by, at=at,
        summary=f"Reminder {due.stage} of {document.number}: {pounds(due.open)} open, {counted(len(people), 'mail')}.",
        details={"stage": due.stage, "open": str(due.open), "days_overdue": due.days_overdue},
    )  # fmt: skip


def _card_link(session: Session, document: Document, person: Recipient, *, by: Actor, at: datetime) -> str:
    path = make_pay_link(session, document.id, recipient=person.email, by=by, at=at)
    return f"Pay it by card here, without signing in, for {HOLDS_FOR.days} days: {link(path)}"


def _mail(session: Session, document: Document, due: Due, *, is_last: bool) -> tuple[str, list[str]]:
    late, due_on = counted(due.days_overdue, "day"), document.due_on
    contact = document.service.email or the_provider(session).email
    subject = f"{'Last reminder' if is_last else 'Reminder'}: {document.number} is {late} overdue"
    paragraphs = [
        (
            f"Invoice {document.number} of {long_date(document.issued_on)} for {document.customer_name} was due on "
            f"{long_date(due_on) if due_on else 'the day of issue'}. {pounds(due.open)} is still open."
        ),
        f"See what it is for, its PDF and how to pay: {portal_path(document.customer, f'documents/{document.id}')}",
        f"Please give {document.number} as the reference when you pay.",
        "If something is wrong with it, say so on the same page. We then stop reminding you until it is settled.",
    ]
    if is_last and finance_policy(session).late_payment:
        paragraphs.append(
            "The law lets us claim interest of 8 % over Bank Rate and a fixed sum on an invoice that is late. "
            "We have not done so for this one until now."
        )
    paragraphs.append(
        f"If you have paid in the last days, thank you: there is nothing to do. Questions: {contact}"
    )
    return subject, paragraphs


def take_back_reminder(session: Session, message: OutboxMessage, *, at: datetime) -> bool:
    """Take a reminder's mail out of the outbox when its invoice is paid, credited or held by now; say whether it was.

    Called by the sender just before a mail leaves: one that waited for the mail server may be out of date.
    """
    if not message.key.startswith((REMINDER_KEY, WITH_LINK)):
        return False
    reminder = session.get(Reminder, int(message.key.split(":")[-2]))
    if reminder is None:
        return False
    balance = session.get(DocumentBalance, reminder.document_id)
    held = is_held(session, reminder.document_id)
    if not held and balance is not None and balance.open > Money(0):
        return False
    known = select(ReminderWithdrawal.id).where(ReminderWithdrawal.reminder_id == reminder.id)
    if session.scalar(known) is None:
        reason = "The invoice was held before the mail left." if held else "Nothing was open any more."
        session.add(ReminderWithdrawal(reminder_id=reminder.id, reason=reason, withdrawn_at=at))
    session.delete(message)
    return True
