"""What schools bought last year, as agreed, for many schools at once; and one school's renewal beside it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from sla_manager.agreements.models import Agreement, AgreementLine, Renewal, Season, Variation
from sla_manager.agreements.queries.balances import balances
from sla_manager.agreements.queries.lists import agreement as whole_agreement
from sla_manager.agreements.queries.seasons import to_renew
from sla_manager.agreements.rules.seasons import Answer
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.agreements.shares import read_shares
from sla_manager.kernel.errors import NotFound
from sla_manager.kernel.minutes import Minutes, total_minutes
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.periods import Period
from sla_manager.kernel.quantities import minutes_of
from sla_manager.people.models import School


@dataclass(frozen=True, slots=True, kw_only=True)
class BoughtLine:
    """One offering that a school bought, as agreed with its variations. What was used of it does not count (E1)."""

    line_id: int
    offering_id: int
    description: str
    unit: str
    unit_minutes: Minutes | None
    step: Decimal
    by_term: bool
    quantity: Decimal
    minutes: Minutes
    unit_price: Money
    net: Money
    term: Period
    facts: Mapping[str, Any]
    """What its price stood on: the package that it is part of, the weekly pattern, the share, whether it was free."""
    is_varied: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """What one school bought for the period before a season."""

    school_id: int
    agreements: tuple[Agreement, ...]
    lines: tuple[BoughtLine, ...]

    @property
    def net(self) -> Money:
        """What it came to, variations included."""
        return total(line.net for line in self.lines)

    @property
    def minutes(self) -> Minutes:
        """How much time it was."""
        return total_minutes(line.minutes for line in self.lines)


def bought_before(session: Session, season: Season, school_ids: Sequence[int]) -> dict[int, Bought]:
    """Return what schools bought for the year before a season: three questions, however many schools."""
    query = (
        select(Agreement)
        .where(to_renew(season), Agreement.school_id.in_(school_ids))
        .order_by(Agreement.id)
        .options(selectinload(Agreement.lines).joinedload(AgreementLine.offering))
    )
    return _bought(session, list(session.scalars(query)))


def bought_by(session: Session, agreement_ids: Collection[int]) -> dict[int, Bought]:
    """Return what was bought by agreements, for each school."""
    query = (
        select(Agreement)
        .where(Agreement.id.in_(agreement_ids))
        .order_by(Agreement.id)
        .options(selectinload(Agreement.lines).joinedload(AgreementLine.offering))
    )
    return _bought(session, list(session.scalars(query)))


def _bought(session: Session, agreements: Sequence[Agreement]) -> dict[int, Bought]:
    lines = [line for one in agreements for line in one.lines]
    varied: dict[int, list[Variation]] = {}
    for change in session.scalars(
        select(Variation).where(Variation.line_id.in_([line.id for line in lines]))
    ):
        varied.setdefault(change.line_id, []).append(change)
    by_school: dict[int, list[Agreement]] = {}
    for one in agreements:
        by_school.setdefault(one.school_id, []).append(one)
    return {
        school_id: Bought(
            school_id=school_id,
            agreements=tuple(own),
            lines=tuple(_line(one, line, varied.get(line.id, [])) for one in own for line in one.lines),
        )
        for school_id, own in by_school.items()
    }


def _line(agreement: Agreement, line: AgreementLine, changes: Sequence[Variation]) -> BoughtLine:
    more = sum((change.quantity for change in changes), Decimal(0))
    minutes = total_minutes(share.minutes or Minutes(0) for share in read_shares(line.year_shares))
    if line.unit_minutes is not None and more:
        minutes += minutes_of(more, line.unit_minutes)
    return BoughtLine(
        line_id=line.id,
        offering_id=line.offering_id,
        description=line.description,
        unit=line.unit,
        unit_minutes=line.unit_minutes,
        step=line.step,
        by_term=line.offering.limit_basis == "term",
        quantity=line.quantity + more,
        minutes=minutes,
        unit_price=line.unit_price,
        net=line.net + total(change.net for change in changes),
        term=Period.through(agreement.starts_on, agreement.ends_on),
        facts=line.price_facts,
        is_varied=bool(changes),
    )


def minutes_of_lines(agreement: Agreement) -> Minutes:
    """Return how much time an agreement's lines come to; they must be loaded."""
    return total_minutes(
        share.minutes or Minutes(0) for line in agreement.lines for share in read_shares(line.year_shares)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """One offering: what was bought and used last year beside this year's offer. None: not in that year."""

    description: str
    unit: str
    unit_minutes: Minutes | None
    last_quantity: Decimal | None
    last_price: Money | None
    last_net: Money | None
    used: Minutes | None
    quantity: Decimal | None
    price: Money | None
    net: Money | None
    explanation: str = ""

    @property
    def difference(self) -> Money:
        """How much more this year's costs (less: below nothing)."""
        return (self.net or Money(0)) - (self.last_net or Money(0))


def beside_last_year(session: Session, bought: Bought | None, offer: Agreement | None) -> list[Beside]:
    """Return each offering of last year and of the offer, side by side."""
    used = _used(session, bought)
    rows: dict[int, Beside] = {}
    for line in bought.lines if bought else ():
        before = rows.get(line.offering_id)
        rows[line.offering_id] = Beside(
            description=line.description,
            unit=line.unit,
            unit_minutes=line.unit_minutes,
            last_quantity=line.quantity + (before.last_quantity or 0 if before else 0),
            last_price=line.unit_price,
            last_net=line.net + ((before.last_net if before else None) or Money(0)),
            used=used.get(line.line_id, Minutes(0)) + ((before.used if before else None) or Minutes(0)),
            quantity=None,
            price=None,
            net=None,
        )
    for one in offer.lines if offer else ():
        last = rows.get(one.offering_id)
        rows[one.offering_id] = Beside(
            description=one.description,
            unit=one.unit,
            unit_minutes=one.unit_minutes,
            last_quantity=last.last_quantity if last else None,
            last_price=last.last_price if last else None,
            last_net=last.last_net if last else None,
            used=last.used if last else None,
            quantity=one.quantity,
            price=one.unit_price,
            net=one.net,
            explanation=one.explanation,
        )
    return list(rows.values())


def _used(session: Session, bought: Bought | None) -> dict[int, Minutes]:
    found: dict[int, Minutes] = {}
    if bought is None:
        return found
    ids = {one.id for one in bought.agreements}
    for row in balances(session, school_id=bought.school_id):
        if row.agreement_id in ids:
            found[row.line_id] = found.get(row.line_id, Minutes(0)) + row.figures.used
    return found


def renewal_by_id(
    session: Session, renewal_id: int, *, school_id: int | None = None, service_id: int | None = None
) -> Renewal:
    """Return a renewal with its season and school; another school's or service's is not found."""
    query = select(Renewal).where(Renewal.id == renewal_id)
    loading = (
        joinedload(Renewal.season).joinedload(Season.service),
        joinedload(Renewal.school).joinedload(School.link_officer),
        joinedload(Renewal.school).joinedload(School.trust),
    )
    found = session.scalar(query.options(*loading))
    if (
        found is None
        or school_id not in (None, found.school_id)
        or service_id not in (None, found.season.service_id)
    ):
        raise NotFound
    return found


def offer_of(session: Session, renewal: Renewal) -> Agreement | None:
    """Return the quote or order that counts for a renewal now: the prepared one, or what the school made of it."""
    current = renewal.agreement_id
    seen: set[int] = set()
    while current is not None and current not in seen:
        seen.add(current)
        newer = session.scalar(select(Agreement.id).where(Agreement.replaces_id == current))
        if newer is None:
            return whole_agreement(session, current)
        current = newer
    return None


def open_renewals(session: Session, school_id: int, *, today: date) -> list[Renewal]:
    """Return a school's renewals that wait for its answer, from the day on which it may see them."""
    query = (
        select(Renewal)
        .join(Season, Season.id == Renewal.season_id)
        .where(
            Renewal.school_id == school_id,
            Renewal.answer == Answer.NONE,
            Renewal.agreement_id.is_not(None),
            Season.builds_from <= today,
            or_(Season.starts_on > today, Season.due_by >= today),
            Season.closed_at.is_(None),
        )
        .order_by(Season.starts_on)
        .options(joinedload(Renewal.season).joinedload(Season.service))
    )
    return list(session.scalars(query))


def runs_then(session: Session, *, school_id: int, service_id: int, on: date) -> bool:
    """Say whether a school has ordered or agreed something of a service that runs on a day."""
    query = select(func.count(Agreement.id)).where(
        Agreement.school_id == school_id,
        Agreement.service_id == service_id,
        Agreement.status.in_((AgreementStatus.ORDERED, AgreementStatus.AGREED)),
        Agreement.starts_on <= on,
        func.coalesce(Agreement.ends_early_on, Agreement.ends_on) >= on,
    )
    return bool(session.scalar(query))
