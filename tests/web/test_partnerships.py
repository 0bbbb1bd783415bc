"""Pages for schools that buy together: what is refused, whose it is, and what follows."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from sla_manager.agreements.models import Agreement
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.store.database import Database
from tests import builders
from tests.conftest import sign_in_as

DATES = {
    "starts_on-day": "14", "starts_on-month": "10", "starts_on-year": "2025", "ends_on-day": "31",
    "ends_on-month": "3", "ends_on-year": "2026", "schedule": "single",
}  # fmt: skip


@dataclass
class Desk:
    lead: FlaskClient
    stranger: FlaskClient
    trust_id: int
    school_ids: list[int]
    offering_id: int


@pytest.fixture
def desk(app: Flask, sqlite: Database) -> Desk:
    with sqlite.transaction() as session:
        builders.council(session)
        builders.terms(session)
        trust, other = builders.a_trust(session), builders.a_trust(session, "Other Trust")
        schools = [
            builders.a_school(session, customer_class=CustomerClass.ACADEMY, trust=trust) for _ in range(2)
        ]
        offering = builders.an_offering(session)
        ids = [
            builders.a_person(session, Role.TRUST_FINANCE_LEAD, trust=trust, email="l@trust.example").id,
            builders.a_person(session, Role.TRUST_FINANCE_LEAD, trust=other, email="o@trust.example").id,
        ]
        found = trust.id, [one.id for one in schools], offering.id
    clients = [app.test_client() for _ in ids]
    for client, person_id in zip(clients, ids, strict=True):
        sign_in_as(client, person_id)
    return Desk(*clients, *found)


def quantities_address(desk: Desk) -> str:
    schools = "&".join(f"schools={one}" for one in desk.school_ids)
    return f"/trust/{desk.trust_id}/buy/quantities?service=ews&{schools}&offerings={desk.offering_id}"


def test_a_purchase_is_prepared_kept_as_typed_and_ordered_once(desk: Desk, sqlite: Database) -> None:
    names = [f"quantity_{one}_{desk.offering_id}" for one in desk.school_ids]
    wanted = DATES | {"invoicing": "together"}
    wrong = desk.lead.post(quantities_address(desk), data=wanted | {names[0]: "two", names[1]: "3"})
    assert wrong.status_code == 422
    assert "“two” is no quantity" in wrong.text
    assert 'value="two"' in wrong.text
    made = desk.lead.post(quantities_address(desk), data=wanted | {names[0]: "2", names[1]: "3", "once": "k"})
    assert made.status_code == 303
    page = desk.lead.get(made.location)
    assert "£2,208.00" in page.text
    seen = page.text.split('name="seen" value="')[1].split('"')[0]
    order = {"role": "Trust finance lead", "authority": "y", "seen": seen}
    assert (
        desk.stranger.get(made.location.replace(f"/trust/{desk.trust_id}/", "/trust/999/")).status_code == 404
    )
    assert desk.stranger.post(made.location, data=order).status_code == 404
    assert desk.lead.post(made.location, data=order | {"seen": "0" * 64}).status_code in (409, 422)
    for _ in range(2):
        assert desk.lead.post(made.location, data=order).status_code == 303
    with sqlite.reading() as session:
        statuses = session.scalars(select(Agreement.status)).all()
        assert statuses == [AgreementStatus.ORDERED] * 2


def test_a_status_in_the_form_is_refused(desk: Desk, sqlite: Database) -> None:
    sent = DATES | {
        "invoicing": "together",
        "status": "agreed",
        f"quantity_{desk.school_ids[0]}_{desk.offering_id}": "2",
    }
    assert desk.lead.post(quantities_address(desk), data=sent).status_code in (400, 403, 422)
    with sqlite.reading() as session:
        assert session.scalar(select(func.count(Agreement.id))) == 0
