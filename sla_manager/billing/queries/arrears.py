"""What was delivered, charged or given beyond the balance, month by month, and what of it is put right afterwards.

Delivered time is billed when the school has agreed to the visit, and time that it queries when that is settled:
money leaves a school only with its consent (domain section 9). Time that was billed and then taken back is credited
on the document that billed it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select, true
from sqlalchemy.orm import Session, aliased

from sla_manager.agreements.models import Agreement, AgreementLine, LedgerEntry, Tranche
from sla_manager.agreements.queries.takeovers import billed_elsewhere
from sla_manager.agreements.rules.ledger import EntryKind
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.agreements.worth import is_lowered, signed_minutes, worth_of_time
from sla_manager.billing.models import Billed, Document
from sla_manager.billing.rules.dues import Due, DueLine, months_ended, time_line_figures
from sla_manager.catalogue.rules.vat import Route
from sla_manager.kernel.clock import london_time
from sla_manager.kernel.minutes import Minutes, total_minutes
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import month_of
from sla_manager.kernel.words import long_date, pounds
from sla_manager.people.models import School
from sla_manager.visits.models import Delivery, ExtraTime, ExtraTimeStatus, SchoolResponse, Visit

IN_FORCE = (AgreementStatus.AGREED, AgreementStatus.ENDED)
_PURPOSES = {EntryKind.DELIVERED: "delivery", EntryKind.CHARGED: "cancellation"}
NOT_ANSWERED = "The school has not agreed to this visit yet. Ask it to answer on its page of visits."
_IN_ARREARS = ("delivery", "cancellation")


def among(ids: Sequence[int] | None) -> ColumnElement[bool]:
    """Limit a question to some agreements; None asks of all."""
    return true() if ids is None else Agreement.id.in_(ids)


def is_queried(visit_id: Any) -> ColumnElement[bool]:
    """Say whether the school queries a visit and nobody has settled that."""
    later = aliased(SchoolResponse)
    superseded = (
        exists()
        .where(later.visit_id == SchoolResponse.visit_id, later.id > SchoolResponse.id)
        .correlate(SchoolResponse)
    )
    return (
        exists()
        .where(SchoolResponse.visit_id == visit_id, SchoolResponse.answer == "query", ~superseded)
        .correlate_except(SchoolResponse)
    )


def is_agreed(visit_id: Any) -> ColumnElement[bool]:
    """Say whether the school agrees with a visit, or its query was settled: its last answer counts."""
    later = aliased(SchoolResponse)
    superseded = (
        exists()
        .where(later.visit_id == SchoolResponse.visit_id, later.id > SchoolResponse.id)
        .correlate(SchoolResponse)
    )
    return (
        exists()
        .where(
            SchoolResponse.visit_id == visit_id,
            SchoolResponse.answer.in_(("agree", "settled")),
            ~superseded,
        )
        .correlate_except(SchoolResponse)
    )


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Time that would be billed, were it not for the school's query, or for its answer that is still missing."""

    visit_id: int
    reference: str
    school: str
    day: date
    said: str


def held_back(session: Session, as_at: date) -> list[HeldBack]:
    """Return the queried visits whose time waits to be billed: on delivery, or as approved extra time."""
    later = aliased(SchoolResponse)
    last = ~exists().where(later.visit_id == Visit.id, later.id > SchoolResponse.id)
    beyond = exists().where(
        Delivery.visit_id == Visit.id,
        ExtraTime.delivery_id == Delivery.id,
        ExtraTime.status == ExtraTimeStatus.APPROVED,
        ~exists().where(Billed.purpose == "extra_time", Billed.source_id == ExtraTime.id),
    )
    undone = aliased(LedgerEntry)
    taken = exists().where(
        LedgerEntry.visit_id == Visit.id,
        LedgerEntry.kind.in_(tuple(_PURPOSES)),
        ~exists().where(undone.reverses_id == LedgerEntry.id),
        ~exists().where(Billed.purpose.in_(_IN_ARREARS), Billed.source_id == LedgerEntry.id),
    )
    query = (
        select(Visit.id, Agreement.reference, School.name, Visit.day, SchoolResponse.wording)
        .join(SchoolResponse, and_(SchoolResponse.visit_id == Visit.id, SchoolResponse.answer == "query"))
        .join(Tranche, Tranche.id == Visit.tranche_id)
        .join(AgreementLine, AgreementLine.id == Tranche.line_id)
        .join(Agreement, Agreement.id == AgreementLine.agreement_id)
        .join(School, School.id == Visit.school_id)
        .where(
            last,
            Visit.day <= as_at,
            Agreement.status.in_(IN_FORCE),
            beyond | (taken & (Agreement.schedule == Schedule.ON_DELIVERY)),
        )
        .order_by(Visit.day, Visit.id)
    )
    queried = [HeldBack(*row) for row in session.execute(query)]
    unanswered = (
        select(Visit.id, Agreement.reference, School.name, Visit.day)
        .join(Tranche, Tranche.id == Visit.tranche_id)
        .join(AgreementLine, AgreementLine.id == Tranche.line_id)
        .join(Agreement, Agreement.id == AgreementLine.agreement_id)
        .join(School, School.id == Visit.school_id)
        .where(
            Visit.day < months_ended(as_at),
            Agreement.status.in_(IN_FORCE),
            Agreement.schedule == Schedule.ON_DELIVERY,
            exists().where(LedgerEntry.visit_id == Visit.id, LedgerEntry.kind == EntryKind.DELIVERED),
            taken,
            ~exists().where(SchoolResponse.visit_id == Visit.id),
        )
        .order_by(Visit.day, Visit.id)
    )
    waiting = [HeldBack(*row, NOT_ANSWERED) for row in session.execute(unanswered)]
    return sorted([*queried, *waiting], key=lambda one: (one.day, one.visit_id))


