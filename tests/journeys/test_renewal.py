"""A renewal in a browser: at most six pages and two minutes from the sign-in to the order; and a season prepared."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date

import pytest
from sqlalchemy import select

from sla_manager.agreements.commands.renewals import prepare_renewals
from sla_manager.agreements.models import Renewal
from sla_manager.agreements.rules.seasons import Answer
from sla_manager.jobs.seasons import prepare_requested
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from tests import builders
from tests.journeys.conftest import Hands, Visitor
from tests.journeys.people import somebody
from tests.rooms.renewing import PREPARED, a_season, last_year

URN = 900_301
MOST_PAGES = 6
MOST_SECONDS = 120


@dataclass(frozen=True)
class Town:
    """The schools that bought last year."""

    school_id: int


@pytest.fixture
def town(sqlite: Database, by: Actor, clock: Hands) -> Town:
    with sqlite.transaction() as session:
        builders.terms(session)
        service = builders.a_service(session)
        school = builders.a_school(
            session, URN, customer_class=CustomerClass.ACADEMY, name="Harbour Lane Academy"
        )
        last_year(session, school)
        other = builders.a_school(session, URN + 1, name="Brook Street Primary School")
        last_year(session, other, "4")
        somebody(session, "Priya Marsh", Role.SCHOOL_BUSINESS_MANAGER, by=by, at=clock(), school_id=school.id)
        somebody(session, "Tomas Reed", Role.SERVICE_MANAGER, by=by, at=clock(), service_id=service.id)
        return Town(school.id)


def answer_of(database: Database, school_id: int) -> Answer:
    with database.reading() as session:
        return session.scalars(select(Renewal.answer).where(Renewal.school_id == school_id)).one()


@pytest.mark.browser
def test_a_school_renews_in_six_pages_and_two_minutes(
    phone: Visitor, town: Town, sqlite: Database, clock: Hands, by: Actor
) -> None:
    with sqlite.transaction() as session:
        season_id = a_season(session).id
    prepare_renewals(sqlite, season_id, by=by, at=PREPARED)
    clock.move_to(date(2026, 2, 3))
    started = time.monotonic()
    phone.sign_in("priya@aldermere.example")
    assert "Your renewal for 2026-27 is ready" in phone.text
    phone.click("Look at your renewal", role="link")
    for figure in ("12 days", "£4,416.00", "£5,299.20"):
        assert figure in phone.text, figure
    phone.click("Order it as it is", role="button")
    phone.tick("I have the authority")
    phone.click("Order for £5,299.20")
    assert "You have ordered" in phone.page.inner_text("body")
    assert phone.pages_opened <= MOST_PAGES
    assert time.monotonic() - started < MOST_SECONDS
    assert answer_of(sqlite, town.school_id) is Answer.RENEWED


@pytest.mark.browser
def test_a_season_is_planned_prepared_and_answered_with_changes(
    visitor: Visitor, town: Town, sqlite: Database, clock: Hands
) -> None:
    clock.move_to(date(2026, 1, 12))
    visitor.sign_in("tomas@aldermere.example")
    visitor.click("Seasons", role="link")
    visitor.click("Plan a season", role="button")
    visitor.fill_date("submit_from", date(2026, 1, 12))
    visitor.click("Plan this season")
    visitor.click("Prepare 2 renewals")
    assert "Renewals are being prepared" in visitor.text
    prepare_requested(sqlite, at=clock())
    visitor.page.wait_for_url("**/progress")
    visitor.page.get_by_role("button", name="See the season").wait_for()
    visitor.click("See the season", role="button")
    assert "2 of 2 schools have not answered" in " ".join(visitor.text.split())
    visitor.click("Remind 2 schools now")
    assert "1 mail posted" in visitor.page.inner_text("body")
    visitor.click("Sign out")
    visitor.sign_in("priya@aldermere.example")
    visitor.click("Look at your renewal", role="link")
    visitor.click("Change it")
    assert "12" in visitor.page.locator("input[value='12']").first.input_value()
    visitor.page.go_back()
    visitor.click("We do not want it", role="link")
    visitor.fill("Why do you not renew?", "We have our own officer now.")
    visitor.click("We do not renew")
    assert "We have noted" in visitor.page.inner_text("body")
    assert answer_of(sqlite, town.school_id) is Answer.DECLINED
