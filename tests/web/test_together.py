"""Buying together on the pages: the service arranges a pool, accepts or stops it; a foreign trust is not found."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from sla_manager.agreements.models import Agreement, Partnership, PartnershipMember
from sla_manager.agreements.queries import agreement
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.store.database import Database
from tests import builders
from tests.conftest import NOON, sign_in_as
from tests.rooms import owing, selling

URNS = (900_301, 900_302, 900_303)


@dataclass
class Desk:
    """A service manager, the ids of three schools of different owners, and what they share."""

    manager: FlaskClient
    schools: tuple[int, ...]
    offering_id: int

    @property
    def page(self) -> str:
        return "/service/ews/together/new/shares?kind=pool&" + "&".join(f"urn={urn}" for urn in URNS)

    def sent(self, **more: str) -> dict[str, str]:
        form = {
            "name": "Valley pool", "offering": str(self.offering_id), "quantity": "6", "schedule": "single",
            "starts_on-day": "14", "starts_on-month": "10", "starts_on-year": "2025",
            "ends_on-day": "31", "ends_on-month": "3", "ends_on-year": "2026", "once": "pool-1",
        }  # fmt: skip
        for school_id, share in zip(self.schools, ("50", "30", "20"), strict=True):
            form[f"share_{school_id}"] = share
        return form | more


@pytest.fixture
def desk(app: Flask, sqlite: Database) -> Desk:
    with sqlite.transaction() as session:
        service = builders.a_service(session)
        kinds = (CustomerClass.ACADEMY, CustomerClass.OWN_MAINTAINED, CustomerClass.ACADEMY)
        schools = tuple(
            builders.a_school(session, urn, customer_class=kind).id
            for urn, kind in zip(URNS, kinds, strict=True)
        )
        manager = builders.a_person(session, Role.SERVICE_MANAGER, service=service)
        offering = builders.an_offering(session)
        ids = manager.id, offering.id
    client = app.test_client()
    sign_in_as(client, ids[0])
    return Desk(client, schools, ids[1])


def order_all(database: Database, count: int) -> None:
    with database.transaction() as session:
        every = session.scalars(select(PartnershipMember).order_by(PartnershipMember.position)).all()
        for member in every[:count]:
            selling.order(session, agreement(session, member.agreement_id), owing.BY, NOON)


def statuses(database: Database) -> set[AgreementStatus]:
    with database.reading() as session:
        return set(session.scalars(select(Agreement.status)))


def test_a_pool_is_arranged_and_accepted_when_all_have_ordered(desk: Desk, sqlite: Database) -> None:
    first = desk.manager.get(
        "/service/ews/together/new", query_string={"kind": "pool", "urns": "\n".join(map(str, URNS))}
    )
    assert first.headers["Location"] == desk.page
    made = desk.manager.post(desk.page, data=desk.sent(**{f"cap_{desk.schools[0]}": "30"}))
    assert made.status_code == 303, made.text
    page = desk.manager.get(made.headers["Location"])
    for shown in ("£1,104.00", "£662.40", "£441.60", "£220.80", "£0.00", "30 hours", "Not ordered yet"):
        assert shown in page.text, shown
    order_all(sqlite, 2)
    refused = desk.manager.post(f"{made.headers['Location']}/accept", data={"reason": "It is worth it."})
    assert refused.status_code == 422
    assert AgreementStatus.AGREED not in statuses(sqlite)
    order_all(sqlite, 3)
    accepted = desk.manager.post(f"{made.headers['Location']}/accept", data={"reason": "It is worth it."})
    assert accepted.status_code == 303, accepted.text
    assert statuses(sqlite) == {AgreementStatus.AGREED}
    stopped = desk.manager.post(f"{made.headers['Location']}/stop", data={"reason": "Too late."})
    assert stopped.status_code in (409, 422)
    assert statuses(sqlite) == {AgreementStatus.AGREED}


def test_one_who_declines_stops_it_for_all_with_the_reason(desk: Desk, sqlite: Database) -> None:
    page = desk.manager.post(desk.page, data=desk.sent()).headers["Location"]
    order_all(sqlite, 1)
    assert desk.manager.post(f"{page}/stop", data={"reason": ""}).status_code == 422
    assert desk.manager.post(f"{page}/stop", data={"reason": "Elm School has no money."}).status_code == 303
    assert statuses(sqlite) == {AgreementStatus.DECLINED, AgreementStatus.WITHDRAWN}
    assert "Elm School has no money." in desk.manager.get(page).text


@pytest.mark.parametrize(
    ("share", "said"), [("25", "add up to 105 %"), ("x", "is no percentage"), ("20.001", "too fine")]
)
def test_shares_that_are_wrong_are_refused_and_kept_as_typed(
    desk: Desk, sqlite: Database, share: str, said: str
) -> None:
    answer = desk.manager.post(desk.page, data=desk.sent(**{f"share_{desk.schools[2]}": share}))
    assert answer.status_code == 422
    assert said in answer.text
    assert f'value="{share}"' in answer.text
    with sqlite.reading() as session:
        assert session.scalars(select(Partnership)).all() == []


def test_sent_twice_it_is_arranged_once(desk: Desk, sqlite: Database) -> None:
    where = {desk.manager.post(desk.page, data=desk.sent()).headers["Location"] for _ in range(2)}
    assert len(where) == 1
    with sqlite.reading() as session:
        assert len(session.scalars(select(Agreement)).all()) == 3


def test_schools_that_are_unknown_or_alone_are_refused(desk: Desk) -> None:
    for urns, said in (
        ("900301", "1 is no number of partners"),
        ("900301 999999", "No school has the number"),
    ):
        answer = desk.manager.get("/service/ews/together/new", query_string={"kind": "pool", "urns": urns})
        assert answer.status_code == 422
        assert said in answer.text


def test_a_foreign_trust_is_not_found(app: Flask, sqlite: Database) -> None:
    with sqlite.transaction() as session:
        builders.council(session)
        own, other = builders.a_trust(session), builders.a_trust(session, "Other Trust")
        lead = builders.a_person(session, Role.TRUST_FINANCE_LEAD, trust=own)
        ids = lead.id, own.id, other.id
    client = app.test_client()
    sign_in_as(client, ids[0])
    assert client.get(f"/trust/{ids[1]}/").status_code == 200
    for page in ("", "buy", "purchases", "documents"):
        assert client.get(f"/trust/{ids[2]}/{page}").status_code == 404
