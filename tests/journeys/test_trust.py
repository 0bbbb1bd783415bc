"""A trust in a browser: it buys for four schools on five pages, and the service accepts the whole at once."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from sla_manager.agreements.models import Agreement
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.billing.runs import run
from sla_manager.kernel.clock import as_at
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from tests import builders
from tests.journeys.conftest import Hands, Visitor
from tests.journeys.people import somebody

STARTS, ENDS = date(2025, 10, 14), date(2026, 3, 31)
NAMES = ("Alder Academy", "Beech Academy", "Cedar Academy", "Damson Academy")
MOST_PAGES = 7


@pytest.fixture
def town(sqlite: Database, by: Actor, clock: Hands) -> None:
    """A trust with four schools, and the service."""
    clock.move_to(STARTS)
    with sqlite.transaction() as session:
        builders.terms(session)
        service, trust = builders.a_service(session), builders.a_trust(session)
        builders.an_offering(session)
        builders.an_officer(session, "Asha Okafor")
        for place, name in enumerate(NAMES):
            builders.a_school(
                session, 900_301 + place, customer_class=CustomerClass.ACADEMY, trust=trust, name=name
            )
        somebody(session, "Nadia Cole", Role.TRUST_FINANCE_LEAD, by=by, at=clock(), trust_id=trust.id)
        somebody(session, "Tomas Reed", Role.SERVICE_MANAGER, by=by, at=clock(), service_id=service.id)


@pytest.mark.browser
def test_a_trust_buys_for_four_schools(
    visitor: Visitor, town: None, sqlite: Database, by: Actor, clock: Hands
) -> None:
    visitor.sign_in("nadia@aldermere.example")
    visitor.click("Buy for several schools", role="button")
    for name in NAMES:
        visitor.tick(name)
    visitor.tick("Education welfare officer")
    visitor.click("Continue")
    for place, days in enumerate(("3", "3", "4", "2")):
        visitor.fill(f"{NAMES[place]}: how many", days)
    visitor.fill_date("ends_on", ENDS)
    visitor.click("See the whole price")
    for shown in ("£4,416.00", "£883.20", "£5,299.20", "4 schools", *NAMES):
        assert shown in visitor.text, shown
    visitor.tick("I have the authority")
    visitor.click("Order for £5,299.20")
    assert "You have ordered for 4 schools" in visitor.page.inner_text("body")
    assert visitor.pages_opened <= MOST_PAGES
    visitor.click("Sign out")
    visitor.sign_in("tomas@aldermere.example")
    visitor.click("More", role="link")
    visitor.click("Bought together", role="link")
    visitor.click("Brightwater Learning Trust", role="link")
    visitor.click("Accept all 4 orders")
    with sqlite.reading() as session:
        assert set(session.scalars(select(Agreement.status))) == {AgreementStatus.AGREED}
    run(sqlite, as_at=STARTS, by=by, at=as_at(STARTS))
    visitor.click("Sign out")
    visitor.sign_in("nadia@aldermere.example")
    visitor.click("Invoices", role="link")
    assert visitor.text.count("£5,299.20") >= 1
    visitor.click("EWS/25-26/", role="link")
    for name in NAMES:
        assert name in visitor.text, name