def arrears(session: Session, as_at: date, ids: Sequence[int] | None) -> list[Due]:
    """Return a document for each month of an agreement paid on delivery: what was delivered or charged in it."""
    undone = aliased(LedgerEntry)
    purpose = Billed.purpose.in_(("delivery", "cancellation"))
    query = (
        select(LedgerEntry, AgreementLine, Agreement)
        .join(Tranche, Tranche.id == LedgerEntry.tranche_id)
        .join(AgreementLine, AgreementLine.id == Tranche.line_id)
        .join(Agreement, Agreement.id == AgreementLine.agreement_id)
        .where(
            Agreement.schedule == Schedule.ON_DELIVERY,
            Agreement.status.in_(IN_FORCE),
            LedgerEntry.kind.in_(tuple(_PURPOSES)),
            LedgerEntry.effective_on < months_ended(as_at),
            ~exists().where(undone.reverses_id == LedgerEntry.id),
            ~exists().where(purpose, Billed.source_id == LedgerEntry.id),
            ~billed_elsewhere(),
            ~is_queried(LedgerEntry.visit_id),
            or_(
                LedgerEntry.kind != EntryKind.DELIVERED,
                LedgerEntry.visit_id.is_(None),
                is_agreed(LedgerEntry.visit_id),
            ),
            among(ids),
        )
        .order_by(LedgerEntry.effective_on, LedgerEntry.id)
    )
    grouped: dict[tuple[int, date, Route], list[tuple[LedgerEntry, AgreementLine, Agreement]]] = defaultdict(
        list
    )
    for entry, line, agreement in session.execute(query):
        month = month_of(entry.effective_on).start
        grouped[agreement.id, month, line.route].append((entry, line, agreement))
    return [_of_month(month, route, rows) for (_, month, route), rows in grouped.items()]


def _of_month(month: date, route: Route, rows: list[tuple[LedgerEntry, AgreementLine, Agreement]]) -> Due:
    lines: dict[int, tuple[AgreementLine, list[LedgerEntry]]] = {}
    for entry, line, _ in rows:
        lines.setdefault(line.id, (line, []))[1].append(entry)
    return Due(
        agreement_id=rows[0][2].id,
        route=route,
        label=f"delivered in {month:%B} {month.year}",
        tax_point=month_of(month).last,
        lines=tuple(_time_line(line, entries, month) for line, entries in lines.values()),
        sources=tuple((_PURPOSES[entry.kind], entry.id) for entry, _, _ in rows),
    )


def _time_line(line: AgreementLine, entries: list[LedgerEntry], month: date) -> DueLine:
    worked = -total_minutes(entry.minutes for entry in entries)
    days = ", ".join(
        f"{'cancelled late ' if entry.kind is EntryKind.CHARGED else ''}{long_date(entry.effective_on)}"
        for entry in entries
    )
    return _worked(
        line, worked, f"{month:%B} {month.year}", None, f"delivered in {month:%B} {month.year}: {days}"
    )


def _worked(line: AgreementLine, worked: Minutes, period: str, net: Money | None, after: str) -> DueLine:
    unit_minutes = line.unit_minutes or Minutes(60)
    amount = worth_of_time(line, worked) if net is None else net
    quantity, unit, price, sentence = time_line_figures(
        worked, unit_minutes, line.unit, line.unit_price, amount
    )
    if net is None and is_lowered(line):
        whole = signed_minutes(line).hours_and_minutes()
        quantity, unit, price = Decimal(1), "piece of work", amount
        sentence = f"{worked.hours_and_minutes()} of {whole} agreed for {pounds(line.net)} = {pounds(amount)}"
    return DueLine(
        line_id=line.id,
        description=line.description,
        period=period,
        quantity=quantity,
        unit=unit,
        unit_price=price,
        net=amount,
        vat_code=line.vat_code,
        vat_reason=line.vat_reason,
        why=(sentence, after),
    )


