"""Buying together: a trust for its schools with one signature, partners that share days or a pool, each signing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.commands.orders import accept_order, place_order
from sla_manager.agreements.commands.quotes import prepare_quote
from sla_manager.agreements.models import Agreement, Partnership, PartnershipMember
from sla_manager.agreements.queries.lists import frozen_sha256
from sla_manager.agreements.queries.partnerships import partnership
from sla_manager.agreements.queries.pricing import LineWanted
from sla_manager.agreements.queries.standing import SharedFacts, shared_facts
from sla_manager.agreements.rules.partnerships import (
    CapTooSmall,
    Invoicing,
    PartnershipKind,
    check_shares,
    equal_shares,
)
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.sharing_lines import LineShare
from sla_manager.agreements.shares import read_shares
from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.references import canonical_json, sha256
from sla_manager.people.models import School, Trust
from sla_manager.people.queries import customer_of_trust
from sla_manager.store.audit import Actor, record


@dataclass(frozen=True, slots=True)
class Partner:
    """A school that shares: its share in basis points (None: all alike), and in a pool the most it may use."""

    school_id: int
    share: int | None = None
    cap: Minutes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """What is bought together, besides for whom: from when until when, how it is paid, who pays."""

    service_id: int
    starts_on: date
    ends_on: date
    schedule: Schedule
    purchase_order: str = ""
    notice_months: int = 0
    renews: bool = False


class NotOfThisTrust(Refused):
    """A trust buys for its own schools."""

    def __init__(self, school: str, trust: str) -> None:
        super().__init__(f"{school} is not a school of {trust}. Leave it out.", field="schools")


class PurchaseChanged(Conflict):
    """What is ordered must be what was on the page."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not what was on your page. Look at it again, then order.")


def prepare_trust_purchase(
    session: Session,
    trust_id: int,
    lines: Mapping[int, Sequence[LineWanted]],
    *,
    purchase: Purchase,
    invoicing: Invoicing,
    by: Actor,
    at: datetime,
    once_key: str | None = None,
) -> Partnership:
    """Return a trust's purchase: a quote for each school by its id, all paid by the trust.

    The same `once_key` gives back the same purchase. Refused: a school of another trust, nothing to buy.
    """
    made = _made_before(session, once_key)
    if made is not None:
        return made
    trust = session.get(Trust, trust_id)
    if trust is None:
        raise NotFound
    wanted = {school_id: list(asked) for school_id, asked in lines.items() if asked}
    if not wanted:
        raise Refused("Choose at least one school, and what it needs.", field="schools")
    payer = customer_of_trust(session, trust_id)
    together = _new(session, purchase, PartnershipKind.TRUST, invoicing, trust.name, by, at, once_key)
    together.trust_id = trust_id
    session.add(together)
    session.flush()
    shared = shared_facts(session, purchase.service_id)
    for position, (school_id, asked) in enumerate(wanted.items(), start=1):
        school = _school(session, school_id)
        if school.trust_id != trust_id:
            raise NotOfThisTrust(school.name, trust.name)
        quote = _quote(session, purchase, school_id, asked, shared, payer_id=payer.id, by=by, at=at)
        _join(session, together, quote, position=position, weight=1, cap=None)
    _note(session, "prepare_trust_purchase", together, f"{trust.name} asks for {len(wanted)} schools", by, at)
    return partnership(session, together.id)


def prepare_partnership(
    session: Session,
    partners: Sequence[Partner],
    lines: Sequence[LineWanted],
    *,
    kind: PartnershipKind,
    name: str,
    purchase: Purchase,
    by: Actor,
    at: datetime,
    once_key: str | None = None,
) -> Partnership:
    """Return a partnership of several owners: each partner's quote is its share, billed by its own class.

    Shares are basis points and make 100 %; without any they are alike. In a pool a cap is never below what its
    school pays for. Each partner orders its own quote; the service accepts when all have.
    """
    made = _made_before(session, once_key)
    if made is not None:
        return made
    if kind is PartnershipKind.TRUST:
        raise Refused("A trust buys for its schools in its own way.", field="kind")
    if not name.strip():
        raise Refused("Give the partnership a name.", field="name")
    if len({one.school_id for one in partners}) != len(partners):
        raise Refused("A school takes part once. Leave out the second.", field="schools")
    if any(one.share is not None for one in partners):
        weights = check_shares([one.share or 0 for one in partners])
    else:
        weights = equal_shares(len(partners))
    together = _new(session, purchase, kind, Invoicing.EACH, name.strip(), by, at, once_key)
    session.add(together)
    session.flush()
    shared = shared_facts(session, purchase.service_id)
    for place, partner in enumerate(partners):
        own = [replace(one, share=LineShare(weights, place)) for one in lines]
        quote = _quote(session, purchase, partner.school_id, own, shared, payer_id=None, by=by, at=at)
        cap = partner.cap if kind is PartnershipKind.POOL else None
        _check_cap(session, quote, cap)
        _join(session, together, quote, position=place + 1, weight=weights[place], cap=cap)
    _note(session, "prepare_partnership", together, f"{together.name}: {len(partners)} schools", by, at)
    return partnership(session, together.id)


