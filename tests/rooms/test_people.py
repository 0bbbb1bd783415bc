"""People and places on both databases: roles in their place, the last administrator, the council's one row."""

from __future__ import annotations

import threading
from datetime import date, datetime

import pytest
from sqlalchemy import func, select

from sla_manager.gateways.passwords import hash_password, is_password
from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.people.commands import (
    add_officer,
    add_person,
    add_service,
    add_term,
    change_order_limit,
    change_provider,
    change_working_pattern,
    create_provider,
    deactivate_person,
    end_role,
    grant_role,
)
from sla_manager.people.commands.persons import EmailTaken, LastAdministrator
from sla_manager.people.models import Membership, Officer, Person, Provider
from sla_manager.people.queries import one_service, person_by_email, the_provider, working_pattern
from sla_manager.people.rules.roles import Role
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from sla_manager.visits.commands.closures import add_closure
from tests import builders


def test_a_council_is_set_up_once(database: Database, by: Actor, at: datetime) -> None:
    with database.reading() as session, pytest.raises(Refused, match="There is no council yet"):
        the_provider(session)
    with database.transaction() as session:
        create_provider(session, authority_code="203", name="Aldermere Council", by=by, at=at)
    with pytest.raises(Conflict), database.transaction() as session:
        create_provider(session, authority_code="204", name="Farmere Council", by=by, at=at)
    with database.reading() as session:
        assert session.scalars(select(Provider.name)).one() == "Aldermere Council"


def test_the_council_keeps_records_for_six_years_at_least(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        builders.council(session)
    with pytest.raises(Refused, match="between 6 and 25"), database.transaction() as session:
        change_provider(session, retention_years=5, by=by, at=at)


def test_one_service_is_found_without_its_code_and_two_are_not(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        first = builders.a_service(session)
        assert one_service(session).id == first.id
        add_service(session, code="advice", series="ADV", name="Advice", by=by, at=at)
        assert one_service(session, "Advice ").code == "advice"
        with pytest.raises(Refused, match="advice, ews"):
            one_service(session)
        with pytest.raises(NotFound):
            one_service(session, "none")


def test_a_password_is_kept_as_an_argon2_hash_and_any_keyboard_types_it() -> None:
    stored = hash_password("café wheelbarrow")
    assert stored.startswith("$argon2id$")
    assert is_password(stored, "cafe\u0301 wheelbarrow")
    assert not is_password(stored, "cafe wheelbarrow")
    assert not is_password(None, "anything at all")
    assert not is_password("no hash", "anything at all")


def test_an_address_belongs_to_one_person_however_it_is_written(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        person = add_person(session, name="Asha", email="Asha@Aldermere.example", password=None, by=by, at=at)
        assert person_by_email(session, " ASHA@aldermere.EXAMPLE") is person
    with pytest.raises(EmailTaken), database.transaction() as session:
        add_person(session, name="Other", email="asha@aldermere.example", password=None, by=by, at=at)


@pytest.mark.parametrize("role", list(Role))
def test_a_role_is_held_in_its_own_kind_of_place_only(
    database: Database, by: Actor, at: datetime, role: Role
) -> None:
    with database.transaction() as session:
        builders.a_person(session, Role.ADMINISTRATOR, name="Somebody Else")
        person = builders.a_person(session)
        places = {
            "school_id": builders.a_school(session).id,
            "trust_id": builders.a_trust(session).id,
            "service_id": builders.a_service(session).id,
        }
        right = f"{role.scope.value}_id"
        for name, key in places.items():
            if name != right:
                with pytest.raises(Refused):
                    grant_role(session, person.id, role, **{name: key}, by=by, at=at)
        place = {right: places[right]} if right in places else {}
        held = grant_role(session, person.id, role, **place, by=by, at=at)
        with pytest.raises(Refused, match="has that role there already"):
            grant_role(session, person.id, role, **place, by=by, at=at)
        assert person.session_version == 2
        end_role(session, held.id, by=by, at=at)
        assert person.session_version == 3
        of_hers = select(func.count(Membership.id)).where(Membership.person_id == person.id)
        assert session.scalar(of_hers) == 0


def test_an_order_limit_is_changed_and_not_below_nothing(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        person = builders.a_person(session, Role.HEAD_TEACHER)
        key = session.scalars(select(Membership.id).where(Membership.person_id == person.id)).one()
        change_order_limit(session, key, order_limit=Money(5_000_00), by=by, at=at)
        with pytest.raises(Refused, match=r"below £0\.00"):
            change_order_limit(session, key, order_limit=Money(-1), by=by, at=at)
        assert session.get_one(Membership, key).order_limit == Money(5_000_00)


def test_two_administrators_who_leave_at_once_leave_one(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        ids = [builders.a_person(session, Role.ADMINISTRATOR, name=f"Admin {n}").id for n in "AB"]
    together = threading.Barrier(2)
    refused: list[Exception] = []

    def leave(person_id: int) -> None:
        together.wait()
        try:
            with database.transaction() as session:
                deactivate_person(session, person_id, by=by, at=at)
        except LastAdministrator as error:
            refused.append(error)

    threads = [threading.Thread(target=leave, args=(person_id,)) for person_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    with database.reading() as session:
        assert session.scalar(select(func.count(Person.id)).where(Person.active.is_(True))) == 1


def test_a_leavers_calendar_feed_ends(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        person = builders.a_person(session, Role.OFFICER)
        officer = builders.an_officer(session, person=person)
        officer.feed_hash = "a-hash"
    with database.transaction() as session:
        deactivate_person(session, person.id, by=by, at=at)
    with database.reading() as session:
        assert session.get_one(Officer, officer.id).feed_hash is None


def test_a_working_pattern_is_checked_and_replaced(database: Database, by: Actor, at: datetime) -> None:
    nine, five = Minutes(540), Minutes(1020)
    with database.transaction() as session:
        service = builders.a_service(session)
        for pattern in ({}, {0: (five, nine)}, {7: (nine, five)}, {0: (nine, Minutes(1441))}):
            with pytest.raises(Refused):
                add_officer(
                    session, service.id, name="A", starts_on=date(2025, 4, 1), pattern=pattern, by=by, at=at
                )
        officer = builders.an_officer(session)
        change_working_pattern(session, officer.id, pattern={2: (nine, five)}, by=by, at=at)
        assert [(day.weekday, day.starts, day.ends) for day in working_pattern(session, officer.id)] == [
            (2, nine, five)
        ]


def test_terms_and_closures_do_not_overlap(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        builders.terms(session)
        school = builders.a_school(session)
        with pytest.raises(Refused, match="overlap Spring term 2026"):
            add_term(session, name="X", starts_on=date(2026, 3, 27), ends_on=date(2026, 4, 2), by=by, at=at)
        with pytest.raises(Refused, match="within the term"):
            add_term(
                session,
                name="X",
                starts_on=date(2026, 9, 1),
                ends_on=date(2026, 12, 18),
                half_term_starts_on=date(2026, 12, 18),
                half_term_ends_on=date(2026, 12, 19),
                by=by,
                at=at,
            )
        day = date(2026, 1, 5)
        add_closure(session, school.id, starts_on=day, ends_on=day, why="INSET day", by=by, at=at)
        with pytest.raises(Refused, match="already"):
            add_closure(session, school.id, starts_on=day, ends_on=date(2026, 1, 6), why="x", by=by, at=at)
