"""Reports, locks and the year end at their pages: the figures, their files, and what cannot be done any more."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from sla_manager.agreements.commands import enter
from sla_manager.agreements.rules.ledger import EntryKind
from sla_manager.gateways.spreadsheets import read_spreadsheet
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.minutes import Minutes
from sla_manager.people.rules.roles import Role
from sla_manager.store.database import Database
from tests import builders
from tests.conftest import sign_in_as
from tests.rooms import owing, selling


@pytest.fixture
def at() -> datetime:
    """After the end of the year."""
    return datetime(2026, 4, 10, 9, 0, tzinfo=UTC)


@pytest.fixture
def finance(app: Flask, sqlite: Database) -> FlaskClient:
    """A finance officer of a council that sold twelve days, gave nine and invoiced all."""
    agreed = owing.agree(sqlite)
    with sqlite.transaction() as session:
        tranche = selling.tranches(session, agreed)[0]
        enter(
            session, tranche.id, EntryKind.DELIVERED, Minutes(9 * 444), effective_on=date(2025, 11, 3), cause="x",
            by=owing.BY, at=as_at(date(2025, 11, 3)),
        )  # fmt: skip
        person = builders.a_person(session, Role.FINANCE_OFFICER, email="f@council.example")
    owing.run_on(sqlite, owing.THIRD)
    client = app.test_client()
    sign_in_as(client, person.id)
    return client


def page(client: FlaskClient, address: str) -> str:
    """Open a page that is there."""
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.get_data(as_text=True)


def test_each_report_is_a_page_with_its_picture_and_the_same_figures_as_files(finance: FlaskClient) -> None:
    figures = {
        "vat?year=2025-26": "£883.20",
        "debtors?on=2026-03-31": "£5,299.20",
        "deferred?year=2025-26": "£1,104.00",
        "lapsed?year=2025-26": "£1,104.00",
        "income?year=2025-26&by=family": "£3,312.00",
        "recovery?year=2025-26": "£3,312.00",
    }
    for address, amount in figures.items():
        said = page(finance, f"/finance/reports/{address}")
        assert amount in said, address
        assert "<svg" in said, address
        name, _, asked = address.partition("?")
        plain = amount.strip("£").replace(",", "")
        for form in ("csv", "xlsx"):
            table = read_spreadsheet(finance.get(f"/finance/reports/{name}/{form}?{asked}").data)
            cells = [cell for _, row in table.rows for cell in row]
            assert {plain, plain.removesuffix(".00"), plain.rstrip("0")} & set(cells), (address, form)
    for address in ("nothing", "vat?year=2027-28", "vat?month=2026-13", "income?by=shoe-size", "vat/pdf"):
        assert finance.get(f"/finance/reports/{address}").status_code == 404, address


def test_a_row_leads_to_what_it_comes_from(finance: FlaskClient) -> None:
    said = page(finance, "/finance/reports/deferred?year=2025-26")
    assert "/finance/reports/deferred/1?year=2025-26" in said
    why = page(finance, "/finance/reports/deferred/1?year=2025-26")
    assert all(amount in why for amount in ("£4,416.00", "£3,312.00", "£1,104.00", "EWS/25-26/000003"))
    assert "EWS/25-26/000002" in page(finance, "/finance/reports/vat?month=2026-01")


def test_a_locked_period_is_refused_in_words_and_opened_again_with_a_reason(finance: FlaskClient) -> None:
    form = {"through-day": "31", "through-month": "3", "through-year": "2026", "reason": "Return sent"}
    waiting = page(finance, "/finance/locks/new")
    assert "Documents that are in no export" in waiting
    assert finance.post("/finance/locks/new", data=form | {"reason": ""}).status_code == 422
    assert finance.post("/finance/locks/new", data=form).status_code == 303
    assert "locked up to <strong>31 March 2026" in page(finance, "/finance/locks")
    receipt = {
        "amount": "10.00", "received_on-day": "31", "received_on-month": "3", "received_on-year": "2026",
        "method": "cheque",
    }  # fmt: skip
    refused = finance.post("/finance/customers/1/payment", data=receipt)
    assert refused.status_code == 422
    assert "The books are locked up to 31 March 2026" in refused.get_data(as_text=True)
    run = finance.post("/finance/run/issue?as_at=2026-03-31", data={})
    assert "locked up to 31 March 2026" in run.get_data(as_text=True)
    assert finance.post("/finance/locks/1/reopen", data={"reason": ""}).status_code == 422
    assert finance.post("/finance/locks/1/reopen", data={"reason": "A late credit"}).status_code == 303
    assert finance.post("/finance/locks/1/reopen", data={"reason": "Again"}).status_code == 422
    assert finance.post("/finance/customers/1/payment", data=receipt).status_code == 303
    assert "A late credit" in page(finance, "/finance/locks")


def test_cost_is_entered_and_compared_and_the_year_end_is_rehearsed(finance: FlaskClient) -> None:
    form = {
        "day_cost": "241.50",
        "day_hours-hours": "7",
        "day_hours-minutes": "24",
        "overhead": "1,000",
        "version": "0",
    }
    assert finance.post("/finance/costs/ews/2025-26", data=form | {"day_cost": "lots"}).status_code == 422
    assert finance.post("/finance/costs/ews/2025-26", data=form).status_code == 303
    assert finance.post("/finance/costs/ews/2025-26", data=form).status_code == 422
    said = page(finance, "/finance/reports/recovery?year=2025-26")
    assert "Charges exceed the cost over these years: Education Welfare Service by £2,312.00." in said
    assert finance.get("/finance/costs/none/2025-26").status_code == 404
    assert finance.post("/finance/year-end?year=2025-26").status_code == 303
    rehearsed = page(finance, "/finance/year-end?year=2025-26")
    assert "1 balance would lapse, worth <strong>£1,104.00</strong>" in rehearsed
    assert "not closed yet" in rehearsed
    assert "Rehearse again" in rehearsed