def order_together(
    session: Session,
    partnership_id: int,
    *,
    role: str,
    statement: str,
    address: str,
    seen_sha256: str,
    purchase_order: str | None = None,
    by: Actor,
    at: datetime,
) -> Partnership:
    """Order everything that a trust buys with one signature: all of it, or nothing.

    `seen_sha256` is the `purchase_sha256` that was on the page. Ordering again changes nothing.
    """
    together = partnership(session, partnership_id)
    if together.kind is not PartnershipKind.TRUST:
        raise Refused("Each partner orders for itself.")
    if purchase_sha256(session, together) != seen_sha256:
        raise PurchaseChanged(together.name)
    for member in sorted(together.members, key=lambda one: one.agreement_id):
        place_order(
            session,
            member.agreement_id,
            role=role,
            statement=statement,
            address=address,
            purchase_order=purchase_order,
            document_sha256=frozen_sha256(session, member.agreement_id),
            together=True,
            by=by,
            at=at,
        )
    _note(session, "order_together", together, f"{together.name} ordered by {by.name}", by, at)
    return partnership(session, partnership_id)


def accept_together(session: Session, partnership_id: int, *, by: Actor, at: datetime) -> Partnership:
    """Accept every order of a partnership: all of them, or none."""
    together = partnership(session, partnership_id)
    for member in sorted(together.members, key=lambda one: one.agreement_id):
        accept_order(session, member.agreement_id, by=by, at=at)
    return partnership(session, partnership_id)


def purchase_sha256(session: Session, together: Partnership) -> str:
    """Return the hash of all the texts of a purchase: what one signature for all of them binds."""
    return sha256(
        canonical_json(
            {str(one.agreement_id): frozen_sha256(session, one.agreement_id) for one in together.members}
        )
    )


def _made_before(session: Session, once_key: str | None) -> Partnership | None:
    if once_key is None:
        return None
    made = session.scalar(select(Partnership.id).where(Partnership.once_key == once_key))
    return partnership(session, made) if made is not None else None


def _new(
    session: Session,
    purchase: Purchase,
    kind: PartnershipKind,
    invoicing: Invoicing,
    name: str,
    by: Actor,
    at: datetime,
    once_key: str | None,
) -> Partnership:
    return Partnership(
        service_id=purchase.service_id,
        kind=kind,
        invoicing=invoicing,
        name=name,
        made_at=at,
        made_by=by.name,
        once_key=once_key,
    )


def _quote(
    session: Session,
    purchase: Purchase,
    school_id: int,
    lines: Sequence[LineWanted],
    shared: SharedFacts,
    *,
    payer_id: int | None,
    by: Actor,
    at: datetime,
) -> Agreement:
    return prepare_quote(
        session,
        service_id=purchase.service_id,
        school_id=school_id,
        starts_on=purchase.starts_on,
        ends_on=purchase.ends_on,
        schedule=purchase.schedule,
        lines=lines,
        purchase_order=purchase.purchase_order,
        payer_id=payer_id,
        notice_months=purchase.notice_months,
        renews=purchase.renews,
        shared=shared,
        by=by,
        at=at,
    )


def _school(session: Session, school_id: int) -> School:
    found = session.get(School, school_id)
    if found is None:
        raise NotFound
    return found


def _check_cap(session: Session, quote: Agreement, cap: Minutes | None) -> None:
    if cap is None:
        return
    by_year: dict[int, int] = {}
    for line in quote.lines:
        for share in read_shares(line.year_shares):
            by_year[share.year] = by_year.get(share.year, 0) + (share.minutes.minutes if share.minutes else 0)
    own = Minutes(max(by_year.values(), default=0))
    if cap < own:
        raise CapTooSmall(_school(session, quote.school_id).name, own, cap)


def _join(
    session: Session,
    together: Partnership,
    quote: Agreement,
    *,
    position: int,
    weight: int,
    cap: Minutes | None,
) -> None:
    session.add(
        PartnershipMember(
            partnership_id=together.id,
            school_id=quote.school_id,
            agreement_id=quote.id,
            position=position,
            weight=weight,
            cap=cap,
        )
    )
    session.flush()


def _note(session: Session, action: str, about: Partnership, summary: str, by: Actor, at: datetime) -> None:
    record(session, action, about="partnership", about_id=about.id, summary=summary, by=by, at=at)
