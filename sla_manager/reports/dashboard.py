"""What waits for finance today: counted in the database, a fixed number of questions however large the books are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, FromClause, Select, and_, exists, func, literal, select, text, true
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from sla_manager.agreements.models import (
    Agreement,
    AgreementLine,
    DroppedInstalment,
    Instalment,
    InstalmentPart,
    LedgerEntry,
    Tranche,
)
from sla_manager.agreements.rules.ledger import EntryKind
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.billing.models import (
    Billed,
    Document,
    DocumentFile,
    OneOffCharge,
    OneOffWithdrawal,
    Parked,
)
from sla_manager.billing.rules.dues import months_ended
from sla_manager.finance.models import ExportedDocument
from sla_manager.finance.queries import layouts, waiting_count
from sla_manager.kernel.clock import london_time
from sla_manager.kernel.money import Money
from sla_manager.payments.models import DocumentBalance, Hold, HoldRelease
from sla_manager.payments.models.bank import BankLineOpen
from sla_manager.payments.models.cards import CardAlert, CardEvent
from sla_manager.payments.queries import debtors_by_age, unallocated_total
from sla_manager.payments.queries.receipts import AgedDebt
from sla_manager.payments.rules.ageing import Age
from sla_manager.reports.errands import CHECK_BOOKS, EVERYTHING
from sla_manager.store.columns import MoneyColumn
from sla_manager.store.errands import Errand, latest
from sla_manager.store.job_runs import JobRun
from sla_manager.store.outbox import OutboxMessage
from sla_manager.visits.models import Delivery, ExtraTime, ExtraTimeStatus

_IN_FORCE = (AgreementStatus.AGREED, AgreementStatus.ENDED)
_NOTHING = Money(0)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many things wait, and for how much; None where they have no amount."""

    count: int
    amount: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """Everything that waits for finance, and what went wrong by itself."""

    instalments: Waiting
    one_off: Waiting
    extra_time: Waiting
    arrears: Waiting
    parked: int
    to_print: int
    to_export: list[tuple[str, int]]
    aged: list[AgedDebt]
    held: Waiting
    overpaid: Waiting
    on_account: Money
    unmatched: Waiting
    card_alerts: int
    failing_mails: int
    failing_jobs: list[tuple[str, str]] = field(default_factory=list)
    last_check: Errand | None

    @property
    def overdue(self) -> Waiting:
        """Invoices whose due date is past."""
        late = [one for one in self.aged if one.age is not Age.NOT_DUE]
        return Waiting(sum(one.documents for one in late), _sum(one.amount for one in late))

    @property
    def owed(self) -> Money:
        """Everything that is open on invoices."""
        return _sum(one.amount for one in self.aged)


def _sum(amounts: Iterable[Money]) -> Money:
    return sum(amounts, _NOTHING)


def dashboard(session: Session, today: date) -> Dashboard:
    """Return what waits on a day. Nothing is worked out document by document: a run's preview does that."""
    found = _counted(session, today)
    failed = select(JobRun.name, JobRun.message).where(JobRun.ok.is_(False)).order_by(JobRun.name)
    return Dashboard(
        instalments=found["instalments"],
        one_off=found["one_off"],
        extra_time=found["extra_time"],
        arrears=Waiting(found["arrears"].count),
        parked=found["parked"].count,
        to_print=found["to_print"].count,
        to_export=_to_export(session),
        aged=debtors_by_age(session, today),
        held=found["held"],
        overpaid=Waiting(found["overpaid"].count, -(found["overpaid"].amount or _NOTHING)),
        on_account=unallocated_total(session),
        unmatched=found["unmatched"],
        card_alerts=found["card_alerts"].count + found["card_events"].count,
        failing_mails=found["mails"].count,
        failing_jobs=[(name, message) for name, message in session.execute(failed)],
        last_check=latest(session, CHECK_BOOKS, EVERYTHING),
    )


def _counted(session: Session, today: date) -> dict[str, Waiting]:
    """Return every count and sum, all in one question."""
    wanted = {**_to_invoice(today), **_to_collect(), **_gone_wrong()}
    parts = [query.subquery(name) for name, query in wanted.items()]
    together: FromClause = parts[0]
    for part in parts[1:]:  # each is one row
        together = together.join(part, true())
    row = session.execute(
        select(*(column for part in parts for column in part.c)).select_from(together)
    ).one()
    return {
        name: Waiting(int(row[2 * place]), row[2 * place + 1] or _NOTHING)
        for place, name in enumerate(wanted)
    }


Counting = Select[int, Money]


