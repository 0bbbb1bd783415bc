"""Finance at its pages: preview, issue, credit, payment, export; and what a school sees of it."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, func, select

from sla_manager.billing.models import Document
from sla_manager.billing.prints import print_waiting
from sla_manager.finance.models import ExportBatch
from sla_manager.gateways.archive import Archive
from sla_manager.kernel.money import Money
from sla_manager.payments.models import Allocation, Receipt
from sla_manager.payments.queries import open_amount
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.store.database import Database
from tests import builders
from tests.conftest import NOON, sign_in_as
from tests.rooms import owing, selling

URN = 900_301


class PaperPress:
    """Prints a page that names its document."""

    def print(self, kind: str, facts: object) -> bytes:
        return f"%PDF {kind} {facts}".encode()


@dataclass
class Desk:
    """Who sits where."""

    finance: FlaskClient
    school: FlaskClient
    stranger: FlaskClient
    auditor: FlaskClient


@pytest.fixture
def desk(app: Flask, sqlite: Database) -> Desk:
    with sqlite.transaction() as session:
        school = builders.a_school(session, urn=URN, customer_class=CustomerClass.ACADEMY)
        other = builders.a_school(session, urn=URN + 1)
        selling.agreed(session, owing.BY, owing.SIGNED, school=school)
        role = Role.SCHOOL_BUSINESS_MANAGER
        people = [
            builders.a_person(session, Role.FINANCE_OFFICER, email="f@council.example"),
            builders.a_person(session, role, school=school, email="a@school.example"),
            builders.a_person(session, role, school=other, email="b@school.example"),
            builders.a_person(session, Role.AUDITOR, email="c@council.example"),
        ]
        ids = [person.id for person in people]
    clients = []
    for person_id in ids:
        clients.append(app.test_client())
        sign_in_as(clients[-1], person_id)
    return Desk(*clients)


def issued(desk: Desk, database: Database) -> int:
    """Issue what is due today and return the invoice."""
    answer = desk.finance.post("/finance/run/issue?as_at=2025-10-14")
    assert answer.status_code == 303, answer.text
    with database.reading() as session:
        return session.scalars(select(Document.id)).one()


def test_every_page_of_finance_opens_before_anything_happened(desk: Desk) -> None:
    for page in (
        "", "run", "run?as_at=2025-10-14", "run/issue", "run/result", "documents", "payments", "payments/new",
        "exports", "layouts/new", "layouts/sage50", "parked", "check", "proof-packs", "proof-packs?q=zz",
    ):  # fmt: skip
        answer = desk.finance.get(f"/finance/{page}")
        assert answer.status_code == 200, page
        assert answer.text.count("<h1") == 1, page


def test_a_run_is_previewed_confirmed_and_issued_once(desk: Desk, sqlite: Database) -> None:
    preview = desk.finance.get("/finance/run").text
    assert "12 days × £368.00 = £4,416.00, instalment 1 of 3" in preview
    assert "£1,766.40" in preview
    confirm = desk.finance.get("/finance/run/issue?as_at=2025-10-14").text
    assert "Issue 1 document dated 14 October 2025?" in confirm
    with sqlite.reading() as session:
        assert session.scalar(select(func.count()).select_from(Document)) == 0
    for _ in range(2):
        answer = desk.finance.post("/finance/run/issue?as_at=2025-10-14")
        assert answer.status_code == 303
    result = desk.finance.get(answer.headers["Location"]).text
    assert "EWS/25-26/000001" in result
    with sqlite.reading() as session:
        assert session.scalar(select(func.count()).select_from(Document)) == 1


def test_a_run_for_tomorrow_is_refused_beside_its_field(desk: Desk) -> None:
    answer = desk.finance.get("/finance/run?as_at-day=15&as_at-month=10&as_at-year=2025")
    assert answer.status_code == 422
    assert "has not come yet" in answer.text
    assert desk.finance.post("/finance/run/issue?as_at=2025-10-15").status_code == 422


def test_a_document_says_why_and_its_pdf_is_the_archived_file(
    desk: Desk, sqlite: Database, app: Flask
) -> None:
    document = issued(desk, sqlite)
    page = desk.finance.get(f"/finance/documents/{document}").text
    assert "VAT 20 % because an academy is a separate legal person" in page
    assert desk.finance.get(f"/finance/documents/{document}/pdf").status_code == 503
    folder: Path = app.extensions["sla.archive"]
    assert print_waiting(sqlite, archive=Archive(folder), printer=PaperPress(), at=NOON) == 1
    pdf = desk.finance.get(f"/finance/documents/{document}/pdf")
    assert pdf.data.startswith(b"%PDF invoice")
    (kept,) = folder.glob("2025-26/*.pdf")
    kept.chmod(0o644)
    kept.write_bytes(b"%PDF something else")
    assert desk.finance.get(f"/finance/documents/{document}/pdf").status_code == 500


def test_a_school_sees_its_own_document_and_nobody_elses(desk: Desk, sqlite: Database) -> None:
    document = issued(desk, sqlite)
    listed = desk.school.get(f"/school/{URN}/documents").text
    assert "EWS/25-26/000001" in listed
    assert "£1,766.40" in listed
    page = desk.school.get(f"/school/{URN}/documents/{document}").text
    assert "12 days × £368.00 = £4,416.00" in page
    for address in (f"/school/{URN}/documents/{document}", f"/school/{URN + 1}/documents/{document}"):
        assert desk.stranger.get(address).status_code == 404
        assert desk.stranger.get(f"{address}/pdf").status_code == 404
    assert desk.school.get(f"/finance/documents/{document}").status_code == 403


def test_a_credit_note_is_previewed_and_issued_for_a_part(desk: Desk, sqlite: Database) -> None:
    document = issued(desk, sqlite)
    address = f"/finance/documents/{document}/credit"
    assert 'value="1472.00"' in desk.finance.get(address).text
    typed = {"line_1": "184.00", "reason": "The officer was ill.", "act": "preview"}
    preview = desk.finance.post(address, data=typed).text
    assert "−£220.80" in preview
    assert "The officer was ill." in preview
    answer = desk.finance.post(address, data=typed | {"act": "issue"})
    assert answer.status_code == 303
    with sqlite.reading() as session:
        credit = session.scalars(select(Document).where(Document.credits_id == document)).one()
        assert (str(credit.net), str(credit.vat), str(credit.gross)) == ("-184.00", "-36.80", "-220.80")
        assert open_amount(session, document) == Money(1545_60)


@pytest.mark.parametrize(
    ("line", "reason", "said"),
    [
        ("1472.01", "Too much", "can still be credited"),
        ("x", "Not money", "Line 1: “x” is not an amount of money"),
        ("", "Nothing", "Enter an amount above £0.00"),
        ("10", "", "Enter why this is credited"),
        ("10", "A823200109001 A80", None),
    ],
)
def test_a_credit_that_is_not_allowed_says_why_and_keeps_what_was_typed(
    desk: Desk, sqlite: Database, line: str, reason: str, said: str | None
) -> None:
    document = issued(desk, sqlite)
    typed = {"line_1": line, "reason": reason, "act": "issue" if said else "preview"}
    answer = desk.finance.post(f"/finance/documents/{document}/credit", data=typed)
    if said is None:
        assert answer.status_code == 200
        return
    assert answer.status_code == 422
    assert said in answer.text
    assert f'value="{line}"' in answer.text


def test_a_payment_is_recorded_once_and_set_against_a_document(desk: Desk, sqlite: Database) -> None:
    document = issued(desk, sqlite)
    with sqlite.reading() as session:
        customer = session.get_one(Document, document).customer_id
    address = f"/finance/customers/{customer}/payment"
    assert 'value="1766.40"' in desk.finance.get(f"{address}?document={document}").text
    typed = {
        "amount": "2000.00", "received_on-day": "14", "received_on-month": "10", "received_on-year": "2025",
        "method": "bank_transfer", "reference": "BACS 9", f"document_{document}": "1766.40", "once": "one",
    }  # fmt: skip
    refused = desk.finance.post(address, data=typed | {f"document_{document}": "1766.41"})
    assert refused.status_code == 422
    assert "is more than is open on EWS/25-26/000001" in refused.text
    assert 'value="1766.41"' in refused.text
    for _ in range(2):
        assert desk.finance.post(address, data=typed).status_code == 303
    with sqlite.reading() as session:
        receipt = session.scalars(select(Receipt)).one()
        allocation = session.scalars(select(Allocation)).one()
        assert open_amount(session, document) == Money(0)
    page = desk.finance.get(f"/finance/payments/{receipt.id}").text
    assert "£233.60" in page
    reverse = f"/finance/payments/{receipt.id}/reverse/{allocation.id}"
    assert desk.finance.get(reverse).status_code == 200
    assert desk.finance.post(reverse, data={"reason": ""}).status_code == 422
    assert desk.finance.post(reverse, data={"reason": "Wrong school"}).status_code == 303
    with sqlite.reading() as session:
        assert open_amount(session, document) == Money(1766_40)
    again = desk.finance.post(f"/finance/payments/{receipt.id}", data={f"document_{document}": "1000"})
    assert again.status_code == 303
    with sqlite.reading() as session:
        assert open_amount(session, document) == Money(766_40)


def test_a_batch_is_made_once_and_downloads_as_the_same_bytes(desk: Desk, sqlite: Database) -> None:
    issued(desk, sqlite)
    assert desk.finance.post("/finance/exports", data={"layout": "sage50"}).status_code == 303
    refused = desk.finance.post("/finance/exports", data={"layout": "sage50"})
    assert refused.status_code == 422
    assert "There is nothing to export" in refused.text
    with sqlite.reading() as session:
        batch = session.scalars(select(ExportBatch)).one()
    assert batch.filename in desk.finance.get(f"/finance/exports/{batch.id}").text
    first = desk.finance.get(f"/finance/exports/{batch.id}/file").data
    assert first == desk.finance.get(f"/finance/exports/{batch.id}/file").data
    rows = list(csv.DictReader(io.StringIO(first.decode())))
    assert [(row["Type"], row["Net Amount"], row["Tax Code"], row["Tax Amount"]) for row in rows] == [
        ("SI", "1472.00", "T1", "294.40")
    ]


def test_a_layout_of_the_council_s_own_is_previewed_on_real_documents_and_saved(
    desk: Desk, sqlite: Database
) -> None:
    issued(desk, sqlite)
    typed = {
        "name": "ledger", "title": "Our ledger", "rows": "document", "date_format": "ddmmyyyy", "sign": "signed",
        "delimiter": ";", "encoding": "utf-8", "header": "y", "tax_standard": "S", "tax_zero": "Z", "tax_exempt": "E",
        "tax_outside_scope": "O", "order_0": "2", "header_0": "Gross", "field_0": "gross", "constant_0": "",
        "order_1": "1", "header_1": "Date", "field_1": "issued_on", "constant_1": "", "order_2": "3",
        "header_2": "Company", "field_2": "", "constant_2": "=A1",
    }  # fmt: skip
    preview = desk.finance.post("/finance/layouts/new", data=typed | {"act": "preview"})
    assert preview.status_code == 200
    assert "Date;Gross;Company\r\n14102025;1766.40;&#39;=A1" in preview.text
    assert desk.finance.post("/finance/layouts/new", data=typed | {"act": "save"}).status_code == 303
    page = desk.finance.get("/finance/layouts/ledger")
    assert page.status_code == 200
    assert desk.finance.post("/finance/exports", data={"layout": "ledger"}).status_code == 303
    refused = desk.finance.post("/finance/layouts/new", data=typed | {"name": "Sage 50!", "act": "save"})
    assert refused.status_code == 422
    assert "small letters, digits and hyphens" in refused.text


def test_an_auditor_reads_and_changes_nothing(desk: Desk, sqlite: Database) -> None:
    document = issued(desk, sqlite)
    assert desk.auditor.get(f"/finance/documents/{document}").status_code == 200
    assert desk.auditor.get("/finance/").status_code == 200
    for page in (f"documents/{document}/credit", "run/issue", "exports", "payments/1"):
        assert desk.auditor.post(f"/finance/{page}").status_code == 403


def test_v1_the_list_asks_the_same_few_questions_at_any_length(desk: Desk, sqlite: Database) -> None:
    issued(desk, sqlite)
    counted: list[str] = []

    @event.listens_for(sqlite.engine, "before_cursor_execute")
    def _count(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith(("PRAGMA", "BEGIN")):
            counted.append(statement)

    desk.finance.get("/finance/documents")
    few = len(counted)
    owing.agree_many(sqlite, 5)
    owing.run_on(sqlite, owing.FIRST)
    counted.clear()
    assert desk.finance.get("/finance/documents").text.count("EWS/25-26/") == 6
    assert len(counted) == few
    assert len([one for one in counted if "FROM document" in one]) <= 6
