"""What our books say of many agreements on a day: bought, used, left, and invoiced by whoever invoices it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sla_manager.agreements.models import (
    Agreement,
    AgreementLine,
    LedgerEntry,
    TakenRow,
    Tranche,
    Variation,
)
from sla_manager.agreements.queries import balances
from sla_manager.agreements.queries.payment import Billing, billing_facts, planned_documents
from sla_manager.agreements.rules.differences import Ours
from sla_manager.agreements.rules.ledger import Balance
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.statuses import Origin
from sla_manager.agreements.rules.taken_checks import shown_quantity
from sla_manager.billing.models import Document
from sla_manager.billing.queries.dues import due_plan
from sla_manager.billing.rules.dues import months_ended
from sla_manager.catalogue.rules.vat import TaxedLine, document_totals, rate_at
from sla_manager.kernel.minutes import Minutes, total_minutes
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.periods import Period


def our_figures(session: Session, every: Mapping[int, Agreement], as_at: date) -> dict[int, Ours]:
    """Return our figures of many agreements on a day."""
    billing = billing_facts(session)
    money = _invoiced(session, every, as_at, billing)
    time: dict[int, list[Balance]] = defaultdict(list)
    if every:
        service_id = next(iter(every.values())).service_id
        for one in balances(session, service_id=service_id, on=as_at):
            time[one.agreement_id].append(one.figures)
    varied = _varied(session, as_at)
    return {
        key: _of_one(agreement, time.get(key), varied.get(key, Decimal(0)), money[key], as_at, billing)
        for key, agreement in every.items()
    }


def _varied(session: Session, as_at: date) -> dict[int, Decimal]:
    query = (
        select(AgreementLine.agreement_id, func.sum(Variation.quantity))
        .join(Variation, Variation.line_id == AgreementLine.id)
        .where(Variation.effective_on <= as_at)
        .group_by(AgreementLine.agreement_id)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def _of_one(
    agreement: Agreement,
    time: Sequence[Balance] | None,
    varied: Decimal,
    money: tuple[Money, Money],
    as_at: date,
    billing: Billing,
) -> Ours:
    first = agreement.lines[0]
    bought = sum((line.quantity for line in agreement.lines), Decimal(0)) + varied
    used = charged = lapsed = balance = None
    if time is not None and first.unit_minutes is not None:
        unit = first.unit_minutes

        def of(name: str) -> Decimal:
            return shown_quantity(total_minutes(getattr(one, name) for one in time), unit)

        charged, lapsed = of("charged"), of("lapsed")
        used = of("used") - lapsed
        balance = bought - used - lapsed
    term = Period.through(agreement.starts_on, agreement.ends_on)
    planned = planned_documents(agreement.lines, agreement.schedule, term, billing)
    return Ours(
        bought=bought,
        varied=varied,
        used=used,
        charged=charged or Decimal(0),
        lapsed=lapsed or Decimal(0),
        balance=balance,
        unit=first.unit,
        unit_price=first.unit_price,
        net=agreement.net,
        invoiced_net=money[0],
        invoiced_gross=money[1],
        instalments=tuple(one.net for one in planned),
        due=sum(one.due_on <= as_at for one in planned),
    )


def _invoiced(
    session: Session, every: Mapping[int, Agreement], as_at: date, billing: Billing
) -> dict[int, tuple[Money, Money]]:
    """Return net and gross of what is invoiced by a day: issued, due, and by the other system where it bills."""
    sums: dict[int, list[tuple[Money, Money]]] = defaultdict(list)
    issued = (
        select(Document.agreement_id, func.sum(Document.net), func.sum(Document.gross))
        .where(Document.tax_point <= as_at, Document.agreement_id.is_not(None))
        .group_by(Document.agreement_id)
    )
    for agreement_id, net, gross in session.execute(issued):
        if agreement_id is not None:
            sums[agreement_id].append((net, gross))
    plan = due_plan(session, as_at, agreement_ids=list(every)) if every else None
    for due in plan.dues if plan else ():
        found = due.totals(billing.rates)
        sums[due.agreement_id].append((found.net, found.gross))
    bill_from = {row[0]: row[1] for row in session.execute(select(TakenRow.agreement_id, TakenRow.bill_from))}
    used = _used_elsewhere(session, every, as_at, bill_from)
    for key, agreement in every.items():
        if agreement.origin is Origin.IMPORT:
            sums[key] += _elsewhere(agreement, as_at, bill_from.get(key), used.get(key), billing)
    return {
        key: (total(net for net, _ in sums[key]), total(gross for _, gross in sums[key])) for key in every
    }


def _elsewhere(
    agreement: Agreement, as_at: date, bill_from: date | None, used: Minutes | None, billing: Billing
) -> list[tuple[Money, Money]]:
    """Return the documents that the other system issues by a day, by the schedule that was agreed."""
    line = agreement.lines[0]
    if agreement.schedule is Schedule.ON_DELIVERY:
        if not used or line.unit_minutes is None:
            return []
        net = line.unit_price.times(used.in_units(line.unit_minutes))
        rate = rate_at(line.vat_code, as_at, billing.rates)
        found = document_totals([TaxedLine(net, line.vat_code, rate, line.vat_reason)])
        return [(found.net, found.gross)]
    term = Period.through(agreement.starts_on, agreement.ends_on)
    return [
        (one.net, one.gross)
        for one in planned_documents(agreement.lines, agreement.schedule, term, billing)
        if one.due_on <= as_at and (bill_from is None or one.due_on < bill_from)
    ]


def _used_elsewhere(
    session: Session, every: Mapping[int, Agreement], as_at: date, bill_from: Mapping[int, date | None]
) -> dict[int, Minutes]:
    """Return the time that the other system bills after delivery: whole months, and until we bill."""
    wanted = {
        key
        for key, one in every.items()
        if one.origin is Origin.IMPORT and one.schedule is Schedule.ON_DELIVERY
    }
    if not wanted:
        return {}
    query = (
        select(AgreementLine.agreement_id, LedgerEntry.effective_on, LedgerEntry.cause, LedgerEntry.minutes)
        .join(Tranche, Tranche.id == LedgerEntry.tranche_id)
        .join(AgreementLine, AgreementLine.id == Tranche.line_id)
        .where(
            AgreementLine.agreement_id.in_(wanted),
            LedgerEntry.kind.in_(("delivered", "charged", "reversal")),
            LedgerEntry.effective_on <= as_at,
        )
    )
    sums: dict[int, Minutes] = defaultdict(lambda: Minutes(0))
    for key, day, cause, minutes in session.execute(query):
        before = cause.startswith("takeover:")
        begins = bill_from.get(key)
        if before or (day < months_ended(as_at) and (begins is None or day < begins)):
            sums[key] -= minutes
    return sums
