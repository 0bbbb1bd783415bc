"""Paying by card at the pages: school, trust, a link in a mail; messages; refunds; and a product without keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from sla_manager.app import content_security_policy
from sla_manager.billing.models import Document
from sla_manager.gateways.cards import Cards
from sla_manager.kernel.clock import as_at, fixed_clock
from sla_manager.payments.collecting import Till, collect
from sla_manager.payments.commands.pay_links import send_pay_link
from sla_manager.payments.models import CardAlert, CardCheckout, CardEvent, Receipt, Refund
from sla_manager.people.models import School
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.store.database import Database
from sla_manager.store.outbox import OutboxMessage
from sla_manager.store.tables import Numbered
from tests import builders
from tests.card_server import KEY, SECRET, CardServer, Thing, signed
from tests.conftest import sign_in_as
from tests.rooms import owing, selling

URN = 900_311
AT = as_at(date(2026, 3, 5))


@pytest.fixture(scope="module")
def running() -> Iterator[CardServer]:
    with CardServer().running() as server:
        yield server


@dataclass
class Desk:
    """Who sits where, the card server, and the first of three invoices of 1,766.40."""

    app: Flask
    database: Database
    server: CardServer
    school: FlaskClient
    stranger: FlaskClient
    finance: FlaskClient
    anybody: FlaskClient
    document: int

    def page(self) -> str:
        """Press "Pay by card" and return the provider's id of the page."""
        answer = self.school.post(f"/school/{URN}/documents/{self.document}/pay")
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"].rpartition("/")[2]

    def work(self, minutes: int = 2) -> None:
        """Let the worker do what waits."""
        till = Till(self.database, self.app.extensions["sla.cards"], "http://127.0.0.1:5000")
        collect(till, at=AT + timedelta(minutes=minutes))

    def send(self, message: Thing, age: int = 0) -> int:
        """Send a message of the provider and return the status of the answer."""
        return self.deliver(*signed(message, age=age))

    def deliver(self, body: bytes, header: str) -> int:
        """Send bytes under a signature and return the status of the answer."""
        headers = {"Stripe-Signature": header, "Content-Type": "application/json"}
        return self.anybody.post("/webhooks/cards", data=body, headers=headers).status_code

    def count(self, what: type[Numbered]) -> int:
        """Return how many rows of a kind there are."""
        with self.database.reading() as session:
            return session.scalars(select(func.count()).select_from(what)).one()


@pytest.fixture
def desk(app: Flask, sqlite: Database, running: CardServer) -> Desk:
    running.things, running.kept, running.messages, running.clock = {}, {}, [], AT
    app.extensions["sla.cards"] = Cards(KEY, SECRET, address=running.address)
    app.extensions["sla.clock"] = fixed_clock(AT)
    with sqlite.transaction() as session:
        school = builders.a_school(session, urn=URN, customer_class=CustomerClass.ACADEMY)
        other = builders.a_school(session, urn=URN + 1)
        selling.agreed(session, owing.BY, owing.SIGNED, school=school)
        manager = Role.SCHOOL_BUSINESS_MANAGER
        people = [
            builders.a_person(session, manager, school=school, email="a@school.example"),
            builders.a_person(session, manager, school=other, email="b@school.example"),
            builders.a_person(session, Role.FINANCE_OFFICER, email="f@council.example"),
        ]
        ids = [person.id for person in people]
    owing.run_on(sqlite, owing.THIRD)
    clients = []
    for person_id in ids:
        clients.append(app.test_client())
        sign_in_as(clients[-1], person_id)
    school_desk, stranger, finance = clients
    with sqlite.reading() as session:
        document = session.scalars(select(Document.id).order_by(Document.id)).first()
    assert document is not None
    return Desk(app, sqlite, running, school_desk, stranger, finance, app.test_client(), document)


def test_a_school_pays_comes_back_and_sees_that_it_is_paid(desk: Desk) -> None:
    where = f"/school/{URN}/documents/{desk.document}"
    assert "Pay £1,766.40 by card" in desk.school.get(where).text
    page = desk.page()
    back = desk.server.things[page]["success_url"].removeprefix("http://127.0.0.1:5000")
    waiting = desk.anybody.get(back).text
    assert "We have not heard from the card provider yet" in waiting
    assert desk.anybody.post(back).status_code == 303
    assert "has no payment from you yet" in desk.anybody.get(back).text
    desk.server.pay(page)
    assert "Payment received" in desk.anybody.post(back, follow_redirects=True).text
    assert "by card" not in desk.school.get(where).text
    with desk.database.reading() as session:
        mails = session.scalars(select(OutboxMessage.recipient).where(OutboxMessage.key.startswith("card-")))
        assert list(mails) == ["a@school.example"]


def test_a_trust_pays_the_invoice_of_its_school_on_the_same_page(desk: Desk) -> None:
    with desk.database.transaction() as session:
        trust = builders.a_trust(session)
        session.scalars(select(School).where(School.urn == URN)).one().trust_id = trust.id
        lead = builders.a_person(session, Role.TRUST_FINANCE_LEAD, trust=trust, email="l@trust.example").id
        where = f"/trust/{trust.id}/documents/{desk.document}"
    client = desk.app.test_client()
    sign_in_as(client, lead)
    assert "Pay £1,766.40 by card" in client.get(where).text
    assert client.post(f"{where}/pay").headers["Location"].rpartition("/")[2] == desk.page()
    assert desk.finance.post(f"{where}/pay").status_code == 404


def test_nobody_pays_through_another_schools_page_and_get_never_pays(desk: Desk) -> None:
    assert desk.stranger.post(f"/school/{URN}/documents/{desk.document}/pay").status_code == 404
    assert desk.stranger.post(f"/school/{URN + 1}/documents/{desk.document}/pay").status_code == 404
    assert desk.school.get(f"/school/{URN}/documents/{desk.document}/pay").status_code == 405
    assert desk.count(CardCheckout) == 0


