"""The end of a financial year: what is unused lapses once, and the year stands still for ever."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from sla_manager.agreements.commands import close_year, enter, reverse_entry, vary_line
from sla_manager.agreements.commands.years import YearNotOver
from sla_manager.agreements.models import Agreement, LedgerEntry
from sla_manager.agreements.queries import balances, is_closed, year_close_preview
from sla_manager.agreements.rules.lapse import YearIsClosed
from sla_manager.agreements.rules.ledger import EntryKind
from sla_manager.agreements.warnings import warn_of_balances
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import FinancialYear
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.audit import SYSTEM, Actor
from sla_manager.store.database import Database
from sla_manager.store.outbox import OutboxMessage
from tests.builders import a_school, customer_of
from tests.rooms.selling import agreed, quote, tranches

OLD, NEW = FinancialYear(2024), FinancialYear(2025)
BOUGHT = as_at(date(2024, 4, 2))
AFTER = as_at(date(2025, 4, 9))
LAST_YEAR = {"starts_on": date(2024, 4, 1), "ends_on": date(2025, 3, 31)}
THIS_YEAR = {"starts_on": date(2025, 4, 1), "ends_on": date(2026, 3, 31)}


def ten_days_of_which_seven_and_a_half_are_used(session, by: Actor) -> Agreement:  # type: ignore[no-untyped-def]
    """Return last year's agreement of the worked case."""
    school = a_school(session, 900_777, customer_class=CustomerClass.ACADEMY)
    made = agreed(session, by, BOUGHT, school=school, quantity="10", **LAST_YEAR)
    log(session, made, Minutes(3330), date(2024, 11, 5), by)
    return made


def log(
    session, made: Agreement, minutes: Minutes, day: date, by: Actor, cause: str = "delivery:1"
) -> LedgerEntry:  # type: ignore[no-untyped-def]
    """Enter a delivery."""
    tranche = tranches(session, made)[0]
    return enter(
        session, tranche.id, EntryKind.DELIVERED, minutes, effective_on=day, cause=cause, by=by, at=AFTER
    )


def test_e1_what_is_unused_lapses_and_the_new_year_opens_with_what_was_bought_for_it(
    database: Database, by: Actor
) -> None:
    with database.transaction() as session:
        old = ten_days_of_which_seven_and_a_half_are_used(session, by)
        new = agreed(session, by, AFTER, school=a_school(session, 900_777), quantity="8", **THIS_YEAR)
        preview = year_close_preview(session, OLD)
        assert (preview.tranches, preview.lapsed_minutes, str(preview.lapsed_value)) == (
            1,
            Minutes(1110),
            "920.00",
        )
        done = close_year(session, OLD, by=by, at=AFTER)
        assert (done.tranches, done.lapsed_minutes, done.lapsed_value) == (1, Minutes(1110), Money(920_00))
        assert balances(session, agreement_id=old.id)[0].figures.lapsed == Minutes(1110)
        assert balances(session, agreement_id=old.id)[0].balance == Minutes(0)
        opened = balances(session, agreement_id=new.id)[0]
        assert str(opened.balance.shown_in_units(opened.unit_minutes)) == "8"


def test_e1_closing_twice_changes_nothing(database: Database, by: Actor) -> None:
    with database.transaction() as session:
        ten_days_of_which_seven_and_a_half_are_used(session, by)
        first = close_year(session, OLD, by=by, at=AFTER)
    with database.transaction() as session:
        again = close_year(session, OLD, by=Actor(None, "Somebody else"), at=AFTER + timedelta(days=1))
        assert (again.id, again.closed_by, again.closed_at) == (first.id, "Test", AFTER)
        lapsed = session.scalars(select(LedgerEntry).where(LedgerEntry.kind == EntryKind.LAPSED)).all()
        assert len(lapsed) == 1
        preview = year_close_preview(session, OLD)
        assert (preview.tranches, preview.already) == (0, 1)
        assert preview.closed is not None


def test_a_preview_writes_nothing(database: Database, by: Actor) -> None:
    with database.transaction() as session:
        ten_days_of_which_seven_and_a_half_are_used(session, by)
    with database.reading() as session:
        assert year_close_preview(session, OLD).tranches == 1
        assert not is_closed(session, OLD)


def test_a_year_is_not_closed_before_it_is_over(database: Database, by: Actor) -> None:
    with database.transaction() as session:
        ten_days_of_which_seven_and_a_half_are_used(session, by)
        with pytest.raises(YearNotOver, match="31 March 2025"):
            close_year(session, OLD, by=by, at=datetime(2025, 3, 31, 22, 59, tzinfo=UTC))
        assert close_year(session, OLD, by=by, at=datetime(2025, 3, 31, 23, 0, tzinfo=UTC)).tranches == 1


def test_e2_a_late_log_uses_the_old_year_until_it_is_closed(database: Database, by: Actor) -> None:
    with database.transaction() as session:
        made = ten_days_of_which_seven_and_a_half_are_used(session, by)
        log(session, made, Minutes(222), date(2025, 3, 27), by, cause="delivery:2")
        assert balances(session, agreement_id=made.id)[0].balance == Minutes(888)


