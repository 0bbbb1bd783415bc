"""An officer at her phone: the week, a visit, the log in one press, splitting it, the calendar address."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from icalendar import Calendar

from sla_manager.catalogue.rules.families import CoreDuty
from sla_manager.kernel.clock import fixed_clock
from sla_manager.kernel.minutes import Minutes
from sla_manager.people.models import Officer
from sla_manager.people.rules.roles import Role
from sla_manager.store.database import Database
from sla_manager.visits.commands import cancel_visit, move_visit
from sla_manager.visits.models import VisitStatus
from sla_manager.visits.queries import visit_in, visit_record
from sla_manager.visits.rules.slots import Part
from tests import builders
from tests.conftest import sign_in_as
from tests.visiting import BY, SIGNED, TUESDAY, Scene, a_scene, a_visit, at_noon, entries


class Phone:
    """An officer's phone on the afternoon of her visits."""

    def __init__(self, app: Flask, database: Database) -> None:
        self.app, self.database = app, database
        app.extensions["sla.clock"] = fixed_clock(at_noon(TUESDAY))
        with database.transaction() as session:
            asha = builders.a_person(session, Role.OFFICER, name="Asha Okafor")
            ben = builders.a_person(session, Role.OFFICER, name="Ben Carter")
            builders.an_officer(session, "Asha Okafor", person=asha)
            builders.an_officer(session, "Ben Carter", person=ben)
            self.scene: Scene = a_scene(session)
            self.visit = a_visit(session, self.scene).id
            core_at = {"part": Part.AFTERNOON, "duty": CoreDuty.TARGETING_SUPPORT_MEETING}
            self.core = a_visit(session, self.scene, **core_at).id
            self.person, self.other = asha.id, ben.id
        self.client = self.signed_in(self.person)

    def signed_in(self, person_id: int) -> FlaskClient:
        client = self.app.test_client()
        sign_in_as(client, person_id)
        return client

    def page(self, address: str, status: int = 200) -> str:
        answer = self.client.get(address)
        assert answer.status_code == status
        return answer.get_data(as_text=True)


@pytest.fixture
def phone(app: Flask, sqlite: Database) -> Phone:
    return Phone(app, sqlite)


def logged(**changes: str) -> dict[str, str]:
    """Return what the prefilled form sends."""
    return {
        "activities-0-what": "bought",
        "activities-0-kind": "work",
        "activities-0-minutes-hours": "3",
        "activities-0-minutes-minutes": "42",
        "activities-0-cases": "",
        "activities-0-description": "",
        "note": "",
    } | {key.replace("__", "-"): value for key, value in changes.items()}


def test_the_week_shows_today_first_and_what_is_free(phone: Phone) -> None:
    page = phone.page("/officer/")
    assert page.index("Tuesday 4 November 2025") < page.index("Wednesday 5 November 2025")
    assert page.index("Wednesday 5 November 2025") < page.index("Monday 3 November 2025")
    assert "Free</strong>" in page
    assert "Log it" in page


def test_another_officers_visit_is_not_there(phone: Phone) -> None:
    client = phone.signed_in(phone.other)
    for path in ("", "/log", "/no-access"):
        assert client.get(f"/officer/visits/{phone.visit}{path}").status_code == 404
    assert client.post(f"/officer/visits/{phone.visit}/log", data=logged()).status_code == 404


def test_the_log_is_filled_from_the_booking_and_one_press_saves_it(phone: Phone) -> None:
    page = phone.page(f"/officer/visits/{phone.visit}/log")
    assert 'name="activities-0-minutes-hours"' in page
    assert 'value="3"' in page
    assert 'value="42"' in page
    answer = phone.client.post(f"/officer/visits/{phone.visit}/log", data=logged())
    assert answer.status_code == 303
    assert entries(phone.database, phone.visit) == [("delivered", -222)]
    again = phone.client.post(f"/officer/visits/{phone.visit}/log", data=logged())
    assert again.status_code == 303
    assert entries(phone.database, phone.visit) == [("delivered", -222)]
    assert "Taken off bought time" in phone.page(f"/officer/visits/{phone.visit}")


def test_a_row_is_added_by_a_plain_button_and_what_was_typed_stays(phone: Phone) -> None:
    address = f"/officer/visits/{phone.visit}/log"
    answer = phone.client.post(address, data=logged(note="Kept words", add="1"))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert 'name="activities-1-minutes-hours"' in page
    assert "Kept words" in page
    assert entries(phone.database, phone.visit) == []
    second = {
        "activities-1-what": "targeting_support_meeting",
        "activities-1-kind": "work",
        "activities-1-minutes-hours": "2",
        "activities-1-minutes-minutes": "0",
    }
    assert phone.client.post(address, data=logged() | second).status_code == 303
    with phone.database.reading() as session:
        record = visit_record(session, visit_in(session, phone.visit))
        assert record.delivery is not None
        assert (record.delivery.core, record.delivery.charged) == (Minutes(120), Minutes(222))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"activities-0-minutes-hours": "", "activities-0-minutes-minutes": ""}, "at least one activity"),
        ({"activities-0-minutes-hours": "x"}, "is not a number of hours"),
        ({"activities-0-what": "nonsense"}, "Choose one from the list"),
        ({"note": "Saw H801200001001"}, "unique pupil number"),
        ({"note": "x" * 10_001}, "10,001 characters"),
    ],
)
def test_what_cannot_be_logged_is_refused_beside_the_form(
    phone: Phone, changes: dict[str, str], says: str
) -> None:
    answer = phone.client.post(f"/officer/visits/{phone.visit}/log", data=logged() | changes)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "There is a problem" in page
    assert says in page
    assert entries(phone.database, phone.visit) == []


