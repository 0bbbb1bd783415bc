"""The income of a financial year, part by part, with everything it can be asked by: class, trust, family, officer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, exists, func, or_, select, type_coerce
from sqlalchemy.orm import Session, aliased

from sla_manager.agreements.models import Agreement, AgreementLine, LedgerEntry, Tranche
from sla_manager.agreements.rules.ledger import EntryKind
from sla_manager.billing.models import Billed, Document, OneOffCharge, OneOffLine, OneOffWithdrawal
from sla_manager.billing.rules.locks import end_of
from sla_manager.catalogue.models import Offering
from sla_manager.catalogue.rules.families import Family
from sla_manager.kernel.money import Money, apportion, total
from sla_manager.kernel.periods import ONE_DAY, FinancialYear
from sla_manager.people.models import Customer, Officer, School, Trust
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.reports.earned import NOTHING, shared_by_time
from sla_manager.reports.earnings import EarnedPart, earned_parts
from sla_manager.reports.waived import waived_by_line
from sla_manager.visits.models import Delivery, ExtraTime, ExtraTimeStatus, Visit

NOBODY = 0
"""The key of what no officer delivered: lapsed time, items, what was delivered before a takeover."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomePart:
    """What one line (or one line of a one-off charge) earned in a financial year, credits beyond the ledger taken off.

    `by_officer` is who delivered it (the key `NOBODY` for the rest); it adds up to `amount`.
    """

    service_id: int
    agreement_id: int | None
    school_id: int | None
    customer_class: CustomerClass
    trust: str
    family: str
    offering: str
    amount: Money
    by_officer: Mapping[int, Money] = field(default_factory=dict)
    kind: str = "agreement"


def income_parts(
    session: Session, year: FinancialYear, on: date, *, officers: bool = False
) -> list[IncomePart]:
    """Return the income of a financial year as it stands at the end of a day: what was earned of it.

    Who delivered it is only looked for when `officers` are asked for.
    """
    parts = earned_parts(session, on, year=year.first)
    waived = _waived_in(session, year, on)
    minutes = _officer_minutes(session, year, on) if officers else {}
    extra = _extra_by_officer(session, year, on) if officers else {}
    facts = _facts(session)
    found = []
    for part in parts:
        less = waived.pop(part.line_id, NOTHING)
        if part.earned or less:
            shares = (
                _shares(part, less, minutes.get(part.tranche_id, {}), extra.get(part.line_id, {}))
                if officers
                else {}
            )
            found.append(IncomePart(**facts[part.line_id], amount=part.earned - less, by_officer=shares))
    for line, less in waived.items():
        found.append(IncomePart(**facts[line], amount=-less, by_officer={NOBODY: -less}))
    return [*found, *_one_offs(session, year, on)]


def _waived_in(session: Session, year: FinancialYear, on: date) -> dict[int, Money]:
    """Return what was credited in the year beyond agreed changes and lost time, by line."""
    now = waived_by_line(session, on)
    if not now:
        return {}
    before = waived_by_line(session, year.period.start - ONE_DAY)
    moved = {line: amount - before.get(line, NOTHING) for line, amount in now.items()}
    return {line: amount for line, amount in moved.items() if amount}


def _shares(
    part: EarnedPart, waived: Money, minutes: Mapping[int, int], extra: Mapping[int, Money]
) -> dict[int, Money]:
    shares: dict[int, Money] = defaultdict(lambda: NOTHING)
    for officer, amount in shared_by_time(part.worth.delivered + part.worth.charged, minutes).items():
        shares[officer] += amount
    for officer, amount in extra.items():
        shares[officer] += amount
    rest = part.earned - waived - total(shares.values())
    if rest:
        shares[NOBODY] += rest
    return dict(shares)


def _facts(session: Session) -> dict[int, dict[str, Any]]:
    """Return what a line's income can be asked by."""
    payer = aliased(Trust)
    query = (
        select(
            AgreementLine.id, Agreement.service_id, Agreement.id, Agreement.school_id, Agreement.customer_class,
            func.coalesce(payer.name, Trust.name, ""), AgreementLine.family, Offering.name,
        )
        .join(Agreement, Agreement.id == AgreementLine.agreement_id)
        .join(Offering, Offering.id == AgreementLine.offering_id)
        .join(School, School.id == Agreement.school_id)
        .join(Customer, Customer.id == Agreement.customer_id)
        .outerjoin(Trust, Trust.id == School.trust_id)
        .outerjoin(payer, payer.id == Customer.trust_id)
    )  # fmt: skip
    return {
        line: {
            "service_id": service, "agreement_id": agreement, "school_id": school,
            "customer_class": customer_class, "trust": trust, "family": family.title, "offering": offering,
        }
        for line, service, agreement, school, customer_class, trust, family, offering in session.execute(query)
    }  # fmt: skip


