"""Approval on the pages: asked for, decided by a link, once, by the one who was asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from sla_manager.agreements.models import Agreement, AgreementFile, Approval
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.gateways.printing import PrintingUnavailable
from sla_manager.kernel.clock import fixed_clock
from sla_manager.kernel.money import Money
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.store.audit import AuditEntry
from sla_manager.store.database import Database
from sla_manager.store.outbox import OutboxMessage
from tests import builders
from tests.conftest import NOON, sign_in_as
from tests.rooms import selling

URN = 900_301


@dataclass
class Desk:
    """A manager who may order up to £2,000, a chair without a limit, somebody else, and a quote of £4,416."""

    manager: FlaskClient
    chair: FlaskClient
    head: FlaskClient
    agreement_id: int
    chair_id: int

    @property
    def quote(self) -> str:
        return f"/school/{URN}/agreements/{self.agreement_id}"

    def ask(self) -> None:
        sent = {"approver": str(self.chair_id), "purchase_order": "PO 5", "message": "For spring."}
        answer = self.manager.post(f"{self.quote}/ask", data=sent)
        assert answer.status_code == 303, answer.text


@pytest.fixture
def desk(app: Flask, sqlite: Database) -> Desk:
    with sqlite.transaction() as session:
        school = builders.a_school(session, URN, customer_class=CustomerClass.ACADEMY)
        manager = selling.manager_of(
            session, school, order_limit=Money.parse("2000.00"), email="m@school.example"
        )
        chair = builders.a_person(session, Role.CHAIR_OF_GOVERNORS, school=school, email="c@school.example")
        head = builders.a_person(
            session,
            Role.HEAD_TEACHER,
            school=school,
            order_limit=Money.parse("3000.00"),
            email="h@school.example",
        )
        quote = selling.quote(session, selling.acting(manager), NOON, school=school)
        ids = manager.id, chair.id, head.id
    clients = []
    for person_id in ids:
        client = app.test_client()
        sign_in_as(client, person_id)
        clients.append(client)
    return Desk(clients[0], clients[1], clients[2], quote.id, ids[1])


def link_in(database: Database) -> str:
    with database.reading() as session:
        body = session.scalars(
            select(OutboxMessage.body).where(OutboxMessage.key.startswith("approval:"))
        ).one()
    return re.findall(r"\{address\}(/school/approvals/\S+)", body)[0]


def status_of(database: Database, desk: Desk) -> AgreementStatus:
    with database.reading() as session:
        return session.get_one(Agreement, desk.agreement_id).status


def test_above_her_limit_she_asks_and_the_chair_approves_by_the_link(desk: Desk, sqlite: Database) -> None:
    assert "Ask for approval" in desk.manager.get(desk.quote).text
    assert desk.manager.get(f"{desk.quote}/order").location.endswith("/ask")
    page = desk.manager.get(f"{desk.quote}/ask").text
    assert "Chair of governors, any amount" in page
    assert "Head teacher" not in page
    desk.ask()
    link = link_in(sqlite)
    shown = desk.chair.get(link).text
    for words in ("£5,299.20", "£4,416.00", "Prepared by", "PO 5", "For spring."):
        assert words in shown
    assert "Approve or decline an order" in desk.chair.get(f"/school/{URN}/").text
    bare = desk.chair.post(link, data={})
    assert bare.status_code == 422
    assert status_of(sqlite, desk) is AgreementStatus.QUOTED
    for _ in range(2):
        assert desk.chair.post(link, data={"authority": "y"}).status_code == 303
    assert status_of(sqlite, desk) is AgreementStatus.ORDERED
    assert "approved it 14 October" in desk.chair.get(link).text


def test_s10_a_link_is_for_its_person_who_signs_in_first_and_comes_back(
    desk: Desk, app: Flask, sqlite: Database
) -> None:
    desk.ask()
    link = link_in(sqlite)
    nobody = app.test_client().get(link)
    assert nobody.status_code == 302
    assert nobody.location == f"/sign-in?next={link}"
    for other in (desk.manager, desk.head):
        assert other.get(link).status_code == 404
        assert other.post(link, data={"authority": "y"}).status_code == 404
    with sqlite.reading() as session:
        number = session.scalars(select(Approval.id)).one()
    assert desk.head.post(f"/school/{URN}/approvals/{number}", data={"authority": "y"}).status_code == 404
    assert desk.chair.get(f"{link}x").status_code == 404
    assert status_of(sqlite, desk) is AgreementStatus.QUOTED


def test_s10_a_link_that_ran_out_says_what_to_do(desk: Desk, app: Flask, sqlite: Database) -> None:
    desk.ask()
    link = link_in(sqlite)
    app.extensions["sla.clock"] = fixed_clock(NOON.replace(day=29))
    late = desk.chair.get(link)
    assert late.status_code == 410
    assert "to send it again" in late.text
    assert desk.chair.post(link, data={"authority": "y"}).status_code == 422
    assert status_of(sqlite, desk) is AgreementStatus.QUOTED


def test_a_declined_order_goes_back_with_the_reason(desk: Desk, sqlite: Database) -> None:
    desk.ask()
    link = link_in(sqlite)
    assert desk.chair.post(link, data={"decision": "decline", "reason": ""}).status_code == 422
    sent = {"decision": "decline", "reason": "Wait for April."}
    assert desk.chair.post(link, data=sent).status_code == 303
    page = desk.manager.get(desk.quote).text
    assert "Wait for April." in page
    assert "Ask for approval" in page
    again = desk.chair.post(link, data={"authority": "y"})
    assert "declined already" in again.text
    assert status_of(sqlite, desk) is AgreementStatus.QUOTED


def test_who_could_approve_is_said_when_nobody_can(desk: Desk, sqlite: Database) -> None:
    with sqlite.transaction() as session:
        from sla_manager.people.models import Membership

        for one in session.scalars(select(Membership).where(Membership.person_id == desk.chair_id)):
            one.order_limit = Money.parse("100.00")
    page = desk.manager.get(f"{desk.quote}/ask").text
    assert "Nobody at your school may approve it yet" in page
    assert "up to £3,000.00 net" in page
    assert "£4,416.00 or more" in page


@pytest.mark.parametrize("field", ["status", "net", "owner", "unit_price", "order_limit"])
def test_s12_what_nobody_may_set_is_refused_and_kept_in_the_trail(
    desk: Desk, sqlite: Database, field: str
) -> None:
    desk.ask()
    link = link_in(sqlite)
    accepted = {"authority": "y", field: "1"}
    assert desk.chair.post(link, data=accepted).status_code == 422
    assert desk.manager.post(f"{desk.quote}/order", data=accepted).status_code == 422
    assert desk.manager.post(f"{desk.quote}/ask", data={"approver": "1", field: "1"}).status_code == 422
    assert status_of(sqlite, desk) is AgreementStatus.QUOTED
    with sqlite.reading() as session:
        tried = select(AuditEntry.about).where(AuditEntry.action == "refuse_foreign_fields")
        assert session.scalars(tried.order_by(AuditEntry.id)).all() == ["approval", "agreement", "agreement"]


class Press:
    """Prints something small, or says that it cannot."""

    def __init__(self, *, works: bool = True) -> None:
        self.works = works

    def print(self, kind: str, facts: Mapping[str, object]) -> bytes:
        if not self.works:
            raise PrintingUnavailable("no pango")
        return b"%PDF-1.7 " + str(facts["reference"]).encode()


def test_a_quote_is_printed_when_asked_for_and_read_by_the_approver(
    desk: Desk, app: Flask, sqlite: Database, tmp_path: Path
) -> None:
    desk.ask()
    shown = desk.chair.get(link_in(sqlite)).text
    address = re.findall(r'action="(/school/\d+/agreements/\d+/documents/\d+/print)"', shown)[0]
    app.extensions["sla.printer"] = Press(works=False)
    refused = desk.chair.post(address)
    assert refused.status_code == 503
    app.extensions["sla.printer"] = Press()
    for _ in range(2):
        printed = desk.chair.post(address)
        assert printed.status_code == 303
    assert desk.chair.get(printed.location).data.startswith(b"%PDF-1.7 EWS-Q")
    with sqlite.reading() as session:
        assert len(session.scalars(select(AgreementFile)).all()) == 1
