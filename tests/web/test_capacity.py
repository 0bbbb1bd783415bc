"""The capacity board, its sums and settings, what-if, and an order that is held for a reason."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from sla_manager.agreements.models import Agreement
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.kernel.minutes import Minutes
from sla_manager.people.rules.roles import Role
from sla_manager.planning.models import CapacityDecision, CapacityPlan
from sla_manager.store.audit import Actor, AuditEntry
from sla_manager.store.database import Database
from tests import builders
from tests.conftest import sign_in_as
from tests.rooms import selling

BOARD = "/service/ews/capacity"
SETTINGS = {
    "day_length-hours": "7", "day_length-minutes": "24", "meeting-hours": "3", "meeting-minutes": "42",
    "every_school": "number", "schools": "40", "court": "10", "duty_rota": "0", "audits": "0", "training": "5",
    "supervision": "5", "planned_leave": "0", "note": "Last year", "version": "0",
}  # fmt: skip


@pytest.fixture
def manager(app: Flask, sqlite: Database) -> FlaskClient:
    """A service manager with one officer and this year's terms."""
    with sqlite.transaction() as session:
        builders.terms(session)
        builders.an_officer(session)
        builders.an_offering(session)
        person = builders.a_person(session, Role.SERVICE_MANAGER)
    client = app.test_client()
    sign_in_as(client, person.id)
    return client


def an_order(database: Database, by: Actor, at: datetime, quantity: str) -> int:
    with database.transaction() as session:
        quoted = selling.quote(session, by, at, quantity=quantity, starts_on=date(2026, 1, 5))
        return selling.order(session, quoted, by, at).id


def test_the_board_shows_each_term_and_every_figure_opens_to_its_sum(
    manager: FlaskClient, sqlite: Database, by: Actor, at: datetime
) -> None:
    order_id = an_order(sqlite, by, at, "12")
    page = manager.get(BOARD).text
    assert "Spring term 2026" in page
    assert "Not every term of 2025-26 is entered" in page
    assert "The figures in a table" in page
    found = manager.get(f"{BOARD}/sum?year=2025-26&of=3").text
    assert "Core: targeting support meetings" in found
    assert f"/agreements/{order_id}" in found
    assert "12 days" in manager.get(f"{BOARD}/sum?year=2025-26").text
    assert manager.get(f"{BOARD}/sum?of=99").status_code == 404
    assert manager.get(f"{BOARD}?year=1999-00").status_code == 404


def test_without_officers_the_board_says_how_to_begin(app: Flask, sqlite: Database) -> None:
    with sqlite.transaction() as session:
        person = builders.a_person(session, Role.SERVICE_MANAGER)
    client = app.test_client()
    sign_in_as(client, person.id)
    assert "no officer of this service works in 2025-26" in client.get(BOARD).text


def test_what_is_kept_free_is_set_with_its_reasons_and_not_overwritten_unseen(
    manager: FlaskClient, sqlite: Database
) -> None:
    address = f"{BOARD}/settings?year=2025-26"
    assert "Every school has one a term" in manager.get(address).text
    assert manager.post(address, data=SETTINGS).status_code == 303
    with sqlite.reading() as session:
        plan = session.scalars(select(CapacityPlan)).one()
        assert (plan.meeting, plan.schools, plan.court) == (Minutes(222), 40, Minutes(4440))
    again = manager.post(address, data=SETTINGS | {"note": "Mine"})
    assert again.status_code == 409
    assert "Mine" in again.text
    assert "Change what is kept free" in manager.get(BOARD).text
    assert "40 schools × one a term × 3 hours 42 minutes" in manager.get(f"{BOARD}/sum").text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schools": ""}, "Enter how many schools"),
        ({"court": "0.111"}, "no whole minutes"),
        ({"training": "-1"}, "between 0 and"),
        ({"day_length-hours": "13"}, "between 1 hour and 12 hours"),
        ({"note": "H801200001001"}, "pupil number"),
    ],
)
def test_settings_that_cannot_be_are_refused_with_what_to_do(
    manager: FlaskClient, change: dict[str, str], said: str
) -> None:
    answer = manager.post(f"{BOARD}/settings", data=SETTINGS | change)
    assert answer.status_code == 422
    assert said in answer.text


def test_what_if_shows_the_difference_and_stores_nothing(manager: FlaskClient, sqlite: Database) -> None:
    asked = "sell=40&sell_in=Spring+term+2026&officers=-1&officers_from=2026-01-01&schools=2"
    page = manager.get(f"{BOARD}?year=2025-26&{asked}")
    assert page.status_code == 200
    assert "Spring term 2026 would be" in page.text
    assert "would be free in the rest of 2025-26 instead of" in page.text
    assert "Now, and what if" in page.text
    with sqlite.reading() as session:
        assert not session.scalar(select(func.count()).select_from(CapacityPlan))
        assert not session.scalar(
            select(func.count()).select_from(AuditEntry).where(AuditEntry.about == "capacity_plan")
        )
    for wrong in ("officers=-5", "schools=-9", "sell=many", "sell=0.111"):
        assert manager.get(f"{BOARD}?{wrong}").status_code == 422


def test_an_order_beyond_capacity_asks_for_a_reason_and_keeps_it(
    manager: FlaskClient, sqlite: Database, by: Actor, at: datetime
) -> None:
    manager.post(f"{BOARD}/settings?year=2025-26", data=SETTINGS)
    small, large = an_order(sqlite, by, at, "2"), an_order(sqlite, by, at, "60")
    assert "It fits." in manager.get(f"/service/ews/orders/{small}").text
    assert "Why do you accept it all the same?" not in manager.get(f"/service/ews/orders/{small}").text
    assert manager.post(f"/service/ews/orders/{small}/accept", data={"seen": "0"}).status_code == 303
    page = manager.get(f"/service/ews/orders/{large}").text
    assert "60 days are asked for in Spring term 2026" in page
    assert "Who is affected: 1 school" in page
    held = manager.post(f"/service/ews/orders/{large}/accept", data={"seen": "0", "reason": ""})
    assert held.status_code == 422
    assert "The order is held" in held.text
    stale = manager.post(f"/service/ews/orders/{large}/accept", data={"seen": "0", "reason": "We hire."})
    assert stale.status_code == 422
    assert "We hire." in stale.text
    over = page.split('name="seen" value="')[1].split('"')[0]
    done = manager.post(f"/service/ews/orders/{large}/accept", data={"seen": over, "reason": "We hire."})
    assert done.status_code == 303
    with sqlite.reading() as session:
        assert session.get_one(Agreement, large).status is AgreementStatus.AGREED
        assert session.scalars(select(CapacityDecision)).one().reason == "We hire."
    assert "Accepted beyond capacity" in manager.get(f"/service/ews/agreements/{large}").text
