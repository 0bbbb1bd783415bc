"""A finance officer's day in a browser: a run, a document and its why, a credit, a payment, a batch handed over."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from sla_manager.billing.prints import print_waiting
from sla_manager.config import ROOT
from sla_manager.gateways.archive import Archive
from sla_manager.gateways.printing import Printer
from sla_manager.payments.models import Allocation, Receipt
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from tests import builders
from tests.journeys.conftest import Hands, Visitor
from tests.journeys.people import somebody
from tests.rooms import selling

INVOICE, CREDIT = "EWS/25-26/000001", "EWS-CN/25-26/000001"


@pytest.fixture
def owing(sqlite: Database, by: Actor, clock: Hands) -> None:
    """An academy whose first of three instalments is due today, and somebody in finance."""
    with sqlite.transaction() as session:
        builders.council(session)
        builders.terms(session)
        school = builders.a_school(session, customer_class=CustomerClass.ACADEMY, name="Harbour Lane Academy")
        selling.agreed(session, by, clock(), school=school, purchase_order="PO 4711")
        somebody(session, "Ines Duarte", Role.FINANCE_OFFICER, by=by, at=clock())


@pytest.mark.browser
def test_a_finance_officer_issues_credits_receives_and_hands_over(
    visitor: Visitor, owing: None, sqlite: Database, clock: Hands, archive: Path
) -> None:
    visitor.sign_in("ines@aldermere.example")
    visitor.click("Instalments that are due", role="link")
    assert "£1,766.40" in visitor.text
    visitor.click("Continue to issue")
    visitor.click("Issue")
    assert INVOICE in visitor.text
    with Printer(ROOT / "templates") as printer:
        assert print_waiting(sqlite, archive=Archive(archive), printer=printer, at=clock()) == 1
    visitor.click("See the documents", role="link")
    visitor.click(INVOICE, role="link")
    visitor.page.locator("summary", has_text="Why").first.click()
    assert "12 days × £368.00 = £4,416.00" in visitor.text
    assert _downloaded(visitor, "Open the PDF").startswith(b"%PDF-")
    _credit(visitor)
    _pay(visitor, sqlite)
    visitor.click("Exports", role="link")
    visitor.tick("Sage 50")
    visitor.click("Make the batch")
    first = _downloaded(visitor, "Download the file")
    assert first == _downloaded(visitor, "Download the file")
    assert b"1472.00" in first
    assert b"368.00" in first
    visitor.open("/finance/documents")
    assert CREDIT in visitor.text


def _downloaded(visitor: Visitor, button: str) -> bytes:
    return visitor.download(button, role="button")


def _credit(visitor: Visitor) -> None:
    """One day is given back, seen before it is issued."""
    visitor.click("Credit it")
    visitor.page.get_by_label("Credit of line 1 in pounds").fill("368.00")
    visitor.fill("Why", "The officer was ill and the day could not be given again.")
    visitor.click("Preview")
    assert "441.60" in visitor.text
    visitor.click("Issue the credit note")
    assert CREDIT in visitor.text


def _pay(visitor: Visitor, sqlite: Database) -> None:
    """The rest of the invoice arrives at the bank."""
    visitor.open("/finance/documents")
    visitor.click(INVOICE, role="link")
    visitor.click("Record a payment")
    visitor.fill("How much arrived?", "1324.80")
    visitor.tick("Bank transfer")
    visitor.fill("Reference", "HARBOUR LANE")
    visitor.click("Record the payment")
    assert "There is a problem" not in visitor.text
    with sqlite.reading() as session:
        assert [str(amount) for amount in session.scalars(select(Receipt.amount))] == ["1324.80"]
        assert [str(amount) for amount in session.scalars(select(Allocation.amount))] == ["1324.80"]
