"""Deliveries: core apart from bought, off the balance as far as it goes, the rest proposed."""

from __future__ import annotations

from datetime import date, time

import pytest
from sqlalchemy import func, select

from sla_manager.agreements.commands import close_year
from sla_manager.catalogue.rules.charging import ChargingMethod
from sla_manager.catalogue.rules.families import CoreDuty, Family
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.unique_pupil_numbers import PupilNumberRefused
from sla_manager.store.database import Database
from sla_manager.visits.commands import log_delivery, move_visit
from sla_manager.visits.commands.delivering import AlreadyLogged, NothingBought, NotYet
from sla_manager.visits.models import Delivery, ExtraTime, ExtraTimeStatus, VisitStatus
from sla_manager.visits.queries import (
    balances_with_booked,
    targeting_support_meetings,
    visit_in,
    visit_record,
)
from sla_manager.visits.rules.deliveries import ActivityDone, CoreIsNeverCharged, NoteTooLong
from sla_manager.visits.rules.meetings import MeetingState
from sla_manager.visits.rules.slots import Part
from tests import builders
from tests.visiting import BY, TUESDAY, a_scene, a_visit, at_noon, entries, figures, meeting, worked


@pytest.mark.parametrize(
    ("policy", "taken", "left", "shown"),
    [
        ({}, 240, 4200, "9.46"),
        ({"charging_method": ChargingMethod.BLOCKS_UP, "block_minutes": Minutes(222)}, 444, 3996, "9"),
        ({"charging_method": ChargingMethod.BLOCKS_NEAREST, "block_minutes": Minutes(222)}, 222, 4218, "9.5"),
    ],
)
def test_3h20_of_visit_and_40_minutes_of_report_by_each_charging_method(
    database: Database, policy: dict[str, object], taken: int, left: int, shown: str
) -> None:
    with database.transaction() as session:
        scene = a_scene(session, **policy)
        visit = a_visit(session, scene)
        log_delivery(
            session, visit.id, activities=[worked(200), worked(40, "report")], by=BY, at=at_noon(TUESDAY)
        )
    assert entries(database, visit.id) == [("delivered", -taken)]
    with database.reading() as session:
        balance = figures(session, scene.tranche.id).balance
        assert (balance.minutes, str(balance.shown_in_units(Minutes(444)))) == (left, shown)


def test_travel_counts_only_where_the_agreement_says_so(database: Database) -> None:
    with database.transaction() as session:
        scene = a_scene(session)
        visit = a_visit(session, scene)
        delivery = log_delivery(
            session, visit.id, activities=[worked(180), worked(45, "travel")], by=BY, at=at_noon(TUESDAY)
        )
    assert delivery.worked == Minutes(180)
    assert entries(database, visit.id) == [("delivered", -180)]


def test_a_day_of_120_minutes_core_and_300_bought(database: Database) -> None:
    with database.transaction() as session:
        scene = a_scene(session)
        visit = a_visit(session, scene, part=Part.DAY)
        delivery = log_delivery(
            session, visit.id, activities=[meeting(120), worked(300)], by=BY, at=at_noon(TUESDAY)
        )
    assert (delivery.core, delivery.charged) == (Minutes(120), Minutes(300))
    assert entries(database, visit.id) == [("delivered", -300)]
    with database.reading() as session:
        (row,) = targeting_support_meetings(session, today=TUESDAY, school_ids=[scene.school.id])
        assert (row.state, row.on) == (MeetingState.HELD, TUESDAY)


def test_marking_a_targeting_support_meeting_chargeable_is_refused(database: Database) -> None:
    with database.transaction() as session:
        visit = a_visit(session, a_scene(session))
    chargeable = ActivityDone("work", Family.CASEWORK, Minutes(60), duty=CoreDuty.TARGETING_SUPPORT_MEETING)
    with pytest.raises(CoreIsNeverCharged, match="free core offer"), database.transaction() as session:
        log_delivery(session, visit.id, activities=[chargeable], by=BY, at=at_noon(TUESDAY))