def test_e2_after_the_close_nothing_more_goes_in_and_the_message_says_whom_to_ask(
    database: Database, by: Actor
) -> None:
    with database.transaction() as session:
        made = ten_days_of_which_seven_and_a_half_are_used(session, by)
        entry = session.scalars(select(LedgerEntry).where(LedgerEntry.kind == EntryKind.DELIVERED)).one()
        close_year(session, OLD, by=by, at=AFTER)
        with pytest.raises(
            YearIsClosed, match=r"2024-25 was closed on 9 April 2025.*Ask the service manager"
        ):
            log(session, made, Minutes(222), date(2025, 3, 27), by, cause="delivery:2")
        with pytest.raises(YearIsClosed):
            reverse_entry(session, entry.id, reason="Wrong", by=by, at=AFTER)
        with pytest.raises(YearIsClosed):
            vary_line(
                session, made.lines[0].id, quantity=Decimal(1), effective_on=date(2025, 3, 1), reason="More", by=by,
                at=AFTER,
            )  # fmt: skip
        with pytest.raises(YearIsClosed):
            quote(session, by, AFTER, school=a_school(session, 900_777), **LAST_YEAR)


def test_e2_the_database_itself_refuses_an_entry_in_a_closed_year(database: Database, by: Actor) -> None:
    with database.transaction() as session:
        ten_days_of_which_seven_and_a_half_are_used(session, by)
        close_year(session, OLD, by=by, at=AFTER)
    with pytest.raises(IntegrityError, match="year_is_closed"), database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO ledger_entry "
                "(tranche_id, kind, minutes, effective_on, recorded_at, recorded_by, cause, reason) "
                "SELECT id, 'varied', 60, ends_on, '2025-04-10 12:00:00', 'By hand', 'hand', '' FROM tranche"
            )
        )


def test_time_that_was_credited_does_not_lapse(database: Database, by: Actor) -> None:
    with database.transaction() as session:
        made = ten_days_of_which_seven_and_a_half_are_used(session, by)
        enter(
            session, tranches(session, made)[0].id, EntryKind.CREDITED, Minutes(222), effective_on=date(2025, 3, 20),
            cause="credit:1", by=by, at=AFTER,
        )  # fmt: skip
        assert close_year(session, OLD, by=by, at=AFTER).lapsed_minutes == Minutes(888)


def test_a_variation_changes_what_lapsed_time_was_worth(database: Database, by: Actor) -> None:
    with database.transaction() as session:
        made = ten_days_of_which_seven_and_a_half_are_used(session, by)
        vary_line(
            session, made.lines[0].id, quantity=Decimal(1), effective_on=date(2025, 3, 1), reason="More", by=by,
            at=as_at(date(2025, 3, 1)),
        )  # fmt: skip
        assert str(year_close_preview(session, OLD).lapsed_value) == "1288.00"


def test_what_is_agreed_for_the_new_year_is_untouched_by_the_close(database: Database, by: Actor) -> None:
    with database.transaction() as session:
        school_year = {"starts_on": date(2024, 9, 1), "ends_on": date(2025, 8, 31)}
        made = agreed(session, by, as_at(date(2024, 9, 1)), quantity="20", **school_year)
        close_year(session, OLD, by=by, at=AFTER)
        old, new = balances(session, agreement_id=made.id)
        assert (old.figures.lapsed, old.balance) == (Minutes(5106), Minutes(0))
        assert (new.figures.lapsed, new.balance) == (Minutes(0), Minutes(3774))


def _warned(session) -> list[str]:  # type: ignore[no-untyped-def]
    wanted = select(OutboxMessage).where(OutboxMessage.key.like("lapse:%") | OutboxMessage.key.like("used:%"))
    return [
        one.key.split(":", 1)[0] + ":" + one.key.rsplit(":", 1)[1]
        for one in session.scalars(wanted.order_by(OutboxMessage.id))
    ]


def test_e8_warnings_of_days_left_go_once_each_and_stale_ones_not_at_all(
    database: Database, by: Actor
) -> None:
    with database.transaction() as session:
        school = a_school(session, 900_777, customer_class=CustomerClass.ACADEMY)
        customer_of(session, school).email = "office@brightwater.example"
        agreed(session, by, BOUGHT, school=school, quantity="10", **LAST_YEAR)
        assert warn_of_balances(session, by=SYSTEM, at=as_at(date(2024, 12, 30))) == 0
        for day in (
            date(2024, 12, 31),
            date(2025, 1, 1),
            date(2025, 2, 10),
            date(2025, 3, 5),
            date(2025, 3, 6),
        ):
            warn_of_balances(session, by=SYSTEM, at=as_at(day))
        assert _warned(session) == ["lapse:90", "lapse:60", "lapse:30"]


def test_e8_warnings_of_use_go_once_per_version_however_often_the_mark_is_crossed(
    database: Database, by: Actor
) -> None:
    with database.transaction() as session:
        school = a_school(session, 900_777, customer_class=CustomerClass.ACADEMY)
        customer_of(session, school).email = "office@brightwater.example"
        made = agreed(session, by, BOUGHT, school=school, quantity="10", **LAST_YEAR)
        summer = as_at(date(2024, 7, 1))
        first = log(session, made, Minutes(3330), date(2024, 6, 3), by)
        warn_of_balances(session, by=SYSTEM, at=summer)
        reverse_entry(session, first.id, reason="Wrong school", by=by, at=summer)
        warn_of_balances(session, by=SYSTEM, at=summer)
        log(session, made, Minutes(3330), date(2024, 6, 3), by, cause="delivery:2")
        warn_of_balances(session, by=SYSTEM, at=summer)
        assert _warned(session) == ["used:75"]
        log(session, made, Minutes(1110), date(2024, 6, 4), by, cause="delivery:3")
        warn_of_balances(session, by=SYSTEM, at=summer)
        assert _warned(session) == ["used:75", "used:100"]
        vary_line(
            session, made.lines[0].id, quantity=Decimal(1), effective_on=date(2024, 7, 1), reason="More", by=by,
            at=summer,
        )  # fmt: skip
        warn_of_balances(session, by=SYSTEM, at=summer)
        assert _warned(session) == ["used:75", "used:100", "used:90"]
