"""An approval on a phone: the manager prepares above her limit, the chair of governors decides on one small screen."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from playwright.sync_api import Browser
from sqlalchemy import select

from sla_manager.agreements.models import Acceptance, Agreement, Approval
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.kernel.money import Money
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from sla_manager.store.outbox import OutboxMessage
from tests import builders
from tests.journeys.conftest import PHONE, Hands, Visitor
from tests.journeys.people import PASSWORD, acting, somebody
from tests.rooms import selling

URN = 900_301


@pytest.fixture
def quote(sqlite: Database, by: Actor, clock: Hands) -> int:
    with sqlite.transaction() as session:
        builders.council(session)
        builders.terms(session)
        school = builders.a_school(
            session, URN, customer_class=CustomerClass.ACADEMY, name="Harbour Lane Academy"
        )
        manager = somebody(
            session, "Priya Marsh", Role.SCHOOL_BUSINESS_MANAGER, by=by, at=clock(), school_id=school.id
        )
        selling.limit(session, manager, Money.parse("2000.00"))
        somebody(session, "Edith Rowan", Role.CHAIR_OF_GOVERNORS, by=by, at=clock(), school_id=school.id)
        return selling.quote(session, acting(manager), clock(), school=school).id


@pytest.mark.browser
def test_a_chair_of_governors_approves_on_her_phone(
    visitor: Visitor, browser: Browser, address: str, app: Flask, quote: int, sqlite: Database
) -> None:
    visitor.sign_in("priya@aldermere.example")
    visitor.open(f"/school/{URN}/agreements/{quote}")
    visitor.click("Ask for approval", role="button")
    visitor.tick("Edith Rowan")
    visitor.fill("Message", "Twelve days, as last year.")
    visitor.click("Ask for approval")
    assert "Edith Rowan has a mail" in visitor.page.inner_text("body")
    with sqlite.reading() as session:
        body = session.scalars(
            select(OutboxMessage.body).where(OutboxMessage.key.startswith("approval:"))
        ).one()
    link = re.findall(r"\{address\}(/school/approvals/\S+)", body)[0]

    context = browser.new_context(viewport=PHONE, locale="en-GB", has_touch=True, is_mobile=True)
    phone = Visitor(context, address, None, "phone")
    phone.page.goto(address + link)
    assert "sign-in" in phone.page.url
    phone.fill("Email address", "edith@aldermere.example")
    phone.page.get_by_label("Password").first.fill(PASSWORD)
    phone.click("Sign in")
    assert phone.page.url == address + link
    for words in (
        "£5,299.20",
        "12 days",
        "Harbour Lane Academy",
        "Priya Marsh",
        "Twelve days, as last year.",
    ):
        assert words in phone.text
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    approve = phone.page.get_by_role("button", name="Approve and order for £5,299.20").bounding_box()
    assert approve is not None
    assert approve["y"] < 2 * PHONE["height"]
    phone.click("Approve and order for £5,299.20")
    assert "There is a problem" in phone.text
    phone.tick("I have the authority")
    phone.click("Approve and order for £5,299.20")
    assert "It is ordered" in phone.page.inner_text("body")
    phone.page.goto(address + link)
    phone.look()
    assert "Edith Rowan approved it" in phone.text
    assert phone.problems == []
    context.close()
    with sqlite.reading() as session:
        assert session.get_one(Agreement, quote).status is AgreementStatus.ORDERED
        assert session.scalars(select(Acceptance.name)).one() == "Edith Rowan"
        assert session.scalars(select(Approval.asked_by)).one() == "Priya Marsh"
    visitor.open(f"/school/{URN}/agreements/{quote}")
    assert "Edith Rowan" in visitor.text
