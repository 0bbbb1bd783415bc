"""Orders: one however often it is clicked, with evidence; accepted, they become time, money and a signed text."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from sla_manager.agreements.commands import (
    accept_order,
    decline_order,
    end_agreement,
    withdraw_quote,
)
from sla_manager.agreements.commands.orders import OverTheLimit, QuoteIsOver, TextChanged
from sla_manager.agreements.commands.quotes import Replaced
from sla_manager.agreements.models import Acceptance, Agreement
from sla_manager.agreements.queries import (
    acceptance_of,
    agreement,
    balances,
    frozen_sha256,
    instalments,
    quoted_documents,
    versions,
)
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.statuses import MOVES, AgreementStatus
from sla_manager.kernel.errors import Forbidden, Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money, total
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from sla_manager.store.outbox import OutboxMessage
from tests.builders import a_person, a_school, an_offering, customer_of
from tests.rooms.selling import acting, agreed, manager_of, order, quote, tranches


def test_c1_accept_clicked_twice_is_one_order_and_one_mail(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        quoted = quote(session, by, at)
    for minutes in (0, 1):
        with database.transaction() as session:
            made = order(session, quoted, by, at + timedelta(minutes=minutes))
            assert made.status is AgreementStatus.ORDERED
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Acceptance)) == 1
        mails = session.scalars(select(OutboxMessage.key)).all()
        assert mails == [f"order:{quoted.id}"]
        accepted = acceptance_of(session, quoted.id)
        assert accepted is not None
        assert accepted.accepted_at == at


def test_c1_accept_in_several_tabs_at_once_is_one_order(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        quoted = quote(session, by, at)

    def click(_tab: int) -> str:
        with database.transaction() as session:
            return order(session, quoted, by, at).status.value

    with ThreadPoolExecutor(6) as tabs:
        assert set(tabs.map(click, range(6))) == {"ordered"}
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Acceptance)) == 1
        assert session.scalar(select(func.count()).select_from(OutboxMessage)) == 1


def test_c1_control_without_the_lock_the_database_still_keeps_one_acceptance(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        quoted = quote(session, by, at)
        order(session, quoted, by, at)
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO acceptance (agreement_id, name, role, statement, accepted_at, address, document_sha256) "
                "SELECT agreement_id, 'Second tab', role, statement, accepted_at, address, document_sha256 "
                "FROM acceptance"
            )
        )


def test_c2_an_order_after_the_quotes_last_day_is_refused_naming_the_day(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        quoted = quote(session, by, at)
    last_minute = datetime(2025, 11, 13, 23, 59, tzinfo=UTC)
    with pytest.raises(QuoteIsOver, match="13 November 2025"), database.transaction() as session:
        order(session, quoted, by, last_minute + timedelta(minutes=1))
    with database.transaction() as session:
        assert order(session, quoted, by, last_minute).status is AgreementStatus.ORDERED


def test_c2_an_order_of_a_replaced_quote_is_refused_naming_the_newer(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        school = a_school(session, customer_class=CustomerClass.ACADEMY)
        old = quote(session, by, at, school=school)
        new = quote(session, by, at, school=school, replaces_id=old.id)
        with pytest.raises(Replaced, match=new.reference):
            order(session, old, by, at)
        assert acceptance_of(session, old.id) is None


def test_c3_the_evidence_names_who_as_what_when_from_where_and_which_text(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        school = a_school(session, customer_class=CustomerClass.ACADEMY)
        person = manager_of(session, school, name="Jo Bell")
        quoted = quote(session, by, at, school=school)
        order(session, quoted, acting(person), at)
        found = acceptance_of(session, quoted.id)
        assert found is not None
        assert (found.name, found.role, found.accepted_at, found.address, found.person_id) == (
            "Jo Bell", "School business manager", at, "203.0.113.7", person.id,
        )  # fmt: skip
        assert found.document_sha256 == frozen_sha256(session, quoted.id)


def test_c3_another_text_than_the_frozen_one_is_refused(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        quoted = quote(session, by, at)
        with pytest.raises(TextChanged) as refused:
            order(session, quoted, by, at, document_sha256="0" * 64)
        assert refused.value.status == 409
        assert agreement(session, quoted.id).status is AgreementStatus.QUOTED


@pytest.mark.parametrize(
    "change",
    [
        "net = net + 1, gross = gross + 1",
        "ends_on = '2026-12-31'",
        "customer_class = 'other'",
        "reference = 'X'",
        "schedule = 'single'",
    ],
)
def test_c3_nothing_that_was_quoted_can_be_changed_by_hand(
    database: Database, by: Actor, at: datetime, change: str
) -> None:
    with database.transaction() as session:
        quoted = quote(session, by, at)
    with pytest.raises(IntegrityError, match="agreement_is_signed"), database.transaction() as session:
        session.execute(text(f"UPDATE agreement SET {change} WHERE id = {quoted.id}"))  # noqa: S608


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE agreement_line SET unit_price = 1",
        "DELETE FROM agreement_line",
        "UPDATE agreement_version SET sha256 = 'x'",
        "DELETE FROM agreement_version",
        "UPDATE acceptance SET name = 'x'",
        "UPDATE tranche SET quantity = 1",
        "DELETE FROM ledger_entry",
        "UPDATE instalment SET net = 1",
        "DELETE FROM instalment_part",
        "DELETE FROM agreement",
    ],
)
def test_c3_what_was_signed_is_never_changed(
    database: Database, by: Actor, at: datetime, statement: str
) -> None:
    with database.transaction() as session:
        agreed(session, by, at)
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.execute(text(statement))


def test_an_order_above_the_limit_names_who_may_order(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        school = a_school(session, customer_class=CustomerClass.ACADEMY)
        assistant = manager_of(session, school, name="Sam Lee", order_limit=Money(4415_99))
        a_person(session, Role.HEAD_TEACHER, school=school, name="Ana Ruiz")
        quoted = quote(session, by, at, school=school)
        with pytest.raises(OverTheLimit, match=r"£4,416.00 net and your limit is £4,415.99. Ask Ana Ruiz"):
            order(session, quoted, acting(assistant), at)
        stranger = a_person(session, Role.HEAD_TEACHER, school=a_school(session), name="Kit Moss")
        with pytest.raises(Forbidden):
            order(session, quoted, acting(stranger), at)


def test_an_order_at_the_limit_is_placed(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        school = a_school(session, customer_class=CustomerClass.ACADEMY)
        person = manager_of(session, school, order_limit=Money(4416_00))
        quoted = quote(session, by, at, school=school)
        assert order(session, quoted, acting(person), at).status is AgreementStatus.ORDERED


def test_a_school_that_asks_for_a_purchase_order_number_must_give_it(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        school = a_school(session, customer_class=CustomerClass.ACADEMY)
        customer_of(session, school).purchase_order_required = True
        quoted = quote(session, by, at, school=school)
        with pytest.raises(Refused, match="purchase order"):
            order(session, quoted, by, at)
        assert order(session, quoted, by, at, purchase_order=" BLT  17 ").purchase_order == "BLT 17"


def test_an_accepted_order_becomes_time_money_and_a_signed_text(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        school = a_school(session, customer_class=CustomerClass.ACADEMY)
        person = manager_of(session, school, email="jo.bell@brightwater.example")
        quoted = quote(
            session,
            by,
            at,
            school=school,
            quantity="20",
            starts_on=date(2025, 9, 1),
            ends_on=date(2026, 8, 31),
        )
        promised = quoted_documents(session, quoted)
        order(session, quoted, acting(person), at)
        made = accept_order(session, quoted.id, by=by, at=at)
        assert (made.status, made.reference) == (AgreementStatus.AGREED, "EWS-SLA/25-26/000001")
        cut = [(one.year, str(one.net), one.minutes) for one in tranches(session, made)]
        assert cut == [(2025, "4232.00", Minutes(5106)), (2026, "3128.00", Minutes(3774))]
        assert [one.balance for one in balances(session, agreement_id=made.id)] == [
            Minutes(5106),
            Minutes(3774),
        ]
        due = instalments(session, made.id)
        assert (
            total(one.net for one in due) == made.net == total(part.net for one in due for part in one.parts)
        )
        arranged = quoted_documents(session, made)
        assert [(one.due_on, one.gross) for one in arranged] == [(one.due_on, one.gross) for one in promised]
        assert [one.kind for one in versions(session, made.id)] == ["quote", "agreement"]
        told = session.scalars(select(OutboxMessage).where(OutboxMessage.key == f"agreed:{made.id}")).one()
        assert told.recipient == "jo.bell@brightwater.example"


def test_accepting_twice_changes_nothing(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        made = agreed(session, by, at)
        again = accept_order(session, made.id, by=by, at=at)
        assert again.reference == made.reference
        assert len(tranches(session, made)) == 1


def test_billed_on_delivery_there_are_no_documents_beforehand(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        made = agreed(session, by, at, schedule=Schedule.ON_DELIVERY)
        assert quoted_documents(session, made) == []
        assert instalments(session, made.id) == []
        assert (str(made.net), str(made.vat)) == ("4416.00", "883.20")


def test_a_declined_order_says_why_and_leaves_no_time(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        quoted = quote(session, by, at)
        order(session, quoted, by, at)
        with pytest.raises(Refused, match="Say why"):
            decline_order(session, quoted.id, reason="  ", by=by, at=at)
        made = decline_order(session, quoted.id, reason="No officer is free.", by=by, at=at)
        assert (made.status, made.status_reason) == (AgreementStatus.DECLINED, "No officer is free.")
        assert tranches(session, made) == []


def test_an_agreement_ends_after_its_last_day(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        made = agreed(session, by, at)
        with pytest.raises(Refused, match="31 March 2026"):
            end_agreement(session, made.id, by=by, at=datetime(2026, 3, 31, 12, tzinfo=UTC))
        ended = end_agreement(session, made.id, by=by, at=datetime(2026, 4, 1, 12, tzinfo=UTC))
        assert ended.status is AgreementStatus.ENDED


def test_what_is_not_waiting_cannot_be_ordered(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        quoted = quote(session, by, at)
        withdraw_quote(session, quoted.id, by=by, at=at)
        with pytest.raises(Refused, match="already withdrawn"):
            order(session, quoted, by, at)


def test_the_databases_moves_are_exactly_the_table(database: Database, by: Actor, at: datetime) -> None:
    """Every pair of statuses is tried by SQL: the trigger and `rules.statuses.MOVES` are the same table."""
    with database.transaction() as session:
        quoted = quote(session, by, at)
    allowed, reasons = set(), set()
    with database.engine.connect() as connection:
        for current, wanted in product(AgreementStatus, AgreementStatus):
            if current is wanted:
                continue
            transaction = connection.begin()
            try:
                _set_status_by_force(connection, database, quoted.id, current)
                connection.execute(
                    text("UPDATE agreement SET status = :wanted WHERE id = :id"),
                    {"wanted": wanted.value, "id": quoted.id},
                )
                allowed.add((current, wanted))
            except IntegrityError as error:
                reasons.add("agreement_move_not_allowed" in str(error))
            finally:
                transaction.rollback()
    assert allowed == MOVES
    assert reasons == {True}


def _set_status_by_force(
    connection: object, database: Database, agreement_id: int, status: AgreementStatus
) -> None:
    """Put a status there with the trigger out of the way, inside a transaction that is rolled back."""
    run = connection.execute  # type: ignore[attr-defined]
    if database.is_sqlite:
        kept = run(text("SELECT sql FROM sqlite_master WHERE name = 'agreement_moves'")).scalar_one()
        run(text("DROP TRIGGER agreement_moves"))
    else:
        run(text("ALTER TABLE agreement DISABLE TRIGGER agreement_moves"))
    run(
        text("UPDATE agreement SET status = :status WHERE id = :id"),
        {"status": status.value, "id": agreement_id},
    )
    if database.is_sqlite:
        run(text(kept))
    else:
        run(text("ALTER TABLE agreement ENABLE TRIGGER agreement_moves"))


def test_a_list_asks_as_few_questions_for_many_as_for_one(
    database: Database, by: Actor, at: datetime
) -> None:
    from sla_manager.agreements.queries import agreements_page, school_agreements
    from tests.rooms.counting import queries

    with database.transaction() as session:
        school = a_school(session, customer_class=CustomerClass.ACADEMY)
        first = agreed(session, by, at, school=school)
        an_offering(session)
    counts = []
    for _ in range(2):
        with database.reading() as session, queries(database) as count:
            agreements_page(session, service_id=first.service_id)
            school_agreements(session, school.id)
            balances(session, school_id=school.id)
        counts.append(count.number)
        with database.transaction() as session:
            for _more in range(8):
                agreed(session, by, at, school=school)
    assert counts[0] == counts[1] <= 4
    with database.reading() as session:
        page = agreements_page(session, service_id=first.service_id, size=5)
        rest = agreements_page(session, service_id=first.service_id, size=50, before=page[4].id)
        assert len(page) == 6
        assert [one.id for one in page[:5]] + [one.id for one in rest] == sorted(
            session.scalars(select(Agreement.id)), reverse=True
        )
