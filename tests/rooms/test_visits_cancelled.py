"""Cancelling: clear working days, bands, core never, the council's own fault never, rearranged in time."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from sla_manager.catalogue.models import ServiceHours
from sla_manager.catalogue.rules.families import CoreDuty
from sla_manager.kernel.clock import london_time
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.store.database import Database
from sla_manager.visits.commands import cancel_visit, log_delivery, move_visit, plan_visit, record_no_access
from sla_manager.visits.commands.cancelling import NotThereYet
from sla_manager.visits.commands.planning import AlreadySettled, NotRearrangeable
from sla_manager.visits.models import VisitStatus
from sla_manager.visits.queries import preview_cancellation, visit_in
from sla_manager.visits.rules.slots import Part
from tests.visiting import BY, SIGNED, TUESDAY, Scene, a_scene, a_visit, at_noon, entries, figures, worked

WEDNESDAY = date(2026, 5, 6)


def a_may_visit(database: Database, **more: object) -> tuple[Scene, int]:
    """Plan half a day for Wed 6 May 2026 at a service that closes at 5pm, on Fridays at 4pm."""
    with database.transaction() as session:
        scene = a_scene(session, quantity="20", ends_on=date(2026, 8, 31))
        for weekday in range(5):
            closes = time(16) if weekday == 4 else time(17)
            session.add(
                ServiceHours(service_id=scene.service.id, weekday=weekday, opens=time(9), closes=closes)
            )
        return scene, a_visit(session, scene, day=WEDNESDAY, **more).id


@pytest.mark.parametrize(
    ("notice", "clear", "charged"),
    [
        (datetime(2026, 4, 28, 11, 0, tzinfo=UTC), 4, 222),
        (datetime(2026, 4, 27, 11, 0, tzinfo=UTC), 5, 111),
        (datetime(2026, 4, 27, 16, 1, tzinfo=UTC), 4, 222),
        (datetime(2026, 3, 31, 11, 0, tzinfo=UTC), 22, 0),
    ],
)
def test_half_a_day_cancelled_by_the_school_costs_222_111_or_0(
    database: Database, notice: datetime, clear: int, charged: int
) -> None:
    _, visit_id = a_may_visit(database)
    with database.reading() as session:
        visit = visit_in(session, visit_id)
        preview = preview_cancellation(session, visit, caused_by="school", notice_at=notice)
        assert (preview.clear_days, preview.charged) == (clear, Minutes(charged))
    with database.transaction() as session:
        cancelled = cancel_visit(
            session, visit_id, caused_by="school", reason="A trip.", notice_at=notice, by=BY, at=notice
        )
    assert (cancelled.clear_days, cancelled.charged) == (clear, Minutes(charged))
    assert entries(database, visit_id) == ([("charged", -charged)] if charged else [])
    with database.reading() as session:
        visit = visit_in(session, visit_id)
        assert (visit.status, visit.sequence) == (VisitStatus.CANCELLED, 1)


@pytest.mark.parametrize(("delivered_on", "undone"), [(date(2026, 6, 4), True), (date(2026, 6, 5), False)])
def test_a_charge_is_undone_when_the_visit_is_rearranged_and_delivered_within_20_working_days(
    database: Database, delivered_on: date, undone: bool
) -> None:
    scene, visit_id = a_may_visit(database)
    notice = at_noon(date(2026, 4, 27))
    with database.transaction() as session:
        cancel_visit(session, visit_id, caused_by="school", reason="A trip.", by=BY, at=notice)
        other = a_visit(session, scene, day=delivered_on, rearranges_id=visit_id)
    assert entries(database, visit_id) == [("charged", -111)]
    with database.transaction() as session:
        log_delivery(session, other.id, activities=[worked(222)], by=BY, at=at_noon(delivered_on))
    reversal = [("reversal", 111)] if undone else []
    assert entries(database, visit_id) == [("charged", -111), *reversal]
    assert entries(database, other.id) == [("delivered", -222)]


def test_a_visit_stands_in_for_one_cancelled_visit_once(database: Database) -> None:
    scene, visit_id = a_may_visit(database)
    with database.transaction() as session:
        cancel_visit(session, visit_id, caused_by="school", reason="A trip.", by=BY, at=at_noon(TUESDAY))
        a_visit(session, scene, day=date(2026, 5, 12), rearranges_id=visit_id)
    with pytest.raises(NotRearrangeable), database.transaction() as session:
        a_visit(session, scene, day=date(2026, 5, 13), rearranges_id=visit_id)


def test_a_core_visit_is_never_charged_and_nor_is_what_the_council_cancels(database: Database) -> None:
    _, core = a_may_visit(database, duty=CoreDuty.TARGETING_SUPPORT_MEETING)
    late = at_noon(date(2026, 5, 5))
    with database.transaction() as session:
        cancelled = cancel_visit(session, core, caused_by="school", reason="Closed.", by=BY, at=late)
    assert cancelled.charged == Minutes(0)
    assert entries(database, core) == []


def test_sickness_of_the_officer_costs_the_school_nothing(database: Database) -> None:
    _, visit_id = a_may_visit(database)
    with database.transaction() as session:
        cancelled = cancel_visit(
            session, visit_id, caused_by="provider", reason="Officer ill.", by=BY, at=at_noon(WEDNESDAY)
        )
    assert (cancelled.charged, entries(database, visit_id)) == (Minutes(0), [])


def test_school_not_ready_charges_the_booked_time_with_its_reason(database: Database) -> None:
    _, visit_id = a_may_visit(database)
    with pytest.raises(NotThereYet), database.transaction() as session:
        record_no_access(session, visit_id, reason="Locked.", by=BY, at=at_noon(date(2026, 5, 5)))
    with database.transaction() as session:
        found = record_no_access(session, visit_id, reason="Nobody let me in.", by=BY, at=at_noon(WEDNESDAY))
    assert (found.charged, found.reason) == (Minutes(222), "Nobody let me in.")
    assert entries(database, visit_id) == [("charged", -222)]


def test_a_no_show_fee_is_never_raised_for_core(database: Database) -> None:
    _, visit_id = a_may_visit(database, duty=CoreDuty.TARGETING_SUPPORT_MEETING)
    with database.transaction() as session:
        found = record_no_access(session, visit_id, reason="Locked.", by=BY, at=at_noon(WEDNESDAY))
    assert (found.charged, entries(database, visit_id)) == (Minutes(0), [])


def test_a_charge_is_never_more_than_is_left(database: Database) -> None:
    with database.transaction() as session:
        scene = a_scene(session, quantity="1")
        late = a_visit(session, scene, day=date(2025, 11, 5))
        long = a_visit(session, scene)
        log_delivery(session, long.id, activities=[worked(400)], by=BY, at=at_noon(TUESDAY))
        found = cancel_visit(
            session, late.id, caused_by="school", reason="A trip.", by=BY, at=at_noon(TUESDAY)
        )
    assert found.charged == Minutes(44)
    with database.reading() as session:
        assert figures(session, scene.tranche.id).balance == Minutes(0)


def test_a_cancelled_visit_is_not_cancelled_or_moved_again(database: Database) -> None:
    _, visit_id = a_may_visit(database)
    with database.transaction() as session:
        cancel_visit(session, visit_id, caused_by="school", reason="A trip.", by=BY, at=at_noon(TUESDAY))
    with pytest.raises(AlreadySettled, match="already cancelled"), database.transaction() as session:
        cancel_visit(session, visit_id, caused_by="school", reason="A trip.", by=BY, at=at_noon(TUESDAY))
    with pytest.raises(AlreadySettled), database.transaction() as session:
        move_visit(session, visit_id, day=date(2026, 5, 7), part=Part.MORNING, by=BY, at=at_noon(TUESDAY))


def test_a_cancellation_says_why_and_notice_is_not_in_the_future(database: Database) -> None:
    _, visit_id = a_may_visit(database)
    with pytest.raises(Refused, match="Enter the reason"), database.transaction() as session:
        cancel_visit(session, visit_id, caused_by="school", reason=" ", by=BY, at=at_noon(TUESDAY))
    tomorrow = london_time(date(2025, 11, 5), time(9))
    with pytest.raises(Refused, match="in the future"), database.transaction() as session:
        cancel_visit(
            session, visit_id, caused_by="school", reason="x", notice_at=tomorrow, by=BY, at=at_noon(TUESDAY)
        )


def test_half_a_day_a_fortnight_over_39_weeks_is_19_visits_and_a_remainder_of_111_minutes(
    database: Database,
) -> None:
    year = Minutes(39 * 111)
    assert year == Minutes(4329)
    visits, rest = divmod(year.minutes, 222)
    assert (visits, rest) == (19, 111)
    with database.transaction() as session:
        scene = a_scene(session, quantity="9.75", step="0.25", minimum="0.25")
        assert figures(session, scene.tranche.id).balance == year
        days = [date(2025, 11, 3 + offset) for offset in (0, 1, 2, 3, 4, 7, 8, 9, 10, 11)]
        for day in days[:9]:
            for part in (Part.MORNING, Part.AFTERNOON):
                a_visit(session, scene, day=day, part=part)
        a_visit(session, scene, day=days[9])
    with (
        pytest.raises(Refused, match=r"needs 0.5 days, and 0.25 days are free"),
        database.transaction() as session,
    ):
        plan_visit(
            session,
            officer_id=scene.officer.id,
            school_id=scene.school.id,
            day=days[9],
            part=Part.AFTERNOON,
            line_id=scene.line.id,
            by=BY,
            at=SIGNED,
        )