def extra_time(session: Session, as_at: date, ids: Sequence[int] | None) -> list[Due]:
    """Return a document for each month of an agreement in which extra time was given and then approved."""
    tomorrow: datetime = london_time(as_at + timedelta(days=1), time(0))
    query = (
        select(ExtraTime, AgreementLine, Agreement, Delivery.delivered_on)
        .join(Delivery, Delivery.id == ExtraTime.delivery_id)
        .join(AgreementLine, AgreementLine.id == ExtraTime.line_id)
        .join(Agreement, Agreement.id == AgreementLine.agreement_id)
        .where(
            ExtraTime.status == ExtraTimeStatus.APPROVED,
            ExtraTime.decided_at < tomorrow,
            Delivery.delivered_on <= as_at,
            Agreement.status.in_(IN_FORCE),
            ~exists().where(Billed.purpose == "extra_time", Billed.source_id == ExtraTime.id),
            ~is_queried(Delivery.visit_id),
            among(ids),
        )
        .order_by(Delivery.delivered_on, ExtraTime.id)
    )
    grouped: dict[tuple[int, date, Route], list[tuple[ExtraTime, AgreementLine, Agreement, date]]]
    grouped = defaultdict(list)
    for extra, line, agreement, day in session.execute(query):
        grouped[agreement.id, month_of(day).start, line.route].append((extra, line, agreement, day))
    dues = []
    for (agreement_id, month, route), rows in grouped.items():
        lines = tuple(
            _worked(
                line, extra.minutes, long_date(day), extra.net,
                f"extra time on {long_date(day)}, approved by {extra.decided_by}",
            )
            for extra, line, _, day in rows
        )  # fmt: skip
        dues.append(
            Due(
                agreement_id=agreement_id,
                route=route,
                label=f"extra time in {month:%B} {month.year}",
                tax_point=max(day for _, _, _, day in rows),
                lines=lines,
                sources=tuple(("extra_time", extra.id) for extra, _, _, _ in rows),
            )
        )
    return dues


def taken_back(session: Session, ids: Sequence[int] | None) -> list[Due]:
    """Return a credit for each document that billed time which was taken back since, and is not credited yet."""
    undone = aliased(LedgerEntry)
    billed = and_(Billed.purpose.in_(_IN_ARREARS), Billed.source_id == undone.id)
    query = (
        select(LedgerEntry, AgreementLine, Agreement, Document.id, Document.number, Document.tax_point)
        .join(undone, undone.id == LedgerEntry.reverses_id)
        .join(Billed, billed)
        .join(Document, Document.id == Billed.document_id)
        .join(Tranche, Tranche.id == LedgerEntry.tranche_id)
        .join(AgreementLine, AgreementLine.id == Tranche.line_id)
        .join(Agreement, Agreement.id == AgreementLine.agreement_id)
        .where(~_is_credited(LedgerEntry), among(ids))
        .order_by(LedgerEntry.id)
    )
    grouped: dict[int, list[Any]] = defaultdict(list)
    for row in session.execute(query):
        grouped[row[3]].append(row)
    return [_of_document(session, rows) for rows in grouped.values()]


def _is_credited(entry: Any) -> ColumnElement[bool]:
    mark = aliased(Billed)
    return exists().where(mark.purpose == "delivery", mark.source_id == entry.id)


def _of_document(session: Session, rows: list[Any]) -> Due:
    _, first, agreement, document_id, number, tax_point = rows[0]
    lines: dict[int, tuple[AgreementLine, list[LedgerEntry]]] = {}
    for entry, line, *_ in rows:
        lines.setdefault(line.id, (line, []))[1].append(entry)
    return Due(
        agreement_id=agreement.id,
        route=first.route,
        label=f"time of {number} taken back",
        tax_point=tax_point,
        lines=tuple(
            _less(line, back, _still_billed(session, document_id, line_id), number)
            for line_id, (line, back) in lines.items()
        ),
        sources=tuple(("delivery", entry.id) for entry, *_ in rows),
        credits_id=document_id,
    )


def _still_billed(session: Session, document_id: int, line_id: int) -> Minutes:
    """Return the time that a document bills for a line, less what is credited of it."""
    undone = aliased(LedgerEntry)
    credited = exists().where(undone.reverses_id == LedgerEntry.id, _is_credited(undone))
    query = (
        select(LedgerEntry.minutes)
        .join(Billed, and_(Billed.purpose.in_(_IN_ARREARS), Billed.source_id == LedgerEntry.id))
        .join(Tranche, Tranche.id == LedgerEntry.tranche_id)
        .where(
            Billed.document_id == document_id,
            Tranche.line_id == line_id,
            LedgerEntry.kind.in_(tuple(_PURPOSES)),
            ~credited,
        )
    )
    return -total_minutes(session.scalars(query))


def _less(line: AgreementLine, back: list[LedgerEntry], billed: Minutes, number: str) -> DueLine:
    """Return what a line falls by: its worth before, less its worth after, so that parts add up to the penny."""
    given = total_minutes(entry.minutes for entry in back)
    net = worth_of_time(line, billed) - worth_of_time(line, billed - given)
    days = ", ".join(long_date(entry.effective_on) for entry in back)
    return DueLine(
        line_id=line.id,
        description=line.description,
        period="",
        quantity=Decimal(1),
        unit="part",
        unit_price=net,
        net=-net,
        vat_code=line.vat_code,
        vat_reason=line.vat_reason,
        why=(
            f"{given.hours_and_minutes()} of {billed.hours_and_minutes()} billed by {number} = {pounds(net)}",
            f"taken back: {days}",
        ),
    )
