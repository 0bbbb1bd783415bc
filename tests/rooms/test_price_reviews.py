"""A price review: what was seen is what is done, agreements keep their price, nothing begins in the past."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from sla_manager.agreements.queries import agreement as whole_agreement
from sla_manager.catalogue.commands import set_price
from sla_manager.catalogue.commands.offerings import CodeIsTaken, NewOffering, add_offering
from sla_manager.catalogue.commands.reviews import (
    ListHasChanged,
    PriceInThePast,
    Review,
    apply_review,
    preview_review,
)
from sla_manager.catalogue.queries import price_of
from sla_manager.catalogue.rules.families import CoreIsFree, Family
from sla_manager.catalogue.rules.preset_shapes import Unit
from sla_manager.catalogue.rules.reviews import ReviewOutOfBounds, Rounding, read_percentage, reviewed
from sla_manager.catalogue.rules.shapes import PriceShape
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.money import Money
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from tests.builders import a_service, an_offering
from tests.rooms.selling import agreed

APRIL = date(2026, 4, 1)
MORE = Review(basis_points=420, rounding=Rounding.PENNY, starts_on=APRIL)


@given(st.integers(0, 10**9), st.integers(-5_000, 10_000), st.sampled_from(Rounding))
def test_a_reviewed_price_is_on_the_step_and_within_half_of_it(
    pence: int, basis_points: int, rounding: Rounding
) -> None:
    new = reviewed(Money(pence), basis_points, rounding).pence
    assert new % rounding.pence == 0
    assert abs(2 * (new * 10_000 - pence * (10_000 + basis_points))) <= rounding.pence * 10_000


@pytest.mark.parametrize("text", ["", "4.225", "four", "1e3", "101", "-50.01"])
def test_a_percentage_that_no_review_has_is_refused(text: str) -> None:
    with pytest.raises((Refused, ReviewOutOfBounds)):
        read_percentage(text)


def test_c7_a_review_makes_new_versions_and_agreements_keep_their_price(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        day = an_offering(session)
        signed = agreed(session, by, at)
        seen = preview_review(session, day.service_id, MORE)
        assert {str(row.new) for row in seen.changing} == {"383.46"}
        made = apply_review(session, day.service_id, MORE, expected_sha256=seen.sha256, by=by, at=at)
        assert len(made) == len(CustomerClass)
        before = price_of(session, day.id, CustomerClass.ACADEMY, date(2026, 3, 31))
        after = price_of(session, day.id, CustomerClass.ACADEMY, APRIL)
        assert (str(before.unit_price), str(after.unit_price)) == ("368.00", "383.46")
        assert [str(line.unit_price) for line in whole_agreement(session, signed.id).lines] == ["368.00"]


def test_a_review_done_twice_changes_nothing_the_second_time(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        day = an_offering(session)
        seen = preview_review(session, day.service_id, MORE)
        apply_review(session, day.service_id, MORE, expected_sha256=seen.sha256, by=by, at=at)
    with database.transaction() as session:
        assert not apply_review(session, day.service_id, MORE, expected_sha256=seen.sha256, by=by, at=at)
        again = preview_review(session, day.service_id, MORE)
        assert {row.standing for row in again.rows} == {"It is set already, from 1 April 2026."}


def test_what_was_not_seen_is_not_done(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        day = an_offering(session)
        seen = preview_review(session, day.service_id, MORE)
        _set(session, day.id, Money(400_00), date(2026, 1, 1), by, at)
        with pytest.raises(ListHasChanged):
            apply_review(session, day.service_id, MORE, expected_sha256=seen.sha256, by=by, at=at)


def test_a_price_that_is_set_already_stands(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        day = an_offering(session)
        _set(session, day.id, Money(400_00), date(2026, 9, 1), by, at)
        seen = preview_review(session, day.service_id, MORE)
        standing = {row.customer_class: row.standing for row in seen.rows if row.standing}
        assert standing == {CustomerClass.ACADEMY: "Another price is set already, from 1 September 2026."}


def test_every_amount_of_a_shape_is_reviewed(database: Database, by: Actor, at: datetime) -> None:
    terms = {
        "tiers": [["1", "565.00"], ["4", "500.00"], ["11", "475.00"], ["21", "432.00"]],
        "top_up": "original",
    }
    with database.transaction() as session:
        audit = an_offering(
            session, None, code="AUDIT", unit="audit", unit_minutes=None, step="1", minimum="1"
        )
        set_price(
            session, audit.id, CustomerClass.ACADEMY, unit_price=Money(565_00), shape=PriceShape.TIERS,
            terms=terms, starts_on=date(2025, 4, 1), by=by, at=at,
        )  # fmt: skip
        pounds = Review(basis_points=420, rounding=Rounding.POUND, starts_on=APRIL)
        seen = preview_review(session, audit.service_id, pounds)
        apply_review(session, audit.service_id, pounds, expected_sha256=seen.sha256, by=by, at=at)
        new = price_of(session, audit.id, CustomerClass.ACADEMY, APRIL)
        assert new.terms["tiers"] == [["1", "589.00"], ["4", "521.00"], ["11", "495.00"], ["21", "450.00"]]
        assert new.terms["top_up"] == "original"


def test_prices_in_the_past_are_refused(database: Database, by: Actor, at: datetime) -> None:
    past = Review(basis_points=420, rounding=Rounding.PENNY, starts_on=date(2025, 10, 13))
    with database.transaction() as session:
        day = an_offering(session)
        seen = preview_review(session, day.service_id, past)
        with pytest.raises(PriceInThePast, match="13 October 2025 is in the past"):
            apply_review(session, day.service_id, past, expected_sha256=seen.sha256, by=by, at=at)


def test_something_new_can_be_sold_but_never_core(database: Database, by: Actor, at: datetime) -> None:
    new = NewOffering(code="late gate", name="Late gate", family=Family.CASEWORK, unit=Unit.SESSION)
    with database.transaction() as session:
        service = a_service(session)
        assert add_offering(session, service.id, new, by=by, at=at).code == "LATE-GATE"
        with pytest.raises(CodeIsTaken):
            add_offering(session, service.id, new, by=by, at=at)
        core = NewOffering(code="tsm", name="Meeting", family=Family.CORE, unit=Unit.SESSION)
        with pytest.raises(CoreIsFree):
            add_offering(session, service.id, core, by=by, at=at)


def _set(session: Session, offering_id: int, price: Money, starts_on: date, by: Actor, at: datetime) -> None:
    set_price(
        session, offering_id, CustomerClass.ACADEMY, unit_price=price, starts_on=starts_on, by=by, at=at
    )
