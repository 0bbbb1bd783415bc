"""The capacity guard in the books: what counts as sold, what is held, who may decide, and two decisions at once."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import event, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sla_manager.agreements.commands import accept_order, vary_line
from sla_manager.agreements.models import Agreement, AgreementLine
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.cli.commands import program
from sla_manager.kernel.clock import london_time
from sla_manager.kernel.errors import Forbidden, Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.periods import FinancialYear
from sla_manager.people.models import SchoolTerm, TradingService
from sla_manager.people.rules.roles import Role
from sla_manager.planning.commands import decide_order, set_capacity
from sla_manager.planning.commands.capacity import CapacityChanged
from sla_manager.planning.commands.orders import BeyondCapacity, TighterNow
from sla_manager.planning.models import CapacityDecision
from sla_manager.planning.queries import capacity, decision_of, order_room, room_for
from sla_manager.planning.queries.capacity import PlannedCapacity
from sla_manager.planning.rules.capacity import CapacitySettings
from sla_manager.store.audit import Actor, AuditEntry
from sla_manager.store.database import Database
from sla_manager.visits.commands import add_absence
from sla_manager.visits.models import AbsenceKind
from tests import builders
from tests.rooms import selling

YEAR = FinancialYear(2025)
SIGNED = datetime.fromisoformat("2025-03-20T11:00:00+00:00")
TODAY = SIGNED.date()
DAY = 444
TERMS = (
    ("Summer", date(2025, 4, 14), date(2025, 7, 18)),
    ("Autumn", date(2025, 9, 1), date(2025, 11, 28)),
    ("Spring", date(2026, 1, 5), date(2026, 3, 27)),
)


def days(count: int) -> Minutes:
    return Minutes(count * DAY)


def a_team(session: Session, by: Actor) -> TradingService:
    """Make a service with one officer and terms of 190 working days: 110 can be sold, since core needs 60."""
    service = builders.a_service(session)
    for name, first, last in TERMS:
        session.add(SchoolTerm(name=name, starts_on=first, ends_on=last))
    builders.an_officer(session, service=service)
    builders.an_offering(session, service=service)
    set_capacity(
        session,
        service.id,
        YEAR,
        settings=CapacitySettings(
            day_length=days(1),
            meeting=Minutes(222),
            schools=40,
            court=days(10),
            supervision=days(5),
            training=days(5),
        ),
        every_school=False,
        by=by,
        at=SIGNED,
    )
    return service


def ordered(session: Session, by: Actor, count: str, **more: object) -> Agreement:
    """Return an order for some days from April to March, at a new school."""
    dates = {"starts_on": date(2025, 4, 1), "ends_on": date(2026, 3, 31)}
    quoted = selling.quote(session, by, SIGNED, quantity=count, **(dates | more))
    return selling.order(session, quoted, by, SIGNED)


def the_year(session: Session, service: TradingService) -> PlannedCapacity:
    return capacity(session, service.id, YEAR, today=TODAY)


def sellable(session: Session, service: TradingService) -> int:
    exact = the_year(session, service).year.whole.sellable.minutes
    assert exact % DAY == 0
    return exact // DAY


def test_what_is_sold_is_taken_off_what_can_be_sold_and_an_order_beyond_it_is_held(
    database: Database, by: Actor
) -> None:
    with database.transaction() as session:
        service = a_team(session, by)
        room = sellable(session, service)
        first = ordered(session, by, str(room - 2))
        decide_order(session, first.id, by=by, at=SIGNED)
        assert the_year(session, service).year.whole.free == days(2)
        order_id = ordered(session, by, "9").id
        assert the_year(session, service).year.whole.waiting == days(9)
        assert order_room(session, order_id, today=TODAY).over == days(7)
        assert "9 days are asked for in 2025-26, where 2 days are free: 7 days over" in (
            order_room(session, order_id, today=TODAY).sentence
        )
    with pytest.raises(BeyondCapacity, match="7 days over"), database.transaction() as session:
        decide_order(session, order_id, by=by, at=SIGNED)
    with database.transaction() as session:
        assert session.get_one(Agreement, order_id).status is AgreementStatus.ORDERED
        manager = builders.a_person(session, Role.SERVICE_MANAGER)
        decide_order(
            session, order_id, reason="A second officer starts in May.", by=selling.acting(manager), at=SIGNED
        )
        kept = decision_of(session, order_id)
        assert kept is not None
        assert (kept.asked, kept.free_before, kept.over_by) == (days(9), days(2), days(7))
        assert (kept.reason, kept.decided_by_id) == ("A second officer starts in May.", manager.id)
        assert decision_of(session, first.id) is None
        assert session.scalars(select(AuditEntry).where(AuditEntry.action == "accept_beyond_capacity")).one()
        assert the_year(session, service).year.whole.free == -days(7)


def test_a_decision_is_made_once_and_never_changed(database: Database, by: Actor) -> None:
    with database.transaction() as session:
        service = a_team(session, by)
        order_id = ordered(session, by, str(sellable(session, service) + 1)).id
        for _ in range(2):
            decide_order(session, order_id, reason="We hire.", by=by, at=SIGNED)
        assert len(session.scalars(select(CapacityDecision)).all()) == 1
    for act in ("UPDATE capacity_decision SET reason = 'x'", "DELETE FROM capacity_decision"):
        with pytest.raises(IntegrityError, match="append_only"), database.transaction() as session:
            session.execute(text(act))


def test_only_a_manager_of_the_service_accepts_beyond_capacity(database: Database, by: Actor) -> None:
    with database.transaction() as session:
        service = a_team(session, by)
        order_id = ordered(session, by, str(sellable(session, service) + 1)).id
        other = builders.a_service(session, "other")
        people = [
            builders.a_person(session, Role.OFFICER, service=service),
            builders.a_person(session, Role.SERVICE_MANAGER, service=other),
        ]
    for person in people:
        with pytest.raises(Forbidden), database.transaction() as session:
            decide_order(session, order_id, reason="Please.", by=selling.acting(person), at=SIGNED)


def test_a_reason_given_for_other_figures_is_refused(database: Database, by: Actor) -> None:
    with database.transaction() as session:
        service = a_team(session, by)
        room = sellable(session, service)
        order_id = ordered(session, by, str(room + 1)).id
        decide_order(session, ordered(session, by, "3").id, by=by, at=SIGNED)
    with pytest.raises(TighterNow, match="4 days over now, not 1 day"), database.transaction() as session:
        decide_order(session, order_id, reason="We hire.", seen_over=days(1), by=by, at=SIGNED)
    with database.transaction() as session:
        decide_order(session, order_id, reason="We hire.", seen_over=days(4), by=by, at=SIGNED)


def test_a_reason_with_a_pupil_number_is_refused(database: Database, by: Actor) -> None:
    with database.transaction() as session:
        order_id = ordered(session, by, str(sellable(session, a_team(session, by)) + 1)).id
    with pytest.raises(Refused, match="pupil number"), database.transaction() as session:
        decide_order(session, order_id, reason="For H801200001001", by=by, at=SIGNED)


def test_two_managers_cannot_both_give_the_last_free_days_away(database: Database, by: Actor) -> None:
    orders = _two_for_the_last_days(database, by)
    start = threading.Barrier(2, timeout=20)

    def decide(order_id: int) -> str:
        start.wait()
        try:
            with database.transaction() as session:
                decide_order(session, order_id, by=by, at=SIGNED)
        except BeyondCapacity:
            return "held"
        return "agreed"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(decide, orders)) == ["agreed", "held"]
    with database.reading() as session:
        assert (
            session.scalars(select(Agreement.status).where(Agreement.id.in_(orders)))
            .all()
            .count(AgreementStatus.AGREED)
            == 1
        )


def test_control_asking_first_and_accepting_afterwards_sells_the_last_days_twice(
    database: Database, by: Actor
) -> None:
    orders = _two_for_the_last_days(database, by)
    asked = threading.Barrier(2, timeout=20)

    def decide(order_id: int) -> bool:
        with database.reading() as session:
            fits = not order_room(session, order_id, today=TODAY).over
        asked.wait()
        if fits:
            with database.transaction() as session:
                accept_order(session, order_id, by=by, at=SIGNED)
        return fits

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(decide, orders)) == [True, True]
    with database.reading() as session:
        service = session.scalars(select(TradingService)).one()
        assert the_year(session, service).year.whole.free < Minutes(0)


def test_variations_credits_and_absences_count(database: Database, by: Actor) -> None:
    with database.transaction() as session:
        service = a_team(session, by)
        before = the_year(session, service).year.whole
        agreed = decide_order(session, ordered(session, by, "12").id, by=by, at=SIGNED)
        line = session.scalars(select(AgreementLine).where(AgreementLine.agreement_id == agreed.id)).one()
        vary_line(
            session, line.id, quantity=Decimal("-2"), effective_on=date(2025, 4, 1), reason="Fewer",
            by=by, at=SIGNED,
        )  # fmt: skip
        assert the_year(session, service).year.whole.sold == days(10)
        officer = builders.an_officer(session, service=service)
        add_absence(
            session, officer.id, kind=AbsenceKind.LEAVE, starts_at=london_time(date(2025, 9, 8), time(0)),
            ends_at=london_time(date(2025, 9, 10), time(0)), by=by, at=SIGNED,
        )  # fmt: skip
        after = the_year(session, service).year.whole
        assert (after.leave - before.leave, after.working) == (days(2), before.working)


def test_an_order_made_in_the_year_falls_on_the_weeks_that_are_left(database: Database, by: Actor) -> None:
    late = datetime.fromisoformat("2026-01-05T11:00:00+00:00")
    with database.transaction() as session:
        service = a_team(session, by)
        quoted = selling.quote(
            session, by, late, quantity="6", starts_on=date(2025, 4, 1), ends_on=date(2026, 3, 31)
        )
        order_id = selling.order(session, quoted, by, late).id
        asked = order_room(session, order_id, today=late.date())
        assert [(one.name, one.asked) for one in asked.years[0].terms] == [("Spring", days(6))]
        decide_order(session, order_id, by=by, at=late)
        terms = capacity(session, service.id, YEAR, today=late.date()).year.terms
        assert [one.figures.sold for one in terms] == [Minutes(0), Minutes(0), days(6)]


def test_room_for_a_purchase_over_two_years_is_asked_of_both(database: Database, by: Actor) -> None:
    with database.transaction() as session:
        service = a_team(session, by)
        free = sellable(session, service)
        room = room_for(session, service.id, date(2025, 9, 1), date(2026, 8, 31), days(12), TODAY)
        assert [(str(one.year), one.whole.asked) for one in room.years] == [
            ("2025-26", days(7)),
            ("2026-27", days(5)),
        ]
        assert not room.over
        too_much = room_for(session, service.id, date(2025, 4, 1), date(2026, 3, 31), days(free + 3), TODAY)
        assert too_much.over == days(3)


def test_without_officers_no_order_is_held(database: Database, by: Actor) -> None:
    with database.transaction() as session:
        order_id = ordered(session, by, "12").id
        assert not order_room(session, order_id, today=TODAY).is_known
        assert decide_order(session, order_id, by=by, at=SIGNED).status is AgreementStatus.AGREED


def test_the_settings_of_a_year_are_not_overwritten_unseen(database: Database, by: Actor) -> None:
    with database.transaction() as session:
        service = a_team(session, by)
        held = CapacitySettings(day_length=days(1), meeting=Minutes(222), schools=40)
        set_capacity(session, service.id, YEAR, settings=held, expected_version=1, by=by, at=SIGNED)
        with pytest.raises(CapacityChanged):
            set_capacity(session, service.id, YEAR, settings=held, expected_version=1, by=by, at=SIGNED)
        for wrong in (
            {"day_length": Minutes(30)},
            {"meeting": Minutes(0)},
            {"schools": -1},
            {"court": -days(1)},
        ):
            changed = {"day_length": days(1), "meeting": Minutes(222), "schools": 40, **wrong}
            with pytest.raises(Refused):
                set_capacity(
                    session, service.id, YEAR, settings=CapacitySettings(**changed), by=by, at=SIGNED
                )


def test_v1_the_board_asks_the_same_number_of_queries_at_ten_times_the_agreements(
    sqlite: Database, by: Actor
) -> None:
    with sqlite.transaction() as session:
        service = a_team(session, by)
        one = _queries(session, service)
        for _ in range(9):
            decide_order(session, ordered(session, by, "1").id, by=by, at=SIGNED)
            ordered(session, by, "1")
        session.flush()
        session.expunge_all()
        assert (
            _queries(session, service) <= one + 3
        )  # lines and schools of what waits are read once there are any
        assert _queries(session, service) <= 13


def _queries(session: Session, service: TradingService) -> int:
    seen: list[str] = []

    def count(_c: object, _u: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", count)
    the_year(session, service)
    event.remove(engine, "before_cursor_execute", count)
    return len(seen)


def _two_for_the_last_days(database: Database, by: Actor) -> Iterable[int]:
    with database.transaction() as session:
        service = a_team(session, by)
        room = sellable(session, service)
        decide_order(session, ordered(session, by, str(room - 4)).id, by=by, at=SIGNED)
        return [ordered(session, by, "3").id for _ in range(2)]


def test_the_command_line_accepts_beyond_capacity_only_with_a_reason(
    sqlite: Database, by: Actor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with sqlite.transaction() as session:
        room = sellable(session, a_team(session, by))
        urn = builders.a_school(session).urn
    monkeypatch.setenv("DATABASE_URL", sqlite.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("SLA_ARCHIVE", str(tmp_path / "invoices"))
    words = (
        "orders", "place", "--school", str(urn), "--offering", f"EWO-DAY={room + 7}", "--start", "2025-04-01",
        "--end", "2026-03-31", "--signed-by", "Test Buyer", "--as-at", "2025-03-20", "--accept",
    )  # fmt: skip
    refused = CliRunner().invoke(program, list(words))
    assert refused.exit_code == 1
    assert "7 days over" in refused.output
    assert "--beyond-capacity REASON" in refused.output
    done = CliRunner().invoke(program, [*words, "--beyond-capacity", "A second officer starts."])
    assert done.exit_code == 0, done.output
    with sqlite.reading() as session:
        assert session.scalars(select(CapacityDecision.reason)).all() == ["A second officer starts."]
