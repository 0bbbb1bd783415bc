"""A season: windows at midnight, renewals for all schools at once, killed and twice at once, and what is answered."""

from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError

from sla_manager.agreements.commands import (
    LineWanted,
    accept_order,
    expire_quotes,
    place_order,
    prepare_quote,
    renewals,
    vary_line,
)
from sla_manager.agreements.commands.answers import AnsweredAlready, decline_renewal
from sla_manager.agreements.commands.renewals import prepare_renewals
from sla_manager.agreements.commands.seasons import (
    SeasonClosed,
    SeasonThere,
    change_season,
    close_season,
    request_renewals,
)
from sla_manager.agreements.documents.renewal_letters import letter_key
from sla_manager.agreements.models import Agreement, AgreementLine, Paper, Renewal, Season
from sla_manager.agreements.queries import frozen_sha256
from sla_manager.agreements.queries.renewals import beside_last_year, bought_by, offer_of, renewal_by_id
from sla_manager.agreements.queries.season_board import SchoolSearch, Standing, season_board, season_schools
from sla_manager.agreements.queries.seasons import (
    ordering_window,
    preparation,
    schools_to_renew,
    season_by_id,
    seasons_to_prepare,
)
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.seasons import Answer, NotOpenYet, SeasonDates, SeasonDatesWrong
from sla_manager.agreements.rules.statuses import AgreementStatus, Origin
from sla_manager.config import ROOT
from sla_manager.gateways.printing import PrinterHere
from sla_manager.jobs.seasons import prepare_again
from sla_manager.kernel.clock import as_at, london_time
from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.people.models import School
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from tests import builders
from tests.rooms import selling
from tests.rooms.counting import queries
from tests.rooms.renewing import BY, DATES, PREPARED, a_season, last_year, noon


def town(database: Database, schools: int = 5, **more: Any) -> int:
    """Build schools that each bought 12 days last year, and a season; return the season."""
    with database.transaction() as session:
        for _ in range(schools):
            last_year(session, builders.a_school(session, customer_class=CustomerClass.ACADEMY))
        return a_season(session, **more).id


def rows(database: Database) -> list[Renewal]:
    with database.reading() as session:
        return list(session.scalars(select(Renewal).order_by(Renewal.school_id)))


def offered(database: Database) -> list[Agreement]:
    with database.reading() as session:
        query = select(Agreement).where(Agreement.origin == Origin.RENEWAL).order_by(Agreement.id)
        return list(session.scalars(query))


# --- preparing -----------------------------------------------------------------------------------------------------


def test_every_schools_renewal_is_prepared_and_a_second_run_changes_nothing(database: Database) -> None:
    season_id = town(database)
    seen: list[tuple[int, int]] = []
    first = prepare_renewals(
        database, season_id, by=BY, at=PREPARED, progress=lambda done, schools: seen.append((done, schools))
    )
    assert (first.prepared, first.troubled, first.finished) == (5, 0, True)
    assert seen == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]
    for one in offered(database):
        assert (one.starts_on, one.ends_on) == (DATES.starts_on, DATES.ends_on)
        assert (one.net, one.status) == (Money(4416_00), AgreementStatus.QUOTED)
        assert one.valid_until == date(2026, 3, 31)
    again = prepare_renewals(database, season_id, by=BY, at=PREPARED)
    assert (again.prepared, again.troubled) == (0, 0)
    assert len(offered(database)) == len(rows(database)) == 5