def test_10_and_a_half_days_logged_on_10_become_10_deducted_and_half_a_day_proposed(
    database: Database,
) -> None:
    with database.transaction() as session:
        scene = a_scene(session)
        days = [date(2025, 11, day) for day in (3, 4, 5, 6, 7, 10, 11, 12, 13)]
        for day in days:
            visit = a_visit(session, scene, day=day, part=Part.DAY)
            log_delivery(session, visit.id, activities=[worked(444)], by=BY, at=at_noon(day))
        last = a_visit(session, scene, day=date(2025, 11, 14), part=Part.DAY)
        log_delivery(session, last.id, activities=[worked(666)], by=BY, at=at_noon(date(2025, 11, 14)))
    with database.reading() as session:
        found = figures(session, scene.tranche.id)
        extra = session.scalars(select(ExtraTime)).one()
        assert (found.delivered, found.balance) == (Minutes(4440), Minutes(0))
        assert (extra.minutes, extra.net, extra.status) == (
            Minutes(222),
            Money(184_00),
            ExtraTimeStatus.PROPOSED,
        )
        assert visit_record(session, visit_in(session, last.id)).deducted == Minutes(444)


def test_e2_logged_late_uses_the_year_of_delivery_until_it_is_closed_and_then_is_refused(
    database: Database,
) -> None:
    logged_at = at_noon(date(2026, 4, 9))
    with database.transaction() as session:
        scene = a_scene(session)
        first = a_visit(session, scene, day=date(2026, 3, 26))
        second = a_visit(session, scene, day=date(2026, 3, 27))
        core = a_visit(session, scene, day=date(2026, 3, 25), duty=CoreDuty.TARGETING_SUPPORT_MEETING)
        log_delivery(session, second.id, activities=[worked(222)], by=BY, at=logged_at)
    with database.reading() as session:
        assert figures(session, scene.tranche.id).delivered == Minutes(222)
    with database.transaction() as session:
        close_year(session, FinancialYear(2025), by=BY, at=logged_at)
    with pytest.raises(Refused, match=r"2025-26.*closed") as refused, database.transaction() as session:
        log_delivery(session, first.id, activities=[worked(222)], by=BY, at=logged_at)
    assert "Ask" in refused.value.message
    with database.transaction() as session:
        log_delivery(session, core.id, activities=[meeting(60)], by=BY, at=logged_at)
    assert entries(database, core.id) == []


def test_t1_a_visit_at_a_quarter_past_midnight_on_1_april_is_in_the_new_year(database: Database) -> None:
    with database.transaction() as session:
        scene = a_scene(session, quantity="20", ends_on=date(2026, 8, 31))
        wanted = {"part": Part.TIMES, "starts": time(0, 15), "ends": time(1, 45), "anyway": True}
        visit = a_visit(session, scene, day=date(2026, 4, 1), **wanted)
        assert visit.starts_at.date() == date(2026, 3, 31)
        log_delivery(session, visit.id, activities=[worked(90)], by=BY, at=at_noon(date(2026, 4, 1)))
    with database.reading() as session:
        rows = {row.tranche.year: row for row in balances_with_booked(session, school_id=scene.school.id)}
        assert (rows[2025].delivered, rows[2026].delivered) == (Minutes(0), Minutes(90))


def test_a_visit_moved_into_the_next_year_books_that_year(database: Database) -> None:
    with database.transaction() as session:
        scene = a_scene(session, quantity="20", ends_on=date(2026, 8, 31))
        visit = a_visit(session, scene, day=date(2026, 3, 25))
        move_visit(session, visit.id, day=date(2026, 4, 21), part=Part.MORNING, by=BY, at=at_noon(TUESDAY))
    with database.reading() as session:
        rows = {row.tranche.year: row for row in balances_with_booked(session, school_id=scene.school.id)}
        assert (rows[2025].booked, rows[2026].booked) == (Minutes(0), Minutes(222))


def test_e7_core_at_balance_nothing_is_saved_without_a_warning_or_an_entry(database: Database) -> None:
    with database.transaction() as session:
        scene = a_scene(session, quantity="0.5")
        used = a_visit(session, scene)
        log_delivery(session, used.id, activities=[worked(222)], by=BY, at=at_noon(TUESDAY))
        core = a_visit(session, scene, day=date(2025, 11, 5), duty=CoreDuty.TARGETING_SUPPORT_MEETING)
        log_delivery(session, core.id, activities=[meeting(90)], by=BY, at=at_noon(date(2025, 11, 5)))
    assert entries(database, core.id) == []
    with database.reading() as session:
        assert session.scalars(select(ExtraTime)).all() == []
        assert visit_in(session, core.id).status is VisitStatus.DELIVERED


