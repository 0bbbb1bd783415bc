"""A service manager's visits: planned, warned about, moved, cancelled with a preview, absences, queries settled."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from sla_manager.catalogue.rules.families import CoreDuty
from sla_manager.kernel.clock import fixed_clock
from sla_manager.people.rules.roles import Role
from sla_manager.store.database import Database
from sla_manager.visits.commands import log_delivery, respond_to_delivery
from sla_manager.visits.models import Absence, Visit, VisitStatus
from sla_manager.visits.queries import visit_in
from sla_manager.visits.rules.slots import Part
from tests import builders
from tests.conftest import sign_in_as
from tests.visiting import BY, SIGNED, TUESDAY, Scene, a_scene, a_visit, at_noon, entries, worked


class Office:
    """A service manager, another service's manager, and one visit on Tuesday 4 November 2025."""

    def __init__(self, app: Flask, database: Database) -> None:
        self.app, self.database = app, database
        with database.transaction() as session:
            self.scene: Scene = a_scene(session)
            self.ben = builders.an_officer(session, "Ben Carter").id
            self.visit = a_visit(session, self.scene).id
            manager = builders.a_person(session, Role.SERVICE_MANAGER)
            music = builders.a_service(session, "music")
            stranger = builders.a_person(session, Role.SERVICE_MANAGER, service=music, name="Other Manager")
            self.stranger_id = stranger.id
        self.client = self.signed_in(manager.id)

    def signed_in(self, person_id: int) -> FlaskClient:
        client = self.app.test_client()
        sign_in_as(client, person_id)
        return client

    def stand_at(self, day: date) -> None:
        self.app.extensions["sla.clock"] = fixed_clock(at_noon(day))

    def page(self, address: str, status: int = 200) -> str:
        answer = self.client.get(f"/service/ews{address}")
        assert answer.status_code == status
        return answer.get_data(as_text=True)

    def post(self, address: str, status: int = 303, **fields: str) -> str:
        sent = {key.replace("__", "-"): value for key, value in fields.items()}
        answer = self.client.post(f"/service/ews{address}", data=sent)
        assert answer.status_code == status, answer.get_data(as_text=True)
        return answer.get_data(as_text=True)

    def count(self) -> int:
        with self.database.reading() as session:
            return session.scalar(select(func.count()).select_from(Visit)) or 0


@pytest.fixture
def office(app: Flask, sqlite: Database) -> Office:
    return Office(app, sqlite)


def wanted(office: Office, **changes: str) -> dict[str, str]:
    return {
        "officer": str(office.scene.officer.id),
        "what": f"line:{office.scene.line.id}",
        "day__day": "5", "day__month": "11", "day__year": "2025",
        "part": "morning",
        "starts": "", "ends": "", "purpose": "", "note": "", "once": "plan-1",
    } | changes  # fmt: skip


def test_every_page_of_a_service_opens_and_belongs_to_it_alone(office: Office) -> None:
    stranger = office.signed_in(office.stranger_id)
    for address in (
        "/", "/diaries", "/diaries?from=2025-11-04", "/visits", "/visits?since=2025-01-01&status=planned",
        "/visits/plan", f"/visits/plan?school={office.scene.school.id}", f"/visits/{office.visit}",
        f"/visits/{office.visit}/move", f"/visits/{office.visit}/reassign", f"/visits/{office.visit}/cancel",
        f"/visits/{office.visit}/no-access", "/absences", "/absences/add", "/support-meetings", "/pace",
    ):  # fmt: skip
        office.page(address)
        assert stranger.get(f"/service/ews{address}").status_code == 404
    assert stranger.get(f"/service/music/visits/{office.visit}").status_code == 404
    office.page("/visits/99999", 404)


def test_a_visit_is_planned_once_however_often_the_form_is_sent(office: Office) -> None:
    address = f"/visits/plan?school={office.scene.school.id}"
    page = office.page(address)
    assert page.index("Free core: targeting support meeting") < page.index(
        "Bought: Education welfare officer"
    )
    assert "9.5 days free to book" in page
    for _ in range(2):
        office.post(address, **wanted(office))
    assert office.count() == 2
    assert "9 days free to book" in office.page(address)


def test_a_taken_time_and_too_many_days_are_refused_with_what_was_typed(office: Office) -> None:
    address = f"/visits/plan?school={office.scene.school.id}"
    page = office.post(address, 409, **wanted(office, day__day="4", purpose="Kept words", once="b"))
    assert "just taken: Asha Okafor" in page
    assert "Kept words" in page
    office.post(address, 422, **wanted(office, day__day="", once="c"))
    assert office.count() == 1


def test_a_warning_asks_for_plan_anyway(office: Office) -> None:
    address = f"/visits/plan?school={office.scene.school.id}"
    page = office.post(address, 422, **wanted(office, day__day="8"))
    assert "8 November 2025 is a weekend" in page
    assert 'name="anyway"' in page
    office.post(address, **wanted(office, day__day="8", anyway="y"))
    assert office.count() == 2


