"""One-off charges and the settings of finance at their pages."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from sla_manager.billing.models import FinancePolicy, OneOffCharge
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.store.database import Database
from tests import builders
from tests.conftest import sign_in_as

DONE = {"delivered_on-day": "1", "delivered_on-month": "10", "delivered_on-year": "2025"}


@pytest.fixture
def finance(client: FlaskClient, sqlite: Database) -> FlaskClient:
    with sqlite.transaction() as session:
        builders.a_service(session)
        person = builders.a_person(session, Role.FINANCE_OFFICER, email="f@council.example")
    sign_in_as(client, person.id)
    return client


def typed(database: Database, customer_class: CustomerClass) -> tuple[str, dict[str, str]]:
    with database.transaction() as session:
        school = builders.a_school(session, customer_class=customer_class)
        customer = builders.customer_of(session, school)
        service = builders.a_service(session)
        form = {
            "service": str(service.id), "school": str(school.id), "kind": "training", "supplements": "",
            "what_1": "Attendance training", "quantity_1": "2", "unit_1": "session", "unit_price_1": "125.00",
            "offering_1": "", "once": "k1", **DONE,
        }  # fmt: skip
        return f"/finance/customers/{customer.id}/charge", form


def test_a_charge_is_recorded_once_shown_and_withdrawn(finance: FlaskClient, sqlite: Database) -> None:
    address, form = typed(sqlite, CustomerClass.ACADEMY)
    assert finance.get(address).status_code == 200
    for _ in range(2):
        assert finance.post(address, data=form).status_code == 303
    with sqlite.reading() as session:
        (made,) = session.scalars(select(OneOffCharge))
    page = finance.get("/finance/charges").text
    assert "2 sessions × £125.00 = £250.00" in page
    assert "Waiting" in page
    preview = finance.get("/finance/run").text
    assert f"Training {made.id}" in preview
    assert "£300.00" in preview
    sent = finance.post(f"/finance/charges/{made.id}/withdraw", data={"reason": "Entered by mistake"})
    assert sent.status_code == 303
    assert "Entered by mistake" in finance.get("/finance/charges").text


def test_a_recharge_without_consent_keeps_what_was_typed(finance: FlaskClient, sqlite: Database) -> None:
    address, form = typed(sqlite, CustomerClass.OWN_MAINTAINED)
    answer = finance.post(address, data=form)
    assert answer.status_code == 422
    assert "Enter who agreed to it" in answer.text
    assert 'value="Attendance training"' in answer.text
    half = finance.post(address, data=form | {"what_2": "More", "quantity_2": ""})
    assert "Line 2: enter what it is, how many and the price of one." in half.text


def test_n11_settings_that_two_people_change_at_once_are_not_lost(
    finance: FlaskClient, sqlite: Database
) -> None:
    form = {"purchase_order_from": "500", "reminder_days": "7, 21", "e_invoice": "xml", "version": "0"}
    assert finance.get("/finance/settings").status_code == 200
    assert finance.post("/finance/settings", data=form).status_code == 303
    late = finance.post("/finance/settings", data=form | {"purchase_order_from": "900"})
    assert late.status_code == 409
    assert "Somebody else changed this" in late.text
    assert 'value="900"' in late.text
    assert 'name="version" type="hidden" value="1"' in late.text
    wrong = finance.post("/finance/settings", data=form | {"reminder_days": "21, 7", "version": "1"})
    assert wrong.status_code == 422
    assert "each above the one before" in wrong.text
    with sqlite.reading() as session:
        stored = session.get_one(FinancePolicy, 1)
    assert (str(stored.purchase_order_from), stored.reminder_days, stored.version) == ("500.00", [7, 21], 1)