def test_bought_time_on_a_core_visit_is_refused_with_what_to_do(database: Database) -> None:
    with database.transaction() as session:
        scene = a_scene(session)
        core = a_visit(session, scene, duty=CoreDuty.COMMUNICATION_AND_ADVICE)
    with (
        pytest.raises(NothingBought, match="plan a visit against the agreement"),
        database.transaction() as session,
    ):
        log_delivery(session, core.id, activities=[worked(60)], by=BY, at=at_noon(TUESDAY))


def test_a_double_click_logs_once_and_another_log_is_refused(database: Database) -> None:
    with database.transaction() as session:
        visit = a_visit(session, a_scene(session))
    for _ in range(2):
        with database.transaction() as session:
            log_delivery(
                session, visit.id, activities=[worked(200)], note="Done.", by=BY, at=at_noon(TUESDAY)
            )
    assert entries(database, visit.id) == [("delivered", -200)]
    with pytest.raises(AlreadyLogged, match="Test logged this visit"), database.transaction() as session:
        log_delivery(session, visit.id, activities=[worked(210)], by=BY, at=at_noon(TUESDAY))


def test_what_has_not_happened_cannot_be_logged(database: Database) -> None:
    with database.transaction() as session:
        visit = a_visit(session, a_scene(session))
    with pytest.raises(NotYet, match="4 November 2025"), database.transaction() as session:
        log_delivery(session, visit.id, activities=[worked(60)], by=BY, at=at_noon(date(2025, 11, 3)))


def test_a_pupil_number_in_a_note_or_an_activity_is_refused_and_nothing_is_saved(database: Database) -> None:
    with database.transaction() as session:
        visit = a_visit(session, a_scene(session))
    number = "H801200001001"
    named = ActivityDone("work", Family.CASEWORK, Minutes(60), description=f"Saw {number}")
    for activities, note in (([worked(60)], f"About {number}"), ([named], "")):
        with pytest.raises(PupilNumberRefused), database.transaction() as session:
            log_delivery(session, visit.id, activities=activities, note=note, by=BY, at=at_noon(TUESDAY))
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Delivery)) == 0
        assert visit_in(session, visit.id).status is VisitStatus.PLANNED


def test_a_note_of_10_000_characters_is_kept_as_it_is_and_one_more_is_refused(database: Database) -> None:
    nasty = ("<img src=file:///etc/passwd><script>alert(1)</script>{{7*7}} " * 200)[:10_000].strip()
    with database.transaction() as session:
        visit = a_visit(session, a_scene(session))
    with pytest.raises(NoteTooLong, match="10,001 characters"), database.transaction() as session:
        log_delivery(
            session, visit.id, activities=[worked(60)], note="x" * 10_001, by=BY, at=at_noon(TUESDAY)
        )
    with database.transaction() as session:
        kept = log_delivery(
            session, visit.id, activities=[worked(60)], note=nasty, by=BY, at=at_noon(TUESDAY)
        )
    assert kept.note == nasty


@pytest.mark.parametrize(
    ("activities", "says"),
    [
        ([], "at least one activity"),
        ([worked(0)], "above 0 minutes"),
        ([worked(1441)], "a day has 24 hours"),
        ([ActivityDone("work", Family.CORE, Minutes(10))], "free core duty"),
        ([ActivityDone("work", Family.TRAINING, Minutes(10))], "Choose that, or core"),
        ([ActivityDone("work", Family.CASEWORK, Minutes(10), cases=-1)], "number of cases"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    database: Database, activities: list[ActivityDone], says: str
) -> None:
    with database.transaction() as session:
        visit = a_visit(session, a_scene(session))
    with pytest.raises(Refused, match=says), database.transaction() as session:
        log_delivery(session, visit.id, activities=activities, by=BY, at=at_noon(TUESDAY))


def test_balances_say_what_is_booked_and_free(database: Database) -> None:
    with database.transaction() as session:
        scene = a_scene(session)
        a_visit(session, scene)
        a_visit(session, scene, day=date(2025, 11, 5), part=Part.DAY)
        builders.a_school(session)
    with database.reading() as session:
        (row,) = balances_with_booked(session, school_id=scene.school.id)
        assert (row.contracted, row.booked, row.balance, row.free) == (
            Minutes(4440),
            Minutes(666),
            Minutes(4440),
            Minutes(3774),
        )
        assert str(row.year) == "2025-26"