def _both(amount: ColumnElement[Money] | InstrumentedAttribute[Money] | None = None) -> Counting:
    """Begin a question for how many and how much."""
    summed = literal(_NOTHING, MoneyColumn()) if amount is None else func.sum(amount)
    return select(func.count().label("count"), summed.label("amount"))


def _to_invoice(today: date) -> dict[str, Counting]:
    tomorrow: datetime = london_time(today + timedelta(days=1), time(0))
    undone = aliased(LedgerEntry)
    time_billed = Billed.purpose.in_(("delivery", "cancellation")) & (Billed.source_id == LedgerEntry.id)
    return {
        "instalments": _instalments(today),
        "one_off": _both(OneOffCharge.net).where(
            OneOffCharge.delivered_on <= today,
            ~exists().where(OneOffWithdrawal.charge_id == OneOffCharge.id),
            ~exists().where(Billed.purpose == "one_off", Billed.source_id == OneOffCharge.id),
        ),
        "extra_time": _both(ExtraTime.net)
        .join(Delivery, Delivery.id == ExtraTime.delivery_id)
        .where(
            ExtraTime.status == ExtraTimeStatus.APPROVED,
            ExtraTime.decided_at < tomorrow,
            Delivery.delivered_on <= today,
            ~exists().where(Billed.purpose == "extra_time", Billed.source_id == ExtraTime.id),
        ),
        "arrears": _both()
        .select_from(LedgerEntry)
        .join(Tranche, Tranche.id == LedgerEntry.tranche_id)
        .join(AgreementLine, AgreementLine.id == Tranche.line_id)
        .join(Agreement, Agreement.id == AgreementLine.agreement_id)
        .where(
            Agreement.schedule == Schedule.ON_DELIVERY,
            Agreement.status.in_(_IN_FORCE),
            LedgerEntry.kind.in_((EntryKind.DELIVERED, EntryKind.CHARGED)),
            LedgerEntry.effective_on < months_ended(today),
            ~exists().where(undone.reverses_id == LedgerEntry.id),
            ~exists().where(time_billed),
        ),
        "parked": _both().select_from(Parked),
    }


def _instalments(today: date) -> Counting:
    """Ask for the documents that instalments and variations due by a day still make: one for each route."""
    billed = and_(
        Billed.purpose == Instalment.purpose,
        Billed.source_id == Instalment.id,
        Billed.route == AgreementLine.route,
    )
    documents = (
        select(Instalment.id, AgreementLine.route, func.sum(InstalmentPart.net).label("net"))
        .join(Agreement, Agreement.id == Instalment.agreement_id)
        .join(InstalmentPart, InstalmentPart.instalment_id == Instalment.id)
        .join(AgreementLine, AgreementLine.id == InstalmentPart.line_id)
        .where(
            Instalment.due_on <= today,
            Agreement.status.in_(_IN_FORCE),
            ~exists().where(billed),
            ~exists().where(DroppedInstalment.instalment_id == Instalment.id),
        )
        .group_by(Instalment.id, AgreementLine.route)
        .subquery()
    )
    return _both(documents.c.net).select_from(documents)


def _to_collect() -> dict[str, Counting]:
    released = exists().where(HoldRelease.hold_id == Hold.id)
    held = select(Hold.document_id).where(~released)
    return {
        "held": _both(DocumentBalance.open).where(DocumentBalance.document_id.in_(held)),
        "overpaid": _both(DocumentBalance.open).where(DocumentBalance.open < text("0")),
        "unmatched": _both(BankLineOpen.open).where(BankLineOpen.open > text("0")),
    }


def _gone_wrong() -> dict[str, Counting]:
    printed = exists().where(DocumentFile.document_id == Document.id)
    return {
        "to_print": _both().select_from(Document).where(~printed),
        "card_alerts": _both().select_from(CardAlert).where(CardAlert.answered_at.is_(None)),
        "card_events": _both()
        .select_from(CardEvent)
        .where(CardEvent.handled_at.is_(None), CardEvent.last_error.is_not(None)),
        "mails": _both()
        .select_from(OutboxMessage)
        .where(OutboxMessage.sent_at.is_(None), OutboxMessage.last_error.is_not(None)),
    }


def _to_export(session: Session) -> list[tuple[str, int]]:
    """Return what waits for each finance system that was ever handed anything; before that, for the first one."""
    every = layouts(session)
    used = set(session.scalars(select(ExportedDocument.target).distinct()))
    chosen = [one for one in every if one.name in used] or every[:1]
    return [(one.title, waiting_count(session, one.name, one.scope)) for one in chosen]
