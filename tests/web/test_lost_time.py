"""Time that the council could not provide, credited at its page."""

from __future__ import annotations

from flask.testing import FlaskClient
from sqlalchemy import select

from sla_manager.agreements.models import Tranche
from sla_manager.people.rules.roles import Role
from sla_manager.store.database import Database
from tests import builders
from tests.conftest import sign_in_as
from tests.rooms.owing import FIRST, agree, documents, run_on, sums


def test_lost_time_leaves_the_balance_and_is_credited_once(client: FlaskClient, sqlite: Database) -> None:
    agree(sqlite)
    run_on(sqlite, FIRST)
    with sqlite.transaction() as session:
        person = builders.a_person(session, Role.FINANCE_OFFICER, email="f@council.example")
        tranche = session.scalars(select(Tranche)).one()
    sign_in_as(client, person.id)
    (document,) = documents(sqlite)
    address = f"/finance/documents/{document.id}/lost-time"
    assert address in client.get(f"/finance/documents/{document.id}/credit").text
    page = client.get(address).text
    assert "88 hours 48 minutes left" in page
    form = {"tranche": str(tranche.id), "lost-hours": "3", "lost-minutes": "42", "once": "k"}
    answer = client.post(address, data=form)
    assert answer.status_code == 422
    assert "Enter why we could not provide it" in answer.text
    day = form_date(client, address)
    for _ in range(2):
        answer = client.post(address, data=form | day | {"reason": "Our officer was ill"})
        assert answer.status_code == 303, answer.text
    _, back = documents(sqlite)
    assert (sums(back), back.reason) == (("-184.00", "-36.80", "-220.80"), "Our officer was ill")


def form_date(client: FlaskClient, address: str) -> dict[str, str]:
    """Return the day that the empty form proposes."""
    page = client.get(address).text
    found = {}
    for part in ("day", "month", "year"):
        place = page.index(f'name="decided_on-{part}"')
        tag = page[page.rindex("<input", 0, place) : page.index(">", place)]
        found[f"decided_on-{part}"] = tag.split('value="')[1].split('"')[0]
    return found
