"""Chasing at its pages: a school disputes, finance answers and holds, both see the account."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from sqlalchemy import select

from sla_manager.billing.models import Document
from sla_manager.config import ROOT
from sla_manager.gateways.printing import PrinterHere
from sla_manager.payments.models import BankRate, DisputeMessage, Hold, HoldRelease
from sla_manager.store.database import Database
from tests.web.test_finance import URN, Desk, desk, issued

__all__ = ["desk"]


def kinds_of(database: Database, *kinds: type) -> tuple[int, ...]:
    """Count the rows of some tables."""
    with database.reading() as session:
        return tuple(len(session.scalars(select(kind)).all()) for kind in kinds)


def test_a_school_disputes_and_finance_answers_on_their_own_pages(desk: Desk, sqlite: Database) -> None:
    invoice = issued(desk, sqlite)
    page = f"/school/{URN}/documents/{invoice}/dispute"
    assert "Something is wrong with it" in desk.school.get(f"/school/{URN}/documents/{invoice}").text
    empty = desk.school.post(page, data={"text": " "})
    assert empty.status_code == 422
    assert "Enter what is wrong with it" in empty.text
    for _ in range(2):
        sent = desk.school.post(page, data={"text": "We had <b>three</b> days.", "once": "only-once"})
        assert (sent.status_code, sent.location) == (303, page)
    assert kinds_of(sqlite, Hold, DisputeMessage) == (1, 1)
    assert "We had &lt;b&gt;three&lt;/b&gt; days." in desk.school.get(page).text
    assert desk.stranger.get(page).status_code == 404
    listed = desk.finance.get("/finance/chasing").text
    assert "Your answer" in listed
    held = f"/finance/documents/{invoice}/hold"
    assert desk.auditor.get(held).status_code == 200
    answer = {"text": "You had four.", "hold": "1", "ends": "yes", "once": "k"}
    assert desk.auditor.post(held, data=answer).status_code == 403
    assert desk.finance.post(held, data={**answer, "ends": "perhaps"}).status_code == 422
    assert desk.finance.post(held, data={**answer, "hold": "7"}).status_code == 422
    assert desk.finance.post(held, data=answer).status_code == 303
    assert kinds_of(sqlite, HoldRelease, DisputeMessage) == (1, 2)
    assert "You had four." in desk.school.get(page).text


def test_finance_holds_a_document_and_says_why(desk: Desk, sqlite: Database) -> None:
    held = f"/finance/documents/{issued(desk, sqlite)}/hold"
    refused = desk.finance.post(held, data={"text": ""})
    assert refused.status_code == 422
    assert "Enter why it is held" in refused.text
    for _ in range(2):
        assert desk.finance.post(held, data={"text": "A credit note follows.", "once": "k"}).status_code in (
            303,
            422,
        )
    assert kinds_of(sqlite, Hold) == (1,)
    assert "A credit note follows." in desk.finance.get("/finance/chasing").text
    assert desk.finance.get("/finance/documents/999/hold").status_code == 404
    for page in ("", "/dispute"):
        assert "A credit note follows." not in desk.school.get(f"/school/{URN}/documents/1{page}").text


def test_both_sides_see_the_same_account_and_its_letter(app: Flask, desk: Desk, sqlite: Database) -> None:
    invoice = issued(desk, sqlite)
    with sqlite.reading() as session:
        document = session.get_one(Document, invoice)
    app.extensions["sla.printer"] = PrinterHere(Path(ROOT) / "templates")
    finance = f"/finance/customers/{document.customer_id}/account"
    for client, page in ((desk.finance, finance), (desk.school, f"/school/{URN}/account")):
        answer = client.get(page)
        assert answer.status_code == 200
        assert answer.text.count(document.number) >= 2
        assert "£1,766.40" in answer.text
        paper = client.get(f"{page}/pdf")
        assert paper.mimetype == "application/pdf"
        assert paper.data.startswith(b"%PDF-")
    for since in ("last", "all", "nonsense"):
        assert desk.finance.get(finance, query_string={"since": since}).status_code == 200
    assert desk.stranger.get(f"/school/{URN}/account").status_code == 404
    assert desk.finance.get("/finance/customers/999/account").status_code == 404


def test_a_bank_rate_is_recorded_and_a_slip_refused(desk: Desk, sqlite: Database) -> None:
    day = {"from_day-day": "3", "from_day-month": "10", "from_day-year": "2025"}
    before = kinds_of(sqlite, BankRate)[0]
    for rate in ("", "3.755", "37.5", "-1"):
        assert desk.finance.post("/finance/bank-rate", data={"rate": rate, **day}).status_code == 422, rate
    assert desk.finance.post("/finance/bank-rate", data={"rate": "3.9", **day}).status_code == 303
    assert kinds_of(sqlite, BankRate)[0] == before + 1
    page = desk.auditor.get("/finance/bank-rate").text
    assert "3.9%" in page
    assert "Record the rate" not in page
