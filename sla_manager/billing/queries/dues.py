"""What is due on a date and not billed: instalments, variations, deliveries in arrears, approved extra time.

A handful of queries for a whole run, however many agreements there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, and_, exists, func, select, true
from sqlalchemy.orm import Session, aliased, joinedload

from sla_manager.agreements.models import (
    Agreement,
    AgreementLine,
    Instalment,
    InstalmentPart,
    LedgerEntry,
    Tranche,
    Variation,
)
from sla_manager.agreements.models.changes import DroppedInstalment
from sla_manager.agreements.queries.partnerships import invoiced_together
from sla_manager.agreements.queries.takeovers import billed_elsewhere
from sla_manager.agreements.rules.ledger import EntryKind
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.agreements.worth import is_lowered, signed_minutes, worth_of_time
from sla_manager.billing.models import Billed, Document
from sla_manager.billing.queries.documents import agreement_values
from sla_manager.billing.queries.policy import finance_policy
from sla_manager.billing.rules.dues import (
    Due,
    DueLine,
    PartsDoNotAddUp,
    PurchaseOrderMissing,
    instalment_why,
    joined,
    months_ended,
    period_words,
    time_line_figures,
)
from sla_manager.billing.rules.impossible import impossible
from sla_manager.billing.rules.orders import purchase_order_needed
from sla_manager.catalogue.queries import vat_rates
from sla_manager.catalogue.rules.vat import UK_RATES, DatedRate, Route
from sla_manager.kernel.clock import london_date, london_time
from sla_manager.kernel.minutes import Minutes, total_minutes
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.periods import month_of
from sla_manager.kernel.words import long_date, pounds
from sla_manager.people.models import Customer, School
from sla_manager.visits.models import Delivery, ExtraTime, ExtraTimeStatus

_CHUNK = 5_000
_IN_FORCE = (AgreementStatus.AGREED, AgreementStatus.ENDED)
_PURPOSES = {EntryKind.DELIVERED: "delivery", EntryKind.CHARGED: "cancellation"}


@dataclass(frozen=True, slots=True)
class _Part:
    """One line's part of an instalment, with everything that decides it."""

    instalment: Instalment
    agreement: Agreement
    part: InstalmentPart | None = None
    line: AgreementLine | None = None
    is_billed: bool = False
    variation: Variation | None = None


@dataclass
class DuePlan:
    """Everything that is due on a date: documents in the order of issue, their agreements, what comes to £0."""

    as_at: date
    dues: list[Due] = field(default_factory=list)
    agreements: dict[int, Agreement] = field(default_factory=dict)
    nothing: list[Due] = field(default_factory=list)
    already: int = 0


def due_plan(session: Session, as_at: date, *, agreement_ids: Sequence[int] | None = None) -> DuePlan:
    """Return what a run on a date would issue. Nothing that was billed before is in it."""
    found = [
        *_instalments(session, as_at, agreement_ids),
        *_arrears(session, as_at, agreement_ids),
        *_extra_time(session, as_at, agreement_ids),
    ]
    plan = DuePlan(as_at, agreements=_agreements(session, {due.agreement_id for due in found}))
    found.sort(key=lambda due: (due.net.pence < 0, due.tax_point, due.agreement_id, due.label, due.route))
    least = finance_policy(session).purchase_order_from
    rates = vat_rates(session) or UK_RATES
    checked = [_with_purchase_order(due, plan.agreements[due.agreement_id], least, rates) for due in found]
    checked = _possible(session, plan, checked)
    for due in _together(session, plan, checked):
        (plan.dues if due.net or due.trouble else plan.nothing).append(due)
    plan.already = already_billed(session, as_at)
    return plan


_PLANNED = ("instalment", "variation")


def _possible(session: Session, plan: DuePlan, dues: Sequence[Due]) -> list[Due]:
    """Put trouble on everything due for an agreement of which more is proposed than can be right (C6)."""
    planned = [due for due in dues if due.trouble is None and due.sources[0][0] in _PLANNED]
    proposed: dict[int, list[Money]] = defaultdict(list)
    for due in planned:
        proposed[due.agreement_id].append(due.net)
    if not proposed:
        return list(dues)
    values, billed = agreement_values(session, proposed), _billed_instalments(session, proposed)
    troubles = {
        one: impossible(
            plan.agreements[one].reference,
            value=values[one][0],
            billed=billed.get(one, Money(0)),
            proposed=total(nets),
            documents=len(nets),
        )
        for one, nets in proposed.items()
    }
    return [
        replace(due, trouble=troubles.get(due.agreement_id)) if due.trouble is None else due for due in dues
    ]


