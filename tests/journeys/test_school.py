"""A school business manager's year in a browser: free first, a quote, an order, the document, the balance, a query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from sqlalchemy import select

from sla_manager.agreements.commands import accept_order
from sla_manager.agreements.documents import print_waiting_agreements
from sla_manager.agreements.models import Agreement, AgreementLine
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.catalogue.commands import load_preset
from sla_manager.catalogue.rules.families import CoreDuty, Family
from sla_manager.catalogue.rules.presets import read_preset
from sla_manager.config import ROOT
from sla_manager.gateways.archive import Archive
from sla_manager.gateways.printing import Printer
from sla_manager.kernel.minutes import Minutes
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from sla_manager.visits.commands import log_delivery, plan_visit
from sla_manager.visits.rules.deliveries import ActivityDone
from sla_manager.visits.rules.slots import Part
from tests import builders
from tests.journeys.conftest import Hands, Visitor
from tests.journeys.people import PASSWORD, acting, somebody

URN = 900_301
DAY = "Education Welfare Officer day"


@dataclass(frozen=True)
class Town:
    """Who takes part, by their keys."""

    school_id: int
    officer_id: int
    manager: Actor
    officer: Actor


@pytest.fixture
def town(sqlite: Database, by: Actor, clock: Hands) -> Town:
    with sqlite.transaction() as session:
        builders.council(session)
        builders.terms(session)
        service = builders.a_service(session)
        school = builders.a_school(
            session, URN, customer_class=CustomerClass.ACADEMY, name="Harbour Lane Academy"
        )
        load_preset(session, read_preset("southampton-2024-25"), service_id=service.id, by=by, at=clock())
        somebody(session, "Priya Marsh", Role.SCHOOL_BUSINESS_MANAGER, by=by, at=clock(), school_id=school.id)
        manager = somebody(
            session, "Tomas Reed", Role.SERVICE_MANAGER, by=by, at=clock(), service_id=service.id
        )
        person = somebody(session, "Asha Okafor", Role.OFFICER, by=by, at=clock(), service_id=service.id)
        officer = builders.an_officer(session, person=person)
        school.link_officer_id = officer.id
        return Town(school.id, officer.id, acting(manager), acting(person))


@pytest.mark.browser
def test_a_school_buys_twelve_days_and_follows_every_minute(
    visitor: Visitor, town: Town, sqlite: Database, clock: Hands, archive: Path
) -> None:
    visitor.sign_in("priya@aldermere.example")
    assert "Harbour Lane Academy" in visitor.text
    visitor.click("Services and prices", role="link")
    assert visitor.text.index("free to every school") < visitor.text.index("what you can buy")
    visitor.fill("What do you need?", "penalty notice")
    visitor.click("Find")
    assert "do not need to buy it" in visitor.text
    visitor.open(f"/school/{URN}/services")
    visitor.click(DAY)
    _ask_and_order(visitor)
    visitor.click("Agreements", role="link")
    agreement_id = _agreed_and_visited(town, sqlite, clock, archive)

    visitor.open(f"/school/{URN}/")
    assert "11.5 days left" in visitor.text
    visitor.open(f"/school/{URN}/agreements/{agreement_id}")
    document = visitor.download("Signed agreement")
    assert document.startswith(b"%PDF-")
    visitor.click("See every entry", role="link")
    assert "11.5 days" in visitor.text
    visitor.open(f"/school/{URN}/visits")
    visitor.click("4 Nov 2025", role="link")
    visitor.page.get_by_text("Query this visit").click()
    visitor.fill("What is wrong?", "The officer left at 11am, not at noon.")
    visitor.click("Send the query")
    assert "Your query is sent" in visitor.page.inner_text("body")
    assert "left at 11am" in visitor.text


def _ask_and_order(visitor: Visitor) -> None:
    """Ask for 12 days from today to 31 March in three instalments, and order them."""
    visitor.fill("How many days?", "12")
    visitor.fill_date("starts_on", date(2025, 10, 14))
    visitor.fill_date("ends_on", date(2026, 3, 31))
    visitor.tick("In three parts")
    visitor.fill("Purchase order number", "PO 4711")
    visitor.click("Save and update the prices")
    assert "12 days × £368.00 = £4,416.00" in visitor.page.content()
    visitor.click("See my quote")
    for figure in ("£4,416.00", "£883.20", "£5,299.20", "£1,472.00", "£294.40", "£1,766.40"):
        assert figure in visitor.text, f"{figure} is not on the quote"
    visitor.click("Order this", role="button")
    visitor.tick("I have the authority")
    visitor.click("Order for £5,299.20")
    assert "You have ordered" in visitor.page.inner_text("body")


def _agreed_and_visited(town: Town, sqlite: Database, clock: Hands, archive: Path) -> int:
    """What others do meanwhile: the order is accepted and printed, and a half day is delivered."""
    with sqlite.transaction() as session:
        agreement_id = session.scalars(select(Agreement.id)).one()
        accept_order(session, agreement_id, by=town.manager, at=clock.move_to(date(2025, 10, 15)))
        line_id = session.scalars(select(AgreementLine.id)).one()
    with Printer(ROOT / "templates") as printer:
        printed = print_waiting_agreements(sqlite, archive=Archive(archive), printer=printer, at=clock())
    assert printed == 1
    with sqlite.transaction() as session:
        for day in (date(2025, 11, 4), date(2025, 11, 18)):
            visit = plan_visit(
                session,
                officer_id=town.officer_id,
                school_id=town.school_id,
                day=day,
                part=Part.MORNING,
                line_id=line_id,
                purpose="Casework with the attendance team",
                by=town.manager,
                at=clock(),
            )
            if day.day == 4:
                first = visit.id
    with sqlite.transaction() as session:
        given = [
            ActivityDone("work", Family.CORE, Minutes(40), duty=CoreDuty.TARGETING_SUPPORT_MEETING),
            ActivityDone(
                "work", Family.CASEWORK, Minutes(180), cases=3, description="Letters and home visits"
            ),
        ]
        log_delivery(
            session, first, activities=given, note="Three cases opened.", by=town.officer,
            at=clock.move_to(date(2025, 11, 5)),
        )  # fmt: skip
    return agreement_id


@pytest.mark.browser
def test_a_school_can_order_without_a_script(
    browser: Browser, address: str, town: Town, sqlite: Database
) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    page.goto(f"{address}/school/{URN}/services")
    page.get_by_label("Email address").fill("priya@aldermere.example")
    page.get_by_label("Password").first.fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name=DAY).first.click()
    page.get_by_label("How many days?").first.fill("12")
    for part, first, last in (("day", "14", "31"), ("month", "10", "3"), ("year", "2025", "2026")):
        page.locator(f"#starts_on-{part}").fill(first)
        page.locator(f"#ends_on-{part}").fill(last)
    page.get_by_label("In three parts").check()
    page.get_by_role("button", name="See my quote").click()
    assert "£5,299.20" in page.inner_text("main")
    page.get_by_role("button", name="Order this").click()
    page.get_by_label("I have the authority").check()
    page.get_by_role("button", name="Order for £5,299.20").click()
    assert "You have ordered" in page.inner_text("body")
    context.close()
    with sqlite.reading() as session:
        ordered = session.scalars(select(Agreement)).one()
        assert (ordered.status, str(ordered.gross)) == (AgreementStatus.ORDERED, "5299.20")
        assert ordered.ordered_at == datetime(2025, 10, 14, 11, 0, tzinfo=UTC)
