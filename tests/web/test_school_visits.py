"""A school's visits: what comes, what was delivered, agree or query, extra time decided."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from sla_manager.catalogue.rules.families import CoreDuty
from sla_manager.kernel.clock import fixed_clock
from sla_manager.people.rules.roles import Role
from sla_manager.store.database import Database
from sla_manager.visits.commands import log_delivery
from sla_manager.visits.models import ExtraTime, ExtraTimeStatus
from sla_manager.visits.queries import visit_in, visit_record
from tests import builders
from tests.conftest import sign_in_as
from tests.visiting import BY, TUESDAY, Scene, a_scene, a_visit, at_noon, meeting, worked


class Desk:
    """A business manager whose school had a day of 2 hours core and half a day too much of casework."""

    def __init__(self, app: Flask, database: Database) -> None:
        self.app, self.database = app, database
        app.extensions["sla.clock"] = fixed_clock(at_noon(date(2025, 11, 5)))
        with database.transaction() as session:
            self.scene: Scene = a_scene(session, quantity="0.5")
            visit = a_visit(session, self.scene)
            activities = [meeting(120), worked(444)]
            nasty = "<script>alert(1)</script>"
            log_delivery(session, visit.id, activities=activities, note=nasty, by=BY, at=at_noon(TUESDAY))
            core = {"duty": CoreDuty.TARGETING_SUPPORT_MEETING}
            self.coming = a_visit(
                session, self.scene, day=date(2025, 11, 12), purpose="Autumn data", **core
            ).id
            self.visit = visit.id
            self.extra = session.scalars(select(ExtraTime.id)).one()
            manager = builders.a_person(session, Role.SCHOOL_BUSINESS_MANAGER, school=self.scene.school)
            elsewhere = builders.a_school(session)
            other = builders.a_person(
                session, Role.SCHOOL_BUSINESS_MANAGER, school=elsewhere, name="Other Manager"
            )
            self.other_urn = elsewhere.urn
            ids = manager.id, other.id
        self.client, self.other = self.signed_in(ids[0]), self.signed_in(ids[1])
        self.urn = self.scene.school.urn

    def signed_in(self, person_id: int) -> FlaskClient:
        client = self.app.test_client()
        sign_in_as(client, person_id)
        return client

    def page(self, address: str, status: int = 200) -> str:
        answer = self.client.get(f"/school/{self.urn}{address}")
        assert answer.status_code == status
        return answer.get_data(as_text=True)

    def post(self, address: str, status: int = 303, **fields: str) -> str:
        answer = self.client.post(f"/school/{self.urn}{address}", data=fields)
        assert answer.status_code == status
        return answer.get_data(as_text=True)


@pytest.fixture
def desk(app: Flask, sqlite: Database) -> Desk:
    return Desk(app, sqlite)


def test_the_list_shows_what_comes_what_was_free_and_what_waits(desk: Desk) -> None:
    page = desk.page("/visits")
    assert "Autumn data" in page
    assert "0.5 days (3 hours 42 minutes) beyond what you bought" in page
    assert "£184.00 before VAT" in page
    assert "2 hours core" in page
    assert "0.5 days taken off" in page
    assert "Agree or query" in page


def test_another_schools_visits_are_not_there(desk: Desk) -> None:
    for urn in (desk.urn, desk.other_urn):
        for address in (f"/visits/{desk.visit}", f"/extra-time/{desk.extra}"):
            assert desk.other.get(f"/school/{urn}{address}").status_code == 404
        for address in (
            f"/visits/{desk.visit}/agree", f"/visits/{desk.visit}/query", f"/extra-time/{desk.extra}/approve",
            f"/extra-time/{desk.extra}/decline",
        ):  # fmt: skip
            assert desk.other.post(f"/school/{urn}{address}", data={"wording": "x"}).status_code == 404
    with desk.database.reading() as session:
        assert session.scalars(select(ExtraTime)).one().status is ExtraTimeStatus.PROPOSED


def test_a_visit_shows_its_activities_core_first_and_free_and_text_is_inert(desk: Desk) -> None:
    page = desk.page(f"/visits/{desk.visit}")
    assert page.index("Targeting support meeting") < page.index("Casework")
    assert "Free</strong>" in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_agree_is_kept_once(desk: Desk) -> None:
    for _ in range(2):
        desk.post(f"/visits/{desk.visit}/agree")
    with desk.database.reading() as session:
        record = visit_record(session, visit_in(session, desk.visit))
        assert [response.answer for response in record.responses] == ["agree"]
    assert "You agreed" in desk.page("/visits")


def test_a_query_needs_words_keeps_them_and_shows_them(desk: Desk) -> None:
    assert "Write what is wrong" in desk.post(f"/visits/{desk.visit}/query", 422, wording="")
    assert "unique pupil number" in desk.post(f"/visits/{desk.visit}/query", 422, wording="H801200001001")
    desk.post(f"/visits/{desk.visit}/query", wording="Only half a day.")
    assert "Only half a day." in desk.page(f"/visits/{desk.visit}")
    assert "You queried this" in desk.page("/visits")


def test_a_planned_visit_cannot_be_agreed(desk: Desk) -> None:
    answer = desk.client.post(f"/school/{desk.urn}/visits/{desk.coming}/agree")
    assert answer.status_code == 409
    assert "Is this right?" not in desk.page(f"/visits/{desk.coming}")


@pytest.mark.parametrize(("act", "status"), [("approve", "approved"), ("decline", "declined")])
def test_extra_time_is_decided_after_a_page_that_says_what_follows(desk: Desk, act: str, status: str) -> None:
    page = desk.page(f"/extra-time/{desk.extra}")
    assert "If you decline it, you are not charged" in page
    assert "with VAT" in page
    desk.post(f"/extra-time/{desk.extra}/{act}")
    with desk.database.reading() as session:
        assert session.scalars(select(ExtraTime)).one().status.value == status
    desk.page(f"/extra-time/{desk.extra}", 404)


def test_c8_opening_the_pages_writes_nothing(desk: Desk) -> None:
    for address in (
        "/visits",
        f"/visits/{desk.visit}",
        f"/visits/{desk.coming}",
        f"/extra-time/{desk.extra}",
    ):
        desk.page(address)
    with desk.database.reading() as session:
        assert visit_record(session, visit_in(session, desk.visit)).responses == ()
