"""Reminders of a season, warnings before the last day for notice, and agreements that renew by themselves."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from sla_manager.agreements.commands import accept_order
from sla_manager.agreements.commands.answers import decline_renewal
from sla_manager.agreements.commands.notices import DoesNotRenew, give_notice
from sla_manager.agreements.commands.renewals import CannotRenew, prepare_renewals
from sla_manager.agreements.commands.renewing import Renewed, renew_automatically, renew_by_clause
from sla_manager.agreements.models import Acceptance, Agreement, AutomaticRenewal, Renewal, RenewalNotice
from sla_manager.agreements.reminding import remind_now, remind_of_seasons
from sla_manager.agreements.rules.renewing import NoticeTooLate
from sla_manager.agreements.rules.seasons import Answer, Stage
from sla_manager.agreements.rules.statuses import AgreementStatus, Origin
from sla_manager.catalogue.models import Price
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.money import Money
from sla_manager.people.models import School
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from sla_manager.store.outbox import OutboxMessage
from tests import builders
from tests.rooms import selling
from tests.rooms.renewing import BY, PREPARED, a_season, last_year, noon

WHERE = "https://sla.example"


def mails(database: Database, prefix: str) -> list[tuple[str, str]]:
    with database.reading() as session:
        found = session.scalars(
            select(OutboxMessage).where(OutboxMessage.key.startswith(prefix)).order_by(OutboxMessage.id)
        )
        return [(one.recipient.split("@")[0], one.key.split(":", 2)[2]) for one in found]


def night(database: Database, *days: date) -> list[int]:
    return [remind_of_seasons(database, address=WHERE, at=as_at(day)) for day in days]


def a_staffed_school(session: Any, **more: Any) -> School:
    """Return an academy in a trust with everybody who is written to, and one who is not."""
    trust = builders.a_trust(session)
    school = builders.a_school(session, customer_class=CustomerClass.ACADEMY, trust=trust, **more)
    for role, name in (
        (Role.SCHOOL_BUSINESS_MANAGER, "Priya Marsh"),
        (Role.HEAD_TEACHER, "Owen Hale"),
        (Role.CHAIR_OF_GOVERNORS, "Ines Cole"),
    ):
        builders.a_person(session, role, school=school, name=name, email=f"{name.split()[0]}@school.example")
    builders.a_person(
        session, Role.TRUST_FINANCE_LEAD, trust=trust, name="Femi Obi", email="femi@trust.example"
    )
    left = builders.a_person(
        session, Role.HEAD_TEACHER, school=school, name="Gone", email="gone@school.example"
    )
    left.active = False
    return school


def a_waiting_renewal(database: Database) -> Renewal:
    with database.transaction() as session:
        last_year(session, a_staffed_school(session))
        season_id = a_season(session).id
    prepare_renewals(database, season_id, by=BY, at=PREPARED)
    with database.reading() as session:
        return session.scalars(select(Renewal)).one()


# --- reminders -----------------------------------------------------------------------------------------------------


def test_everybody_concerned_is_reminded_once_at_each_stage(database: Database) -> None:
    renewal = a_waiting_renewal(database)
    days = [date(2026, 1, 12) + timedelta(days=offset) for offset in range(90)]
    posted = night(database, *days)
    told = {day: count for day, count in zip(days, posted, strict=True) if count}
    assert told == {
        date(2026, 2, 2): 4,
        date(2026, 2, 27): 4,
        date(2026, 3, 10): 4,
        date(2026, 3, 14): 4,
    }
    found = mails(database, "renewal-reminder:")
    assert {who for who, _ in found} == {"priya", "owen", "ines", "femi"}
    assert len(found) == 16
    with database.reading() as session:
        reminders = select(OutboxMessage).where(OutboxMessage.key.startswith("renewal-reminder:"))
        first = session.scalars(reminders.order_by(OutboxMessage.id)).first()
        after = session.scalars(select(Renewal)).one()
    assert first is not None
    assert f"{WHERE}/school/900101/renewals/{renewal.id}" in first.body
    assert "£4,416.00" in first.body
    assert (after.reminded_stage, after.reminded_at) == (Stage.AFTER, noon(2026, 3, 14))


def test_b3_a_worker_that_was_down_sends_only_the_reminder_of_today(database: Database) -> None:
    a_waiting_renewal(database)
    assert night(database, date(2026, 3, 11), date(2026, 3, 12)) == [4, 0]
    assert {key.split(":")[0] for _, key in mails(database, "renewal-reminder:")} == {"before_3"}


def test_b3_long_after_the_due_date_nobody_is_reminded(database: Database) -> None:
    a_waiting_renewal(database)
    assert night(database, date(2026, 4, 2)) == [0]


def test_p11_nobody_is_reminded_of_what_is_answered_or_of_a_closed_season(database: Database) -> None:
    renewal = a_waiting_renewal(database)
    with database.transaction() as session:
        decline_renewal(
            session, renewal.id, school_id=renewal.school_id, reason="No", by=BY, at=noon(2026, 1, 20)
        )
    assert night(database, date(2026, 2, 2), date(2026, 3, 10)) == [0, 0]
    with database.transaction() as session:
        assert remind_now(session, renewal.season_id, address=WHERE, by=BY, at=noon(2026, 2, 3)) == 0


def test_reminded_by_hand_at_most_once_a_day_and_the_stages_go_on(database: Database) -> None:
    renewal = a_waiting_renewal(database)
    assert night(database, date(2026, 2, 2)) == [4]
    for day, expected in ((3, 4), (3, 0), (4, 4)):
        with database.transaction() as session:
            at = noon(2026, 2, day)
            assert remind_now(session, renewal.season_id, address=WHERE, by=BY, at=at) == expected
    assert night(database, date(2026, 2, 5), date(2026, 2, 27)) == [0, 4]


def test_a_school_where_nobody_has_a_role_is_written_to_at_its_office(database: Database) -> None:
    with database.transaction() as session:
        school = builders.a_school(session)
        builders.customer_of(session, school).email = "office@school.example"
        last_year(session, school)
        last_year(session, builders.a_school(session))
        season_id = a_season(session).id
    prepare_renewals(database, season_id, by=BY, at=PREPARED)
    assert night(database, date(2026, 2, 2), date(2026, 2, 3)) == [1, 0]
    assert mails(database, "renewal-reminder:") == [("office", "open:0")]


# --- notice and automatic renewal ----------------------------------------------------------------------------------


def renewing(database: Database, **more: Any) -> tuple[int, int]:
    """Return an agreement for 2025-26 that renews unless notice comes by 31 December 2025, and its school."""
    with database.transaction() as session:
        school = a_staffed_school(session)
        made = last_year(session, school, **({"renews": True, "notice_months": 3} | more))
        return made.id, school.id


def nights(database: Database, *days: date) -> list[Renewed]:
    return [renew_by_clause(database, address=WHERE, at=as_at(day)) for day in days]


def renewed_as(database: Database) -> Sequence[Agreement]:
    with database.reading() as session:
        return session.scalars(
            select(Agreement).where(Agreement.origin == Origin.RENEWAL).order_by(Agreement.id)
        ).all()


def test_school_and_service_are_warned_60_and_30_days_before_the_last_day_for_notice(
    database: Database,
) -> None:
    agreement_id, _ = renewing(database)
    days = [date(2025, 10, 1) + timedelta(days=offset) for offset in range(92)]
    told = {day: done.warned for day, done in zip(days, nights(database, *days), strict=True) if done.warned}
    assert told == {date(2025, 11, 1): 5, date(2025, 12, 1): 5}
    assert renewed_as(database) == []
    with database.reading() as session:
        mail = session.scalars(
            select(OutboxMessage).where(OutboxMessage.key.startswith(f"notice-warning:{agreement_id}:60"))
        ).first()
    assert mail is not None
    assert "notice by 31 December 2025" in mail.subject
    assert "renews until 31 March 2027" in mail.body


def test_b3_warnings_that_were_missed_are_not_made_up_for(database: Database) -> None:
    renewing(database)
    assert [done.warned for done in nights(database, date(2025, 12, 20), date(2025, 12, 31))] == [5, 0]
    assert {key.split(":")[0] for _, key in mails(database, "notice-warning:")} == {"30"}


def test_without_notice_the_next_year_is_ordered_with_the_evidence_of_the_clause(database: Database) -> None:
    agreement_id, _ = renewing(database)
    assert [done.renewed for done in nights(database, date(2025, 12, 31))] == [0]
    late = datetime(2026, 1, 1, 0, 0, tzinfo=UTC)
    assert renew_by_clause(database, address=WHERE, at=late).renewed == 1
    assert [done.renewed for done in nights(database, date(2026, 1, 2), date(2026, 1, 3))] == [0, 0]
    (further,) = renewed_as(database)
    assert (further.starts_on, further.ends_on) == (date(2026, 4, 1), date(2027, 3, 31))
    assert (further.status, further.net) == (AgreementStatus.ORDERED, Money(4416_00))
    assert (further.renews, further.notice_months) == (True, 3)
    with database.reading() as session:
        evidence = session.scalars(select(Acceptance).where(Acceptance.agreement_id == further.id)).one()
        first = session.get_one(Agreement, agreement_id)
        facts = session.scalars(select(AutomaticRenewal)).one()
    assert evidence.statement == (
        f"Renewed automatically under the renewal clause of {first.reference}. Test, School business manager, "
        "agreed to it on 1 April 2025. The last day for notice was 31 December 2025, and no notice was given."
    )
    assert facts.clause == evidence.statement
    with database.transaction() as session:
        assert accept_order(session, further.id, by=BY, at=noon(2026, 1, 5)).status is AgreementStatus.AGREED
    told = mails(database, "renewed-automatically:")
    assert {who for who, _ in told} == {"priya", "owen", "ines", "femi"}
    with pytest.raises(IntegrityError, match="append_only"), database.transaction() as session:
        session.execute(text("DELETE FROM automatic_renewal"))


def test_two_nights_at_once_renew_once(database: Database) -> None:
    agreement_id, _ = renewing(database)
    gate = threading.Barrier(2)

    def one(_: int) -> bool:
        gate.wait(20)
        with database.transaction() as session:
            return renew_automatically(session, agreement_id, at=noon(2026, 1, 1)) is not None

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(one, range(2))) == [False, True]
    assert len(renewed_as(database)) == 1


def test_notice_in_time_stops_it_and_notice_too_late_is_refused(database: Database) -> None:
    agreement_id, school_id = renewing(database)
    with database.transaction() as session:
        with pytest.raises(NotFound):
            give_notice(session, agreement_id, school_id=school_id + 1, by=BY, at=noon(2025, 12, 1))
        with pytest.raises(Refused, match="in the future"):
            give_notice(session, agreement_id, given_on=date(2025, 12, 3), by=BY, at=noon(2025, 12, 1))
        with pytest.raises(NoticeTooLate, match="was 31 December 2025, so it renews"):
            give_notice(session, agreement_id, by=BY, at=datetime(2026, 1, 1, 0, 0, tzinfo=UTC))
        midnight = datetime(2025, 12, 31, 23, 59, tzinfo=UTC)
        given = give_notice(session, agreement_id, school_id=school_id, reason="Budget", by=BY, at=midnight)
        assert give_notice(session, agreement_id, by=BY, at=noon(2026, 2, 1)).id == given.id
    assert [done.words for done in nights(database, date(2026, 1, 1))] == [
        "0 notice warnings, 0 agreements renewed by themselves"
    ]


def test_only_an_agreement_that_says_so_renews_by_itself(database: Database) -> None:
    agreement_id, _ = renewing(database, renews=False)
    assert nights(database, date(2025, 11, 1), date(2026, 1, 1)) == [Renewed(0, 0, ()), Renewed(0, 0, ())]
    with pytest.raises(DoesNotRenew), database.transaction() as session:
        give_notice(session, agreement_id, by=BY, at=noon(2025, 12, 1))


def test_an_agreement_that_was_ended_early_or_followed_by_another_does_not_renew(database: Database) -> None:
    agreement_id, school_id = renewing(database)
    with database.transaction() as session:
        school = session.get_one(School, school_id)
        own = selling.quote(
            session,
            BY,
            noon(2025, 12, 1),
            school=school,
            starts_on=date(2026, 4, 1),
            ends_on=date(2027, 3, 31),
        )
        selling.order(session, own, BY, noon(2025, 12, 1))
    assert nights(database, date(2025, 12, 2), date(2026, 1, 1)) == [Renewed(0, 0, ()), Renewed(0, 0, ())]
    with database.transaction() as session:
        session.get_one(Agreement, agreement_id).ends_early_on = date(2025, 12, 31)
    assert nights(database, date(2026, 1, 2)) == [Renewed(0, 0, ())]


def test_the_seasons_renewal_stands_in_and_ordering_by_clause_waits_for_no_window(database: Database) -> None:
    renewing(database)
    with database.transaction() as session:
        season_id = a_season(session).id
    prepare_renewals(database, season_id, by=BY, at=noon(2025, 12, 20))
    assert [done.renewed for done in nights(database, date(2026, 1, 1))] == [1]
    with database.reading() as session:
        renewal = session.scalars(select(Renewal)).one()
    assert renewal.answer is Answer.AUTOMATIC
    assert [one.id for one in renewed_as(database)] == [renewal.quote_id]


def test_declining_the_renewal_is_the_notice_that_stops_it(database: Database) -> None:
    agreement_id, school_id = renewing(database)
    with database.transaction() as session:
        season_id = a_season(session).id
    prepare_renewals(database, season_id, by=BY, at=noon(2025, 12, 20))
    with database.transaction() as session:
        renewal = session.scalars(select(Renewal)).one()
        decline_renewal(
            session, renewal.id, school_id=school_id, reason="Own officer", by=BY, at=noon(2025, 12, 21)
        )
        assert session.scalars(select(RenewalNotice.agreement_id)).all() == [agreement_id]
    assert [done.renewed for done in nights(database, date(2026, 1, 1))] == [0]


def test_declining_after_the_last_day_for_notice_is_refused(database: Database) -> None:
    _, school_id = renewing(database)
    with database.transaction() as session:
        season_id = a_season(session).id
    prepare_renewals(database, season_id, by=BY, at=PREPARED)
    with database.reading() as session:
        renewal_id = session.scalars(select(Renewal.id)).one()
    with pytest.raises(NoticeTooLate), database.transaction() as session:
        decline_renewal(
            session, renewal_id, school_id=school_id, reason="Too late", by=BY, at=noon(2026, 1, 20)
        )


def test_a_maintained_schools_buy_back_stays_within_three_years_when_it_goes_on_by_itself(
    database: Database,
) -> None:
    with database.transaction() as session:
        school = builders.a_school(session)
        first = last_year(
            session, school, starts_on=date(2023, 4, 1), ends_on=date(2024, 3, 31), at=as_at(date(2023, 4, 1)),
            renews=True, notice_months=3,
            offering=builders.an_offering(session, starts_on=date(2023, 4, 1)),
        )  # fmt: skip
        current = first.id
    for year in (2024, 2025):
        with database.transaction() as session:
            further = renew_automatically(session, current, at=noon(year, 1, 2))
            assert further is not None
            accept_order(session, further.id, by=BY, at=noon(year, 1, 5))
            current = further.id
    with (
        pytest.raises(CannotRenew, match=r"since 1 April 2023.*at most 3 years"),
        database.transaction() as session,
    ):
        renew_automatically(session, current, at=noon(2026, 1, 2))
    (done,) = nights(database, date(2026, 1, 2))
    assert (done.renewed, len(done.troubles)) == (0, 1)


def test_what_cannot_renew_is_said_and_stops_no_other(database: Database) -> None:
    with database.transaction() as session:
        gone = builders.an_offering(session, code="OLD", name="Old package")
        for school, offering in ((a_staffed_school(session), gone), (builders.a_school(session), None)):
            last_year(session, school, "2", offering=offering, renews=True, notice_months=3)
        for price in session.scalars(select(Price).where(Price.offering_id == gone.id)).all():
            price.ends_on = date(2026, 3, 31)
    (done,) = nights(database, date(2026, 1, 1))
    assert done.renewed == 1
    assert len(done.troubles) == 1
    assert "Old package" in done.troubles[0]


def test_who_orders_by_clause_is_nobody_of_the_school(database: Database) -> None:
    renewing(database)
    nights(database, date(2026, 1, 1))
    with database.reading() as session:
        evidence = session.scalars(select(Acceptance).order_by(Acceptance.id.desc())).first()
    assert evidence is not None
    assert (evidence.person_id, evidence.name) == (None, "Renewed automatically")
    assert Actor(None, "Renewed automatically").person_id is None