def _billed_instalments(session: Session, ids: Iterable[int]) -> dict[int, Money]:
    """Return what of each agreement's instalments and variations is billed."""
    wanted, found = sorted(ids), dict[int, Money]()
    for start in range(0, len(wanted), _CHUNK):
        query = (
            select(Instalment.agreement_id, func.sum(InstalmentPart.net))
            .join(InstalmentPart, InstalmentPart.instalment_id == Instalment.id)
            .join(AgreementLine, AgreementLine.id == InstalmentPart.line_id)
            .join(
                Billed,
                and_(
                    Billed.purpose == Instalment.purpose,
                    Billed.source_id == Instalment.id,
                    Billed.route == AgreementLine.route,
                ),
            )
            .where(Instalment.agreement_id.in_(wanted[start : start + _CHUNK]))
            .group_by(Instalment.agreement_id)
        )
        found |= {row[0]: row[1] for row in session.execute(query)}
    return found


def _together(session: Session, plan: DuePlan, dues: Sequence[Due]) -> list[Due]:
    """Put on one document what a payer has asked to have together: same partnership, route, label and date."""
    joint = invoiced_together(session, plan.agreements)
    groups: dict[object, list[Due]] = {}
    for place, due in enumerate(dues):
        partnership_id = joint.get(due.agreement_id)
        key: object = place
        if partnership_id is not None and due.net.pence > 0:
            payer = plan.agreements[due.agreement_id].customer_id
            key = (partnership_id, payer, due.route, due.label, due.tax_point)
        groups.setdefault(key, []).append(due)
    return [
        joined(group, [plan.agreements[due.agreement_id].school.name for due in group])
        if len(group) > 1
        else group[0]
        for group in groups.values()
    ]


def already_billed(session: Session, as_at: date) -> int:
    """Return how many documents bill what was due on a date: a second run counts them and issues none."""
    query = select(func.count(func.distinct(Billed.document_id))).join(
        Document, Document.id == Billed.document_id
    )
    return session.scalar(query.where(Document.tax_point <= as_at)) or 0


def _with_purchase_order(
    due: Due, agreement: Agreement, least: Money | None, rates: Sequence[DatedRate]
) -> Due:
    if due.trouble is not None or due.net.pence < 0 or agreement.purchase_order.strip():
        return due
    asks = agreement.customer.purchase_order_required
    if not purchase_order_needed(due.route, due.totals(rates).gross, by_customer=asks, least=least):
        return due
    return replace(due, trouble=PurchaseOrderMissing(customer_name(agreement), agreement.reference))


def customer_name(agreement: Agreement) -> str:
    """Return who pays for an agreement (its customer loaded with school and trust)."""
    customer = agreement.customer
    payer = customer.trust or customer.school
    return payer.name if payer is not None else agreement.school.name


def _agreements(session: Session, ids: Iterable[int]) -> dict[int, Agreement]:
    wanted = sorted(ids)
    found: dict[int, Agreement] = {}
    for start in range(0, len(wanted), _CHUNK):
        query = (
            select(Agreement)
            .where(Agreement.id.in_(wanted[start : start + _CHUNK]))
            .options(
                joinedload(Agreement.customer).joinedload(Customer.school).joinedload(School.trust),
                joinedload(Agreement.customer).joinedload(Customer.trust),
                joinedload(Agreement.school).joinedload(School.trust),
                joinedload(Agreement.service),
            )
        )
        found |= {agreement.id: agreement for agreement in session.scalars(query)}
    return found


def _among(ids: Sequence[int] | None) -> ColumnElement[bool]:
    return true() if ids is None else Agreement.id.in_(ids)


def _instalments(session: Session, as_at: date, ids: Sequence[int] | None) -> list[Due]:
    """Return a document for each instalment or variation and route of which something is not billed."""
    dropped = exists().where(DroppedInstalment.instalment_id == Instalment.id)
    billed = and_(
        Billed.purpose == Instalment.purpose,
        Billed.source_id == Instalment.id,
        Billed.route == AgreementLine.route,
    )
    waiting = (
        select(Instalment.id)
        .join(Agreement, Agreement.id == Instalment.agreement_id)
        .join(InstalmentPart, InstalmentPart.instalment_id == Instalment.id)
        .join(AgreementLine, AgreementLine.id == InstalmentPart.line_id)
        .where(
            Instalment.due_on <= as_at,
            Agreement.status.in_(_IN_FORCE),
            ~exists().where(billed),
            ~dropped,
            _among(ids),
        )
    )
    bare = (
        select(Instalment, Agreement)
        .join(Agreement, Agreement.id == Instalment.agreement_id)
        .where(
            Instalment.due_on <= as_at,
            Agreement.status.in_(_IN_FORCE),
            ~exists().where(InstalmentPart.instalment_id == Instalment.id),
            _among(ids),
        )
    )
    whole = (
        select(Instalment, InstalmentPart, AgreementLine, exists().where(billed), Agreement, Variation)
        .join(InstalmentPart, InstalmentPart.instalment_id == Instalment.id)
        .join(AgreementLine, AgreementLine.id == InstalmentPart.line_id)
        .join(Agreement, Agreement.id == Instalment.agreement_id)
        .outerjoin(Variation, Variation.id == Instalment.variation_id)
        .where(Instalment.id.in_(waiting))
        .order_by(Instalment.id, AgreementLine.position)
    )
    grouped: dict[int, list[_Part]]
    grouped = defaultdict(list)
    for instalment, part, line, is_billed, agreement, variation in session.execute(whole):
        grouped[instalment.id].append(_Part(instalment, agreement, part, line, is_billed, variation))
    for instalment, agreement in session.execute(bare):
        grouped[instalment.id].append(_Part(instalment, agreement))
    return [due for group in grouped.values() for due in _of_instalment(group)]