def test_a_message_is_kept_answered_and_handled_by_the_worker(desk: Desk) -> None:
    desk.server.pay(desk.page())
    assert [desk.send(one) for one in [*desk.server.messages] * 3] == [200] * 6
    assert (desk.count(CardEvent), desk.count(Receipt)) == (2, 0)
    balance = {**desk.server.messages[0], "id": "evt_other", "data": {"object": {"object": "balance"}}}
    assert desk.send(balance) == 200
    desk.work()
    assert desk.count(Receipt) == 1
    with desk.database.reading() as session:
        assert "a@school.example" not in str([vars(one) for one in session.scalars(select(CardEvent))])


def test_p3_a_forged_stale_or_changed_message_is_refused_and_nothing_is_kept(desk: Desk) -> None:
    desk.server.payment(5_00)
    message = desk.server.messages[-1]
    body, header = signed(message)
    compact = json.dumps(message, separators=(",", ":")).encode()
    assert desk.deliver(compact, header) == 400
    assert desk.deliver(body + b"\n", header) == 400
    assert desk.deliver(body, "t=1,v1=abc") == 400
    assert desk.deliver(b"x" * (600 * 1024), header) in (400, 413)
    assert desk.send(message, age=301) == 400
    assert desk.count(CardEvent) == 0
    assert desk.deliver(body, header) == 200


def test_a_link_in_a_mail_pays_one_document_until_it_runs_out(desk: Desk) -> None:
    answer = desk.finance.post(
        f"/finance/documents/{desk.document}/pay-link",
        data={"recipient": "Bursar@School.example", "once": "k"},
    )
    assert answer.status_code == 303, answer.text
    with desk.database.transaction() as session:
        send_pay_link(
            session, desk.document, recipient="bursar@school.example", once_key="k", by=owing.BY, at=AT
        )
    with desk.database.reading() as session:
        mail = session.scalars(select(OutboxMessage).where(OutboxMessage.key.startswith("pay-link:"))).one()
    assert mail.recipient == "bursar@school.example"
    path = mail.body.partition("{address}")[2].split()[0]
    assert path.removeprefix("/pay/") not in mail.key
    assert "Pay £1,766.40" in desk.anybody.get(path).text
    assert desk.anybody.post(path).headers["Location"].startswith(desk.server.address)
    assert desk.anybody.get(f"{path}x").status_code == 404
    desk.app.extensions["sla.clock"] = fixed_clock(AT + timedelta(days=30))
    assert desk.anybody.get(path).status_code == 410
    assert desk.anybody.post(path).status_code == 410


def test_without_keys_every_page_says_that_card_payment_is_off(desk: Desk) -> None:
    desk.app.extensions["sla.cards"] = None
    assert "Card payment is off" in desk.school.get(f"/school/{URN}/documents/{desk.document}").text
    assert desk.school.post(f"/school/{URN}/documents/{desk.document}/pay").status_code == 503
    assert desk.send({"id": "evt_1"}) == 400
    assert "Card payment is off" in desk.finance.get("/finance/cards").text


def test_finance_sees_what_needs_eyes_answers_and_refunds_once(desk: Desk) -> None:
    desk.server.pay(desk.page(), pence=100_00)
    desk.work()
    page = desk.finance.get("/finance/cards").text
    assert "£100.00 came, and £1,766.40 was asked for." in page
    with desk.database.reading() as session:
        receipt_id, alert_id = (
            session.scalars(select(Receipt.id)).one(),
            session.scalars(select(CardAlert.id)).one(),
        )
    assert desk.finance.post(f"/finance/cards/alerts/{alert_id}", data={"answer": ""}).status_code == 422
    assert (
        desk.finance.post(f"/finance/cards/alerts/{alert_id}", data={"answer": "Paid back"}).status_code
        == 303
    )
    where = f"/finance/payments/{receipt_id}/refund"
    form = {"amount": "60.00", "method": "card", "reason": "Paid twice", "once": "press"}
    assert [desk.finance.post(where, data=form).status_code for _ in range(2)] == [303, 303]
    beyond = desk.finance.post(where, data={**form, "amount": "40.01", "once": "again"})
    assert beyond.status_code == 422
    assert "£40.01 is more than is left of this payment: £40.00" in beyond.text
    by_hand = {**form, "amount": "40.00", "method": "cheque", "once": "third", "reference": "000123"}
    assert desk.finance.post(where, data=by_hand).status_code == 303
    receipt = desk.finance.get(f"/finance/payments/{receipt_id}").text
    assert "Back to the card" in receipt
    assert "000123" in receipt
    assert desk.server.count("refund") == 1
    with desk.database.reading() as session:
        refunds = [str(one.amount) for one in session.scalars(select(Refund).order_by(Refund.id))]
        cheque = session.scalars(select(Refund.id).where(Refund.method == "cheque")).one()
    assert refunds == ["60.00", "40.00"]
    undo = f"/finance/payments/{receipt_id}/refunds/{cheque}/undo"
    assert desk.finance.get(undo).status_code == 200
    assert desk.finance.post(undo, data={"reason": "It was never cashed"}).status_code == 303
    assert desk.finance.post(undo, data={"reason": "Again"}).status_code == 422
    assert "£40.00" in desk.finance.get(f"/finance/payments/{receipt_id}").text


def test_a_form_may_lead_to_the_card_page_only_where_cards_are_taken() -> None:
    assert content_security_policy(None)["form-action"] == "'self'"
    allowed = content_security_policy(Cards("sk_live_demo", "whsec_demo"))["form-action"]
    assert allowed == ["'self'", "https://checkout.stripe.com"]
