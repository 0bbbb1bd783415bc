"""The season's pages: planned and prepared by the service, answered by the school, and a file of all of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from sla_manager.agreements.models import Agreement, Renewal, RenewalNotice, Season
from sla_manager.agreements.rules.seasons import Answer
from sla_manager.app import create_app
from sla_manager.catalogue.models import Price
from sla_manager.jobs.seasons import prepare_requested
from sla_manager.kernel.clock import as_at, fixed_clock
from sla_manager.kernel.money import Money
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.store.database import Database
from sla_manager.store.outbox import OutboxMessage
from tests import builders
from tests.conftest import sign_in_as
from tests.databases import test_settings as settings_for
from tests.rooms.renewing import PREPARED, SIGNED, last_year

URN = 900_401


@dataclass
class Desk:
    """A service and two schools at their browsers, on a day."""

    database: Database
    folder: Any
    people: tuple[int, int, int]

    def on(self, at: datetime) -> tuple[FlaskClient, FlaskClient, FlaskClient]:
        """Return the browsers of the manager, the school and another school on a day."""
        app = create_app(
            settings_for("sqlite://", self.folder), clock=fixed_clock(at), database=self.database
        )
        app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
        app.extensions["sla.limiter"].enabled = False
        found = []
        for person_id in self.people:
            client = app.test_client()
            sign_in_as(client, person_id)
            found.append(client)
        return found[0], found[1], found[2]


@pytest.fixture
def desk(app: Flask, sqlite: Database, tmp_path: Any) -> Desk:
    with sqlite.transaction() as session:
        builders.terms(session)
        offering = builders.an_offering(session)
        for price in session.scalars(select(Price).where(Price.offering_id == offering.id)).all():
            price.ends_on = date(2026, 3, 31)
            session.add(
                Price(
                    offering_id=offering.id, family=offering.family, customer_class=price.customer_class,
                    starts_on=date(2026, 4, 1), ends_on=None, unit_price=Money(383_46), source="Review",
                )
            )  # fmt: skip
        school = builders.a_school(session, URN, customer_class=CustomerClass.ACADEMY, name="=Harbour Lane")
        other = builders.a_school(session, URN + 1)
        last_year(session, school)
        last_year(session, other, "4", renews=True, notice_months=3)
        buyer = builders.a_person(
            session, Role.SCHOOL_BUSINESS_MANAGER, school=school, email="a@school.example"
        )
        stranger = builders.a_person(
            session, Role.SCHOOL_BUSINESS_MANAGER, school=other, email="b@school.example"
        )
        manager = builders.a_person(session, Role.SERVICE_MANAGER, email="m@council.example")
        return Desk(sqlite, tmp_path / "invoices", (manager.id, buyer.id, stranger.id))


def day(name: str, value: date) -> dict[str, str]:
    return {f"{name}-day": str(value.day), f"{name}-month": str(value.month), f"{name}-year": str(value.year)}


def planned(**changes: Any) -> dict[str, str]:
    dates = {
        "starts_on": date(2026, 4, 1),
        "ends_on": date(2027, 3, 31),
        "builds_from": date(2026, 1, 12),
        "submit_from": date(2026, 2, 2),
        "due_by": date(2026, 3, 13),
    }
    asked = {"schedule": "three", "notice_months": "0"}
    for name, value in (dates | {k: v for k, v in changes.items() if isinstance(v, date)}).items():
        asked |= day(name, value)
    return asked | {k: v for k, v in changes.items() if isinstance(v, str)}


def a_season(desk: Desk) -> int:
    manager, _, _ = desk.on(PREPARED)
    answer = manager.post("/service/ews/seasons/new", data=planned())
    assert answer.status_code == 303, answer.text
    season_id = int(answer.location.rsplit("/", 1)[1])
    assert manager.post(f"/service/ews/seasons/{season_id}/prepare").status_code == 303
    where = f"/service/ews/seasons/{season_id}/progress"
    assert manager.get(where).headers["Refresh"] == "3"
    assert "Refresh" not in manager.get(f"{where}?stay=yes").headers
    prepare_requested(desk.database, at=PREPARED)
    assert "Refresh" not in manager.get(where).headers
    return season_id


def renewal_of(desk: Desk, urn: int = URN) -> Renewal:
    with desk.database.reading() as session:
        school = builders.a_school(session, urn)
        return session.scalars(select(Renewal).where(Renewal.school_id == school.id)).one()


def test_a_season_is_planned_prepared_seen_and_answered(desk: Desk) -> None:
    season_id = a_season(desk)
    renewal = renewal_of(desk)
    manager, school, stranger = desk.on(as_at(date(2026, 1, 20)))
    home = school.get(f"/school/{URN}/").text
    assert "Your renewal for 2026-27 is ready" in home
    assert "You can order from 2 February 2026" in home
    page = school.get(f"/school/{URN}/renewals/{renewal.id}").text
    for words in (
        "12 days", "£4,416.00", "£4,601.52", "+£185.52",
        "Each day costs £383.46 instead of £368.00, 4.2 % more.", "You can order from 2 February 2026",
    ):  # fmt: skip
        assert words in page, words
    assert "Order it as it is" not in page
    assert stranger.get(f"/school/{URN}/renewals/{renewal.id}").status_code == 404
    assert stranger.get(f"/school/{URN + 1}/renewals/{renewal.id}").status_code == 404
    early = school.post(
        f"/school/{URN}/agreements/{renewal.agreement_id}/order", data={"role": "Head", "authority": "y"}
    )
    assert (early.status_code, "You can order from 2 February 2026" in early.text) == (422, True)

    manager, school, stranger = desk.on(as_at(date(2026, 3, 20)))
    page = school.get(f"/school/{URN}/renewals/{renewal.id}").text
    assert "Order it as it is" in page
    assert "It was due by 13 March 2026" in page
    ordered = school.post(
        f"/school/{URN}/agreements/{renewal.agreement_id}/order", data={"role": "Head", "authority": "y"}
    )
    assert ordered.status_code == 303, ordered.text
    assert "Your renewal for" not in school.get(f"/school/{URN}/").text
    board = manager.get(f"/service/ews/seasons/{season_id}").text
    assert "Renewed as it is" in board
    assert "Late" in board
    shown = manager.get(f"/service/ews/seasons/{season_id}?standing=none").text
    assert "=Harbour Lane" not in shown.split("Schools by name")[1]


def test_x4_the_list_as_a_file_is_inert_and_narrowed_like_the_page(desk: Desk) -> None:
    season_id = a_season(desk)
    manager, _, _ = desk.on(as_at(date(2026, 2, 3)))
    every = manager.get(f"/service/ews/seasons/{season_id}/schools.csv")
    lines = every.data.decode("utf-8-sig").splitlines()
    assert len(lines) == 3
    assert lines[1].startswith(f"{URN},'=Harbour Lane,Not answered,,4416.00,4601.52,EWS-Q/")
    one = manager.get(f"/service/ews/seasons/{season_id}/schools.csv?text={URN + 1}").data.decode()
    assert len(one.splitlines()) == 2


def test_a_school_declines_and_is_not_reminded(desk: Desk) -> None:
    season_id = a_season(desk)
    renewal = renewal_of(desk)
    manager, school, stranger = desk.on(as_at(date(2026, 2, 3)))
    where = f"/school/{URN}/renewals/{renewal.id}/decline"
    empty = school.post(where, data={"reason": " "})
    assert (empty.status_code, "Write why you do not renew" in empty.text) == (422, True)
    assert stranger.post(where, data={"reason": "x"}).status_code == 404
    assert school.post(where, data={"reason": "We have our own officer."}).status_code == 303
    assert "We have our own officer." in school.get(f"/school/{URN}/renewals/{renewal.id}").text
    assert manager.post(f"/service/ews/seasons/{season_id}/remind").status_code == 303
    assert manager.post(f"/service/ews/seasons/{season_id}/remind").status_code == 303
    with desk.database.reading() as session:
        told = session.scalars(
            select(OutboxMessage.recipient).where(OutboxMessage.key.startswith("renewal-reminder:"))
        ).all()
        assert session.get_one(Renewal, renewal.id).answer is Answer.DECLINED
    assert told == ["b@school.example"]


def test_notice_is_given_on_the_page_and_the_service_sees_it(desk: Desk) -> None:
    with desk.database.reading() as session:
        agreement_id = session.scalars(select(Agreement.id).where(Agreement.renews.is_(True))).one()
    manager, school, other = desk.on(as_at(date(2025, 12, 1)))
    where = f"/school/{URN + 1}/agreements/{agreement_id}/renewing"
    page = other.get(where).text
    assert "unless you give notice by 31 December 2025" in page
    assert "renews by itself until 31 March 2027" in page
    assert school.post(where).status_code == 404
    assert "Record notice" in manager.get("/service/ews/renewing").text
    assert other.post(where, data={"reason": "Budget"}).status_code == 303
    assert other.post(where, data={"reason": "Again"}).status_code == 303
    listed = manager.get("/service/ews/renewing").text
    assert "Notice given" in listed
    with desk.database.reading() as session:
        assert session.scalars(select(RenewalNotice.reason)).all() == ["Budget"]


def test_notice_on_paper_is_recorded_with_its_day(desk: Desk) -> None:
    with desk.database.reading() as session:
        agreement_id = session.scalars(select(Agreement.id).where(Agreement.renews.is_(True))).one()
    manager, _, _ = desk.on(as_at(date(2026, 1, 5)))
    where = f"/service/ews/agreements/{agreement_id}/renewing"
    late = manager.post(where, data=day("given_on", date(2026, 1, 2)) | {"given_by": "Head"})
    assert (late.status_code, "was 31 December 2025" in late.text) == (422, True)
    came = manager.post(where, data=day("given_on", date(2025, 12, 30)) | {"given_by": "Ms Head"})
    assert came.status_code == 303
    with desk.database.reading() as session:
        assert [(n.given_by, n.given_on) for n in session.scalars(select(RenewalNotice))] == [
            ("Ms Head", date(2025, 12, 30))
        ]


def test_dates_out_of_order_stay_on_the_page_with_what_to_do(desk: Desk) -> None:
    manager, _, _ = desk.on(PREPARED)
    refused = manager.post("/service/ews/seasons/new", data=planned(due_by=date(2026, 1, 20)))
    assert refused.status_code == 422
    assert "Choose a later due date" in refused.text
    season_id = a_season(desk)
    manager, _, _ = desk.on(PREPARED)
    page = manager.get(f"/service/ews/seasons/{season_id}/change").text
    assert 'name="version" value="1"' in page
    first = manager.post(
        f"/service/ews/seasons/{season_id}/change", data=planned(due_by=date(2026, 3, 20), version="1")
    )
    assert first.status_code == 303, first.text
    stale = manager.post(
        f"/service/ews/seasons/{season_id}/change", data=planned(due_by=date(2026, 3, 25), version="1")
    )
    assert (stale.status_code, "Somebody else changed" in stale.text) == (422, True)
    assert manager.post(f"/service/ews/seasons/{season_id}/close").status_code == 303
    with desk.database.reading() as session:
        season = session.get_one(Season, season_id)
        assert (season.due_by, season.closed_at is not None) == (date(2026, 3, 20), True)
        assert session.scalar(select(func.count(Renewal.id))) == 2
    assert SIGNED < PREPARED
