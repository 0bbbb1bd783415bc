"""A school asks for a quote, orders, and the service accepts: every page on the way, and what is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from sla_manager.agreements.models import Agreement, Basket, Instalment, LedgerEntry, Tranche
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.kernel.minutes import Minutes
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.store.audit import AuditEntry
from sla_manager.store.database import Database
from sla_manager.store.outbox import OutboxMessage
from tests import builders
from tests.conftest import sign_in_as

URN = 900_201


@dataclass
class Desk:
    """The people and the thing that they trade."""

    manager: FlaskClient
    school: FlaskClient
    stranger: FlaskClient
    offering_id: int


@pytest.fixture
def desk(app: Flask, sqlite: Database) -> Desk:
    with sqlite.transaction() as session:
        builders.council(session)
        builders.terms(session)
        school = builders.a_school(session, urn=URN, customer_class=CustomerClass.ACADEMY)
        other = builders.a_school(session, urn=URN + 1)
        offering = builders.an_offering(session)
        builders.a_core_offering(session)
        buyer = builders.a_person(
            session, Role.SCHOOL_BUSINESS_MANAGER, school=school, email="a@school.example"
        )
        stranger = builders.a_person(
            session, Role.SCHOOL_BUSINESS_MANAGER, school=other, email="b@school.example"
        )
        manager = builders.a_person(session, Role.SERVICE_MANAGER, email="m@council.example")
        ids = buyer.id, stranger.id, manager.id
        offering_id = offering.id
    clients = []
    for person_id in ids:
        client = app.test_client()
        sign_in_as(client, person_id)
        clients.append(client)
    return Desk(clients[2], clients[0], clients[1], offering_id)


def filled(desk: Desk, quantity: str = "12", **changes: str) -> dict[str, str]:
    """Put days into the basket and return its form as it would be sent."""
    added = desk.school.post(
        f"/school/{URN}/basket/add",
        data={"offering": str(desk.offering_id), "quantity": quantity, "once": "put"},
    )
    assert added.status_code == 303, added.text
    page = desk.school.get(f"/school/{URN}/basket").text
    hidden = {
        name: re.findall(rf'name="{name}"[^>]*value="([^"]+)"', page)[0] for name in ("basket", "version")
    }
    return filled_values(desk, hidden, quantity, **changes)


def filled_values(desk: Desk, hidden: dict[str, str], quantity: str = "12", **changes: str) -> dict[str, str]:
    values = {
        f"quantity_{desk.offering_id}": quantity,
        "starts_on-day": "14",
        "starts_on-month": "10",
        "starts_on-year": "2025",
        "ends_on-day": "31",
        "ends_on-month": "3",
        "ends_on-year": "2026",
        "schedule": "three",
        "paid_from": "budget",
        "purchase_order": "PO 77",
        "once": "a-key",
        "act": "quote",
    }
    return values | hidden | changes


def send(desk: Desk, values: dict[str, str]) -> TestResponse:
    return desk.school.post(f"/school/{URN}/basket", data=values)


def quoted(desk: Desk, database: Database, **changes: str) -> int:
    answer = send(desk, filled(desk, **changes))
    assert answer.status_code == 303, answer.text
    with database.reading() as session:
        found = session.scalar(select(func.max(Agreement.id)))
    assert found is not None
    return found


def test_a_purchase_from_the_catalogue_to_the_agreement(desk: Desk, sqlite: Database) -> None:
    catalogue = desk.school.get(f"/school/{URN}/services").text
    assert catalogue.index("free to every school") < catalogue.index("what you can buy")
    agreement_id = quoted(desk, sqlite)
    quote = desk.school.get(f"/school/{URN}/agreements/{agreement_id}").text
    for figure in ("£4,416.00", "£883.20", "£5,299.20", "£1,766.40"):
        assert figure in quote
    order_page = desk.school.get(f"/school/{URN}/agreements/{agreement_id}/order")
    assert order_page.status_code == 200
    accepted = {"role": "School business manager", "purchase_order": "PO 77", "authority": "y"}
    for _ in range(2):
        answer = desk.school.post(f"/school/{URN}/agreements/{agreement_id}/order", data=accepted)
        assert answer.status_code == 303, answer.text
    assert str(agreement_id) in desk.manager.get("/service/ews/orders").text
    assert desk.manager.get(f"/service/ews/orders/{agreement_id}").status_code == 200
    for _ in range(2):
        assert desk.manager.post(f"/service/ews/orders/{agreement_id}/accept").status_code == 303
    with sqlite.reading() as session:
        assert session.get_one(Agreement, agreement_id).status is AgreementStatus.AGREED
        assert session.scalars(select(Tranche.minutes)).all() == [Minutes(12 * 444)]
        assert session.scalar(select(func.count(LedgerEntry.id))) == 1
        assert session.scalar(select(func.count(Instalment.id))) == 3
        mails = session.scalar(select(func.count(OutboxMessage.id)))
        assert mails is not None
        assert mails <= 3
    for page in ("", "/agreements", f"/agreements/{agreement_id}"):
        answer = desk.school.get(f"/school/{URN}{page or '/'}")
        assert answer.status_code == 200
    assert "12 days left" in desk.school.get(f"/school/{URN}/").text
    assert desk.manager.get(f"/service/ews/agreements/{agreement_id}").status_code == 200


def test_another_schools_agreement_is_not_there(desk: Desk, sqlite: Database) -> None:
    agreement_id = quoted(desk, sqlite)
    for path in ("", "/order", "/withdraw"):
        assert desk.stranger.get(f"/school/{URN}/agreements/{agreement_id}{path}").status_code == 404
        assert desk.stranger.get(f"/school/{URN + 1}/agreements/{agreement_id}{path}").status_code == 404


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("quantity", "12.3", "half days"),
        ("quantity", "-1", "half days"),
        ("quantity", "many", "not a"),
        ("quantity", "", "at least one thing"),
        ("ends_on-year", "2024", "before the first day"),
        ("ends_on-day", "", "day"),
        ("schedule", "weekly", "how you want to pay"),
    ],
)
def test_a_quote_that_cannot_be_made_says_why_and_keeps_what_was_typed(
    desk: Desk, sqlite: Database, field: str, value: str, says: str
) -> None:
    name = f"quantity_{desk.offering_id}" if field == "quantity" else field
    answer = send(desk, filled(desk, **{name: value}))
    assert answer.status_code == 422
    assert says in answer.text
    assert "PO 77" in answer.text
    with sqlite.reading() as session:
        assert session.scalar(select(func.count(Agreement.id))) == 0


def test_a_double_click_makes_one_quote(desk: Desk, sqlite: Database) -> None:
    values = filled(desk)
    first, second = send(desk, values), send(desk, values)
    assert (first.status_code, first.location) == (303, second.location)
    with sqlite.reading() as session:
        assert session.scalar(select(func.count(Agreement.id))) == 1


def test_the_old_address_of_a_quote_leads_to_the_basket(desk: Desk) -> None:
    answer = desk.school.get(f"/school/{URN}/quotes/new?service=ews&offering=1")
    assert (answer.status_code, answer.location) == (302, f"/school/{URN}/basket?service=ews")


def test_the_basket_shows_what_it_comes_to_and_why(desk: Desk) -> None:
    values = filled(desk, act="save")
    assert send(desk, values).status_code == 303
    page = desk.school.get(f"/school/{URN}/basket").text
    for words in ("12 days × £368.00 = £4,416.00", "£883.20", "£5,299.20", "Invoice 1 of 3"):
        assert words in page


def test_n11_the_second_of_two_sees_what_the_first_saved_and_keeps_hers(desk: Desk, sqlite: Database) -> None:
    values = filled(desk, act="save")
    assert send(desk, values | {f"quantity_{desk.offering_id}": "20"}).status_code == 303
    told = send(desk, values | {f"quantity_{desk.offering_id}": "21"})
    assert told.status_code == 409
    assert "20 days" in told.text
    assert 'value="21"' in told.text
    version = re.findall(r'name="version"[^>]*value="(\d+)"', told.text)[0]
    again = send(desk, values | {f"quantity_{desk.offering_id}": "21", "version": version})
    assert again.status_code == 303
    with sqlite.reading() as session:
        assert [row["quantity"] for row in session.scalars(select(Basket)).one().lines] == ["21"]


def test_a_line_is_taken_out_and_the_basket_is_empty(desk: Desk) -> None:
    values = filled(desk, act=f"remove:{desk.offering_id}")
    assert send(desk, values).status_code == 303
    assert "is empty" in desk.school.get(f"/school/{URN}/basket").text


def test_a_quote_is_changed_through_the_basket_and_replaced(desk: Desk, sqlite: Database) -> None:
    first = quoted(desk, sqlite)
    changed = desk.school.post(f"/school/{URN}/agreements/{first}/change")
    assert (changed.status_code, changed.location) == (303, f"/school/{URN}/basket?service=ews")
    assert "takes its place" in desk.school.get(changed.location).text
    page = desk.school.get(f"/school/{URN}/basket").text
    hidden = {
        name: re.findall(rf'name="{name}"[^>]*value="([^"]+)"', page)[0] for name in ("basket", "version")
    }
    values = filled_values(desk, hidden, quantity="9")
    assert send(desk, values).status_code == 303
    with sqlite.reading() as session:
        newest = session.scalars(select(Agreement).order_by(Agreement.id.desc())).first()
        assert newest is not None
        assert (newest.replaces_id, str(newest.net)) == (first, "3312.00")
        assert session.get_one(Agreement, first).status is AgreementStatus.SUPERSEDED


@pytest.mark.parametrize("field", ["status", "price_1", "net", "customer_id", "discount", "school_id"])
def test_s12_a_field_that_nobody_may_set_is_refused_and_kept_in_the_trail(
    desk: Desk, sqlite: Database, field: str
) -> None:
    values = filled(desk)
    assert send(desk, values | {field: "1"}).status_code == 422
    added = {"offering": str(desk.offering_id), "quantity": "1", field: "1"}
    assert desk.school.post(f"/school/{URN}/basket/add", data=added).status_code == 422
    with sqlite.reading() as session:
        assert session.scalar(select(func.count(Agreement.id))) == 0
        kept = select(AuditEntry.details).where(AuditEntry.action == "refuse_foreign_fields")
        assert [row["fields"] for row in session.scalars(kept)] == [[field], [field]]


def test_a_declined_order_tells_the_school_why(desk: Desk, sqlite: Database) -> None:
    agreement_id = quoted(desk, sqlite)
    accepted = {"role": "School business manager", "authority": "y"}
    desk.school.post(f"/school/{URN}/agreements/{agreement_id}/order", data=accepted)
    bare = desk.manager.post(f"/service/ews/orders/{agreement_id}/decline", data={"reason": ""})
    assert bare.status_code == 422
    answer = desk.manager.post(
        f"/service/ews/orders/{agreement_id}/decline", data={"reason": "No days are free."}
    )
    assert answer.status_code == 303
    assert "No days are free." in desk.school.get(f"/school/{URN}/agreements/{agreement_id}").text


def test_looking_for_something_free_says_that_it_is_free(desk: Desk) -> None:
    page = desk.school.get(f"/school/{URN}/services?need=penalty+notice").text
    assert "do not need to buy it" in page


def test_a_year_is_previewed_then_closed_once(desk: Desk) -> None:
    assert desk.manager.get("/service/ews/year-close").status_code == 200
    page = desk.manager.get("/service/ews/year-close/2024-25")
    assert "Close 2024-25" in page.text
    for _ in range(2):
        assert desk.manager.post("/service/ews/year-close/2024-25").status_code == 303
    assert desk.manager.post("/service/ews/year-close/2025-26").status_code == 422
