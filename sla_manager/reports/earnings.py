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

from sqlalchemy import BigInteger, Text, and_, case, func, or_, select, type_coerce
from sqlalchemy.orm import Session, aliased

from sla_manager.agreements.models import Agreement, AgreementLine, LedgerEntry, TakenRow, Tranche, Variation
from sla_manager.agreements.rules.ledger import Balance, EntryKind
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.worth import worth_of_time
from sla_manager.billing.models import Document, DocumentLine
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import month_of
from sla_manager.reports.earned import NOTHING, Worth, passed, worth_of_minutes
from sla_manager.visits.models import Delivery, ExtraTime, ExtraTimeStatus

_UNDONE: Any = aliased(LedgerEntry)
_USES = tuple(
    kind.value for kind in (EntryKind.DELIVERED, EntryKind.CHARGED, EntryKind.LAPSED, EntryKind.CREDITED)
)
_COUNTED_AS: Any = func.coalesce(_UNDONE.kind, LedgerEntry.kind)
Figures = Mapping[str, int]
"""The minutes of a tranche by the kind they count as, as the ledger writes them: use is below nothing."""


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
    figures: Figures | None
    """None where time is not counted."""
    worth: Worth
    extra: Money = NOTHING

    @property
    def balance(self) -> Balance | None:
        """The figures of its ledger."""
        return None if self.figures is None else _balance(self.figures)

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
        entries = None if minutes is None else figures.get(tranche, {})
        if entries is None:
            until = ends if early is None else max(starts, min(ends, early))
            worth = Worth(passed=(gone := passed(bought, starts, until, on)), left=bought - gone)
        elif schedule is Schedule.ON_DELIVERY:
            worth = on_delivery.get(tranche, Worth())
        else:
            worth = _worth(entries, bought)
        parts.append(
            EarnedPart(
                tranche_id=tranche, line_id=line, agreement_id=agreement, year=of,
                net=bought, figures=entries, worth=worth,
                extra=extra.get((line, of), NOTHING),
            )
        )  # fmt: skip
    return parts


def _figures(session: Session, on: date, year: int | None) -> dict[int, dict[str, int]]:
    """Return the minutes of each tranche by the kind they count as, reversals with the kind that they undo."""
    kind = type_coerce(_COUNTED_AS, Text)
    query = (
        select(LedgerEntry.tranche_id, kind, func.sum(type_coerce(LedgerEntry.minutes, BigInteger)))
        .outerjoin(_UNDONE, _UNDONE.id == LedgerEntry.reverses_id)
        .where(LedgerEntry.effective_on <= on)
        .group_by(LedgerEntry.tranche_id, _COUNTED_AS)
    )
    if year is not None:
        query = query.join(Tranche, Tranche.id == LedgerEntry.tranche_id).where(Tranche.year == year)
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for tranche, counted_as, minutes in session.execute(query):
        found[tranche][counted_as] = int(minutes)
    return found


def _worth(entries: Figures, net: Money) -> Worth:
    delivered, charged, lapsed, credited = (-entries.get(kind, 0) for kind in _USES)
    return worth_of_minutes(
        entries.get(EntryKind.CONTRACTED.value, 0) + entries.get(EntryKind.VARIED.value, 0),
        delivered, charged, lapsed, credited, net,
    )  # fmt: skip


def _balance(entries: Figures) -> Balance:
    delivered, charged, lapsed, credited = (Minutes(-entries.get(kind, 0)) for kind in _USES)
    return Balance(
        contracted=Minutes(entries.get(EntryKind.CONTRACTED.value, 0)),
        varied=Minutes(entries.get(EntryKind.VARIED.value, 0)),
        delivered=delivered, charged=charged, lapsed=lapsed, credited=credited,
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
