"""A trust's finance lead buys for four schools in a browser: one purchase, one signature, one invoice a date."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import select

from sla_manager.agreements.models import Acceptance, Agreement
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from tests import builders
from tests.journeys.conftest import Hands, Visitor
from tests.journeys.people import somebody

SCHOOLS = ("Ash Lane Academy", "Birch Hill Academy", "Cedar Road Academy", "Damson Green Academy")


@pytest.fixture
def schools(sqlite: Database, by: Actor, clock: Hands) -> list[int]:
    """Four schools of one trust, and its finance lead."""
    with sqlite.transaction() as session:
        builders.council(session)
        builders.terms(session)
        builders.an_offering(session)
        trust = builders.a_trust(session)
        made = [
            builders.a_school(session, customer_class=CustomerClass.ACADEMY, trust=trust, name=name).id
            for name in SCHOOLS
        ]
        somebody(session, "Marguerite Dale", Role.TRUST_FINANCE_LEAD, by=by, at=clock(), trust_id=trust.id)
        return made


@pytest.mark.browser
def test_a_trust_buys_for_four_schools(visitor: Visitor, schools: list[int], sqlite: Database) -> None:
    visitor.sign_in("marguerite@aldermere.example")
    visitor.click("Brightwater Learning Trust", role="link")
    before = visitor.pages_opened
    visitor.click("Buy for several schools")
    for name in (*SCHOOLS, "Education welfare officer, day"):
        visitor.tick(name)
    visitor.click("Continue")
    for place, school_id in enumerate(schools):
        visitor.page.locator(f"[id^='quantity_{school_id}_']").fill(str(6 + place))
    visitor.tick("In three parts")
    visitor.tick("One invoice with a line for each school")
    visitor.click("See the whole price")
    assert "£13,248.00" in visitor.text  # 30 days × £368.00 = £11,040.00, and VAT on each invoice of all four
    assert "4 schools" in visitor.text
    visitor.tick("I have the authority")
    visitor.click("Order for £13,248.00")
    assert "You have ordered for 4 schools" in visitor.page.inner_text("body")
    assert visitor.pages_opened - before <= 4
    with sqlite.reading() as session:
        found = session.scalars(select(Agreement)).all()
        assert {one.status for one in found} == {AgreementStatus.ORDERED}
        assert sum((Decimal(str(one.net)) for one in found), Decimal(0)) == Decimal("11040.00")
        assert len(session.scalars(select(Acceptance)).all()) == 4
