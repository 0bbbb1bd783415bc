"""Hand-over at its pages: settings with their preview, cost centres, the finance system's reply on the document."""

from __future__ import annotations

import io
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from sla_manager.billing.models import Document
from sla_manager.finance.models import LedgerAnswer, SchoolCode
from sla_manager.people.rules.roles import Role
from sla_manager.store.database import Database
from tests import builders
from tests.conftest import sign_in_as
from tests.rooms import owing


@dataclass(frozen=True, slots=True)
class Desk:
    """A finance officer's browser, and a document that is issued."""

    finance: FlaskClient
    document: Document


@pytest.fixture
def desk(app: Flask, sqlite: Database) -> Desk:
    """Return a desk with one academy's invoice."""
    with sqlite.transaction() as session:
        person = builders.a_person(session, Role.FINANCE_OFFICER, email="finance@council.example")
    owing.agree(sqlite)
    owing.run_on(sqlite, owing.FIRST)
    client = app.test_client()
    sign_in_as(client, person.id)
    return Desk(client, owing.documents(sqlite)[0])


def test_settings_are_previewed_on_real_documents_before_they_are_saved(desk: Desk) -> None:
    page = desk.finance.get("/finance/layouts/xero")
    assert "*ContactName,EmailAddress" in page.text
    assert desk.document.number in page.text
    typed = {
        "account": "4100", "tracking": "", "contact": "account", "scope": "all", "tax_standard": "20% (VAT on Income)",
        "tax_zero": "Zero Rated Income", "tax_exempt": "Exempt Income", "tax_outside_scope": "No VAT",
    }  # fmt: skip
    preview = desk.finance.post("/finance/layouts/xero", data=typed | {"act": "preview"})
    assert (preview.status_code, ",4100,20% (VAT on Income)" in preview.text) == (200, True)
    assert ",200,20%" in desk.finance.get("/finance/layouts/xero").text
    refused = desk.finance.post("/finance/layouts/xero", data=typed | {"account": "41 00", "act": "save"})
    assert (refused.status_code, "41 00" in refused.text) == (422, True)
    assert desk.finance.post("/finance/layouts/xero", data=typed | {"act": "save"}).status_code == 303
    assert ",4100,20%" in desk.finance.get("/finance/layouts/xero").text


def test_a_fixed_width_without_its_widths_is_refused_and_what_was_typed_is_kept(desk: Desk) -> None:
    typed = {
        "name": "fixed", "title": "", "rows": "line", "date_format": "yyyymmdd", "sign": "signed", "scope": "all",
        "delimiter": "fixed", "encoding": "utf-8", "decimals": "pence", "charge_word": "INV", "credit_word": "CRN",
        "header_0": "Amount", "field_0": "gross", "align_0": "zeros",
    }  # fmt: skip
    refused = desk.finance.post("/finance/layouts/new", data=typed | {"act": "preview"})
    assert refused.status_code == 422
    assert "enter a width from 1 to 500" in refused.text
    assert 'value="Amount"' in refused.text
    good = desk.finance.post("/finance/layouts/new", data=typed | {"width_0": "10", "act": "preview"})
    assert "0000176640" in good.text


def test_cost_centres_are_taken_in_and_bad_rows_are_named(desk: Desk, sqlite: Database) -> None:
    page = desk.finance.post(
        "/finance/codes", data={"file": (io.BytesIO(b"URN,Cost centre\n123456,S1\n"), "codes.csv")}
    )
    assert (page.status_code, "Row 2: no school with the URN “123456” pays here." in page.text) == (422, True)
    saved = desk.finance.post(
        f"/finance/codes/schools/{desk.document.customer_id}",
        data={"cost_centre": "S0042", "account_code": ""},
    )
    assert saved.status_code == 303
    assert "S0042" in desk.finance.get("/finance/codes?search=S0042").text
    codes = {
        "income_centre": "EWS01",
        "income_code": "91001",
        "charge_code": "4 3",
        "cfr_code": "",
        "return_line": "",
    }
    refused = desk.finance.post("/finance/codes/services/ews", data=codes)
    assert (refused.status_code, "is not usable as an account code" in refused.text) == (422, True)
    assert (
        desk.finance.post("/finance/codes/services/ews", data=codes | {"charge_code": "43"}).status_code
        == 303
    )
    with sqlite.reading() as session:
        assert session.scalars(select(SchoolCode.cost_centre)).all() == ["S0042"]


def test_a_reply_is_looked_at_taken_in_and_stands_on_the_document(desk: Desk, sqlite: Database) -> None:
    batch = desk.finance.post("/finance/exports", data={"layout": "oracle"})
    content = f"Trx,Result,Why\n{desk.document.number},Bad,Unknown bill-to customer\n".encode()
    sent = desk.finance.post(
        "/finance/replies", data={"layout": "oracle", "file": (io.BytesIO(content), "r.csv")}
    )
    place = sent.headers["Location"]
    assert "We cannot read the rows yet" in desk.finance.get(place).text
    columns = {
        "column_number": "Trx", "column_status": "Result", "column_reason": "Why", "column_reference": "",
        "column_date": "", "column_amount": "", "every": "", "words_accepted": "ok", "words_paid": "paid",
    }  # fmt: skip
    refused = desk.finance.post(place, data=columns | {"words_rejected": "no", "act": "take"})
    assert (refused.status_code, "“Bad” is none of the words" in refused.text) == (422, True)
    for _ in range(2):
        taken = desk.finance.post(place, data=columns | {"words_rejected": "bad", "act": "take"})
        assert taken.status_code == 303
    with sqlite.reading() as session:
        assert len(session.scalars(select(LedgerAnswer)).all()) == 1
    document = desk.finance.get(f"/finance/documents/{desk.document.id}").text
    assert "Rejected: Unknown bill-to customer" in document
    assert "cannot enter another batch of this layout" in document
    assert "BAE300 Professional services, non-curriculum" in document
    shown = desk.finance.get(batch.headers["Location"]).text
    assert "Rejected, and what to do" in shown
    file = desk.finance.get(f"{batch.headers['Location']}/file")
    assert (file.mimetype, file.data[:2]) == ("application/zip", b"PK")
