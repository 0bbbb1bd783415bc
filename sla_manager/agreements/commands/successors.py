"""The agreement that goes on with another customer: what is left of the old one, at the same price."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from sla_manager.agreements.commands.numbers import next_reference
from sla_manager.agreements.models import Agreement, AgreementLine
from sla_manager.agreements.queries.endings import EndPreview, LineEnd, YearCut
from sla_manager.agreements.queries.payment import agreement_totals, billing_facts
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.statuses import AgreementStatus, Origin
from sla_manager.catalogue.queries import treatment_of
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.periods import Period
from sla_manager.kernel.quantities import plain
from sla_manager.kernel.words import counted, pounds
from sla_manager.people.models import Customer, School
from sla_manager.store.audit import Actor


def successor(
    session: Session,
    preview: EndPreview,
    school: School,
    customer: Customer,
    *,
    effective_on: date,
    schedule: Schedule,
    by: Actor,
    at: datetime,
) -> Agreement | None:
    """Return the agreement that is to go on, as a draft with its lines; None when nothing is left."""
    old = preview.agreement
    left = [one for one in preview.lines if any(cut.cuts for cut in one.cuts)]
    if not left:
        return None
    term = Period.through(max(effective_on, old.starts_on), old.ends_on)
    own = school.customer_class.is_own
    new = Agreement(
        reference=next_reference(session, f"{old.service.series}-Q", at=at),
        service_id=old.service_id,
        customer_id=customer.id,
        school_id=school.id,
        status=AgreementStatus.DRAFT,
        customer_class=school.customer_class,
        paid_from=old.paid_from if own else "budget",
        schedule=Schedule.ON_DELIVERY if old.schedule is Schedule.ON_DELIVERY else schedule,
        starts_on=term.start,
        ends_on=term.last,
        quoted_at=at,
        origin=Origin.TRANSFER,
        notice_months=old.notice_months,
        renews=old.renews,
        prepared_by=by.name,
        prepared_by_id=by.person_id,
    )
    lines = [
        _line(session, one, place, new, effective_on=effective_on) for place, one in enumerate(left, start=1)
    ]
    new.net, new.vat = agreement_totals(lines, new.schedule, term, billing_facts(session))
    new.gross = new.net + new.vat
    session.add(new)
    session.flush()
    for line in lines:
        line.agreement_id = new.id
    session.add_all(lines)
    session.flush()
    return new


def _line(
    session: Session, one: LineEnd, position: int, new: Agreement, *, effective_on: date
) -> AgreementLine:
    was = one.line
    shares = [_share(cut, effective_on) for cut in one.cuts if cut.cuts]
    net = total(cut.net for cut in one.cuts)
    quantity = max(one.quantity, Decimal("0.001"))
    vat = treatment_of(
        session,
        was.offering,
        new.customer_class,
        private_fund=new.paid_from == "private_fund",
        tax_point=new.starts_on,
    )
    return AgreementLine(
        position=position,
        offering_id=was.offering_id,
        offering=was.offering,
        family=was.family,
        description=was.description,
        quantity=quantity,
        unit=was.unit,
        unit_minutes=was.unit_minutes,
        step=was.step,
        unit_price=was.unit_price,
        net=net,
        route=vat.route,
        vat_code=vat.code,
        vat_reason=vat.reason,
        charging_method=was.charging_method,
        block_minutes=was.block_minutes,
        counts_preparation=was.counts_preparation,
        counts_report=was.counts_report,
        counts_travel=was.counts_travel,
        explanation=_explanation(was, quantity, net),
        price_shape=was.price_shape,
        price_facts=was.price_facts,
        discount=Money(0),
        package=was.package,
        year_shares=shares,
    )


def _explanation(was: AgreementLine, quantity: Decimal, net: Money) -> str:
    simple = was.unit_price.times(quantity) == net
    first = f"{counted(quantity, was.unit)} × {pounds(was.unit_price)} = {pounds(net)}"
    return first if simple else f"{counted(quantity, was.unit)} that were left, worth {pounds(net)}"


def _share(cut: YearCut, effective_on: date) -> dict[str, Any]:
    """Return one financial year's part of what goes on, as it is stored with a line."""
    return {
        "year": cut.tranche.year,
        "starts_on": max(cut.tranche.starts_on, effective_on).isoformat(),
        "ends_on": cut.tranche.ends_on.isoformat(),
        "quantity": plain(cut.quantity),
        "minutes": None if cut.minutes is None else cut.minutes.minutes,
        "net": str(cut.net),
    }
