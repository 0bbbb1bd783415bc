"""Schools that buy together: one signature for a trust's schools, exact shares of owners, one pool with caps."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sla_manager.agreements.commands import LineWanted, accept_order, vary_line
from sla_manager.agreements.commands.orders import OverTheLimit, PartnersMissing, TrustOrders
from sla_manager.agreements.commands.partnerships import (
    NotOfThisTrust,
    Partner,
    Purchase,
    PurchaseChanged,
    accept_together,
    order_together,
    prepare_partnership,
    prepare_trust_purchase,
    purchase_sha256,
)
from sla_manager.agreements.models import Acceptance, LedgerEntry, Partnership, PartnershipMember, PoolMove
from sla_manager.agreements.queries import balances
from sla_manager.agreements.rules.partnerships import (
    CapTooSmall,
    Invoicing,
    PartnershipKind,
    SharesDoNotAddUp,
    drawn_from,
)
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.sharing_lines import LineShare, shared_line, tranches_of_share
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.billing.queries import agreement_values
from sla_manager.billing.runs import differences, preview_run, run
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import Period
from sla_manager.people.models import Membership
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.reports.integrity import (
    agreement_problems,
    billed_problems,
    document_problems,
    ledger_problems,
)
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from sla_manager.visits.commands import log_delivery, plan_visit
from sla_manager.visits.models import ExtraTime, Visit
from sla_manager.visits.rules.slots import Part
from tests.builders import a_person, a_school, a_service, a_trust, an_offering, an_officer
from tests.rooms import owing, selling
from tests.visiting import worked

STARTS, ENDS = date(2025, 10, 14), date(2026, 3, 31)
DELIVERED = date(2025, 11, 4)


def off(session: Session) -> list[Any]:
    """Return everything in the books that is off."""
    checks = (document_problems, billed_problems, ledger_problems, agreement_problems)
    return [problem for check in checks for problem in check(session)]


def a_purchase(session: Session, **more: Any) -> Purchase:
    wanted: dict[str, Any] = {
        "service_id": a_service(session).id, "starts_on": STARTS, "ends_on": ENDS, "schedule": Schedule.THREE,
    }  # fmt: skip
    return Purchase(**(wanted | more))


def a_trust_purchase(
    session: Session,
    by: Actor,
    at: datetime,
    *,
    count: int = 4,
    invoicing: Invoicing = Invoicing.TOGETHER,
    **more: Any,
) -> Partnership:
    """Return what a trust buys for some of its schools: 12 days for each."""
    trust = a_trust(session)
    day = an_offering(session)
    academies = [a_school(session, customer_class=CustomerClass.ACADEMY, trust=trust) for _ in range(count)]
    return prepare_trust_purchase(
        session,
        trust.id,
        {one.id: [LineWanted(day.id, Decimal(12))] for one in academies},
        purchase=a_purchase(session),
        invoicing=invoicing,
        by=by,
        at=at,
        **more,
    )


def ordered(session: Session, together: Partnership, by: Actor, at: datetime, **more: Any) -> Partnership:
    wanted: dict[str, Any] = {
        "role": "Trust finance lead", "statement": "I accept.", "address": "203.0.113.7",
        "seen_sha256": purchase_sha256(session, together), "by": by, "at": at,
    }  # fmt: skip
    return order_together(session, together.id, **(wanted | more))


def test_a_trust_buys_for_four_schools_with_one_signature(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        together = a_trust_purchase(session, by, at, once_key="k")
        assert a_trust_purchase(session, by, at, once_key="k").id == together.id
        ordered(session, together, by, at)
        ordered(session, together, by, at)
        assert len(session.scalars(select(Acceptance)).all()) == 4
        agreed = accept_together(session, together.id, by=by, at=at)
        assert {one.agreement.status for one in agreed.members} == {AgreementStatus.AGREED}
        assert {one.agreement.customer_id for one in agreed.members} == {
            agreed.members[0].agreement.customer_id
        }


def test_c4_one_invoice_a_date_with_a_line_for_each_school(database: Database, at: datetime) -> None:
    with database.transaction() as session:
        together = a_trust_purchase(session, owing.BY, owing.SIGNED)
        ordered(session, together, owing.BY, owing.SIGNED)
        accept_together(session, together.id, by=owing.BY, at=owing.SIGNED)
        ids = [one.agreement_id for one in together.members]
    with database.reading() as session:
        preview = preview_run(session, owing.FIRST)
        assert [(str(row.net), len(row.parts)) for row in preview.rows] == [("5888.00", 4)]
        values = agreement_values(session, ids)
        assert [str(one.now) for one in differences(preview.rows, values)] == ["1472.00"] * 4
    for _ in range(2):
        run(database, as_at=owing.FIRST, by=owing.BY, at=as_at(owing.FIRST))
    invoices = owing.documents(database)
    assert [(str(one.net), str(one.vat), str(one.gross)) for one in invoices] == [
        ("5888.00", "1177.60", "7065.60")
    ]
    assert invoices[0].agreement_id is None
    assert all(": Education welfare officer, day" in line.description for line in invoices[0].lines)
    with database.reading() as session:
        assert {str(billed) for _, billed in agreement_values(session, ids).values()} == {"1472.00"}
        assert off(session) == []


def test_a_trust_may_have_one_invoice_for_each_school(database: Database) -> None:
    with database.transaction() as session:
        together = a_trust_purchase(session, owing.BY, owing.SIGNED, invoicing=Invoicing.EACH)
        ordered(session, together, owing.BY, owing.SIGNED)
        accept_together(session, together.id, by=owing.BY, at=owing.SIGNED)
    run(database, as_at=owing.FIRST, by=owing.BY, at=as_at(owing.FIRST))
    assert [str(one.gross) for one in owing.documents(database)] == ["1766.40"] * 4


def test_one_schools_reduction_is_credited_from_its_own_line(database: Database) -> None:
    with database.transaction() as session:
        together = a_trust_purchase(session, owing.BY, owing.SIGNED, count=2)
        ordered(session, together, owing.BY, owing.SIGNED)
        accept_together(session, together.id, by=owing.BY, at=owing.SIGNED)
        line_id = together.members[1].agreement.lines[0].id
    run(database, as_at=owing.FIRST, by=owing.BY, at=as_at(owing.FIRST))
    with database.transaction() as session:
        vary_line(
            session, line_id, quantity=Decimal(-1), effective_on=date(2025, 11, 1), reason="Less.", by=owing.BY,
            at=as_at(date(2025, 11, 1)),
        )  # fmt: skip
    run(database, as_at=date(2025, 11, 3), by=owing.BY, at=as_at(date(2025, 11, 3)))
    credit = owing.documents(database)[-1]
    assert (str(credit.net), [line.line_id for line in credit.lines]) == ("-368.00", [line_id])
    with database.reading() as session:
        assert off(session) == []


def test_a_school_of_another_trust_and_a_changed_page_are_refused(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        trust, day = a_trust(session), an_offering(session)
        stranger = a_school(
            session, customer_class=CustomerClass.ACADEMY, trust=a_trust(session, "Other Trust")
        )
        with pytest.raises(NotOfThisTrust):
            prepare_trust_purchase(
                session, trust.id, {stranger.id: [LineWanted(day.id, Decimal(1))]}, purchase=a_purchase(session),
                invoicing=Invoicing.EACH, by=by, at=at,
            )  # fmt: skip
        together = a_trust_purchase(session, by, at)
        with pytest.raises(PurchaseChanged):
            ordered(session, together, by, at, seen_sha256="0" * 64)


def test_the_limit_of_a_finance_lead_is_held_against_the_whole_purchase(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        together = a_trust_purchase(session, by, at)
        lead = a_person(session, Role.TRUST_FINANCE_LEAD, trust=a_trust(session))
        membership = session.scalars(select(Membership).where(Membership.person_id == lead.id)).one()
        membership.order_limit = Money(17_663_99)
        session.flush()
        with pytest.raises(OverTheLimit, match="£17,664"):
            ordered(session, together, selling.acting(lead), at)
        membership.order_limit = Money(17_664_00)
        session.flush()
        ordered(session, together, selling.acting(lead), at)


def partners(
    session: Session, *classes: CustomerClass, shares: list[int | None], **more: Any
) -> list[Partner]:
    return [
        Partner(a_school(session, customer_class=kind).id, share, **more)
        for kind, share in zip(classes, shares, strict=True)
    ]


def test_owners_share_by_percentages_each_billed_by_its_own_class(
    database: Database, by: Actor, at: datetime
) -> None:
    academy, own = CustomerClass.ACADEMY, CustomerClass.OWN_MAINTAINED
    with database.transaction() as session:
        day = an_offering(session)
        together = prepare_partnership(
            session, partners(session, academy, own, academy, shares=[5000, 3000, 2000]),
            [LineWanted(day.id, Decimal(6))], kind=PartnershipKind.SHARES, name="Hillside schools",
            purchase=a_purchase(session, schedule=Schedule.SINGLE), by=by, at=at,
        )  # fmt: skip
        found = [(str(one.agreement.net), str(one.agreement.vat)) for one in together.members]
        assert found == [("1104.00", "220.80"), ("662.40", "0.00"), ("441.60", "88.32")]
        for place, member in enumerate(together.members):
            if place:
                with pytest.raises(PartnersMissing):
                    accept_order(session, together.members[0].agreement_id, by=by, at=at)
            selling.order(session, member.agreement, by, at)
        accept_together(session, together.id, by=by, at=at)


@pytest.mark.parametrize("shares", [[5000, 3000], [5000, 6000], [10_000, 0]])
def test_shares_that_are_not_a_hundred_per_cent_are_refused(
    database: Database, by: Actor, at: datetime, shares: list[int | None]
) -> None:
    with database.transaction() as session:
        day = an_offering(session)
        two = partners(session, CustomerClass.ACADEMY, CustomerClass.ACADEMY, shares=shares)
        with pytest.raises((SharesDoNotAddUp, Refused)):
            prepare_partnership(
                session, two, [LineWanted(day.id, Decimal(6))], kind=PartnershipKind.SHARES, name="Two",
                purchase=a_purchase(session), by=by, at=at,
            )  # fmt: skip


def a_pool(
    session: Session, by: Actor, at: datetime, *, cap: Minutes | None = None, days: str = "3"
) -> list[PartnershipMember]:
    """Return the members of an agreed pool of three academies, a third each."""
    day = an_offering(session)
    three = partners(session, *[CustomerClass.ACADEMY] * 3, shares=[None] * 3, cap=cap)
    together = prepare_partnership(
        session, three, [LineWanted(day.id, Decimal(days))], kind=PartnershipKind.POOL, name="Valley pool",
        purchase=a_purchase(session, schedule=Schedule.SINGLE), by=by, at=at,
    )  # fmt: skip
    for member in together.members:
        selling.order(session, member.agreement, by, at)
    return accept_together(session, together.id, by=by, at=at).members


def balance_of(session: Session, member: PartnershipMember) -> int:
    return balances(session, agreement_id=member.agreement_id)[0].balance.minutes


def a_visit(session: Session, member: PartnershipMember, by: Actor, day: date, officer: str) -> Visit:
    worker = an_officer(session, officer)
    return plan_visit(
        session, officer_id=worker.id, school_id=member.school_id, line_id=member.agreement.lines[0].id, day=day,
        part=Part.MORNING, by=by, at=as_at(day),
    )  # fmt: skip


def test_a_partner_uses_what_the_others_do_not_need_and_the_total_stays(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        first, *others = a_pool(session, by, at)
        assert balance_of(session, first) == 444
        visit = a_visit(session, first, by, DELIVERED, "Asha Okafor")
        log_delivery(session, visit.id, activities=[worked(600)], by=by, at=as_at(DELIVERED))
        assert balance_of(session, first) == 0
        assert [balance_of(session, one) for one in others] == [288, 444]
        moves = session.scalars(select(PoolMove)).all()
        assert [one.minutes.minutes for one in moves] == [156]
        entries = session.scalars(
            select(LedgerEntry.minutes).where(LedgerEntry.cause == f"pool:{moves[0].id}")
        ).all()
        assert sorted(one.minutes for one in entries) == [-156, 156]
        assert session.scalars(select(ExtraTime)).all() == []
        assert off(session) == []


def test_a_cap_bounds_what_a_partner_may_use(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        first, *_ = a_pool(session, by, at, cap=Minutes(500))
        visit = a_visit(session, first, by, DELIVERED, "Asha Okafor")
        log_delivery(session, visit.id, activities=[worked(600)], by=by, at=as_at(DELIVERED))
        assert [one.minutes.minutes for one in session.scalars(select(ExtraTime))] == [100]
        assert [one.minutes.minutes for one in session.scalars(select(PoolMove))] == [56]


def test_a_cap_below_what_a_partner_pays_for_is_refused(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session, pytest.raises(CapTooSmall):
        a_pool(session, by, at, cap=Minutes(443))


def test_what_a_partner_has_booked_is_not_given_away(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        first, second, third = a_pool(session, by, at, days="1.5")
        for place, member in enumerate((second, third)):
            a_visit(session, member, by, DELIVERED, f"Officer {place}")
        visit = a_visit(session, first, by, DELIVERED, "Asha Okafor")
        log_delivery(session, visit.id, activities=[worked(400)], by=by, at=as_at(DELIVERED))
        assert session.scalars(select(PoolMove)).all() == []
        assert [one.minutes.minutes for one in session.scalars(select(ExtraTime))] == [178]


def _log_at_once(database: Database, visits: list[int]) -> None:
    def log(visit_id: int) -> None:
        with database.transaction() as session:
            log_delivery(session, visit_id, activities=[worked(444)], by=owing.BY, at=as_at(DELIVERED))

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(log, one) for one in visits]:
            done.result(timeout=60)


def test_two_partners_that_draw_the_last_of_the_pool_at_once_share_it_without_deadlock(
    database: Database,
) -> None:
    with database.transaction() as session:
        first, second, _ = a_pool(session, owing.BY, owing.SIGNED, days="1.5")
        visits = [
            a_visit(session, member, owing.BY, DELIVERED, f"Officer {place}").id
            for place, member in enumerate((first, second))
        ]
    _log_at_once(database, visits)
    with database.reading() as session:
        extra = sum(one.minutes.minutes for one in session.scalars(select(ExtraTime)))
        assert extra == 2 * 444 - 3 * 222
        assert sum(one.minutes.minutes for one in session.scalars(select(PoolMove))) == 222
        assert off(session) == []


def test_time_never_moves_to_another_year(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        one = selling.agreed(session, by, at, starts_on=date(2025, 9, 1), ends_on=date(2026, 8, 31))
        this_year, next_year = selling.tranches(session, one)
        together = a_trust_purchase(session, by, at, count=1)
        ids = this_year.id, next_year.id, together.id
    with pytest.raises(IntegrityError, match="time_stays_in_its_year"), database.transaction() as session:
        session.add(
            PoolMove(
                partnership_id=ids[2],
                from_tranche_id=ids[0],
                to_tranche_id=ids[1],
                minutes=Minutes(1),
                effective_on=DELIVERED,
                moved_at=at,
                moved_by="x",
            )
        )


@given(
    needed=st.integers(0, 2_000),
    lefts=st.lists(st.integers(1, 900), max_size=5),
    room=st.one_of(st.none(), st.integers(-50, 1_000)),
)
def test_what_is_drawn_is_what_is_needed_as_far_as_pool_and_cap_go(
    needed: int, lefts: list[int], room: int | None
) -> None:
    pool = [(place, Minutes(left)) for place, left in enumerate(lefts)]
    drawn = drawn_from(Minutes(needed), pool, room=None if room is None else Minutes(room))
    total_drawn = sum(part.minutes for _, part in drawn)
    assert total_drawn == min(needed, sum(lefts), needed if room is None else max(room, 0))
    assert all(0 < part.minutes <= lefts[place] for place, part in drawn)


def test_a_part_of_a_trusts_purchase_is_not_ordered_alone(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        together = a_trust_purchase(session, by, at, count=2)
        with pytest.raises(TrustOrders, match="Brightwater Learning Trust buys for its schools"):
            selling.order(session, together.members[0].agreement, by, at)


@given(
    weights=st.lists(st.integers(500, 10_000), min_size=2, max_size=6),
    halves=st.integers(1, 80),
    pence=st.integers(0, 10**7),
)
def test_any_shares_add_up_in_pence_minutes_and_quantity(weights: list[int], halves: int, pence: int) -> None:
    quantity = Decimal(halves) / 2
    parts = [
        shared_line(LineShare(tuple(weights), place), quantity, unit=Minutes(444), net=Money(pence))
        for place in range(len(weights))
    ]
    assert sum(one.net.pence for one in parts) == pence
    assert sum(one.minutes.minutes for one in parts if one.minutes) == halves * 222
    assert sum(one.quantity for one in parts) == quantity
    term = Period.through(date(2025, 9, 1), date(2026, 8, 31))
    for one in parts:
        cut = tranches_of_share(one, term)
        assert sum(part.net.pence for part in cut) == one.net.pence
        assert (
            sum(part.minutes.minutes for part in cut if part.minutes) == (one.minutes or Minutes(0)).minutes
        )