def test_e1_a_renewal_counts_what_was_agreed_with_variations_and_never_what_was_used(
    database: Database,
) -> None:
    with database.transaction() as session:
        school = builders.a_school(session, customer_class=CustomerClass.ACADEMY)
        first = last_year(session, school, "12")
        last_year(session, school, "2")
        line = session.scalars(select(AgreementLine).where(AgreementLine.agreement_id == first.id)).one()
        vary_line(
            session, line.id, quantity=Decimal("-1.5"), effective_on=date(2025, 9, 1), reason="Fewer",
            by=BY, at=noon(2025, 9, 1),
        )  # fmt: skip
        tranche = selling.tranches(session, first)[0]
        session.execute(
            text(
                "INSERT INTO ledger_entry (tranche_id, kind, minutes, effective_on, recorded_at, recorded_by, "
                "cause, reason) VALUES (:tranche, 'delivered', -4440, '2025-10-01', '2025-10-01', 'x', 'd:1', '')"
            ),
            {"tranche": tranche.id},
        )
        season_id = a_season(session).id
    prepare_renewals(database, season_id, by=BY, at=PREPARED)
    renewal = rows(database)[0]
    assert renewal.last_net == Money(12_5 * 368_00 // 10)
    assert (renewal.last_minutes, renewal.offered_minutes) == (Minutes(5550), Minutes(5550))
    with database.reading() as session:
        lines = session.scalars(
            select(AgreementLine).where(AgreementLine.agreement_id == renewal.agreement_id)
        ).all()
        assert [one.quantity for one in lines] == [Decimal("12.5")]
        beside = beside_last_year(
            session,
            bought_by(session, renewal.previous)[renewal.school_id],
            offer_of(session, renewal),
        )
    assert [(one.last_quantity, one.quantity, one.used) for one in beside] == [
        (Decimal("12.5"), Decimal("12.5"), Minutes(4440))
    ]


def test_c5_what_cannot_be_prepared_is_listed_with_its_reason_and_the_next_run_takes_only_that(
    database: Database,
) -> None:
    season_id = town(database, 3)
    with database.transaction() as session:
        closed = builders.a_school(session, name="Gone Lane School", closed_on=date(2025, 12, 31))
        last_year(session, closed)
        old = builders.an_offering(session, code="OLD", name="Old package", price="100.00")
        outdated = builders.a_school(session, name="Old Offer School")
        last_year(session, outdated, "2", offering=old)
        old.withdrawn_on = date(2026, 1, 1)
    done = prepare_renewals(database, season_id, by=BY, at=PREPARED)
    assert (done.prepared, done.troubled, done.finished) == (3, 2, True)
    troubled = {one.school_id: one.trouble for one in rows(database) if one.trouble}
    assert troubled[closed.id] == "Gone Lane School closed on 31 December 2025."
    assert "“Old package” is no longer offered" in troubled[outdated.id]
    with database.transaction() as session:
        session.get_one(type(old), old.id).withdrawn_on = None
    again = prepare_renewals(database, season_id, by=BY, at=PREPARED)
    assert (again.prepared, again.troubled) == (1, 1)
    with database.reading() as session:
        told = preparation(session, season_by_id(session, season_id))
    assert (told.schools, told.prepared, told.troubled, told.left) == (5, 4, 1, 0)


def test_what_ends_later_or_was_ended_early_is_not_renewed(database: Database) -> None:
    with database.transaction() as session:
        runs_on = builders.a_school(session)
        last_year(session, runs_on, starts_on=date(2025, 9, 1), ends_on=date(2026, 8, 31))
        ended = builders.a_school(session)
        last_year(session, ended).ends_early_on = date(2025, 12, 31)
        long_ago = builders.a_school(session)
        last_year(
            session,
            long_ago,
            starts_on=date(2024, 4, 1),
            ends_on=date(2025, 3, 31),
            at=as_at(date(2024, 4, 2)),
        )
        season_id = a_season(session).id
    assert prepare_renewals(database, season_id, by=BY, at=PREPARED).words == "0 renewals prepared"
    assert rows(database) == []


def test_a_longer_agreement_is_renewed_for_one_year(database: Database) -> None:
    with database.transaction() as session:
        school = builders.a_school(session)
        signed = as_at(date(2024, 4, 1))
        last_year(session, school, "25", starts_on=date(2024, 4, 1), at=signed)
        season_id = a_season(session).id
    prepare_renewals(database, season_id, by=BY, at=PREPARED)
    assert rows(database)[0].offered_minutes == Minutes(5550)


def test_what_is_sold_by_the_term_is_asked_for_each_term(database: Database) -> None:
    with database.transaction() as session:
        builders.terms(session)
        for name, first, last in (
            ("Autumn 2026", (2026, 9, 1), (2026, 12, 18)),
            ("Spring 2027", (2027, 1, 4), (2027, 3, 25)),
        ):
            session.add(
                type(builders.terms(session)[0])(name=name, starts_on=date(*first), ends_on=date(*last))
            )
        hours = builders.an_offering(
            session, "60.00", code="HOURS", unit="hour", unit_minutes=60, minimum="5", maximum=Decimal(30),
            limit_basis="term",
        )  # fmt: skip
        school = builders.a_school(session)
        bought = last_year(session, school, "12", offering=hours)
        assert session.scalars(select(AgreementLine.quantity)).one() == Decimal(24)
        assert bought.net == Money(1440_00)
        season_id = a_season(session).id
    prepare_renewals(database, season_id, by=BY, at=PREPARED)
    assert rows(database)[0].trouble == ""
    assert offered(database)[0].net == Money(3 * 12 * 60_00)


def test_a_renewal_whose_quote_ran_out_unanswered_is_prepared_again(database: Database) -> None:
    season_id = town(database, 2)
    prepare_renewals(database, season_id, by=BY, at=PREPARED)
    first, second = rows(database)
    with database.transaction() as session:
        session.get_one(Agreement, first.agreement_id).valid_until = date(2026, 2, 28)
        assert expire_quotes(session, at=noon(2026, 3, 1)) == 1
    assert prepare_again(database, at=noon(2026, 3, 1)).endswith("1 renewals prepared")
    again, untouched = rows(database)
    assert again.agreement_id != first.agreement_id
    assert untouched.agreement_id == second.agreement_id
    assert prepare_again(database, at=noon(2026, 3, 1)).endswith("0 renewals prepared")
    assert prepare_again(database, at=noon(2026, 4, 1)) == "no season sells"


class KilledError(Exception):
    """The process is gone."""


def test_a_run_killed_in_the_middle_goes_on_and_nothing_is_doubled(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    season_id = town(database, 6)
    made = 0
    real = prepare_quote

    def deadly(session: Any, **wanted: Any) -> Agreement:
        nonlocal made
        quote = real(session, **wanted)
        made += 1
        if made == 4:
            raise KilledError
        return quote

    monkeypatch.setattr(renewals, "prepare_quote", deadly)
    with pytest.raises(KilledError):
        prepare_renewals(database, season_id, by=BY, at=PREPARED)
    assert len(offered(database)) == len(rows(database)) == 3
    with database.reading() as session:
        assert session.get_one(Season, season_id).prepared_at is None
    assert prepare_renewals(database, season_id, by=BY, at=PREPARED).prepared == 3
    assert len(offered(database)) == 6
    assert len({one.agreement_id for one in rows(database)}) == 6
    references = [one.reference for one in offered(database)]
    assert len(set(references)) == 6
    assert references[-1].endswith("000012"), "a killed quote gives its number back"


def test_a_run_that_is_told_to_stop_ends_between_two_schools(database: Database) -> None:
    season_id = town(database, 4)
    done = prepare_renewals(
        database, season_id, by=BY, at=PREPARED, stopping=lambda: len(rows(database)) == 2
    )
    assert (done.prepared, done.finished) == (2, False)
    assert done.words == "2 renewals prepared, stopped before the end"
    assert prepare_renewals(database, season_id, by=BY, at=PREPARED).prepared == 2


def twice_at_once(database: Database, season_id: int) -> list[int]:
    """Run twice, both having seen that nothing is prepared before either begins; return what each prepared."""
    gate = threading.Barrier(2)
    real = schools_to_renew

    def together(session: Any, season: Season) -> list[int]:
        found = real(session, season)
        gate.wait(20)
        return found

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(renewals, "schools_to_renew", together)
        with ThreadPoolExecutor(2) as pool:
            runs = [pool.submit(prepare_renewals, database, season_id, by=BY, at=PREPARED) for _ in range(2)]
            return [run.result().prepared for run in runs]


def test_two_runs_at_once_prepare_each_school_once(database: Database) -> None:
    season_id = town(database, 6)
    assert sum(twice_at_once(database, season_id)) == 6
    assert len(offered(database)) == 6


def test_control_without_taking_the_row_first_two_runs_quote_twice(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    season_id = town(database, 6)

    def unheld(session: Any, season_id: int, bought: Any, *, at: datetime) -> Renewal:
        return Renewal(previous=[], last_net=Money(0), last_minutes=Minutes(0))

    def unkeyed(session: Any, **wanted: Any) -> Agreement:
        return prepare_quote(session, **(wanted | {"once_key": None}))

    monkeypatch.setattr(renewals, "_take", unheld)
    monkeypatch.setattr(renewals, "freeze_renewal_letter", lambda *_, **__: None)
    monkeypatch.setattr(renewals, "prepare_quote", unkeyed)
    assert sum(twice_at_once(database, season_id)) == 12
    assert len(offered(database)) == 12


def test_a_letter_comes_with_each_renewal_and_says_last_year_and_this_year(sqlite: Database) -> None:
    season_id = town(sqlite, 1, renews=True, notice_months=3)
    prepare_renewals(sqlite, season_id, by=BY, at=PREPARED)
    prepare_renewals(sqlite, season_id, by=BY, at=PREPARED)
    renewal = rows(sqlite)[0]
    with sqlite.reading() as session:
        paper = session.scalars(select(Paper).where(Paper.kind == "renewal_letter")).one()
    assert (paper.key, paper.school_id) == (letter_key(renewal), renewal.school_id)
    printed = PrinterHere(ROOT / "templates").print("renewal_letter", paper.facts)
    words = " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(printed)).pages).split())
    for said in (
        "Your renewal for 2026-27",
        "Please answer by 13 March 2026",
        "12 days, £4,416.00",
        "£5,299.20 including VAT",
        "never carried forward",
        "renews by itself for another year",
    ):
        assert said in words, said


def test_asking_for_renewals_leaves_them_to_the_worker_until_all_are_prepared(database: Database) -> None:
    season_id = town(database, 1)
    with database.transaction() as session:
        request_renewals(session, season_id, by=BY, at=PREPARED)
        request_renewals(session, season_id, by=BY, at=PREPARED + timedelta(minutes=1))
        assert session.get_one(Season, season_id).requested_at == PREPARED
    with database.reading() as session:
        assert list(seasons_to_prepare(session)) == [season_id]
    prepare_renewals(database, season_id, by=BY, at=PREPARED)
    with database.reading() as session:
        assert list(seasons_to_prepare(session)) == []


# --- the window ----------------------------------------------------------------------------------------------------


def a_renewal(database: Database) -> Renewal:
    season_id = town(database, 1)
    prepare_renewals(database, season_id, by=BY, at=PREPARED)
    return rows(database)[0]


def ordering(database: Database, agreement_id: int | None, at: datetime) -> Agreement:
    assert agreement_id is not None
    with database.transaction() as session:
        return place_order(
            session, agreement_id, role="Head", statement="I accept.", address="203.0.113.7",
            document_sha256=frozen_sha256(session, agreement_id), by=BY, at=at,
        )  # fmt: skip


def test_ordering_opens_at_midnight_in_london(database: Database) -> None:
    renewal = a_renewal(database)
    with pytest.raises(NotOpenYet, match="You can order from 2 February 2026"):
        ordering(database, renewal.agreement_id, datetime(2026, 2, 1, 23, 59, 59, tzinfo=UTC))
    ordered = ordering(database, renewal.agreement_id, datetime(2026, 2, 2, 0, 0, tzinfo=UTC))
    assert ordered.status is AgreementStatus.ORDERED
    assert rows(database)[0].answer is Answer.RENEWED


def test_ordering_opens_at_midnight_in_summer_time_too(database: Database) -> None:
    dates = SeasonDates(
        starts_on=date(2026, 9, 1), ends_on=date(2027, 8, 31), builds_from=date(2026, 5, 1),
        submit_from=date(2026, 6, 1), due_by=date(2026, 7, 10),
    )  # fmt: skip
    with database.transaction() as session:
        season = a_season(session, dates=dates)
        school = builders.a_school(session)
        quoted = selling.quote(
            session, BY, noon(2026, 5, 2), school=school, starts_on=dates.starts_on, ends_on=dates.ends_on
        )
        assert quoted.valid_until == date(2026, 8, 31)
        assert season.window.is_open(date(2026, 6, 1))
    with pytest.raises(NotOpenYet):
        ordering(database, quoted.id, datetime(2026, 5, 31, 22, 59, tzinfo=UTC))
    ordering(database, quoted.id, datetime(2026, 5, 31, 23, 0, tzinfo=UTC))


def test_after_the_due_date_an_order_is_taken_and_marked_late(database: Database) -> None:
    season_id = town(database, 2)
    prepare_renewals(database, season_id, by=BY, at=PREPARED)
    in_time, late = rows(database)
    ordering(
        database, in_time.agreement_id, london_time(date(2026, 3, 13), datetime.min.time().replace(hour=23))
    )
    ordering(database, late.agreement_id, london_time(date(2026, 3, 14), datetime.min.time()))
    with database.reading() as session:
        found, more = season_schools(session, season_by_id(session, season_id), SchoolSearch())
    assert more is None
    assert {one.renewal_id: one.is_late for one in found} == {in_time.id: False, late.id: True}


def test_a_prepared_renewal_outlasts_the_usual_days_of_a_quote(database: Database) -> None:
    renewal = a_renewal(database)
    with database.transaction() as session:
        assert expire_quotes(session, at=noon(2026, 3, 31)) == 0
        assert expire_quotes(session, at=noon(2026, 4, 1)) == 1
        assert session.get_one(Agreement, renewal.agreement_id).status is AgreementStatus.EXPIRED


def test_what_no_season_sells_and_what_begins_during_the_year_is_ordered_any_day(database: Database) -> None:
    with database.transaction() as session:
        service = builders.a_service(session)
        assert ordering_window(session, service.id, date(2026, 4, 1)) is None
        a_season(session)
        window = ordering_window(session, service.id, date(2026, 11, 1))
        assert window is not None
        assert not window.is_late(date(2026, 11, 1), date(2026, 11, 1))
        assert ordering_window(session, service.id, date(2027, 4, 1)) is None


# --- answers -------------------------------------------------------------------------------------------------------


def test_an_order_of_a_changed_quote_answers_the_renewal_as_changed(database: Database) -> None:
    renewal = a_renewal(database)
    with database.transaction() as session:
        old = session.get_one(Agreement, renewal.agreement_id)
        offering = builders.an_offering(session)
        changed = prepare_quote(
            session, service_id=old.service_id, school_id=old.school_id, starts_on=old.starts_on, ends_on=old.ends_on,
            schedule=Schedule.SINGLE, lines=[LineWanted(offering.id, Decimal(10))], by=BY, at=noon(2026, 1, 20),
            replaces_id=old.id,
        )  # fmt: skip
        assert changed.valid_until == date(2026, 3, 31)
    ordering(database, changed.id, noon(2026, 2, 10))
    found = rows(database)[0]
    assert (found.answer, found.agreement_id, found.quote_id) == (Answer.CHANGED, changed.id, old.id)
    assert (found.offered_net, found.offered_minutes) == (Money(3680_00), Minutes(4440))


def test_a_fresh_order_for_the_season_answers_the_renewal_too(database: Database) -> None:
    season_id = town(database, 1)
    with database.transaction() as session:
        school = session.scalars(select(School)).one()
        school.closed_on = date(2026, 1, 1)
    prepare_renewals(database, season_id, by=BY, at=PREPARED)
    assert rows(database)[0].trouble
    with database.transaction() as session:
        fresh = selling.quote(
            session, BY, noon(2026, 2, 3), school=school, starts_on=DATES.starts_on, ends_on=DATES.ends_on
        )
        selling.order(session, fresh, BY, noon(2026, 2, 3))
    found = rows(database)[0]
    assert (found.answer, found.agreement_id, found.trouble) == (Answer.CHANGED, fresh.id, "")


def test_a_school_declines_with_a_reason_and_may_still_order(database: Database) -> None:
    renewal = a_renewal(database)

    def declined(reason: str, **more: Any) -> Renewal:
        with database.transaction() as session:
            wanted: dict[str, Any] = {"school_id": renewal.school_id, "by": BY, "at": noon(2026, 2, 3)} | more
            return decline_renewal(session, renewal.id, reason=reason, **wanted)

    with pytest.raises(Refused, match="Say why"):
        declined("  ")
    with pytest.raises(Refused, match="unique pupil number"):
        declined("Because of H801200001001")
    with pytest.raises(NotFound):
        declined("x", school_id=renewal.school_id + 1)
    assert declined("We have our own officer now.").answer is Answer.DECLINED
    assert declined("Again").reason == "We have our own officer now."
    ordering(database, renewal.agreement_id, noon(2026, 2, 10))
    assert rows(database)[0].answer is Answer.RENEWED
    with pytest.raises(AnsweredAlready, match="renewed as it is"):
        declined("Too late")


def test_an_answer_that_is_an_order_stands_in_the_database(database: Database) -> None:
    renewal = a_renewal(database)
    ordering(database, renewal.agreement_id, noon(2026, 2, 10))
    with pytest.raises(IntegrityError, match="renewal_is_answered"), database.transaction() as session:
        session.execute(update(Renewal).values(answer=Answer.NONE))


# --- the season itself ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ends_on": date(2026, 3, 31)}, "ends_on"),
        ({"ends_on": date(2027, 4, 30)}, "ends_on"),
        ({"submit_from": date(2026, 1, 11)}, "submit_from"),
        ({"due_by": date(2026, 2, 1)}, "due_by"),
    ],
)
def test_dates_out_of_order_are_refused(changes: dict[str, date], field: str) -> None:
    named = {
        name: getattr(DATES, name)
        for name in ("starts_on", "ends_on", "builds_from", "submit_from", "due_by")
    }
    with pytest.raises(SeasonDatesWrong) as refused:
        SeasonDates(**(named | changes)).checked()
    assert refused.value.field == field


def test_a_season_is_one_for_its_period_and_n11_changed_by_one_at_a_time(database: Database) -> None:
    season_id = town(database, 0)
    with database.transaction() as session:
        with pytest.raises(SeasonThere, match="begins on 1 April 2026 already"):
            a_season(session)
        wanted: dict[str, Any] = {
            "schedule": Schedule.SINGLE,
            "notice_months": 3,
            "renews": True,
            "by": BY,
            "at": PREPARED,
        }
        change_season(session, season_id, dates=DATES, version=1, **wanted)
        with pytest.raises(Conflict, match="Somebody else changed"):
            change_season(session, season_id, dates=DATES, version=1, **wanted)
        with pytest.raises(Refused, match="time for notice"):
            change_season(session, season_id, dates=DATES, version=2, **(wanted | {"notice_months": 0}))
    with database.transaction() as session:
        close_season(session, season_id, by=BY, at=PREPARED)
        close_season(session, season_id, by=BY, at=PREPARED)
        with pytest.raises(SeasonClosed):
            request_renewals(session, season_id, by=BY, at=PREPARED)
    with pytest.raises(SeasonClosed):
        prepare_renewals(database, season_id, by=BY, at=PREPARED)


def test_v1_the_board_asks_the_same_number_of_questions_however_many_schools(database: Database) -> None:
    season_id = town(database, 2)
    prepare_renewals(database, season_id, by=BY, at=PREPARED)
    asked = []
    for more in (0, 60):
        with database.transaction() as session:
            for _ in range(more):
                last_year(session, builders.a_school(session, customer_class=CustomerClass.ACADEMY), "1")
        if more:
            prepare_renewals(database, season_id, by=BY, at=PREPARED)
        with database.reading() as session, queries(database) as count:
            season = season_by_id(session, season_id)
            board = season_board(session, season)
            page, after = season_schools(session, season, SchoolSearch())
        asked.append(count.number)
    assert asked[0] == asked[1] <= 6
    assert (board.schools, len(page)) == (62, 50)
    assert board.of(Standing.NONE).net == Money(2 * 4416_00 + 60 * 368_00)
    with database.reading() as session:
        rest, end = season_schools(session, season_by_id(session, season_id), SchoolSearch(), after=after)
    assert (len(rest), end) == (12, None)
    assert len({one.renewal_id for one in [*page, *rest]}) == 62


def test_the_board_adds_up_what_every_answer_comes_to(database: Database) -> None:
    season_id = town(database, 3)
    prepare_renewals(database, season_id, by=BY, at=PREPARED)
    first, second, third = rows(database)
    ordering(database, first.agreement_id, noon(2026, 2, 10))
    with database.transaction() as session:
        accept_order(session, first.agreement_id or 0, by=BY, at=noon(2026, 2, 11))
        decline_renewal(
            session, second.id, school_id=second.school_id, reason="No", by=BY, at=noon(2026, 2, 11)
        )
    with database.reading() as session:
        season = season_by_id(session, season_id)
        board = season_board(session, season)
        one = renewal_by_id(session, third.id, service_id=season.service_id)
        found, _ = season_schools(session, season, SchoolSearch(standing=Standing.DECLINED))
    assert [board.of(standing).schools for standing in Standing] == [1, 0, 0, 1, 1, 0]
    assert (board.ordered, board.ordered_minutes) == (Money(4416_00), Minutes(5328))
    assert (board.last_net, board.unit_minutes) == (Money(3 * 4416_00), Minutes(444))
    assert one.answer is Answer.NONE
    assert [(row.says, row.net) for row in found] == [("No", Money(4416_00))]


def test_actors_of_the_answer_are_named(database: Database) -> None:
    renewal = a_renewal(database)
    with database.transaction() as session:
        school = session.get_one(School, renewal.school_id)
        person = selling.manager_of(session, school, name="Priya Marsh")
        place_order(
            session, renewal.agreement_id or 0, role="School business manager", statement="I accept.",
            address="203.0.113.7", document_sha256=frozen_sha256(session, renewal.agreement_id or 0),
            by=Actor(person.id, person.name), at=noon(2026, 2, 4),
        )  # fmt: skip
        assert session.scalar(select(func.count(Renewal.id)).where(Renewal.answered_by == "Priya Marsh")) == 1
