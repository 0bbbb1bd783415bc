"""What is due on a date and not billed: instalments, variations, deliveries in arrears, approved extra time.

A handful of queries for a whole run, however many agreements there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from sqlalchemy import and_, exists, func, select
from sqlalchemy.orm import Session, joinedload

from sla_manager.agreements.models import (
    Agreement,
    AgreementLine,
    Instalment,
    InstalmentPart,
    Variation,
)
from sla_manager.agreements.models.changes import DroppedInstalment
from sla_manager.agreements.queries.partnerships import invoiced_together
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.billing.models import Billed, Document
from sla_manager.billing.queries.arrears import IN_FORCE, among, arrears, extra_time, taken_back
from sla_manager.billing.queries.documents import agreement_values
from sla_manager.billing.queries.policy import finance_policy
from sla_manager.billing.rules.dues import (
    Due,
    DueLine,
    PartsDoNotAddUp,
    PurchaseOrderMissing,
    instalment_why,
    joined,
    period_words,
)
from sla_manager.billing.rules.impossible import impossible
from sla_manager.billing.rules.orders import purchase_order_needed
from sla_manager.catalogue.queries import vat_rates
from sla_manager.catalogue.rules.vat import UK_RATES, DatedRate, Route
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.words import long_date, pounds
from sla_manager.people.models import Customer, School

_CHUNK = 5_000


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
        *arrears(session, as_at, agreement_ids),
        *extra_time(session, as_at, agreement_ids),
        *taken_back(session, agreement_ids),
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
            Agreement.status.in_(IN_FORCE),
            ~exists().where(billed),
            ~dropped,
            among(ids),
        )
    )
    bare = (
        select(Instalment, Agreement)
        .join(Agreement, Agreement.id == Instalment.agreement_id)
        .where(
            Instalment.due_on <= as_at,
            Agreement.status.in_(IN_FORCE),
            ~exists().where(InstalmentPart.instalment_id == Instalment.id),
            among(ids),
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
