"""The bank at its pages: a statement taken, lines confirmed, one matched by hand, set aside, taken back; journals."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from sla_manager.kernel.clock import as_at
from sla_manager.kernel.money import Money
from sla_manager.payments.commands import record_receipt
from sla_manager.payments.models import BankLine, BankMatch, Receipt
from sla_manager.payments.queries import open_amount, unallocated_total
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.store.database import Database
from tests import builders
from tests.conftest import sign_in_as
from tests.rooms import owing, selling

MARCH = (
    '13/10/2025,"EWS/25-26/000001 BEECH",1766.40\n'
    '13/10/2025,"BEECH HILL ACADEMY",100.00\n'
    '13/10/2025,"LIBRARY FINES",9.10\n'
    '13/10/2025,"CHARGES",-2.00\n'
)


@dataclass
class Desk:
    """Who sits where, and what is owed."""

    finance: FlaskClient
    auditor: FlaskClient
    invoice: int
    note: int
    customer: int


@pytest.fixture
def desk(app: Flask, sqlite: Database) -> Desk:
    with sqlite.transaction() as session:
        academy = builders.a_school(session, urn=900_301, customer_class=CustomerClass.ACADEMY)
        academy.name = "Beech Hill Academy"
        own = builders.a_school(session, urn=900_302, customer_class=CustomerClass.OWN_MAINTAINED)
        selling.agreed(session, owing.BY, owing.SIGNED, school=academy)
        selling.agreed(session, owing.BY, owing.SIGNED, school=own)
        ids = [
            builders.a_person(session, role, email=f"{role.value}@council.example").id
            for role in (Role.FINANCE_OFFICER, Role.AUDITOR)
        ]
    owing.run_on(sqlite, owing.FIRST)
    clients = [app.test_client() for _ in ids]
    for client, person_id in zip(clients, ids, strict=True):
        sign_in_as(client, person_id)
    issued = {one.kind.value: one for one in owing.documents(sqlite)}
    invoice, note = issued["invoice"], issued["recharge_note"]
    return Desk(clients[0], clients[1], invoice.id, note.id, invoice.customer_id)


def send(client: FlaskClient, content: str, **more: str) -> TestResponse:
    """Send a statement file."""
    told = {
        "account": "60-16-13 31926819",
        "layout": "",
        "file": (io.BytesIO(content.encode()), "march.csv"),
    } | more
    return client.post("/finance/bank/import", data=told, content_type="multipart/form-data")


def waits(database: Database, document_id: int) -> str:
    """Return what is open on a document."""
    with database.reading() as session:
        return str(open_amount(session, document_id))


def test_every_page_of_the_bank_opens_before_anything_happened(desk: Desk) -> None:
    for page in ("bank", "bank/import", "bank/statements", "bank/files/new", "journals"):
        answer = desk.finance.get(f"/finance/{page}")
        assert (answer.status_code, answer.text.count("<h1")) == (200, 1), page
    assert "Import a statement" not in desk.auditor.get("/finance/bank").text
    assert desk.auditor.get("/finance/bank/import").status_code == 403
    assert desk.auditor.post("/finance/bank", data={"confirm": "1::"}).status_code == 403


def test_a_statement_is_taken_and_its_lines_are_confirmed_once(desk: Desk, sqlite: Database) -> None:
    taken = send(desk.finance, MARCH)
    assert taken.status_code == 303
    assert "4 lines are taken. 0 were known." in desk.finance.get(taken.location).text
    again = desk.finance.get(send(desk.finance, MARCH + '13/10/2025,"MORE",1.00\n').location).text
    assert "1 line is taken. 4 were known." in again
    page = desk.finance.get("/finance/bank").text
    assert "<strong>4</strong> lines wait to be matched: <strong>£1,876.50</strong>" in page
    assert "Names EWS/25-26/000001." in page
    (ticked,) = re.findall(r'name="confirm" value="([^"]+)" checked', page)
    only = desk.finance.get("/finance/bank?show=sure").text
    assert re.findall(r'name="confirm" value="([^"]+)"', only) == [ticked]
    assert ticked == f"1::{desk.invoice}=1766.40"
    for _ in range(2):
        answer = desk.finance.post("/finance/bank", data={"confirm": ticked, "once": "same"})
        assert answer.status_code == 303
    assert waits(sqlite, desk.invoice) == "0.00"
    with sqlite.reading() as session:
        assert session.scalar(select(func.count(Receipt.id))) == 1
    late = desk.finance.post("/finance/bank", data={"confirm": [ticked, "2::x", "99::"], "once": "other"})
    assert late.status_code == 422
    for said in ("matched already", "could not be read", "no such bank line"):
        assert said in late.text


def test_a_file_with_findings_shows_them_and_is_taken_when_that_is_ticked(
    desk: Desk, sqlite: Database
) -> None:
    broken = MARCH.replace("-2.00", "-2.00001")
    refused = send(desk.finance, broken)
    assert refused.status_code == 422
    assert "“-2.00001” has 5 decimals; pounds have two." in refused.text
    assert "60-16-13 31926819" in refused.text, "what was typed stays"
    assert send(desk.finance, broken, accept_findings="y").status_code == 303
    with sqlite.reading() as session:
        assert session.scalar(select(func.count(BankLine.id))) == 3


def test_a_line_is_matched_by_hand_set_aside_and_taken_back(desk: Desk, sqlite: Database) -> None:
    send(desk.finance, MARCH)
    page = desk.finance.get("/finance/bank/lines/2").text
    assert "The payer’s name fits this customer alone." in page
    found = desk.finance.get("/finance/bank/lines/3?q=beech").text
    assert f"/finance/bank/lines/3?customer={desk.customer}" in found
    assert "Nobody is called" in desk.finance.get("/finance/bank/lines/3?q=nobody").text
    assert desk.finance.get("/finance/bank/lines/3?customer=999").status_code == 404
    typed = {f"document_{desk.invoice}": "60.00", "on_account": "", "once": "k"}
    refused = desk.finance.post("/finance/bank/lines/2", data=typed)
    assert refused.status_code == 422
    assert "£40.00 of £100.00 is not matched" in refused.text
    assert 'value="60.00"' in refused.text
    matched = desk.finance.post("/finance/bank/lines/2", data=typed | {"on_account": str(desk.customer)})
    assert matched.status_code == 303
    assert waits(sqlite, desk.invoice) == "1706.40"
    aside = desk.finance.post("/finance/bank/lines/3/not-ours", data={"reason": "The library’s", "once": "n"})
    assert aside.status_code == 303
    with sqlite.reading() as session:
        assert str(unallocated_total(session)) == "40.00"
        receipt_match, aside_match = session.scalars(select(BankMatch.id).order_by(BankMatch.id))
    assert desk.finance.post(f"/finance/bank/matches/{receipt_match}/take-back", data={}).status_code == 422
    for match_id in (receipt_match, aside_match):
        back = desk.finance.post(f"/finance/bank/matches/{match_id}/take-back", data={"reason": "Wrong"})
        assert back.status_code == 303
    assert waits(sqlite, desk.invoice) == "1766.40"
    shown = desk.finance.get("/finance/bank/lines/2").text
    assert "Taken back" in shown
    assert "Wrong" in shown


def test_a_payment_recorded_by_hand_is_asked_about_first(desk: Desk, sqlite: Database) -> None:
    with sqlite.transaction() as session:
        paid = record_receipt(
            session, desk.customer, amount=Money(1766_40), received_on=owing.FIRST, method="cheque", by=owing.BY,
            at=as_at(owing.FIRST),
        )  # fmt: skip
    send(desk.finance, MARCH)
    page = desk.finance.get("/finance/bank").text
    assert "Recorded already?" in page
    assert " checked" not in page
    assert f"/finance/bank/lines/1/payments/{paid.id}" in desk.finance.get("/finance/bank/lines/1").text
    answer = desk.finance.post(f"/finance/bank/lines/1/payments/{paid.id}", data={"once": "r"})
    assert answer.status_code == 303
    assert "/finance/bank/lines/1" in desk.finance.get(f"/finance/payments/{paid.id}").text
    with sqlite.reading() as session:
        assert session.scalar(select(func.count(Receipt.id))) == 1


def test_a_bank_file_is_described_after_a_try_and_then_read_by_it(desk: Desk, sqlite: Database) -> None:
    described = {
        "name": "Our bank", "headed": "y", "day": "When", "date_order": "ymd", "text": "What\nNote", "amount": "Sum",
    }  # fmt: skip
    content = "When;What;Note;Sum\n2025-10-13;EWS/25-26/000001;thanks;1766.40\n"

    def post(act: str, **more: str) -> TestResponse:
        told = described | {"act": act, "file": (io.BytesIO(content.encode()), "own.csv")} | more
        return desk.finance.post("/finance/bank/files/new", data=told, content_type="multipart/form-data")

    tried = post("try")
    assert tried.status_code == 200
    assert "EWS/25-26/000001 thanks" in tried.text
    wrong = post("try", day="Whem")
    assert wrong.status_code == 422
    assert "No row has the columns" in wrong.text
    assert post("save").status_code == 303
    assert "a layout of this name" in post("save").text
    assert send(desk.finance, content, layout="1").status_code == 303
    with sqlite.reading() as session:
        assert session.scalars(select(BankLine.text)).all() == ["EWS/25-26/000001 thanks"]


def test_recharges_are_settled_by_journal_once(desk: Desk, sqlite: Database) -> None:
    told = {
        "documents": str(desk.note), "reference": "JNL 7", "once": "j", "journal_on-day": "14",
        "journal_on-month": "10", "journal_on-year": "2025",
    }  # fmt: skip
    assert "EWS-RN/25-26/000001" in desk.finance.get("/finance/journals").text
    refused = desk.finance.post("/finance/journals", data=told | {"documents": []})
    assert refused.status_code == 422
    assert "Choose between 1 and 500" in refused.text
    places = {desk.finance.post("/finance/journals", data=told).location for _ in range(2)}
    (place,) = places
    assert "£1,472.00" in desk.finance.get(place).text
    assert waits(sqlite, desk.note) == "0.00"
    assert desk.auditor.post("/finance/journals", data=told).status_code == 403
