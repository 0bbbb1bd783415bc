"""What each part of each agreement has earned by the end of a day, and how much of it was invoiced.

A fixed number of questions however many agreements there are. Everything counts on the day on which it took effect:
a delivery of 31 March that is logged in April belongs to March, a document to the day of its issue.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, and_, case, func, or_, select, type_coerce
from sqlalchemy.orm import Session, aliased

from sla_manager.agreements.models import Agreement, AgreementLine, LedgerEntry, TakenRow, Tranche, Variation
from sla_manager.agreements.rules.ledger import Balance, EntryKind
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.worth import worth_of_time
from sla_manager.billing.models import Document, DocumentLine
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import month_of
from sla_manager.reports.earned import NOTHING, Worth, passed, worth_of
from sla_manager.visits.models import Delivery, ExtraTime, ExtraTimeStatus

_UNDONE: Any = aliased(LedgerEntry)
_COUNTED_AS: Any = func.coalesce(_UNDONE.kind, LedgerEntry.kind)
Figures = dict[tuple[int, EntryKind], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class EarnedPart:
    """A line's part of one financial year and what became of it by the end of a day.

    `extra` is approved extra time. Of an agreement that is paid on delivery, what lapses is not earned: it was never
    charged, and stands in `worth.left`.
    """

    tranche_id: int
    line_id: int
    agreement_id: int
    year: int
    net: Money
    """What it was bought for, changes included."""
    balance: Balance | None
    worth: Worth
    extra: Money = NOTHING

    @property
    def earned(self) -> Money:
        """What is earned, extra time included."""
        return self.worth.earned + self.extra


def earned_parts(
    session: Session, on: date, *, year: int | None = None, lines: Collection[int] | None = None
) -> list[EarnedPart]:
    """Return every part with what is earned of it by the end of a day; of a financial year or of lines when given."""
    figures = _figures(session, on, year)
    varied = _varied(session, on)
    extra = _extra(session, on)
    on_delivery = _delivered_values(session, on, year)
    query = (
        select(
            Tranche.id, Tranche.line_id, AgreementLine.agreement_id, Tranche.year, Tranche.minutes, Tranche.net,
            Tranche.starts_on, Tranche.ends_on, Agreement.ends_early_on, Agreement.schedule,
        )
        .join(AgreementLine, AgreementLine.id == Tranche.line_id)
        .join(Agreement, Agreement.id == AgreementLine.agreement_id)
        .where(Tranche.starts_on <= on)
        .order_by(Agreement.id, AgreementLine.position, Tranche.year)
    )  # fmt: skip
    if year is not None:
        query = query.where(Tranche.year == year)
    if lines is not None:
        query = query.where(Tranche.line_id.in_(lines))
    parts = []
    for tranche, line, agreement, of, minutes, net, starts, ends, early, schedule in session.execute(query):
        bought = net + varied.get((line, of), NOTHING)
        balance = None if minutes is None else _balance(figures, tranche)
        if balance is None:
            until = ends if early is None else max(starts, min(ends, early))
            worth = Worth(passed=(gone := passed(bought, starts, until, on)), left=bought - gone)
        elif schedule is Schedule.ON_DELIVERY:
            worth = on_delivery.get(tranche, Worth())
        else:
            worth = worth_of(balance, bought)
        parts.append(
            EarnedPart(
                tranche_id=tranche, line_id=line, agreement_id=agreement, year=of,
                net=bought, balance=balance, worth=worth,
                extra=extra.get((line, of), NOTHING),
            )
        )  # fmt: skip
    return parts


def _figures(session: Session, on: date, year: int | None) -> Figures:
    """Return the minutes of each tranche by the kind they count as, reversals with the kind that they undo."""
    minutes = func.sum(type_coerce(LedgerEntry.minutes, BigInteger))
    query = (
        select(LedgerEntry.tranche_id, _COUNTED_AS, minutes)
        .outerjoin(_UNDONE, _UNDONE.id == LedgerEntry.reverses_id)
        .where(LedgerEntry.effective_on <= on)
        .group_by(LedgerEntry.tranche_id, _COUNTED_AS)
    )
    if year is not None:
        query = query.join(Tranche, Tranche.id == LedgerEntry.tranche_id).where(Tranche.year == year)
    return {(tranche, EntryKind(kind)): int(length) for tranche, kind, length in session.execute(query)}


def _balance(figures: Mapping[tuple[int, EntryKind], int], tranche: int) -> Balance:
    def of(kind: EntryKind) -> Minutes:
        return Minutes(
            abs(figures.get((tranche, kind), 0)) if kind.takes_away else figures.get((tranche, kind), 0)
        )

    return Balance(
        contracted=of(EntryKind.CONTRACTED), varied=of(EntryKind.VARIED), delivered=of(EntryKind.DELIVERED),
        charged=of(EntryKind.CHARGED), credited=of(EntryKind.CREDITED), lapsed=of(EntryKind.LAPSED),
    )  # fmt: skip


def _varied(session: Session, on: date) -> dict[tuple[int, int], Money]:
    query = (
        select(Variation.line_id, Variation.year, func.sum(Variation.net))
        .where(Variation.effective_on <= on)
        .group_by(Variation.line_id, Variation.year)
    )
    return {(line, year): net for line, year, net in session.execute(query)}


def _extra(session: Session, on: date) -> dict[tuple[int, int], Money]:
    """Return approved extra time by line and year: earned when it was given, once the school has approved it."""
    query = (
        select(ExtraTime.line_id, ExtraTime.year, func.sum(ExtraTime.net))
        .join(Delivery, Delivery.id == ExtraTime.delivery_id)
        .where(ExtraTime.status == ExtraTimeStatus.APPROVED, Delivery.delivered_on <= on)
        .group_by(ExtraTime.line_id, ExtraTime.year)
    )
    return {(line, year): net for line, year, net in session.execute(query)}


def _delivered_values(session: Session, on: date, year: int | None) -> dict[int, Worth]:
    """Return what agreements that are paid on delivery have earned: month by month, as it is invoiced."""
    minutes = func.sum(type_coerce(LedgerEntry.minutes, BigInteger))
    used = or_(_COUNTED_AS == EntryKind.DELIVERED, _COUNTED_AS == EntryKind.CHARGED)
    day = case((_UNDONE.id.is_not(None), _UNDONE.effective_on), else_=LedgerEntry.effective_on)
    query = (
        select(Tranche.id, AgreementLine, _COUNTED_AS, day, minutes)
        .select_from(LedgerEntry)
        .outerjoin(_UNDONE, _UNDONE.id == LedgerEntry.reverses_id)
        .join(Tranche, Tranche.id == LedgerEntry.tranche_id)
        .join(AgreementLine, AgreementLine.id == Tranche.line_id)
        .join(Agreement, Agreement.id == AgreementLine.agreement_id)
        .where(Agreement.schedule == Schedule.ON_DELIVERY, LedgerEntry.effective_on <= on, used)
        .group_by(Tranche.id, AgreementLine.id, _COUNTED_AS, day)
    )
    if year is not None:
        query = query.where(Tranche.year == year)
    months: dict[tuple[int, date], dict[EntryKind, int]] = defaultdict(lambda: defaultdict(int))
    lines: dict[int, AgreementLine] = {}
    for tranche, line, kind, on_day, length in session.execute(query):
        lines[tranche] = line
        months[tranche, month_of(on_day).start][EntryKind(kind)] -= int(length)
    found: dict[int, Worth] = {}
    for (tranche, _), by_kind in months.items():
        charged = worth_of_time(lines[tranche], Minutes(by_kind[EntryKind.CHARGED]))
        together = worth_of_time(lines[tranche], Minutes(sum(by_kind.values())))
        so_far = found.get(tranche, Worth())
        found[tranche] = Worth(
            delivered=so_far.delivered + together - charged, charged=so_far.charged + charged
        )
    return found


def invoiced_by_agreement(session: Session, on: date) -> dict[int, Money]:
    """Return the net that was invoiced less what was credited, by agreement, on documents issued by a day.

    What an agreement that was taken over had been billed elsewhere counts as well.
    """
    query = (
        select(AgreementLine.agreement_id, func.sum(DocumentLine.net))
        .join(DocumentLine, DocumentLine.line_id == AgreementLine.id)
        .join(Document, and_(Document.id == DocumentLine.document_id, Document.issued_on <= on))
        .group_by(AgreementLine.agreement_id)
    )
    found: dict[int, Money] = {row[0]: row[1] for row in session.execute(query)}
    before = select(Agreement.id, Agreement.net, TakenRow.to_bill).join(
        TakenRow, TakenRow.agreement_id == Agreement.id
    )
    for agreement, net, to_bill in session.execute(before):
        found[agreement] = found.get(agreement, NOTHING) + net - to_bill
    return found
