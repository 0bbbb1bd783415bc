"""An officer's morning on a small phone: my week, and a visit logged with one thumb."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from sla_manager.people.rules.roles import Role
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from sla_manager.visits.models import Delivery
from tests import builders
from tests.journeys.conftest import Hands, Visitor
from tests.journeys.people import somebody
from tests.visiting import TUESDAY, a_scene, a_visit, entries

MOST_CLICKS = 6


@pytest.fixture
def visit_id(sqlite: Database, by: Actor, clock: Hands) -> int:
    """A bought morning of today at an academy, and an officer who can sign in."""
    with sqlite.transaction() as session:
        service = builders.a_service(session)
        person = somebody(session, "Asha Okafor", Role.OFFICER, by=by, at=clock(), service_id=service.id)
        builders.an_officer(session, person=person)
        scene = a_scene(session)
        visit = a_visit(session, scene, purpose="Casework with the attendance team")
        a_visit(session, scene, TUESDAY.replace(day=6))
    clock.move_to(TUESDAY, 14)
    return visit.id


@pytest.mark.browser
def test_an_officer_logs_a_visit_on_a_phone_in_six_clicks(
    phone: Visitor, visit_id: int, sqlite: Database
) -> None:
    phone.sign_in("asha@aldermere.example")
    assert "Log it" in phone.text
    clicks = _Clicks(phone)
    clicks.click("Log it", role="link")
    assert "Bought" in phone.page.locator("#activities-0-what option:checked").inner_text()
    _give(phone, 0, hours="2", minutes="30")
    clicks.click("Add another activity")
    clicks.choose("#activities-1-what", "targeting_support_meeting")
    _give(phone, 1, hours="1", minutes="0")
    phone.fill("Note for the school", "Two families met. One plan agreed.")
    clicks.click("Save the log")
    assert "is logged" in phone.page.inner_text("body")
    assert clicks.count <= MOST_CLICKS, f"logging a visit takes {clicks.count} clicks"
    assert "2 hours 30 minutes" in phone.text
    assert phone.text.index("Free") < phone.text.index("Casework on behalf of the school")
    with sqlite.reading() as session:
        given = session.scalars(select(Delivery)).one()
        assert (given.core.minutes, given.worked.minutes, given.charged.minutes) == (60, 150, 150)
    assert entries(sqlite, visit_id) == [("delivered", -150)]
    for page in ("My week", "Log other work", "My calendar"):
        phone.click(page, role="link")


class _Clicks:
    """Counts what a thumb does; choosing from a list is a click as well."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor, self.count = visitor, 0

    def click(self, name: str, *, role: str = "button") -> None:
        self.count += 1
        self.visitor.click(name, role=role)

    def choose(self, where: str, value: str) -> None:
        self.count += 1
        self.visitor.page.locator(where).select_option(value)


def _give(phone: Visitor, row: int, *, hours: str, minutes: str) -> None:
    """Type the time of an activity; typing is no click."""
    phone.page.locator(f"#activities-{row}-minutes-hours").fill(hours)
    phone.page.locator(f"#activities-{row}-minutes-minutes").fill(minutes)