def _officer_minutes(session: Session, year: FinancialYear, on: date) -> dict[int, dict[int, int]]:
    """Return who delivered (or was booked for) the time of each part of a year."""
    undone = aliased(LedgerEntry)
    kind: Any = func.coalesce(undone.kind, LedgerEntry.kind)
    visit = func.coalesce(LedgerEntry.visit_id, undone.visit_id)
    query = (
        select(
            LedgerEntry.tranche_id, Visit.officer_id,
            func.sum(type_coerce(LedgerEntry.minutes, BigInteger)),
        )
        .join(Tranche, Tranche.id == LedgerEntry.tranche_id)
        .outerjoin(undone, undone.id == LedgerEntry.reverses_id)
        .outerjoin(Visit, Visit.id == visit)
        .where(
            Tranche.year == year.first, LedgerEntry.effective_on <= on,
            or_(kind == EntryKind.DELIVERED, kind == EntryKind.CHARGED),
        )
        .group_by(LedgerEntry.tranche_id, Visit.officer_id)
    )  # fmt: skip
    found: dict[int, dict[int, int]] = defaultdict(dict)
    for tranche, officer, minutes in session.execute(query):
        found[tranche][officer or NOBODY] = -int(minutes)
    return found


def _extra_by_officer(session: Session, year: FinancialYear, on: date) -> dict[int, dict[int, Money]]:
    query = (
        select(ExtraTime.line_id, Visit.officer_id, func.sum(ExtraTime.net))
        .join(Delivery, Delivery.id == ExtraTime.delivery_id)
        .join(Visit, Visit.id == Delivery.visit_id)
        .where(
            ExtraTime.status == ExtraTimeStatus.APPROVED,
            ExtraTime.year == year.first,
            Delivery.delivered_on <= on,
        )
        .group_by(ExtraTime.line_id, Visit.officer_id)
    )
    found: dict[int, dict[int, Money]] = defaultdict(dict)
    for line, officer, net in session.execute(query):
        found[line][officer] = net
    return found


def _one_offs(session: Session, year: FinancialYear, on: date) -> Iterator[IncomePart]:
    """Yield the lines of one-off charges of the year, less what was credited of them."""
    back = (
        select(Billed.source_id, func.sum(Document.net).label("net"))
        .join(Document, Document.credits_id == Billed.document_id)
        .where(Billed.purpose == "one_off", Document.issued_on <= on)
        .group_by(Billed.source_id)
        .subquery()
    )
    withdrawn = exists().where(
        OneOffWithdrawal.charge_id == OneOffCharge.id, OneOffWithdrawal.withdrawn_at < end_of(on)
    )
    site, payer, theirs = aliased(School), aliased(School), aliased(Trust)
    query = (
        select(
            OneOffCharge.id, OneOffCharge.service_id, OneOffCharge.kind, OneOffLine.net, Offering.family,
            Offering.name, func.coalesce(site.id, payer.id),
            func.coalesce(
                site.customer_class_override, site.derived_class,
                payer.customer_class_override, payer.derived_class,
            ),
            func.coalesce(theirs.name, Trust.name, ""), back.c.net,
        )
        .join(OneOffLine, OneOffLine.charge_id == OneOffCharge.id)
        .join(Customer, Customer.id == OneOffCharge.customer_id)
        .outerjoin(Offering, Offering.id == OneOffLine.offering_id)
        .outerjoin(site, site.id == OneOffCharge.school_id)
        .outerjoin(payer, payer.id == Customer.school_id)
        .outerjoin(theirs, theirs.id == Customer.trust_id)
        .outerjoin(Trust, Trust.id == func.coalesce(site.trust_id, payer.trust_id))
        .outerjoin(back, back.c.source_id == OneOffCharge.id)
        .where(
            ~withdrawn, OneOffCharge.delivered_on >= year.period.start,
            OneOffCharge.delivered_on <= min(on, year.period.last),
        )
        .order_by(OneOffCharge.id, OneOffLine.position)
    )  # fmt: skip
    charges: dict[int, list[Any]] = defaultdict(list)
    for row in session.execute(query):
        charges[row[0]].append(row)
    for rows in charges.values():
        credited = -(rows[0][-1] or NOTHING)
        less = apportion(credited.pence, [max(row[3].pence, 0) for row in rows])
        for row, part in zip(rows, less, strict=True):
            yield _one_off(row, row[3] - Money(part))


def _one_off(row: Any, amount: Money) -> IncomePart:
    _, service, kind, _, family, offering, school, customer_class, trust, _ = row
    said = "Interest and compensation for late payment" if kind == "late_payment" else "One-off charges"
    return IncomePart(
        service_id=service, agreement_id=None, school_id=school,
        customer_class=customer_class or CustomerClass.ACADEMY,  # a trust itself: its schools are academies
        trust=trust, family=Family(family).title if family else said, offering=offering or said,
        amount=amount, by_officer={NOBODY: amount}, kind=kind,
    )  # fmt: skip


def officer_names(session: Session) -> dict[int, str]:
    """Return the officers' names, and what stands for nobody."""
    found = {row[0]: row[1] for row in session.execute(select(Officer.id, Officer.name))}
    return found | {NOBODY: "Not delivered by an officer"}
