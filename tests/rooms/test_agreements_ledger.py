"""The day ledger: entries are added and never changed, the balance is their sum on any day, core is never in it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from sla_manager.agreements.commands import balance_locked, enter, reverse_entry, vary_line
from sla_manager.agreements.commands.ledger import AlreadyUndone, NotThatMuchLeft, OutsideTheTranche
from sla_manager.agreements.commands.variations import OutsideTheAgreement
from sla_manager.agreements.models import LedgerEntry
from sla_manager.agreements.queries import (
    balances,
    instalments,
    latest_version,
    ledger,
    quoted_documents,
    tranche_on,
    variations,
)
from sla_manager.agreements.rules.ledger import Entry, EntryKind, VariationBelowUse, balance_of
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.tranches import QuantityOffStep
from sla_manager.kernel.clock import london_date, london_time
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from tests.builders import a_core_offering, an_offering
from tests.rooms.selling import agreed, tranches

YEAR = {"starts_on": date(2025, 4, 1), "ends_on": date(2026, 3, 31)}
SCHOOL_YEAR = {"starts_on": date(2025, 9, 1), "ends_on": date(2026, 8, 31)}


def test_a_visit_and_its_report_come_off_the_balance(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        made = agreed(session, by, at, quantity="10", **YEAR)
        tranche = tranches(session, made)[0]
        enter(
            session, tranche.id, EntryKind.DELIVERED, Minutes(240), effective_on=date(2025, 11, 3),
            cause="delivery:1", visit_id=1, delivery_id=1, by=by, at=at,
        )  # fmt: skip
        found = balances(session, agreement_id=made.id)[0]
        assert found.figures.delivered == Minutes(240)
        assert found.balance == Minutes(4200)
        assert str(found.balance.shown_in_units(found.unit_minutes)) == "9.46"


def test_no_entry_takes_more_than_there_is(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        tranche = tranches(session, agreed(session, by, at, quantity="1"))[0]
        with pytest.raises(NotThatMuchLeft, match="7 hours 24 minutes are left"):
            enter(
                session, tranche.id, EntryKind.CHARGED, Minutes(445), effective_on=date(2025, 11, 3),
                cause="cancellation:1", by=by, at=at,
            )  # fmt: skip


def test_the_database_itself_refuses_a_balance_below_nothing(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        tranche = tranches(session, agreed(session, by, at, quantity="1"))[0]
    with pytest.raises(IntegrityError, match="balance_below_nothing"), database.transaction() as session:
        session.execute(
            text(_BY_HAND.format(tranche=tranche.id, minutes=-445, day="2025-11-03", kind="delivered"))
        )


_BY_HAND = (
    "INSERT INTO ledger_entry (tranche_id, kind, minutes, effective_on, recorded_at, recorded_by, cause, reason) "
    "VALUES ({tranche}, '{kind}', {minutes}, '{day}', '2025-11-03 12:00:00', 'By hand', 'hand', '')"
)


def test_e4_two_who_take_the_last_half_day_at_once_never_take_it_twice(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        tranche = tranches(session, agreed(session, by, at, quantity="0.5", schedule=Schedule.SINGLE))[0]

    def log(delivery: int) -> int:
        with database.transaction() as session:
            left = balance_locked(session, tranche.id).balance
            taken = min(left, Minutes(222))
            if taken:
                enter(
                    session, tranche.id, EntryKind.DELIVERED, taken, effective_on=date(2025, 11, 3),
                    cause=f"delivery:{delivery}", by=by, at=at,
                )  # fmt: skip
            return taken.minutes

    with ThreadPoolExecutor(4) as officers:
        assert sorted(officers.map(log, range(4))) == [0, 0, 0, 222]


def test_one_cause_stands_in_a_ledger_once(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        tranche = tranches(session, agreed(session, by, at))[0]
    for expected in (True, False):
        try:
            with database.transaction() as session:
                enter(
                    session, tranche.id, EntryKind.DELIVERED, Minutes(60), effective_on=date(2025, 11, 3),
                    cause="delivery:1", by=by, at=at,
                )  # fmt: skip
            assert expected
        except IntegrityError:
            assert not expected


def test_a_reversal_names_its_entry_and_puts_the_time_back_once(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        made = agreed(session, by, at, quantity="10")
        tranche = tranches(session, made)[0]
        wrong = enter(
            session, tranche.id, EntryKind.CHARGED, Minutes(222), effective_on=date(2025, 11, 3),
            cause="cancellation:1", by=by, at=at,
        )  # fmt: skip
        undone = reverse_entry(session, wrong.id, reason="The school did give notice.", by=by, at=at)
        assert (undone.kind, undone.reverses_id, undone.minutes) == (
            EntryKind.REVERSAL,
            wrong.id,
            Minutes(222),
        )
        assert balances(session, agreement_id=made.id)[0].figures.shown()["charged"] == 0
        for entry in (wrong, undone):
            with pytest.raises(AlreadyUndone):
                reverse_entry(session, entry.id, reason="Again", by=by, at=at)


def test_t1_a_visit_just_after_midnight_on_1_april_uses_the_new_year(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        made = agreed(session, by, at, quantity="20", **SCHOOL_YEAR)
        starts = london_time(date(2026, 4, 1), datetime(2026, 4, 1, 0, 15).time())  # noqa: DTZ001
        assert starts == datetime(2026, 3, 31, 23, 15, tzinfo=UTC)
        used = tranche_on(session, made.lines[0].id, london_date(starts))
        assert used is not None
        assert used.year == 2026
        before = tranche_on(session, made.lines[0].id, date(2026, 3, 31))
        assert before is not None
        assert before.year == 2025
        with pytest.raises(OutsideTheTranche, match="31 March 2026"):
            enter(
                session, before.id, EntryKind.DELIVERED, Minutes(60), effective_on=london_date(starts),
                cause="delivery:1", by=by, at=at,
            )  # fmt: skip


def test_the_database_itself_refuses_time_of_one_year_in_another(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        old = tranches(session, agreed(session, by, at, quantity="20", **SCHOOL_YEAR))[0]
    with pytest.raises(IntegrityError, match="delivered_in_its_year"), database.transaction() as session:
        session.execute(
            text(_BY_HAND.format(tranche=old.id, minutes=-60, day="2026-04-01", kind="delivered"))
        )


def test_core_is_refused_by_the_database_in_a_price(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        core = a_core_offering(session)
    statement = text(
        "INSERT INTO price (offering_id, family, customer_class, starts_on, unit_price, source) "
        "VALUES (:offering, :family, 'academy', '2025-04-01', 100, '')"
    )
    for family in ("core", "casework"):
        with pytest.raises(IntegrityError), database.transaction() as session:
            session.execute(statement, {"offering": core.id, "family": family})


def test_core_is_refused_by_the_database_in_an_agreement_line(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        core = a_core_offering(session)
        agreed(session, by, at)
    columns = (
        "agreement_id, description, quantity, unit, step, unit_price, net, route, vat_code, vat_reason, "
        "charging_method, counts_preparation, counts_report, counts_travel, explanation, year_shares"
    )
    statement = text(
        f"INSERT INTO agreement_line (offering_id, family, position, {columns}) "  # noqa: S608  (names of columns)
        f"SELECT :offering, :family, position + 1, {columns} FROM agreement_line"
    )
    for family in ("core", "casework"):
        refused = pytest.raises(IntegrityError, match=r"core_is_free|FOREIGN KEY|foreign key")
        with refused, database.transaction() as session:
            _open_again(session, database)
            session.execute(statement, {"offering": core.id, "family": family})


def _open_again(session: object, database: Database) -> None:
    """Take the freezing trigger away inside the transaction, so that the rule on core is what refuses."""
    run = session.execute  # type: ignore[attr-defined]
    if database.is_sqlite:
        run(text("DROP TRIGGER agreement_line_no_insert"))
    else:
        run(text("ALTER TABLE agreement_line DISABLE TRIGGER agreement_line_no_insert"))


def test_core_is_refused_by_the_database_in_a_tranche(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        agreed(session, by, at)
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO tranche (line_id, family, year, starts_on, ends_on, quantity, minutes, net) "
                "SELECT line_id, 'core', year + 1, starts_on, ends_on, quantity, minutes, net FROM tranche"
            )
        )


def test_e6_a_variation_below_what_is_used_is_refused_with_the_figures(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        made = agreed(session, by, at, quantity="10")
        tranche, line = tranches(session, made)[0], made.lines[0]
        enter(
            session, tranche.id, EntryKind.DELIVERED, Minutes(9 * 444), effective_on=date(2025, 11, 3),
            cause="delivery:1", by=by, at=at,
        )  # fmt: skip
        with pytest.raises(VariationBelowUse, match="66 hours 36 minutes of 74 hours are already used"):
            vary_line(
                session,
                line.id,
                quantity=Decimal(-3),
                effective_on=date(2025, 12, 1),
                reason="Fewer",
                by=by,
                at=at,
            )
        made_smaller = vary_line(
            session,
            line.id,
            quantity=Decimal(-1),
            effective_on=date(2025, 12, 1),
            reason="Fewer",
            by=by,
            at=at,
        )
        assert str(made_smaller.net) == "-368.00"
        assert balances(session, agreement_id=made.id)[0].balance == Minutes(0)


def test_three_more_days_are_varied_billed_and_frozen(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        made = agreed(session, by, at, quantity="10")
        line = made.lines[0]
        signed = datetime(2025, 11, 12, 10, tzinfo=UTC)
        first = vary_line(
            session, line.id, quantity=Decimal(3), effective_on=date(2025, 10, 14), reason="More cases", by=by,
            at=signed, once_key="v-1",
        )  # fmt: skip
        again = vary_line(
            session, line.id, quantity=Decimal(3), effective_on=date(2025, 10, 14), reason="More cases", by=by,
            at=signed, once_key="v-1",
        )  # fmt: skip
        assert again.id == first.id
        assert [one.id for one in variations(session, made.id)] == [first.id]
        assert balances(session, agreement_id=made.id)[0].figures.varied == Minutes(1332)
        due = [one for one in instalments(session, made.id) if one.purpose == "variation"]
        assert [(one.due_on, str(one.net)) for one in due] == [(date(2025, 11, 12), "1104.00")]
        frozen = latest_version(session, made.id)
        assert frozen.kind == "variation"
        assert frozen.facts["bought"][0]["quantity"] == "13"
        assert frozen.facts["costs"]["net"] == "4784.00"
        assert str(made.net) == "3680.00"
        assert [one.label for one in quoted_documents(session, made)][-1] == "Invoice 3 of 3"


def test_a_variation_takes_effect_in_its_own_financial_year(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        made = agreed(session, by, at, quantity="20", **SCHOOL_YEAR)
        vary_line(
            session, made.lines[0].id, quantity=Decimal("1.5"), effective_on=date(2026, 4, 1), reason="More", by=by,
            at=at,
        )  # fmt: skip
        assert [one.figures.varied for one in balances(session, agreement_id=made.id)] == [
            Minutes(0),
            Minutes(666),
        ]


def test_a_variation_is_on_the_step_inside_the_dates_and_has_a_reason(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        line = agreed(session, by, at).lines[0]
        wanted = {
            "quantity": Decimal(1),
            "effective_on": date(2025, 12, 1),
            "reason": "More",
            "by": by,
            "at": at,
        }
        with pytest.raises(QuantityOffStep):
            vary_line(session, line.id, **(wanted | {"quantity": Decimal("0.3")}))
        with pytest.raises(QuantityOffStep):
            vary_line(session, line.id, **(wanted | {"quantity": Decimal(0)}))
        with pytest.raises(OutsideTheAgreement, match="14 October 2025 to 31 March 2026"):
            vary_line(session, line.id, **(wanted | {"effective_on": date(2026, 4, 1)}))
        with pytest.raises(Refused, match="Say why"):
            vary_line(session, line.id, **(wanted | {"reason": " "}))


def test_what_is_not_counted_in_time_is_varied_in_items(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        item = an_offering(
            session, "250.00", code="ITEM", unit="item", unit_minutes=None, step="1", minimum="1"
        )
        made = agreed(session, by, at, offering=item, quantity="2", schedule=Schedule.SINGLE)
        assert balances(session, agreement_id=made.id) == []
        vary_line(
            session,
            made.lines[0].id,
            quantity=Decimal(-2),
            effective_on=date(2025, 12, 1),
            reason="None",
            by=by,
            at=at,
        )
        with pytest.raises(Refused, match="the year has 0 items"):
            vary_line(
                session, made.lines[0].id, quantity=Decimal(-1), effective_on=date(2025, 12, 1), reason="Less",
                by=by, at=at,
            )  # fmt: skip


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["delivered", "charged", "credited", "varied", "reversal"]),
        st.integers(min_value=-900, max_value=900).filter(bool),
        st.integers(min_value=0, max_value=150),
    ),
    max_size=14,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES)
def test_e9_for_any_history_the_balance_on_any_day_is_the_replay_of_its_entries(
    database: Database, by: Actor, at: datetime, moves: list[tuple[str, int, int]]
) -> None:
    with database.transaction() as session:
        made = agreed(session, by, at, quantity="3", **YEAR)
        tranche = tranches(session, made)[0]
        entries: list[LedgerEntry] = []
        for number, (kind, minutes, days) in enumerate(moves):
            day = date(2025, 10, 1 + days % 28)
            try:
                if kind == "reversal":
                    undoable = [one for one in entries if one.kind is not EntryKind.VARIED]
                    if undoable:
                        reverse_entry(
                            session, undoable[minutes % len(undoable)].id, reason="Wrong", by=by, at=at
                        )
                    continue
                entries.append(
                    enter(
                        session,
                        tranche.id,
                        EntryKind(kind),
                        Minutes(minutes),
                        effective_on=day,
                        cause=f"test:{number}",
                        by=by,
                        at=at,
                    )
                )
            except (NotThatMuchLeft, AlreadyUndone):
                continue
        kept = [row.entry for row in ledger(session, tranche.id)]
        by_id = {one.id: one for one in kept}
        replay = [
            Entry(
                one.kind,
                one.minutes,
                one.effective_on,
                by_id[one.reverses_id].kind if one.reverses_id else None,
            )
            for one in kept
        ]
        for day in (date(2025, 10, 1), date(2025, 10, 9), date(2025, 10, 20), date(2026, 3, 31)):
            asked = balances(session, agreement_id=made.id, on=day)[0]
            assert asked.figures == balance_of(replay, on=day)
            rows = ledger(session, tranche.id, on=day)
            assert asked.balance == (rows[-1].balance if rows else Minutes(0))
        now = balances(session, agreement_id=made.id)[0].figures
        assert now == balance_of(replay) == balance_locked(session, tranche.id)
        assert now.balance.minutes >= 0
