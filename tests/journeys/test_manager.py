"""A service manager's work in a browser: an order accepted, a visit planned, moved, cancelled, a variation, a close."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.models import Agreement, AgreementLine, LedgerEntry, YearClose
from sla_manager.agreements.rules.ledger import EntryKind
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.people.models import School
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from sla_manager.visits.models import Visit, VisitStatus
from tests import builders
from tests.journeys.conftest import Hands, Visitor
from tests.journeys.people import somebody
from tests.rooms import selling

OFFERING = "Education welfare officer, day"


@pytest.fixture
def ordered(sqlite: Database, by: Actor, clock: Hands) -> int:
    """An academy's order of 12 days, which waits for the manager."""
    with sqlite.transaction() as session:
        school = _office(session, by, clock)
        quoted = selling.quote(session, by, clock(), school=school)
        selling.order(session, quoted, selling.acting(selling.manager_of(session, school)), clock())
        return quoted.id


def _office(session: Session, by: Actor, clock: Hands) -> School:
    builders.council(session)
    builders.terms(session)
    service = builders.a_service(session)
    builders.a_core_offering(session)
    somebody(session, "Tomas Reed", Role.SERVICE_MANAGER, by=by, at=clock(), service_id=service.id)
    builders.an_officer(session)
    builders.an_officer(session, "Ruth Penn")
    return builders.a_school(session, customer_class=CustomerClass.ACADEMY, name="Harbour Lane Academy")


@pytest.mark.browser
def test_a_manager_takes_an_order_through_its_year(
    visitor: Visitor, ordered: int, sqlite: Database, clock: Hands
) -> None:
    visitor.sign_in("tomas@aldermere.example")
    visitor.click("Orders to accept", role="link")
    visitor.click("EWS-Q/25-26/000001", role="link")
    assert "£5,299.20" in visitor.text
    visitor.click("Accept the order")
    assert "is agreed" in visitor.page.inner_text("body")
    with sqlite.reading() as session:
        assert session.get_one(Agreement, ordered).status is AgreementStatus.AGREED
    _plan_and_move(visitor, clock)
    _cancel_with_its_charge(visitor, sqlite)
    _vary(visitor, sqlite)
    for page in (
        "Agreements",
        "Diaries",
        "Visits",
        "More",
        "Absences",
        "More",
        "Support meetings",
        "More",
        "Pace",
    ):
        visitor.click(page, role="link")
    _close_the_year(visitor, sqlite, clock)


def _plan_and_move(visitor: Visitor, clock: Hands) -> None:
    """Plan a morning, then move it to the afternoon of the day after."""
    visitor.click("Visits", role="link")
    visitor.click("Plan a visit")
    visitor.page.get_by_label("Which school?").select_option(index=1)
    visitor.click("Continue")
    visitor.tick(f"Bought: {OFFERING}")
    visitor.pick("Officer", "Asha Okafor")
    visitor.fill_date("day", date(2025, 11, 11))
    visitor.fill("Purpose", "Casework with the attendance team")
    visitor.click("Plan the visit")
    assert "11 November 2025" in visitor.page.inner_text("body")
    visitor.click("Move")
    visitor.fill_date("day", date(2025, 11, 12))
    visitor.tick("Afternoon")
    visitor.click("Move the visit")
    assert "The visit is moved." in visitor.page.inner_text("body")
    assert "12 November 2025" in visitor.text
    clock.move_to(date(2025, 11, 6))


def _cancel_with_its_charge(visitor: Visitor, sqlite: Database) -> None:
    """Three clear working days: the whole booked time is charged, and that is said before it is done."""
    visitor.click("Cancel")
    visitor.tick("The school")
    visitor.fill_date("notice_on", date(2025, 11, 6))
    visitor.fill("Reason", "Mock examinations were moved to this day.")
    visitor.click("See what will follow")
    assert "3 clear working days" in visitor.text
    assert "are charged" in visitor.text
    with sqlite.reading() as session:
        assert session.scalars(select(Visit.status)).all() == [VisitStatus.PLANNED]
    visitor.click("Cancel the visit")
    with sqlite.reading() as session:
        assert session.scalars(select(Visit.status)).all() == [VisitStatus.CANCELLED]
        charged = select(LedgerEntry.minutes).where(LedgerEntry.kind == EntryKind.CHARGED)
        assert [minutes.minutes for minutes in session.scalars(charged)] == [-222]


def _vary(visitor: Visitor, sqlite: Database) -> None:
    """Three days more from December, seen before it is done, and signed on paper."""
    visitor.click("Agreements", role="link")
    visitor.click("EWS-SLA/25-26/000001", role="link")
    visitor.click("Change the quantity", role="link")
    visitor.fill("By how much does it change?", "3")
    visitor.fill_date("effective_on", date(2025, 12, 1))
    visitor.fill("Reason", "A second attendance project.")
    visitor.tick("It is signed on paper")
    visitor.fill("Who signed the paper?", "Ruth Amadi")
    visitor.fill("In what role?", "Head teacher")
    visitor.fill("Where is the paper kept?", "File 12")
    visitor.click("See what will follow")
    assert "What will follow" in visitor.text
    visitor.click("Confirm this change")
    assert "signed and made" in visitor.page.inner_text("body")
    with sqlite.reading() as session:
        varied = select(LedgerEntry.minutes).where(LedgerEntry.kind == EntryKind.VARIED)
        assert [minutes.minutes for minutes in session.scalars(varied)] == [3 * 444]
        assert session.scalars(select(AgreementLine.quantity)).one() == 12, "the signed line stays as it was"


def _close_the_year(visitor: Visitor, sqlite: Database, clock: Hands) -> None:
    """In April, 14.5 days are left of 15: they lapse, and that is said before it is done."""
    clock.move_to(date(2026, 4, 14))
    visitor.click("More", role="link")
    visitor.click("Year close", role="link")
    visitor.click("2025-26", role="link")
    assert "14.5 days" in visitor.text
    assert "£5,336.00" in visitor.text
    visitor.click("Close 2025-26")
    assert "is closed" in visitor.page.inner_text("body")
    with sqlite.reading() as session:
        lapsed = select(LedgerEntry.minutes).where(LedgerEntry.kind == EntryKind.LAPSED)
        assert [minutes.minutes for minutes in session.scalars(lapsed)] == [-6438]
        assert [str(one.lapsed_value) for one in session.scalars(select(YearClose))] == ["5336.00"]
