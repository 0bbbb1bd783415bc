"""The day ledger asked: balances of many tranches in one query, and every entry that led to one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, literal, select
from sqlalchemy.orm import Session, aliased

from sla_manager.agreements.models import Agreement, AgreementLine, LedgerEntry, Tranche, Variation
from sla_manager.agreements.rules.ledger import Balance, EntryKind
from sla_manager.kernel.errors import NotFound
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.people.models import School
from sla_manager.store.columns import MinutesColumn, MoneyColumn


@dataclass(frozen=True, slots=True, kw_only=True)
class TrancheBalance:
    """A tranche, whose it is, and its figures by kind. `balance` never falls below nothing."""

    tranche_id: int
    line_id: int
    agreement_id: int
    reference: str
    service_id: int
    school_id: int
    school: str
    description: str
    unit: str
    unit_minutes: Minutes
    unit_price: Money
    year: int
    starts_on: date
    ends_on: date
    net: Money
    """What the bought time cost, variations included."""
    figures: Balance

    @property
    def balance(self) -> Minutes:
        """What is left."""
        return self.figures.balance


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One entry and the balance after it."""

    entry: LedgerEntry
    balance: Minutes


_UNDONE: Any = aliased(LedgerEntry)
_counted_as: ColumnElement[Any] = func.coalesce(_UNDONE.kind, LedgerEntry.kind)
"""A reversal counts with the kind of the entry that it undoes."""
_NOTHING = literal(Minutes(0), MinutesColumn())
_SUMS = [
    func.coalesce(func.sum(case((_counted_as == kind, LedgerEntry.minutes), else_=_NOTHING)), _NOTHING)
    for kind in EntryKind
    if kind is not EntryKind.REVERSAL
]
_VARIED_NET = (
    select(func.coalesce(func.sum(Variation.net), literal(Money(0), MoneyColumn())))
    .where(Variation.line_id == Tranche.line_id, Variation.year == Tranche.year)
    .correlate(Tranche)
    .scalar_subquery()
)


def balances(
    session: Session,
    *,
    school_id: int | None = None,
    agreement_id: int | None = None,
    service_id: int | None = None,
    tranche_ids: Sequence[int] | None = None,
    year: int | None = None,
    on: date | None = None,
) -> list[TrancheBalance]:
    """Return the balances of all tranches that fit, one query however many there are.

    `on` asks for the balance at the end of that day: entries that take effect later are left out. What is not
    counted in time (an item) has no balance and is left out.
    """
    counted = LedgerEntry.tranche_id == Tranche.id
    if on is not None:
        counted = counted & (LedgerEntry.effective_on <= on)
    query: Select[Any] = (
        select(Tranche, AgreementLine, Agreement, School.name, _VARIED_NET, *_SUMS)
        .join(AgreementLine, AgreementLine.id == Tranche.line_id)
        .join(Agreement, Agreement.id == AgreementLine.agreement_id)
        .join(School, School.id == Agreement.school_id)
        .outerjoin(LedgerEntry, counted)
        .outerjoin(_UNDONE, _UNDONE.id == LedgerEntry.reverses_id)
        .where(Tranche.minutes.is_not(None))
        .group_by(Tranche.id, AgreementLine.id, Agreement.id, School.id)
        .order_by(Agreement.id, AgreementLine.position, Tranche.year)
    )
    wanted = (
        (Agreement.school_id, school_id),
        (Agreement.id, agreement_id),
        (Agreement.service_id, service_id),
        (Tranche.year, year),
    )
    for column, value in wanted:
        if value is not None:
            query = query.where(column == value)
    if tranche_ids is not None:
        query = query.where(Tranche.id.in_(tranche_ids))
    return [_tranche_balance(row) for row in session.execute(query)]


def _tranche_balance(row: Any) -> TrancheBalance:
    tranche, line, agreement, school, varied_net, contracted, varied, *used = row
    delivered, charged, credited, lapsed = (-one for one in used)
    return TrancheBalance(
        tranche_id=tranche.id,
        line_id=line.id,
        agreement_id=agreement.id,
        reference=agreement.reference,
        service_id=agreement.service_id,
        school_id=agreement.school_id,
        school=school,
        description=line.description,
        unit=line.unit,
        unit_minutes=line.unit_minutes,
        unit_price=line.unit_price,
        year=tranche.year,
        starts_on=tranche.starts_on,
        ends_on=_usable_until(tranche, agreement),
        net=tranche.net + varied_net,
        figures=Balance(
            contracted=contracted,
            varied=varied,
            delivered=delivered,
            charged=charged,
            credited=credited,
            lapsed=lapsed,
        ),
    )


def _usable_until(tranche: Tranche, agreement: Agreement) -> date:
    """Return the last day on which a part can be used: an early end comes before the end of the year."""
    if agreement.ends_early_on is None:
        return tranche.ends_on
    return max(tranche.starts_on, min(tranche.ends_on, agreement.ends_early_on))


def ledger(session: Session, tranche_id: int, *, on: date | None = None) -> list[LedgerRow]:
    """Return a tranche's entries in the order in which they take effect, each with the balance after it."""
    if session.get(Tranche, tranche_id) is None:
        raise NotFound
    query = select(LedgerEntry).where(LedgerEntry.tranche_id == tranche_id)
    if on is not None:
        query = query.where(LedgerEntry.effective_on <= on)
    rows, left = [], Minutes(0)
    for entry in session.scalars(query.order_by(LedgerEntry.effective_on, LedgerEntry.id)):
        left += entry.minutes
        rows.append(LedgerRow(entry, left))
    return rows


def tranche_on(session: Session, line_id: int, day: date) -> Tranche | None:
    """Return the tranche of a line that a day of delivery uses, or None outside the agreement's dates."""
    query = select(Tranche).where(
        Tranche.line_id == line_id, Tranche.starts_on <= day, Tranche.ends_on >= day
    )
    return session.scalar(query)
