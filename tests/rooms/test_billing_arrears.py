"""Time billed after delivery: held back while the school queries it, credited when it is taken back."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.models import AgreementLine
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.billing.queries.arrears import held_back
from sla_manager.kernel.minutes import Minutes
from sla_manager.people.models import School
from sla_manager.store.database import Database
from sla_manager.visits.commands import decide_extra_time, log_delivery, plan_visit
from sla_manager.visits.commands.responding import respond_to_delivery, settle_query
from sla_manager.visits.models import ExtraTime
from sla_manager.visits.rules.slots import Part
from tests import builders, visiting
from tests.rooms import selling
from tests.rooms.owing import BY, agree, documents, run_on, sums

WEDNESDAY = date(2025, 11, 5)
NOVEMBER, DECEMBER = date(2025, 11, 30), date(2025, 12, 31)


def two_mornings(database: Database) -> list[int]:
    """Return the visits of two delivered mornings of 100 minutes, under an agreement paid on delivery."""
    agreement = agree(database, schedule=Schedule.ON_DELIVERY)
    with database.transaction() as session:
        line = session.scalars(select(AgreementLine).where(AgreementLine.agreement_id == agreement.id)).one()
        officer = builders.an_officer(session)
        made = []
        for day in (visiting.TUESDAY, WEDNESDAY):
            visit = plan_visit(
                session, officer_id=officer.id, school_id=agreement.school_id, day=day, part=Part.MORNING,
                line_id=line.id, by=BY, at=visiting.SIGNED,
            )  # fmt: skip
            log_delivery(
                session, visit.id, activities=[visiting.worked(100)], by=BY, at=visiting.at_noon(day)
            )
            agree_to(session, visit.id)
            made.append(visit.id)
        return made


def agree_to(session: Session, visit_id: int) -> None:
    """Let the school agree with a visit."""
    respond_to_delivery(session, visit_id, answer="agree", by=BY, at=visiting.at_noon(WEDNESDAY))


def query(session: Session, visit_id: int) -> None:
    """Let the school say that the time is wrong."""
    respond_to_delivery(
        session, visit_id, answer="query", wording="It was shorter", by=BY, at=visiting.at_noon(NOVEMBER)
    )


def test_time_that_the_school_queries_waits_until_that_is_settled(database: Database) -> None:
    _, second = two_mornings(database)
    with database.transaction() as session:
        query(session, second)
    with database.reading() as session:
        (waits,) = held_back(session, NOVEMBER)
    assert (waits.visit_id, waits.day, waits.said) == (second, WEDNESDAY, "It was shorter")
    assert run_on(database, NOVEMBER).issued == 1
    assert sums(documents(database)[0]) == ("82.88", "16.58", "99.46")
    with database.transaction() as session:
        settle_query(session, second, wording="It stands", by=BY, at=visiting.at_noon(DECEMBER))
    with database.reading() as session:
        assert held_back(session, DECEMBER) == []
    assert run_on(database, DECEMBER).issued == 1
    assert run_on(database, DECEMBER).issued == 0


def test_billed_time_that_is_taken_back_is_credited_on_its_document_and_billed_as_it_was(
    database: Database,
) -> None:
    _, second = two_mornings(database)
    run_on(database, NOVEMBER)
    with database.transaction() as session:
        query(session, second)
        settle_query(
            session, second, wording="An hour", minutes=Minutes(60), by=BY, at=visiting.at_noon(DECEMBER)
        )
    result = run_on(database, DECEMBER)
    assert (result.issued, result.parked) == (2, 0)
    first, again, back = documents(database)
    assert [sums(one) for one in (first, again, back)] == [
        ("165.77", "33.15", "198.92"),
        ("49.73", "9.95", "59.68"),
        ("-82.89", "-16.58", "-99.47"),
    ]
    assert back.credits_id == first.id
    assert back.reason == f"Time of {first.number} taken back: it was billed, and does not count any more."
    assert run_on(database, DECEMBER).issued == 0
    with database.transaction() as session:
        query(session, second)
        settle_query(
            session, second, wording="None", minutes=Minutes(0), by=BY, at=visiting.at_noon(DECEMBER)
        )
    assert run_on(database, DECEMBER).issued == 1
    assert sums(documents(database)[3]) == ("-49.73", "-9.95", "-59.68")


def test_approved_extra_time_in_dispute_is_not_billed(database: Database) -> None:
    with database.transaction() as session:
        scene = visiting.a_scene(session, quantity="0.5")
        visit = visiting.a_visit(session, scene)
        log_delivery(
            session, visit.id, activities=[visiting.worked(444)], by=BY, at=visiting.at_noon(visit.day)
        )
        extra = session.scalars(select(ExtraTime)).one()
        approve(session, scene.school, extra)
        query(session, visit.id)
    assert run_on(database, date(2026, 3, 31)).issued == 3
    with database.transaction() as session:
        settle_query(session, visit.id, wording="It stands", by=BY, at=visiting.at_noon(DECEMBER))
    assert run_on(database, date(2026, 3, 31)).issued == 1
    assert sums(documents(database)[-1]) == ("184.00", "36.80", "220.80")


def approve(session: Session, school: School, extra: ExtraTime) -> None:
    """Let the school's business manager approve extra time."""
    manager = selling.acting(selling.manager_of(session, school))
    decide_extra_time(session, extra.id, approve=True, by=manager, at=visiting.at_noon(visiting.TUESDAY))
