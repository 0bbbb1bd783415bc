"""Schools that buy together: one signature for a trust's schools, exact shares of owners, one pool with caps."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.commands import LineWanted, accept_order, vary_line
from sla_manager.agreements.commands.orders import OverTheLimit, PartnersMissing
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
from sla_manager.agreements.models import Acceptance, Partnership
from sla_manager.agreements.rules.partnerships import Invoicing, PartnershipKind, SharesDoNotAddUp
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.billing.queries import agreement_values
from sla_manager.billing.runs import differences, preview_run, run
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.money import Money
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
from tests.builders import a_person, a_school, a_service, a_trust, an_offering
from tests.rooms import owing, selling

STARTS, ENDS = date(2025, 10, 14), date(2026, 3, 31)


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
