"""The price list's pages: a price in each shape, a review, a discount, a package; a refusal keeps what was typed."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from sla_manager.catalogue.models import Discount, Offering, PackagePart, Price
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.store.database import Database
from tests import builders
from tests.conftest import sign_in_as

APRIL = {"starts_on-day": "1", "starts_on-month": "4", "starts_on-year": "2026"}


@pytest.fixture
def manager(app: Flask, sqlite: Database) -> FlaskClient:
    with sqlite.transaction() as session:
        builders.council(session)
        builders.terms(session)
        builders.an_offering(session)
        builders.a_core_offering(session)
        person_id = builders.a_person(session, Role.SERVICE_MANAGER, email="m@council.example").id
    client = app.test_client()
    sign_in_as(client, person_id)
    return client


def test_something_new_is_added_priced_by_tiers_and_listed(manager: FlaskClient, sqlite: Database) -> None:
    added = manager.post(
        "/service/ews/prices/new",
        data={
            "name": "Attendance audit", "code": "audit", "family": "audit_support", "unit": "audit",
            "minimum": "1", "step": "1", "part_year": "full",
        },
    )  # fmt: skip
    assert added.status_code == 303
    address = f"{added.location}?shape=tiers"
    wrong = manager.post(
        address, data={"classes": ["academy"], "tiers": "1 565.00\n1 500.00", "top_up": "original"} | APRIL
    )
    assert wrong.status_code == 422
    assert "two prices would hold" in wrong.text
    assert "1 500.00" in wrong.text
    right = manager.post(
        address, data={"classes": ["academy"], "tiers": "1 565.00\n4 500.00", "top_up": "cumulative"} | APRIL
    )
    assert right.status_code == 303
    assert "£500.00 for each from 4 audits on" in manager.get(right.location).text
    with sqlite.reading() as session:
        price = session.scalars(select(Price).where(Price.customer_class == CustomerClass.ACADEMY)).all()[-1]
        assert price.terms == {"tiers": [["1", "565.00"], ["4", "500.00"]], "top_up": "cumulative"}


@pytest.mark.parametrize(
    ("shape", "typed", "says"),
    [
        ("unit", {"unit_price": "400.00"}, "£400.00 for each day"),
        ("per_pupil", {"base": "466.14", "each": "1.14", "fallback_pupils": "100"}, "£1.14 for each pupil"),
        ("bands", {"by": "pupils", "bands": "0 250.00\n200 400.00"}, "200 pupils or more: £400.00"),
        (
            "bands",
            {"by": "phase", "bands": "Primary 250.00\nMiddle deemed primary 300"},
            "Middle deemed primary: £300.00",
        ),
    ],
)
def test_a_price_is_set_in_each_shape(
    manager: FlaskClient, shape: str, typed: dict[str, str], says: str
) -> None:
    offering = re.search(r"/service/ews/prices/(\d+)", manager.get("/service/ews/prices").text)
    assert offering
    answer = manager.post(
        f"{offering.group()}/set?shape={shape}", data={"classes": ["academy", "independent"]} | typed | APRIL
    )
    assert answer.status_code == 303, answer.text
    assert says in manager.get(answer.location).text


def test_a_price_in_the_past_and_one_for_core_are_refused(manager: FlaskClient, sqlite: Database) -> None:
    with sqlite.reading() as session:
        core = session.scalars(select(Offering.id).where(Offering.duty.is_not(None))).one()
        day = session.scalars(select(Offering.id).where(Offering.duty.is_(None))).one()
    assert manager.get(f"/service/ews/prices/{core}/set").status_code == 422
    past = APRIL | {"starts_on-year": "2025"}
    answer = manager.post(
        f"/service/ews/prices/{day}/set", data={"classes": ["academy"], "unit_price": "1"} | past
    )
    assert answer.status_code == 422
    assert "1 April 2025 is in the past" in answer.text


def test_c7_a_review_is_seen_then_made_once(manager: FlaskClient) -> None:
    first_of_april = "starts_on-day=1&starts_on-month=4&starts_on-year=2026"
    address = f"/service/ews/prices/review?percentage=4.2&rounding=penny&{first_of_april}"
    page = manager.get(address)
    assert "£383.46" in page.text
    seen = re.search(r'name="seen" value="(\w+)"', page.text)
    assert seen
    stale = manager.post(address, data={"seen": "0" * 64})
    assert stale.status_code == 409
    assert "Nothing was done" in stale.text
    first = manager.post(address, data={"seen": seen[1]}, follow_redirects=True)
    assert "6 new prices hold from 1 April 2026" in first.text
    second = manager.post(address, data={"seen": seen[1]}, follow_redirects=True)
    assert "set already" in second.text


def test_a_discount_is_added_and_ended_and_a_package_made(manager: FlaskClient, sqlite: Database) -> None:
    with sqlite.transaction() as session:
        gold = builders.an_offering(
            session, "2000.00", code="GOLD", unit="package", unit_minutes=None, step="1"
        )
        day = session.scalars(select(Offering.id).where(Offering.code == "EWO-DAY")).one()
    today = {"starts_on-day": "14", "starts_on-month": "10", "starts_on-year": "2025"}
    address = "/service/ews/prices/discounts/new?kind=early_bird"
    assert manager.post(address, data={"name": "Early bird", "percent": "5"} | today).status_code == 422
    ends = {"ends_on-day": "28", "ends_on-month": "2", "ends_on-year": "2026"}
    assert (
        manager.post(address, data={"name": "Early bird", "percent": "5"} | today | ends).status_code == 303
    )
    with sqlite.reading() as session:
        discount = session.scalars(select(Discount)).one()
        assert (discount.percent, discount.ends_on and discount.ends_on.day) == (500, 28)
    assert manager.post(f"/service/ews/prices/discounts/{discount.id}/end").status_code == 303
    assert "Over" in manager.get("/service/ews/prices/discounts").text
    made = manager.post(f"/service/ews/prices/{gold.id}/package", data={f"part_{day}": "5"})
    assert made.status_code == 303
    with sqlite.reading() as session:
        assert [part.offering_id for part in session.scalars(select(PackagePart))] == [day]
    assert "These parts stay" in manager.get(f"/service/ews/prices/{gold.id}/package").text


def test_how_something_is_billed_is_decided_and_it_is_withdrawn(
    manager: FlaskClient, sqlite: Database
) -> None:
    with sqlite.reading() as session:
        day = session.scalars(select(Offering.id).where(Offering.duty.is_(None))).one()
    billed = f"/service/ews/prices/{day}/billed/academy"
    assert manager.post(billed, data={"way": "exempt", "reason": ""}).status_code == 422
    assert manager.post(billed, data={"way": "exempt", "reason": "Exempt: education"}).status_code == 303
    assert "Exempt: education" in manager.get(f"/service/ews/prices/{day}").text
    on = {"on-day": "14", "on-month": "10", "on-year": "2025"}
    assert manager.post(f"/service/ews/prices/{day}/withdraw", data=on).status_code == 303
    manager.get("/service/ews/prices")
    assert "Education welfare officer, day" not in manager.get("/service/ews/prices").text
