"""Planning by hand: what forbids and what only warns, one officer one place, moving, absences."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, time, timedelta

import pytest
from sqlalchemy import func, select, text

from sla_manager.catalogue.rules.families import CoreDuty
from sla_manager.kernel.clock import london_time
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.store.database import Database
from sla_manager.visits.commands import (
    AbsenceClashes,
    JustTaken,
    add_absence,
    cancel_visit,
    move_visit,
    plan_visit,
    reassign_visit,
    withdraw_absence,
)
from sla_manager.visits.commands.planning import NotEnoughFree
from sla_manager.visits.models import AbsenceKind, SchoolClosure, Visit
from sla_manager.visits.queries import board, next_visits, pace, targeting_support_meetings, visit_in
from sla_manager.visits.rules.concerns import VisitForbidden, VisitNeedsConfirming
from sla_manager.visits.rules.meetings import MeetingState
from sla_manager.visits.rules.slots import Part
from tests import builders
from tests.visiting import BY, SIGNED, TUESDAY, Scene, a_scene, a_visit, at_noon

CORE = {"duty": CoreDuty.TARGETING_SUPPORT_MEETING}


def a_plan(database: Database, **more: object) -> Scene:
    with database.transaction() as session:
        return a_scene(session, **more)


def test_half_a_day_books_half_of_the_offerings_day_whatever_the_officers_hours(database: Database) -> None:
    scene = a_plan(database)
    with database.transaction() as session:
        visit = a_visit(session, scene)
        assert visit.booked == Minutes(222)
        assert (visit.starts_at, visit.ends_at) == (
            london_time(TUESDAY, time(9)),
            london_time(TUESDAY, time(13)),
        )
        core = a_visit(session, scene, part=Part.AFTERNOON, **CORE)
        assert core.booked == Minutes(240)


def test_more_than_is_free_to_book_is_refused_with_the_figures(database: Database) -> None:
    scene = a_plan(database, quantity="1")
    with database.transaction() as session:
        a_visit(session, scene)
    with pytest.raises(NotEnoughFree) as refused, database.transaction() as session:
        a_visit(session, scene, day=date(2025, 11, 5), part=Part.DAY)
    assert "needs 1 day, and 0.5 days are free to book: 1 day left, 0.5 days booked" in refused.value.message


@pytest.mark.parametrize(
    ("day", "says"),
    [
        (date(2025, 11, 8), "8 November 2025 is a weekend"),
        (date(2025, 12, 25), "bank holiday"),
        (date(2025, 10, 28), "half term"),
        (date(2025, 12, 30), "outside the school terms"),
        (date(2025, 11, 10), r"closed on 10 November 2025 \(INSET day\)"),
    ],
)
def test_a_warning_needs_plan_anyway(database: Database, day: date, says: str) -> None:
    scene = a_plan(database)
    with database.transaction() as session:
        closed = date(2025, 11, 10)
        session.add(
            SchoolClosure(school_id=scene.school.id, starts_on=closed, ends_on=closed, why="INSET day")
        )
    with pytest.raises(VisitNeedsConfirming, match=says), database.transaction() as session:
        a_visit(session, scene, day=day, **CORE)
    with database.transaction() as session:
        assert a_visit(session, scene, day=day, anyway=True, **CORE).id


def test_a_time_outside_the_working_pattern_is_a_warning(database: Database) -> None:
    scene = a_plan(database)
    early = {"part": Part.TIMES, "starts": time(7), "ends": time(9)}
    says = "does not work at that time on a Tuesday"
    with pytest.raises(VisitNeedsConfirming, match=says), database.transaction() as session:
        a_visit(session, scene, **early, **CORE)


def test_a_leaver_an_absence_and_a_closed_school_forbid_whatever_the_planner_says(database: Database) -> None:
    scene = a_plan(database)
    with database.transaction() as session:
        leaver = builders.an_officer(session, "Leo Leaver", ends_on=date(2025, 10, 31))
        shut = builders.a_school(session, closed_on=date(2025, 10, 1))
        starts = london_time(date(2025, 11, 5), time(9))
        add_absence(
            session,
            scene.officer.id,
            kind=AbsenceKind.LEAVE,
            starts_at=starts,
            ends_at=starts + timedelta(hours=8),
            by=BY,
            at=SIGNED,
        )
    for change, says in (
        ({"officer_id": leaver.id}, "Leo Leaver leaves on 31 October 2025"),
        ({"day": date(2025, 11, 5)}, "is away on 5 November 2025"),
    ):
        with pytest.raises(VisitForbidden, match=says), database.transaction() as session:
            a_visit(session, scene, anyway=True, **(CORE | change))
    with pytest.raises(VisitForbidden, match="closed on 1 October 2025"), database.transaction() as session:
        plan_visit(
            session,
            officer_id=scene.officer.id,
            school_id=shut.id,
            day=TUESDAY,
            part=Part.DAY,
            anyway=True,
            by=BY,
            at=SIGNED,
        )


def test_another_schools_line_is_not_there(database: Database) -> None:
    scene = a_plan(database)
    with database.transaction() as session:
        other = builders.a_school(session)
    with pytest.raises(NotFound), database.transaction() as session:
        plan_visit(
            session,
            officer_id=scene.officer.id,
            school_id=other.id,
            day=TUESDAY,
            part=Part.DAY,
            line_id=scene.line.id,
            by=BY,
            at=SIGNED,
        )


def test_the_same_form_sent_twice_plans_one_visit(database: Database) -> None:
    scene = a_plan(database)
    made = []
    for _ in range(2):
        with database.transaction() as session:
            made.append(a_visit(session, scene, once_key="form-1").id)
    assert made[0] == made[1]


@pytest.mark.parametrize(("day", "minutes"), [(date(2026, 3, 29), 60), (date(2026, 10, 25), 180)])
def test_t2_half_past_midnight_to_half_past_two_across_both_changes_of_clocks(
    database: Database, day: date, minutes: int
) -> None:
    scene = a_plan(database)
    night = {"part": Part.TIMES, "starts": time(0, 30), "ends": time(2, 30), "anyway": True}
    with database.transaction() as session:
        visit = a_visit(session, scene, day=day, **night, **CORE)
    assert (visit.booked, visit.length) == (Minutes(minutes), Minutes(minutes))


def at_once(acts: list[Callable[[], None]]) -> list[Exception]:
    """Do everything at the same moment; return what was refused."""
    barrier, errors = threading.Barrier(len(acts)), []

    def run(act: Callable[[], None]) -> None:
        barrier.wait()
        try:
            act()
        except Refused as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def book_twenty(database: Database) -> tuple[int, list[Exception]]:
    scene = a_plan(database)

    def book() -> None:
        with database.transaction() as session:
            a_visit(session, scene, **CORE)

    errors = at_once([book] * 20)
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Visit)) or 0, errors


def test_d1_of_twenty_bookings_of_one_slot_one_is_kept_and_nineteen_are_just_taken(
    database: Database,
) -> None:
    kept, errors = book_twenty(database)
    assert (kept, len(errors)) == (1, 19)
    assert all(isinstance(error, JustTaken) for error in errors)
    assert "just taken: Asha Okafor has another visit on 4 November 2025" in str(errors[0])


def test_d1_control_without_the_databases_rule_twenty_are_double_booked(database: Database) -> None:
    with database.engine.begin() as connection:
        if database.is_sqlite:
            connection.execute(text("DROP TRIGGER visit_double_booking_insert"))
        else:
            connection.execute(text("ALTER TABLE visit DROP CONSTRAINT visit_double_booking"))
    kept, errors = book_twenty(database)
    assert (kept, errors) == (20, [])


def test_i2_move_reassign_and_cancel_keep_the_uid_and_raise_the_sequence(database: Database) -> None:
    scene = a_plan(database)
    with database.transaction() as session:
        visit = a_visit(session, scene)
        uid = visit.uid
        other = builders.an_officer(session, "Ben Carter")
    with database.transaction() as session:
        move_visit(session, visit.id, day=date(2025, 11, 6), part=Part.MORNING, by=BY, at=SIGNED)
    with database.transaction() as session:
        reassign_visit(session, visit.id, officer_id=other.id, by=BY, at=SIGNED)
    with database.transaction() as session:
        cancel_visit(session, visit.id, caused_by="provider", reason="Ill.", by=BY, at=SIGNED)
    with database.reading() as session:
        found = visit_in(session, visit.id)
        assert (found.uid, found.sequence, found.officer.name) == (uid, 3, "Ben Carter")


def test_moving_onto_another_visit_is_refused_and_a_cancelled_one_frees_its_time(database: Database) -> None:
    scene = a_plan(database)
    with database.transaction() as session:
        first = a_visit(session, scene)
        second = a_visit(session, scene, day=date(2025, 11, 5))
    with pytest.raises(JustTaken), database.transaction() as session:
        move_visit(session, second.id, day=TUESDAY, part=Part.DAY, by=BY, at=SIGNED)
    with database.transaction() as session:
        cancel_visit(session, first.id, caused_by="provider", reason="Ill.", by=BY, at=SIGNED)
        moved = move_visit(session, second.id, day=TUESDAY, part=Part.DAY, by=BY, at=SIGNED)
    assert moved.booked == Minutes(444)


def test_a_visit_of_another_service_is_not_given_to_this_officer(database: Database) -> None:
    scene = a_plan(database)
    with database.transaction() as session:
        visit = a_visit(session, scene)
        stranger = builders.an_officer(session, "Sam Stranger", service=builders.a_service(session, "music"))
    with pytest.raises(NotFound), database.transaction() as session:
        reassign_visit(session, visit.id, officer_id=stranger.id, by=BY, at=SIGNED)


def test_d5_leave_that_clashes_with_visits_lists_them_first(database: Database) -> None:
    scene = a_plan(database)
    with database.transaction() as session:
        visit = a_visit(session, scene)
    leave = {
        "kind": AbsenceKind.LEAVE,
        "starts_at": london_time(TUESDAY, time(12)),
        "ends_at": london_time(date(2025, 11, 6), time(0)),
    }
    says = "1 planned visit in that time: Meadow Lane"
    with pytest.raises(AbsenceClashes, match=says), database.transaction() as session:
        add_absence(session, scene.officer.id, **leave, by=BY, at=SIGNED)
    with database.transaction() as session:
        absence = add_absence(session, scene.officer.id, **leave, seen=[visit.id], by=BY, at=SIGNED)
        again = add_absence(session, scene.officer.id, **leave, by=BY, at=SIGNED)
        assert absence.id == again.id
    with pytest.raises(NotFound), database.transaction() as session:
        withdraw_absence(session, absence.id, service_id=scene.service.id + 1, by=BY, at=SIGNED)
    with database.transaction() as session:
        withdraw_absence(session, absence.id, service_id=scene.service.id, by=BY, at=SIGNED)
        a_visit(session, scene, day=date(2025, 11, 5), **CORE)


def test_support_meetings_are_due_booked_and_overdue_for_every_school(database: Database) -> None:
    scene = a_plan(database)
    with database.transaction() as session:
        builders.a_school(session, name="Never Bought School")
        a_visit(session, scene, **CORE)
    with database.reading() as session:
        before = {
            row.school: row.state for row in targeting_support_meetings(session, today=date(2025, 10, 14))
        }
        assert set(before.values()) == {MeetingState.BOOKED, MeetingState.DUE}
        assert before["Never Bought School"] is MeetingState.DUE
        term = targeting_support_meetings(session, today=TUESDAY)[0].term
        after = targeting_support_meetings(session, today=date(2026, 1, 10), term=term)
        assert {row.state for row in after} == {MeetingState.OVERDUE}


def test_v1_board_pace_and_lists_ask_the_same_number_of_questions_at_ten_times_the_rows(
    database: Database, statements: Callable[[Callable[[], object]], int]
) -> None:
    scene = a_plan(database)
    with database.transaction() as session:
        a_visit(session, scene)

    def ask() -> None:
        with database.reading() as session:
            board(session, scene.service.id, date(2025, 11, 3))
            pace(session, scene.service.id, TUESDAY)
            next_visits(session, scene.school.id, date(2025, 10, 14))
            targeting_support_meetings(session, today=TUESDAY)

    few = statements(ask)
    with database.transaction() as session:
        for number in range(10):
            officer = builders.an_officer(session, f"Officer {number}")
            plan_visit(
                session,
                officer_id=officer.id,
                school_id=builders.a_school(session).id,
                day=TUESDAY,
                part=Part.DAY,
                by=BY,
                at=at_noon(TUESDAY),
            )
    assert statements(ask) == few


@pytest.fixture
def statements(database: Database) -> Callable[[Callable[[], object]], int]:
    """Count what is asked of the database while something is done."""
    from sqlalchemy import event

    def count(act: Callable[[], object]) -> int:
        asked: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            if statement.lstrip().upper().startswith("SELECT"):
                asked.append(statement)

        event.listen(database.engine, "before_cursor_execute", note)
        try:
            act()
        finally:
            event.remove(database.engine, "before_cursor_execute", note)
        return len(asked)

    return count
