"""Baskets: filled by several people at once, nothing lost, one quote of each."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sla_manager.agreements.commands.baskets import (
    change_basket,
    put_in_basket,
    quote_basket,
    take_out,
    usual_term,
)
from sla_manager.agreements.commands.quotes import Replaced
from sla_manager.agreements.commands.refilling import BasketInUse, fill_basket_from
from sla_manager.agreements.models import Agreement, Basket
from sla_manager.agreements.queries.baskets import basket_lines, open_basket, view_basket
from sla_manager.agreements.rules.baskets import BasketChanged, BasketLine, BasketQuoted, BasketWanted
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.catalogue.rules.families import CoreIsFree
from sla_manager.catalogue.rules.patterns import Every, VisitPattern
from sla_manager.catalogue.rules.quantities import QuantityRefused
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.periods import FinancialYear
from sla_manager.people.models import School
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.audit import Actor, AuditEntry
from sla_manager.store.database import Database
from tests import builders
from tests.rooms import selling

HER, HIM = Actor(None, "Ines Alder"), Actor(None, "Tom Birch")
TODAY = date(2025, 10, 14)


def world(session: Session) -> tuple[School, int, int]:
    """Return an academy, the service's key and a day's key."""
    builders.terms(session)
    school = builders.a_school(session, customer_class=CustomerClass.ACADEMY)
    return school, builders.a_service(session).id, builders.an_offering(session).id


def put(session: Session, at: datetime, quantity: str = "12", **more: object) -> Basket:
    school, service_id, offering_id = world_of(session)
    wanted: dict[str, object] = {
        "offering_id": offering_id,
        "quantity": Decimal(quantity),
        "by": HER,
        "at": at,
    }
    return put_in_basket(session, service_id=service_id, school_id=school.id, **(wanted | more))  # type: ignore[arg-type]  # a test's own words


def world_of(session: Session) -> tuple[School, int, int]:
    school = session.scalar(select(School))
    if school is None:
        return world(session)
    return school, builders.a_service(session).id, builders.an_offering(session).id


def wanted(basket: Basket, quantity: str = "12", **more: object) -> BasketWanted:
    line = BasketLine(offering_id=basket_lines(basket)[0].offering_id, quantity=Decimal(quantity))
    facts: dict[str, object] = {
        "lines": (line,),
        "starts_on": date(2025, 10, 14),
        "ends_on": date(2026, 3, 31),
        "schedule": Schedule.THREE,
        "purchase_order": "PO 77",
    }
    return BasketWanted(**(facts | more))  # type: ignore[arg-type]  # a test's own words


def test_what_is_put_in_twice_is_more_of_it_and_a_second_press_is_none(
    database: Database, at: datetime
) -> None:
    with database.transaction() as session:
        put(session, at, "6", once_key="first")
        put(session, at, "6", once_key="first")
        basket = put(session, at, "4.5", once_key="second")
        assert [str(one.quantity) for one in basket_lines(basket)] == ["10.5"]
        assert (basket.starts_on, basket.ends_on) == (TODAY, date(2026, 3, 31))
        assert usual_term(date(2026, 3, 31), start_month=4) == (date(2026, 3, 31), date(2026, 3, 31))


def test_what_cannot_be_bought_does_not_go_in(database: Database, at: datetime) -> None:
    with database.transaction() as session:
        school, service_id, _ = world(session)
        core = builders.a_core_offering(session).id
        with pytest.raises(CoreIsFree):
            put(session, at, offering_id=core)
        with pytest.raises(QuantityRefused, match="half days"):
            put(session, at, "1.3")
        other = builders.a_service(session, "psychology")
        foreign = builders.an_offering(session, code="X", service=other).id
        with pytest.raises(NotFound):
            put(session, at, offering_id=foreign)
        assert open_basket(session, service_id=service_id, school_id=school.id) is None or not basket_lines(
            open_basket(session, service_id=service_id, school_id=school.id)  # type: ignore[arg-type]  # it is there
        )


def test_n11_the_second_of_two_people_is_told_and_nothing_is_lost(database: Database, at: datetime) -> None:
    with database.transaction() as session:
        basket = put(session, at)
        read = basket.version
    with database.transaction() as session:
        change_basket(
            session,
            basket.id,
            school_id=basket.school_id,
            version=read,
            wanted=wanted(basket, "20"),
            by=HIM,
            at=at,
        )
    with (
        pytest.raises(BasketChanged, match="Tom Birch changed this basket") as told,
        database.transaction() as session,
    ):
        change_basket(
            session,
            basket.id,
            school_id=basket.school_id,
            version=read,
            wanted=wanted(basket, "21"),
            by=HER,
            at=at,
        )
    with database.transaction() as session:
        kept = session.get_one(Basket, basket.id)
        assert [str(one.quantity) for one in basket_lines(kept)] == ["20"]
        saved = change_basket(
            session,
            basket.id,
            school_id=basket.school_id,
            version=told.value.version,
            wanted=wanted(basket, "21"),
            by=HER,
            at=at,
        )
        assert [str(one.quantity) for one in basket_lines(saved)] == ["21"]
        trail = select(AuditEntry.details).where(AuditEntry.action == "change_basket").order_by(AuditEntry.id)
        assert [row["lines"][0]["quantity"] for row in session.scalars(trail)] == ["20", "21"]


def test_n11_two_people_saving_at_once_one_is_told(database: Database, at: datetime) -> None:
    with database.transaction() as session:
        basket = put(session, at)
    gate = threading.Barrier(2)

    def save(quantity: str) -> str:
        gate.wait(10)
        try:
            with database.transaction() as session:
                change_basket(
                    session,
                    basket.id,
                    school_id=basket.school_id,
                    version=basket.version,
                    wanted=wanted(basket, quantity),
                    by=HER,
                    at=at,
                )
        except BasketChanged:
            return "told"
        return quantity

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(save, ("20", "21")))
    assert outcomes.count("told") == 1
    with database.reading() as session:
        kept = basket_lines(session.get_one(Basket, basket.id))
    assert [str(one.quantity) for one in kept] == [one for one in outcomes if one != "told"]


def test_one_basket_is_open_for_a_school_and_a_service(database: Database, at: datetime) -> None:
    with database.transaction() as session:
        basket = put(session, at)
    facts = {column.name: getattr(basket, column.name) for column in Basket.__table__.columns}
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.add(Basket(**(facts | {"id": None})))


def test_c1_a_basket_becomes_one_quote_however_often_it_is_pressed(database: Database, at: datetime) -> None:
    with database.transaction() as session:
        basket = put(session, at)
    gate = threading.Barrier(2)

    def press(_: int) -> int:
        gate.wait(10)
        with database.transaction() as session:
            return quote_basket(
                session, basket.id, school_id=basket.school_id, version=basket.version, by=HER, at=at
            ).id

    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(press, range(2)))) == 1
    with database.transaction() as session:
        assert session.scalar(select(func.count(Agreement.id))) == 1
        with pytest.raises(BasketQuoted, match="EWS-Q"):
            take_out(
                session,
                basket.id,
                basket_lines(basket)[0].offering_id,
                school_id=basket.school_id,
                version=basket.version,
                by=HIM,
                at=at,
            )


def test_a_foreign_basket_is_not_there(database: Database, at: datetime) -> None:
    with database.transaction() as session:
        basket = put(session, at)
        other = builders.a_school(session)
        with pytest.raises(NotFound):
            quote_basket(session, basket.id, school_id=other.id, version=basket.version, by=HER, at=at)
        with pytest.raises(NotFound):
            take_out(session, basket.id, 1, school_id=other.id, version=basket.version, by=HER, at=at)


def test_an_empty_basket_is_no_quote(database: Database, at: datetime) -> None:
    with database.transaction() as session:
        basket = put(session, at)
        offering_id = basket_lines(basket)[0].offering_id
        empty = take_out(
            session,
            basket.id,
            offering_id,
            school_id=basket.school_id,
            version=basket.version,
            by=HER,
            at=at,
        )
        with pytest.raises(Refused, match="at least one thing"):
            quote_basket(session, basket.id, school_id=basket.school_id, version=empty.version, by=HER, at=at)


def test_a_changed_quote_comes_back_as_it_was_asked_and_the_new_one_replaces_it(
    database: Database, at: datetime
) -> None:
    pattern = VisitPattern(Every.WEEK, Decimal("3.7"), 20)
    with database.transaction() as session:
        school, service_id, offering_id = world(session)
        basket = put(session, at, "12", pattern=pattern)
        first = quote_basket(session, basket.id, school_id=school.id, version=basket.version, by=HER, at=at)
        again = fill_basket_from(session, first.id, school_id=school.id, by=HIM, at=at)
        assert basket_lines(again)[0].pattern == pattern
        changed = change_basket(
            session,
            again.id,
            school_id=school.id,
            version=again.version,
            wanted=wanted(again, "9"),
            by=HIM,
            at=at,
        )
        second = quote_basket(session, again.id, school_id=school.id, version=changed.version, by=HIM, at=at)
        assert second.replaces_id == first.id
        assert session.get_one(Agreement, first.id).status is AgreementStatus.SUPERSEDED
        with pytest.raises(Refused, match="was replaced by"):
            fill_basket_from(session, first.id, school_id=school.id, by=HER, at=at)
        put(session, at, "1")
        with pytest.raises(BasketInUse, match="Ines Alder"):
            fill_basket_from(session, second.id, school_id=school.id, by=HER, at=at)
        assert open_basket(session, service_id=service_id, school_id=school.id) is not None
        assert offering_id == basket_lines(changed)[0].offering_id


def test_c2_a_quote_replaced_meanwhile_is_named_when_its_basket_is_quoted(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        first = selling.quote(session, by, at)
        basket = fill_basket_from(session, first.id, school_id=first.school_id, by=HER, at=at)
        second = selling.quote(
            session, by, at, school=session.get_one(School, first.school_id), replaces_id=first.id
        )
        with pytest.raises(Replaced, match=second.reference):
            quote_basket(session, basket.id, school_id=first.school_id, version=basket.version, by=HER, at=at)


def test_a_basket_s_figures_are_those_of_the_quote_it_becomes(database: Database, at: datetime) -> None:
    with database.transaction() as session:
        school, service_id, _ = world(session)
        basket = put(session, at)
        basket = change_basket(
            session,
            basket.id,
            school_id=school.id,
            version=basket.version,
            wanted=wanted(basket),
            by=HER,
            at=at,
        )
        seen = view_basket(
            session,
            school=school,
            service_id=service_id,
            lines=basket_lines(basket),
            starts_on=basket.starts_on,
            ends_on=basket.ends_on,
            schedule=basket.schedule,
            paid_from=basket.paid_from,
            today=TODAY,
        )
        assert [str(one) for one in (seen.net, seen.vat, seen.gross)] == ["4416.00", "883.20", "5299.20"]
        quote = quote_basket(session, basket.id, school_id=school.id, version=basket.version, by=HER, at=at)
        assert (quote.net, quote.vat, quote.gross) == (seen.net, seen.vat, seen.gross)
        assert [line.explanation for line in seen.priced_lines(basket_lines(basket)[0].offering_id)] == [
            line.explanation for line in quote.lines
        ]


def test_a_line_that_is_refused_is_named_and_the_others_stay(database: Database, at: datetime) -> None:
    with database.transaction() as session:
        school, service_id, offering_id = world(session)
        none = builders.an_offering(session, None, code="NO-PRICE", name="Training day").id
        lines = [
            BasketLine(offering_id=offering_id, quantity=Decimal(2)),
            BasketLine(offering_id=none, quantity=Decimal(1)),
        ]
        seen = view_basket(
            session,
            school=school,
            service_id=service_id,
            lines=lines,
            starts_on=TODAY,
            ends_on=date(2026, 3, 31),
            schedule=Schedule.SINGLE,
            paid_from="budget",
            today=TODAY,
        )
        assert seen.refused_offering_id == none
        assert seen.refusal is not None
        assert len(seen.lines) == 2


def test_a_split_by_years_is_kept_and_quoted(database: Database, at: datetime) -> None:
    with database.transaction() as session:
        school, _, offering_id = world(session)
        basket = put(session, at)
        split = {FinancialYear(2025): Decimal(7), FinancialYear(2026): Decimal(5)}
        line = BasketLine(offering_id=offering_id, quantity=Decimal(12), year_split=split)
        saved = change_basket(
            session,
            basket.id,
            school_id=school.id,
            version=basket.version,
            wanted=wanted(basket, lines=(line,), ends_on=date(2026, 8, 31), schedule=Schedule.SEVEN_FIVE),
            by=HER,
            at=at,
        )
        assert basket_lines(saved) == (line,)
        quote = quote_basket(session, saved.id, school_id=school.id, version=saved.version, by=HER, at=at)
        assert [row["quantity"] for row in quote.lines[0].year_shares] == ["7", "5"]
