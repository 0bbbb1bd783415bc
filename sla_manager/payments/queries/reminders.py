"""Reminders: which invoices one is due for, and which there were."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, exists, func, literal_column, or_, select
from sqlalchemy.orm import Session

from sla_manager.billing.models import Document
from sla_manager.billing.rules.kinds import DocumentKind
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.money import Money
from sla_manager.payments.models import DocumentBalance, Hold, HoldRelease, Reminder, ReminderWithdrawal
from sla_manager.payments.rules.reminders import Reminded, stage_due

AT_ONCE = 50
_OPEN: ColumnElement[bool] = literal_column("document_balance.open > 0")
"""Written out, so that SQLite too finds the index of what is open."""
_HELD = exists().where(
    Hold.document_id == DocumentBalance.document_id, ~exists().where(HoldRelease.hold_id == Hold.id)
)


@dataclass(frozen=True, slots=True)
class Due:
    """An invoice that is to be chased: what is open, how late it is, which stage."""

    document_id: int
    customer_id: int
    open: Money
    days_overdue: int
    stage: int


def due_reminders(
    session: Session,
    today: date,
    days: Collection[int],
    *,
    after: int = 0,
    only: Collection[int] | None = None,
) -> tuple[list[Due], int | None]:
    """Return the invoices that are to be chased today among the next few overdue ones, and where to go on.

    Never a recharge, nothing that is held or paid. `only` looks at these documents alone.
    """
    stages = sorted(int(day) for day in days)
    if not stages:
        return [], None
    last = select(func.max(Reminder.id)).where(Reminder.document_id == DocumentBalance.document_id)
    query = (
        select(
            DocumentBalance.document_id, DocumentBalance.customer_id, DocumentBalance.open, DocumentBalance.due_on,
            Reminder.stage, Reminder.posted_at,
        )
        .outerjoin(Reminder, Reminder.id == last.correlate(DocumentBalance).scalar_subquery())
        .where(
            DocumentBalance.kind == DocumentKind.INVOICE,
            _OPEN,
            DocumentBalance.due_on <= today - timedelta(days=stages[0]),
            func.coalesce(Reminder.stage, 0) < len(stages),
            ~_HELD,
            DocumentBalance.document_id > after,
        )
        .order_by(DocumentBalance.document_id)
    )  # fmt: skip
    query = query.limit(AT_ONCE) if only is None else query.where(DocumentBalance.document_id.in_(only))
    rows = session.execute(query).all()
    found = []
    for document_id, customer_id, amount, due_on, stage, posted_at in rows:
        reminded = Reminded(stage, london_date(posted_at)) if stage else None
        now_due = stage_due(due_on, today, stages, reminded)
        if now_due is not None and due_on is not None:
            found.append(Due(document_id, customer_id, amount, (today - due_on).days, now_due))
    return found, rows[-1].document_id if len(rows) == AT_ONCE and only is None else None


@dataclass(frozen=True, slots=True)
class Overdue:
    """A row of the list of overdue invoices; `stage` is that of the last reminder, 0 before the first."""

    document_id: int
    number: str
    customer_id: int
    customer: str
    due_on: date
    open: Money
    held: bool
    stage: int


def overdue_page(
    session: Session, today: date, *, after: tuple[date, int] | None = None, limit: int = 50
) -> tuple[list[Overdue], tuple[date, int] | None]:
    """Return a page of overdue invoices, the latest debt last, and after what the next page begins. One query."""
    stage = select(func.max(Reminder.stage)).where(Reminder.document_id == DocumentBalance.document_id)
    query = (
        select(
            Document.id, Document.number, Document.customer_id, Document.customer_name, DocumentBalance.due_on,
            DocumentBalance.open, _HELD, stage.correlate(DocumentBalance).scalar_subquery(),
        )
        .join(Document, Document.id == DocumentBalance.document_id)
        .where(
            DocumentBalance.kind == DocumentKind.INVOICE,
            _OPEN,
            DocumentBalance.due_on < today,
        )
        .order_by(DocumentBalance.due_on, DocumentBalance.document_id)
        .limit(limit + 1)
    )  # fmt: skip
    if after is not None:
        day, last = after
        query = query.where(
            DocumentBalance.due_on >= day,
            or_(DocumentBalance.due_on > day, DocumentBalance.document_id > last),
        )
    rows = [
        Overdue(document_id, number, customer_id, customer, due_on, amount, held, sent or 0)
        for document_id, number, customer_id, customer, due_on, amount, held, sent in session.execute(query)
        if due_on is not None
    ]
    more = len(rows) > limit
    return rows[:limit], (rows[limit - 1].due_on, rows[limit - 1].document_id) if more else None


def reminders_of(session: Session, document_id: int) -> list[tuple[Reminder, ReminderWithdrawal | None]]:
    """Return the reminders of a document in order, each with why its mails were taken back, where they were."""
    query = (
        select(Reminder, ReminderWithdrawal)
        .outerjoin(ReminderWithdrawal, ReminderWithdrawal.reminder_id == Reminder.id)
        .where(Reminder.document_id == document_id)
        .order_by(Reminder.id)
    )
    return [(one, taken_back) for one, taken_back in session.execute(query)]