def test_a_visit_is_moved_and_given_to_another_officer(office: Office) -> None:
    move = {
        "day__day": "6",
        "day__month": "11",
        "day__year": "2025",
        "part": "times",
        "starts": "10am",
        "ends": "2pm",
    }
    office.post(f"/visits/{office.visit}/move", **move)
    office.post(f"/visits/{office.visit}/reassign", officer=str(office.ben))
    with office.database.reading() as session:
        visit = visit_in(session, office.visit)
        assert (visit.day, visit.officer_id, visit.sequence, visit.booked.minutes) == (
            date(2025, 11, 6),
            office.ben,
            2,
            222,
        )


def test_cancelling_shows_what_it_costs_before_it_is_done(office: Office) -> None:
    office.stand_at(date(2025, 10, 30))
    sent = {
        "caused_by": "school", "notice_on__day": "30", "notice_on__month": "10", "notice_on__year": "2025",
        "notice_time": "11am", "reason": "A trip.",
    }  # fmt: skip
    page = office.post(f"/visits/{office.visit}/cancel", 200, **sent)
    assert "2 clear working days" in page
    assert "3 hours 42 minutes are charged" in page
    assert entries(office.database, office.visit) == []
    figures = page.split('name="confirmed" value="')[1].split('"')[0]
    page = office.post(
        f"/visits/{office.visit}/cancel", 200, **(sent | {"caused_by": "provider"}), confirmed=figures
    )
    assert "Nothing is charged" in page
    office.post(f"/visits/{office.visit}/cancel", **sent, confirmed=figures)
    assert entries(office.database, office.visit) == [("charged", -222)]
    assert "A trip." in office.page(f"/visits/{office.visit}")


def test_d5_the_absence_page_lists_clashing_visits_before_it_keeps_anything(office: Office) -> None:
    sent = {
        "officer": str(office.scene.officer.id), "kind": "leave", "starts": "", "ends": "",
        "starts_on__day": "3", "starts_on__month": "11", "starts_on__year": "2025",
        "ends_on__day": "7", "ends_on__month": "11", "ends_on__year": "2025",
    }  # fmt: skip
    page = office.post("/absences/add", 422, **sent)
    assert "Meadow Lane School 900101, 4 November 2025, 9am" in page
    assert f'name="seen" value="{office.visit}"' in page
    office.post("/absences/add", **sent, seen=str(office.visit))
    assert "Leave" in office.page("/absences")
    with office.database.reading() as session:
        absence = session.scalars(select(Absence)).one()
    office.post(f"/absences/{absence.id}/withdraw")
    assert "Nobody is away" in office.page("/absences")


def test_home_says_what_waits(office: Office) -> None:
    office.stand_at(date(2025, 11, 6))
    page = office.page("/")
    assert "Visits that nobody logged" in page
    with office.database.transaction() as session:
        log_delivery(session, office.visit, activities=[worked(222)], by=BY, at=at_noon(TUESDAY))
        respond_to_delivery(
            session, office.visit, answer="query", wording="Too long.", by=BY, at=at_noon(TUESDAY)
        )
    assert 'id="queries"' in office.page("/")
    settled = f"/visits/{office.visit}/settle"
    assert "Settle the query" in office.page(f"/visits/{office.visit}")
    office.post(settled, 422, wording="", minutes__hours="", minutes__minutes="")
    office.post(settled, wording="One hour less.", minutes__hours="2", minutes__minutes="42")
    assert entries(office.database, office.visit)[-1] == ("delivered", -162)
    assert 'id="queries"' not in office.page("/")


def test_a_query_settled_with_0_hours_0_minutes_gives_everything_back(office: Office) -> None:
    with office.database.transaction() as session:
        log_delivery(session, office.visit, activities=[worked(222)], by=BY, at=at_noon(TUESDAY))
        respond_to_delivery(session, office.visit, answer="query", wording="No.", by=BY, at=at_noon(TUESDAY))
    office.post(f"/visits/{office.visit}/settle", wording="Right.", minutes__hours="0", minutes__minutes="0")
    assert entries(office.database, office.visit) == [("delivered", -222), ("reversal", 222)]


def test_support_meetings_show_every_school_and_pace_its_sentence(office: Office) -> None:
    with office.database.transaction() as session:
        builders.a_school(session, name="Never Bought School")
        core_at = {"part": Part.AFTERNOON, "duty": CoreDuty.TARGETING_SUPPORT_MEETING}
        a_visit(session, office.scene, at=SIGNED, **core_at)
    page = office.page("/support-meetings")
    assert "Never Bought School" in page
    assert "Booked" in page
    assert "10 days left" in office.page("/pace")


def test_an_officer_may_not_plan(office: Office) -> None:
    with office.database.transaction() as session:
        officer = builders.a_person(session, Role.OFFICER)
    client = office.signed_in(officer.id)
    assert client.get("/service/ews/visits/plan").status_code == 404
    assert client.post(f"/service/ews/visits/{office.visit}/cancel").status_code == 404
    with office.database.reading() as session:
        assert visit_in(session, office.visit).status is VisitStatus.PLANNED