def test_s5_a_note_with_script_is_shown_inert(phone: Phone) -> None:
    nasty = "<script>alert(1)</script><img src=file:///etc/passwd>"
    phone.client.post(f"/officer/visits/{phone.visit}/log", data=logged(note=nasty))
    page = phone.page(f"/officer/visits/{phone.visit}")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_core_visit_offers_nothing_bought_and_writes_no_entry(phone: Phone) -> None:
    phone.app.extensions["sla.clock"] = fixed_clock(at_noon(date(2025, 11, 5)))
    page = phone.page(f"/officer/visits/{phone.core}/log")
    assert "Bought:" not in page
    sent = logged(activities__0__what="targeting_support_meeting")
    assert phone.client.post(f"/officer/visits/{phone.core}/log", data=sent).status_code == 303
    assert entries(phone.database, phone.core) == []


def test_school_not_ready_says_what_follows_and_records_it(phone: Phone) -> None:
    address = f"/officer/visits/{phone.visit}/no-access"
    assert "3 hours 42 minutes are charged to the school" in phone.page(address)
    assert phone.client.post(address, data={"reason": ""}).status_code == 422
    assert phone.client.post(address, data={"reason": "Nobody let me in."}).status_code == 303
    assert entries(phone.database, phone.visit) == [("charged", -222)]


def test_work_that_nobody_planned_is_booked_and_then_logged(phone: Phone) -> None:
    assert "Choose a school" in phone.page("/officer/other-work")
    address = f"/officer/other-work?school={phone.scene.school.id}"
    assert "Bought: Education welfare officer, day" in phone.page(address)
    sent = {
        "what": f"line:{phone.scene.line.id}",
        "day-day": "3",
        "day-month": "11",
        "day-year": "2025",
        "starts": "9am",
        "ends": "10:30am",
        "once": "unplanned-1",
    }
    first = phone.client.post(address, data=sent)
    assert first.status_code == 303
    assert phone.client.post(address, data=sent).location == first.location
    assert "1 hour 30 minutes booked" in phone.page(first.location)
    assert phone.client.post(address, data=sent | {"day-day": "5", "once": "b"}).status_code == 422


def made_feed(phone: Phone) -> str:
    page = phone.client.post("/officer/calendar").get_data(as_text=True)
    return "/feeds/" + page.split("/feeds/")[1].split("<")[0]


def test_i1_the_calendar_address_is_shown_once_and_works_until_it_is_replaced_or_revoked(
    phone: Phone,
) -> None:
    first = made_feed(phone)
    assert "/feeds/" not in phone.page("/officer/calendar")
    anybody = phone.app.test_client()
    assert anybody.get(first).status_code == 200
    second = made_feed(phone)
    assert anybody.get(first).status_code == 404
    assert anybody.get(second[:-5] + "x.ics").status_code == 404
    assert phone.client.post("/officer/calendar/revoke").status_code == 303
    assert anybody.get(second).status_code == 404


def test_i2_i3_the_feed_tells_school_time_and_place_and_keeps_what_is_cancelled(phone: Phone) -> None:
    address, anybody = made_feed(phone), phone.app.test_client()
    with phone.database.transaction() as session:
        move_visit(session, phone.visit, day=date(2025, 11, 6), part=Part.MORNING, by=BY, at=SIGNED)
        cancel_visit(session, phone.visit, caused_by="provider", reason="Private words", by=BY, at=SIGNED)
    answer = anybody.get(address)
    events = {str(event["UID"]): event for event in Calendar.from_ical(answer.data).walk("VEVENT")}
    with phone.database.reading() as session:
        cancelled = events[visit_in(session, phone.visit).uid]
    assert (cancelled["STATUS"], cancelled["SEQUENCE"]) == ("CANCELLED", 2)
    assert len(events) == 2
    assert b"Private words" not in answer.data
    assert b"targeting" not in answer.data.lower()


def test_i4_an_unchanged_feed_is_304_and_a_leavers_dies_at_once(phone: Phone) -> None:
    address, anybody = made_feed(phone), phone.app.test_client()
    answer = anybody.get(address)
    assert answer.mimetype == "text/calendar"
    assert anybody.get(address, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    with phone.database.transaction() as session:
        session.get_one(Officer, phone.scene.officer.id).ends_on = date(2025, 11, 3)
    assert anybody.get(address, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 404


def test_c8_opening_pages_changes_nothing(phone: Phone) -> None:
    for address in ("/officer/", f"/officer/visits/{phone.visit}", f"/officer/visits/{phone.visit}/log"):
        phone.page(address)
    with phone.database.reading() as session:
        assert visit_in(session, phone.visit).status is VisitStatus.PLANNED