def _of_instalment(group: list[_Part]) -> list[Due]:
    instalment, agreement = group[0].instalment, group[0].agreement
    if _after_the_end(instalment, agreement):
        return []
    label = (
        f"instalment {instalment.position} of {instalment.count}"
        if instalment.purpose == "instalment"
        else f"variation {instalment.position}"
    )
    parts = total(one.part.net for one in group if one.part is not None)
    trouble = None if parts == instalment.net else PartsDoNotAddUp(label.capitalize(), instalment.net, parts)
    routes: dict[Route, list[DueLine]] = defaultdict(list)
    for one in group:
        if one.part is not None and one.line is not None and not one.is_billed and one.part.net:
            routes[one.line.route].append(_instalment_line(one.part, one.line, one, label))
    if not routes and trouble is not None:
        routes[Route.INVOICE] = []
    return [
        Due(
            agreement_id=agreement.id,
            route=route,
            label=label,
            tax_point=instalment.due_on,
            lines=tuple(lines),
            sources=((instalment.purpose, instalment.id),),
            trouble=trouble,
        )
        for route, lines in routes.items()
    ]


def _after_the_end(instalment: Instalment, agreement: Agreement) -> bool:
    """Say whether an agreement ended before an instalment fell due: what was not due is not asked for."""
    ended = agreement.status is AgreementStatus.ENDED and agreement.ended_at is not None
    if agreement.ends_early_on is not None:
        return False  # what is not due any more was dropped when the early end was arranged
    return (
        ended
        and instalment.purpose == "instalment"
        and agreement.ended_at is not None
        and london_date(agreement.ended_at) < min(instalment.due_on, agreement.ends_on)
    )


def _instalment_line(part: InstalmentPart, line: AgreementLine, of: _Part, label: str) -> DueLine:
    quantity, net, said, varied = line.quantity, line.net, line.explanation, of.variation
    if of.instalment.purpose == "variation" and (varied is None or varied.net != part.net):
        return _settled_line(part, line, of)
    if varied is not None:
        quantity, net, said = varied.quantity, varied.net, ""
        label = f"{label}, from {long_date(varied.effective_on)}"
    return DueLine(
        line_id=line.id,
        description=line.description,
        period=period_words(of.agreement.starts_on, of.agreement.ends_on),
        quantity=quantity,
        unit=line.unit,
        unit_price=line.unit_price,
        net=part.net,
        vat_code=line.vat_code,
        vat_reason=line.vat_reason,
        why=instalment_why(quantity, line.unit, line.unit_price, net, said, label),
    )


def _settled_line(part: InstalmentPart, line: AgreementLine, of: _Part) -> DueLine:
    """Return what an early end leaves to be charged or credited: what stays payable less what was charged."""
    last = of.agreement.ends_early_on or of.agreement.ends_on
    return DueLine(
        line_id=line.id,
        description=line.description,
        period=period_words(of.agreement.starts_on, last),
        quantity=Decimal(1),
        unit="part",
        unit_price=part.net,
        net=part.net,
        vat_code=line.vat_code,
        vat_reason=line.vat_reason,
        why=(f"{pounds(part.net)} settles what stays payable", f"the agreement ends on {long_date(last)}"),
    )


def _arrears(session: Session, as_at: date, ids: Sequence[int] | None) -> list[Due]:
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
            Agreement.status.in_(_IN_FORCE),
            LedgerEntry.kind.in_(tuple(_PURPOSES)),
            LedgerEntry.effective_on < months_ended(as_at),
            ~exists().where(undone.reverses_id == LedgerEntry.id),
            ~exists().where(purpose, Billed.source_id == LedgerEntry.id),
            ~billed_elsewhere(),
            _among(ids),
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


def _extra_time(session: Session, as_at: date, ids: Sequence[int] | None) -> list[Due]:
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
            Agreement.status.in_(_IN_FORCE),
            ~exists().where(Billed.purpose == "extra_time", Billed.source_id == ExtraTime.id),
            _among(ids),
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
