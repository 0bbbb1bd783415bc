"""What a school pays: every shape of a price, packages, discounts, promised prices, shares. Worked numbers exact."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sla_manager.agreements.commands import LineWanted, prepare_quote, vary_line
from sla_manager.agreements.commands.ledger import enter
from sla_manager.agreements.commands.orders import QuoteIsOver
from sla_manager.agreements.models import Agreement, Variation
from sla_manager.agreements.queries import latest_version, quoted_documents
from sla_manager.agreements.queries.assembling import NoSplit
from sla_manager.agreements.queries.pricing import price_lines
from sla_manager.agreements.queries.standing import shared_facts
from sla_manager.agreements.rules.ledger import EntryKind
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.sharing_lines import LineShare
from sla_manager.agreements.shares import read_shares
from sla_manager.billing.commands.crediting import lost_time_due
from sla_manager.billing.queries.dues import due_plan
from sla_manager.catalogue.commands import set_billing_rule, set_price
from sla_manager.catalogue.commands.bundles import (
    DiscountInThePast,
    PackageSold,
    add_discount,
    end_discount,
    freeze_prices,
    set_package,
)
from sla_manager.catalogue.commands.reviews import Review, apply_review, preview_review
from sla_manager.catalogue.models import Offering, PriceHold
from sla_manager.catalogue.rules.discounts import DiscountKind, DiscountRule
from sla_manager.catalogue.rules.families import CoreIsFree
from sla_manager.catalogue.rules.patterns import Every, VisitPattern
from sla_manager.catalogue.rules.reviews import Rounding
from sla_manager.catalogue.rules.shapes import (
    FigureMissing,
    PartYear,
    PriceShape,
    SchoolFigures,
)
from sla_manager.catalogue.rules.vat import EXEMPT_REASON, Route, VatCode
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes, total_minutes
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.references import canonical_json
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.audit import Actor
from sla_manager.store.constraints import explain
from sla_manager.store.database import Database
from tests.builders import a_core_offering, a_school, a_service, an_offering, terms
from tests.rooms import selling
from tests.rooms.counting import queries

TIERS = {
    "tiers": [["1", "565.00"], ["4", "500.00"], ["11", "475.00"], ["21", "432.00"]],
    "top_up": "original",
}
NO_FIGURES = SchoolFigures()


def shaped(
    session: Session, shape: PriceShape, price_terms: dict[str, Any], by: Actor, at: datetime, **more: Any
) -> Offering:
    """Return an offering whose price for academies has a shape."""
    wanted = {"code": shape.value, "unit": "audit", "unit_minutes": None, "step": "1", "minimum": "1"} | more
    offering = an_offering(session, None, **wanted)
    set_price(
        session, offering.id, CustomerClass.ACADEMY, unit_price=Money(565_00), shape=shape, terms=price_terms,
        starts_on=date(2024, 4, 1), by=by, at=at,
    )  # fmt: skip
    return offering


def nets(agreement: Agreement) -> list[str]:
    return [str(line.net) for line in agreement.lines]


def test_twenty_are_told_that_twenty_one_cost_less(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        audit = shaped(session, PriceShape.TIERS, TIERS, by, at)
        school = a_school(session, customer_class=CustomerClass.ACADEMY)
        priced = price_lines(
            session, school=school, service_id=audit.service_id, starts_on=date(2025, 10, 14),
            ends_on=date(2026, 3, 31), lines=[LineWanted(audit.id, Decimal(20))], today=date(2025, 10, 14),
        )  # fmt: skip
        assert str(priced.net) == "9500.00"
        assert "21 audits cost £9,072.00: that is £428.00 less than 20." in priced.hints[0]


@pytest.mark.parametrize(("policy", "net"), [(PartYear.MONTHS, "293.98"), (PartYear.FULL, "705.54")])
def test_a_base_and_pupils_for_a_part_of_the_year(
    database: Database, by: Actor, at: datetime, policy: PartYear, net: str
) -> None:
    with database.transaction() as session:
        yearly = shaped(
            session,
            PriceShape.PER_PUPIL,
            {"base": "466.14", "each": "1.14"},
            by,
            at,
            unit="year",
            part_year=policy,
        )
        school = a_school(session, customer_class=CustomerClass.ACADEMY, pupils=210)
        quoted = selling.quote(
            session, by, at, school=school, offering=yearly, quantity="1", starts_on=date(2025, 11, 1),
            schedule=Schedule.SINGLE,
        )  # fmt: skip
        assert nets(quoted) == [net]
        assert "£466.14 + £1.14 × 210 pupils = £705.54" in quoted.lines[0].explanation
        school.pupils = 999
        session.flush()
        assert quoted.lines[0].price_facts["pupils"] == 210


def test_m8_a_part_of_a_year_is_the_same_on_whatever_day_it_is_worked_out(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        yearly = shaped(
            session, PriceShape.PER_PUPIL, {"base": "466.14", "each": "1.14"}, by, at, unit="year",
            part_year=PartYear.MONTHS,
        )  # fmt: skip
        school = a_school(session, customer_class=CustomerClass.ACADEMY, pupils=210)
        found = {
            str(
                price_lines(
                    session, school=school, service_id=yearly.service_id, starts_on=date(2025, 11, 1),
                    ends_on=date(2026, 3, 31), lines=[LineWanted(yearly.id, Decimal(1))], today=day,
                ).net
            )
            for day in (date(2025, 9, 1), date(2025, 12, 31), date(2026, 2, 28), date(2026, 4, 1))
        }  # fmt: skip
        assert found == {"293.98"}


def test_a_school_without_a_figure_takes_the_fallback_or_is_told(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        price_terms: dict[str, Any] = {"base": "466.14", "each": "1.14"}
        plain_one = shaped(session, PriceShape.PER_PUPIL, price_terms, by, at, unit="year", code="A")
        falling = shaped(
            session,
            PriceShape.PER_PUPIL,
            price_terms | {"fallback_pupils": 100},
            by,
            at,
            unit="year",
            code="B",
        )
        school = a_school(session, customer_class=CustomerClass.ACADEMY, pupils=None)
        with pytest.raises(FigureMissing, match="number of pupils"):
            selling.quote(session, by, at, school=school, offering=plain_one, quantity="1")
        assert nets(selling.quote(session, by, at, school=school, offering=falling, quantity="1")) == [
            "580.14"
        ]


def test_a_band_by_pupils_and_by_phase(database: Database, by: Actor, at: datetime) -> None:
    pupils = {"by": "pupils", "bands": [
        {"from": "0", "to": "200", "price": "250.00"}, {"from": "200", "to": None, "price": "400.00"},
    ]}  # fmt: skip
    phases = {
        "by": "phase",
        "bands": [{"phase": "Primary", "price": "250.00"}, {"phase": "Secondary", "price": "600.00"}],
    }
    with database.transaction() as session:
        by_pupils = shaped(session, PriceShape.BANDS, pupils, by, at, code="A")
        by_phase = shaped(session, PriceShape.BANDS, phases, by, at, code="B")
        school = a_school(session, customer_class=CustomerClass.ACADEMY, pupils=200)
        assert nets(selling.quote(session, by, at, school=school, offering=by_pupils, quantity="1")) == [
            "400.00"
        ]
        assert nets(selling.quote(session, by, at, school=school, offering=by_phase, quantity="1")) == [
            "600.00"
        ]


def test_thirty_nine_weeks_of_seven_point_four_hours(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        hour = an_offering(
            session, "33.00", code="HOUR", unit="hour", unit_minutes=60, step="0.05", minimum="0.05"
        )
        pattern = VisitPattern(Every.WEEK, Decimal("7.4"), 39)
        quoted = selling.quote(
            session,
            by,
            at,
            lines=[LineWanted(hour.id, Decimal(0), pattern=pattern)],
            schedule=Schedule.SINGLE,
            ends_on=date(2026, 10, 13),
        )
        assert (str(quoted.net), str(quoted.vat), str(quoted.gross)) == ("9523.80", "1904.76", "11428.56")
        assert "39 weeks × 7.4 hours = 288.6 hours" in quoted.lines[0].explanation


@pytest.mark.parametrize("asked", ["4", "32"])
def test_hours_a_term_outside_five_to_thirty_are_refused(
    database: Database, by: Actor, at: datetime, asked: str
) -> None:
    with database.transaction() as session:
        terms(session)
        package = an_offering(
            session, "40.00", code="AAO", unit="hour", unit_minutes=60, step="1", minimum="5",
            maximum=Decimal(30), limit_basis="term",
        )  # fmt: skip
        with pytest.raises(Refused, match="between 5 and 30"):
            selling.quote(session, by, at, offering=package, quantity=asked)


def early(by_day: date = date(2026, 2, 28), starts_on: date = date(2026, 1, 5)) -> DiscountRule:
    return DiscountRule(
        kind=DiscountKind.EARLY_BIRD, name="Early bird", percent=500, starts_on=starts_on, ends_on=by_day
    )


def test_the_early_bird_of_28_february_and_a_minute_later(database: Database, by: Actor) -> None:
    late = datetime(2026, 2, 28, 23, 59, tzinfo=UTC)
    with database.transaction() as session:
        day = an_offering(session)
        add_discount(session, day.service_id, early(), by=by, at=datetime(2026, 1, 5, 9, tzinfo=UTC))
        april: dict[str, Any] = {"starts_on": date(2026, 4, 1), "ends_on": date(2027, 3, 31)}
        quoted = selling.quote(session, by, late, quantity="10", schedule=Schedule.SINGLE, **april)
        assert (str(quoted.net), str(quoted.vat), str(quoted.gross)) == ("3496.00", "699.20", "4195.20")
        assert quoted.valid_until == date(2026, 2, 28)
        assert str(quoted.lines[0].discount) == "184.00"
        other = selling.quote(session, by, late, quantity="10", schedule=Schedule.SINGLE, **april)
        selling.order(session, quoted, by, late)
        with pytest.raises(QuoteIsOver, match="28 February 2026"):
            selling.order(session, other, by, datetime(2026, 3, 1, 0, 0, tzinfo=UTC))
        dearer = selling.quote(
            session,
            by,
            datetime(2026, 3, 1, 0, 0, tzinfo=UTC),
            quantity="10",
            schedule=Schedule.SINGLE,
            **april,
        )
        assert str(dearer.net) == "3680.00"


def test_take_all_and_subscriber_lower_and_never_two_together(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        day, audit = (
            an_offering(session),
            an_offering(
                session, "250.00", code="AUDIT", unit="audit", unit_minutes=None, step="1", minimum="1"
            ),
        )
        both = frozenset({day.id, audit.id})
        for rule in (
            DiscountRule(kind=DiscountKind.TAKE_ALL, name="All of it", percent=1000, needs_ids=both,
                         starts_on=at.date()),
            DiscountRule(kind=DiscountKind.SUBSCRIBER, name="Subscriber", unit_price=Money(200_00),
                         offering_ids=frozenset({audit.id}), needs_ids=frozenset({day.id}), starts_on=at.date()),
        ):  # fmt: skip
            add_discount(session, day.service_id, rule, by=by, at=at)
        wanted = [LineWanted(day.id, Decimal(2)), LineWanted(audit.id, Decimal(1))]
        assert nets(selling.quote(session, by, at, lines=wanted)) == ["662.40", "200.00"]
        school = a_school(session, customer_class=CustomerClass.ACADEMY)
        selling.agreed(session, by, at, school=school)
        assert nets(selling.quote(session, by, at, school=school, lines=wanted[1:])) == ["200.00"]
        assert nets(selling.quote(session, by, at, lines=wanted[1:])) == ["250.00"]


def test_a_free_item_from_a_quantity_on_is_a_line_at_nothing(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        day = an_offering(session)
        audit = an_offering(
            session, "250.00", code="AUDIT", unit="audit", unit_minutes=None, step="1", minimum="1"
        )
        rule = DiscountRule(
            kind=DiscountKind.BUNDLE, name="Free audit", threshold=Decimal(10), free_quantity=Decimal(1),
            offering_ids=frozenset({audit.id}), needs_ids=frozenset({day.id}), starts_on=at.date(),
        )  # fmt: skip
        add_discount(session, day.service_id, rule, by=by, at=at)
        assert nets(selling.quote(session, by, at, quantity="9.5")) == ["3496.00"]
        agreed = selling.agreed(session, by, at, quantity="10")
        assert nets(agreed) == ["3680.00", "0.00"]
        assert "at no charge from 10 days on" in agreed.lines[1].explanation


def test_a_package_becomes_its_parts_each_with_its_own_vat(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        day = an_offering(session)
        training = an_offering(
            session, "250.00", code="TRAIN", unit="session", unit_minutes=None, step="1", minimum="1"
        )
        set_billing_rule(
            session, training.id, CustomerClass.ACADEMY, route=Route.INVOICE, vat_code=VatCode.EXEMPT,
            reason=EXEMPT_REASON, by=by, at=at,
        )  # fmt: skip
        gold = an_offering(
            session,
            "2000.00",
            code="GOLD",
            name="Gold",
            unit="package",
            unit_minutes=None,
            step="1",
            minimum="1",
        )
        core = a_core_offering(session)
        parts = [(day.id, Decimal(5)), (training.id, Decimal(1)), (core.id, Decimal(3))]
        set_package(session, gold.id, parts, by=by, at=at)
        with pytest.raises(PackageSold):
            set_package(session, gold.id, parts, by=by, at=at)
        quoted = selling.quote(session, by, at, offering=gold, quantity="1", schedule=Schedule.SINGLE)
        assert [(line.package, line.description) for line in quoted.lines] == [
            ("Gold", day.name), ("Gold", training.name),
        ]  # fmt: skip
        assert nets(quoted) == ["1760.77", "239.23"]
        assert [line.vat_code for line in quoted.lines] == [VatCode.STANDARD, VatCode.EXEMPT]
        assert str(quoted.net) == "2000.00"


def a_package(session: Session, by: Actor, at: datetime, **more: Any) -> Offering:
    """Return a package at £2,000 of 10 days and a session of training."""
    day = an_offering(session)
    training = an_offering(
        session, "250.00", code="TRAIN", unit="session", unit_minutes=None, step="1", minimum="1"
    )
    wanted = {"code": "GOLD", "name": "Gold", "unit": "package", "unit_minutes": None, "step": "1"}
    gold = an_offering(session, "2000.00", **(wanted | {"minimum": "1"} | more))
    set_package(session, gold.id, [(day.id, Decimal(10)), (training.id, Decimal(1))], by=by, at=at)
    return gold


def test_part_of_a_yearly_package_costs_and_includes_its_part(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        gold = a_package(session, by, at, part_year=PartYear.MONTHS)
        late: dict[str, Any] = {"starts_on": date(2025, 11, 1), "schedule": Schedule.SINGLE, "quantity": "1"}
        quoted = selling.quote(session, by, at, offering=gold, **late)
        assert str(quoted.net) == "833.33"
        assert [str(line.quantity.normalize()) for line in quoted.lines] == ["4", "1"]
        assert "5 of 12 months, 1 November 2025 to 31 March 2026: £833.33" in quoted.lines[0].explanation
        year: dict[str, Any] = {"starts_on": date(2025, 4, 1), "schedule": Schedule.SINGLE, "quantity": "1"}
        whole = selling.quote(session, by, at, offering=gold, **year)
        assert str(whole.net) == "2000.00"
        assert [str(line.quantity.normalize()) for line in whole.lines] == ["1E+1", "1"]


def test_the_years_of_a_package_are_cut_by_months_alone(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        gold = a_package(session, by, at)
        split = {FinancialYear(2025): Decimal(1)}
        with pytest.raises(NoSplit, match="“Gold” is a package"):
            selling.quote(session, by, at, offering=gold, quantity="1", year_split=split)


def test_a_package_of_what_is_free_or_of_packages_is_refused(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        gold = a_package(session, by, at)
        core, day = a_core_offering(session), an_offering(session)
        unit: dict[str, Any] = {"unit": "package", "unit_minutes": None, "step": "1", "minimum": "1"}
        other = an_offering(session, "100.00", code="SILVER", name="Silver", **unit)
        parts: list[tuple[Offering, Decimal, str]] = [
            (core, Decimal(1), "at least one part that is sold"),
            (day, Decimal(0), "how much"),
            (day, Decimal("0.3"), "in steps of"),
        ]
        for part, quantity, says in parts:
            with pytest.raises(Refused, match=says):
                set_package(session, other.id, [(part.id, quantity)], by=by, at=at)
        with pytest.raises(Refused, match="counted in time"):
            set_package(session, day.id, [(core.id, Decimal(1))], by=by, at=at)
        made = (other.id, gold.id)
    with pytest.raises(IntegrityError) as refused, database.transaction() as session:
        set_package(session, made[0], [(made[1], Decimal(1))], by=by, at=at)
    said = explain(refused.value)
    assert said is not None
    assert "cannot hold another package" in said.message


@pytest.mark.parametrize(
    ("weights", "quantity", "expected"),
    [
        (
            (50, 30, 20),
            "6",
            [("1104.00", "220.80", 1332), ("662.40", "132.48", 799), ("441.60", "88.32", 533)],
        ),
        ((1, 1, 1), "1", [("122.67", "24.53", 148), ("122.67", "24.53", 148), ("122.66", "24.53", 148)]),
    ],
)
def test_partners_share_days_to_the_penny_and_the_minute(
    database: Database, by: Actor, at: datetime, weights: tuple[int, ...], quantity: str, expected: list[Any]
) -> None:
    with database.transaction() as session:
        day = an_offering(session)
        found = []
        for place in range(len(weights)):
            wanted = LineWanted(day.id, Decimal(quantity), share=LineShare(weights, place))
            agreed = selling.agreed(session, by, at, lines=[wanted], schedule=Schedule.SINGLE)
            minutes = sum(one.minutes.minutes for one in selling.tranches(session, agreed) if one.minutes)
            found.append((str(agreed.net), str(agreed.vat), minutes))
        assert found == expected


def test_partners_share_discount_and_free_item_too(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        day = an_offering(session)
        hour = an_offering(session, "60.00", code="HOUR", unit="hour", unit_minutes=60, step="1", minimum="1")
        free = DiscountRule(
            kind=DiscountKind.BUNDLE, name="Free hour", threshold=Decimal(10), free_quantity=Decimal(1),
            offering_ids=frozenset({hour.id}), needs_ids=frozenset({day.id}), starts_on=at.date(),
        )  # fmt: skip
        for rule in (early(date(2025, 12, 31), at.date()), free):
            add_discount(session, day.service_id, rule, by=by, at=at)
        quoted = [
            selling.quote(
                session, by, at, lines=[LineWanted(day.id, Decimal(10), share=LineShare((1, 1, 1), place))]
            )
            for place in range(3)
        ]
        assert str(total(one.net for one in quoted)) == "3496.00"
        assert str(total(one.lines[0].discount for one in quoted)) == "184.00"
        minutes = [share.minutes for one in quoted for share in read_shares(one.lines[1].year_shares)]
        assert total_minutes(one for one in minutes if one is not None) == Minutes(60)


def test_a_package_keeps_its_promised_price_and_another_kind_of_school_pays_the_list(
    database: Database, by: Actor, at: datetime
) -> None:
    own = CustomerClass.OWN_MAINTAINED
    with database.transaction() as session:
        gold = a_package(session, by, at)
        freeze_prices(session, gold.service_id, first_years=3, later_years=5, by=by, at=at)
        school = a_school(session, customer_class=own)
        selling.agreed(session, by, at, school=school, offering=gold, quantity="1")
        assert session.scalars(select(PriceHold.offering_id)).all() == [gold.id]
        for kind in (own, CustomerClass.ACADEMY):
            set_price(
                session, gold.id, kind, unit_price=Money(2200_00), starts_on=date(2026, 4, 1), by=by, at=at
            )
        later: dict[str, Any] = {
            "starts_on": date(2026, 4, 1), "ends_on": date(2027, 3, 31), "offering": gold, "quantity": "1",
        }  # fmt: skip
        assert str(selling.quote(session, by, at, school=school, **later).net) == "2000.00"
        school.derived_class = CustomerClass.ACADEMY
        session.flush()
        assert str(selling.quote(session, by, at, school=school, **later).net) == "2200.00"


def test_c7_a_price_review_leaves_promised_prices_alone(database: Database, by: Actor, at: datetime) -> None:
    own = CustomerClass.OWN_MAINTAINED
    with database.transaction() as session:
        day = an_offering(session)
        freeze_prices(session, day.service_id, first_years=3, later_years=5, by=by, at=at)
        school = a_school(session, customer_class=own)
        selling.agreed(session, by, at, school=school)
        review = Review(basis_points=420, rounding=Rounding.PENNY, starts_on=date(2026, 4, 1))
        seen = preview_review(session, day.service_id, review)
        apply_review(session, day.service_id, review, expected_sha256=seen.sha256, by=by, at=at)
        for start, held, listed in (
            (date(2026, 4, 1), "3680.00", "3834.60"),
            (date(2028, 10, 14), "3834.60", "3834.60"),
        ):
            later: dict[str, Any] = {"starts_on": start, "ends_on": start.replace(month=12), "quantity": "10"}
            other = a_school(session, customer_class=own)
            assert str(selling.quote(session, by, at, school=school, **later).net) == held
            assert str(selling.quote(session, by, at, school=other, **later).net) == listed


def test_a_pattern_keeps_to_the_weeks_and_the_limits_that_there_are(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        hour = an_offering(
            session, "33.00", code="HOUR", unit="hour", unit_minutes=60, step="0.05", minimum="5", maximum=Decimal(40)
        )  # fmt: skip
        for hours, weeks, says in (("1", 39, "no 39 weeks between"), ("2", 21, "between 5 and 40")):
            pattern = VisitPattern(Every.WEEK, Decimal(hours), weeks)
            with pytest.raises(Refused, match=says):
                selling.quote(session, by, at, lines=[LineWanted(hour.id, Decimal(0), pattern=pattern)])


def test_a_promised_price_wins_over_the_list_for_three_years(
    database: Database, by: Actor, at: datetime
) -> None:
    own = CustomerClass.OWN_MAINTAINED
    with database.transaction() as session:
        day = an_offering(session)
        freeze_prices(session, day.service_id, first_years=3, later_years=5, by=by, at=at)
        school = a_school(session, customer_class=own)
        selling.agreed(session, by, at, school=school)
        assert session.scalars(select(PriceHold.until)).all() == [date(2028, 10, 14)]
        set_price(session, day.id, own, unit_price=Money(400_00), starts_on=date(2026, 4, 1), by=by, at=at)
        later: dict[str, Any] = {
            "starts_on": date(2026, 4, 1),
            "ends_on": date(2027, 3, 31),
            "quantity": "10",
        }
        assert nets(selling.quote(session, by, at, school=school, **later)) == ["3680.00"]
        assert nets(
            selling.quote(session, by, at, school=a_school(session, customer_class=own), **later)
        ) == ["4000.00"]
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.execute(text("UPDATE price_hold SET until = '2040-01-01'"))


@pytest.mark.parametrize(
    ("rule", "change", "net"),
    [("original", "2", "1130.00"), ("stand_alone", "4", "2000.00"), ("cumulative", "1", "305.00")],
)
def test_more_of_a_tiered_price_costs_what_the_rule_says(
    database: Database, by: Actor, at: datetime, rule: str, change: str, net: str
) -> None:
    with database.transaction() as session:
        audit = shaped(session, PriceShape.TIERS, TIERS | {"top_up": rule}, by, at)
        agreed = selling.agreed(session, by, at, offering=audit, quantity="3")
        vary_line(
            session, agreed.lines[0].id, quantity=Decimal(change), effective_on=date(2025, 12, 1),
            reason="More is needed.", by=by, at=at,
        )  # fmt: skip
        assert [str(one) for one in session.scalars(select(Variation.net))] == [net]


def test_taking_away_from_a_lowered_line_gives_back_what_was_paid(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        day = an_offering(session)
        add_discount(session, day.service_id, early(date(2025, 12, 31), at.date()), by=by, at=at)
        agreed = selling.agreed(session, by, at, quantity="10")
        vary_line(
            session, agreed.lines[0].id, quantity=Decimal(-2), effective_on=date(2025, 12, 1), reason="Less.",
            by=by, at=at,
        )  # fmt: skip
        assert [str(one) for one in session.scalars(select(Variation.net))] == ["-699.20"]


def test_time_of_a_lowered_line_is_billed_and_credited_at_what_was_agreed_for_it(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        day = an_offering(session)
        audit = an_offering(
            session, "250.00", code="AUDIT", unit="hour", unit_minutes=60, step="1", minimum="1"
        )
        free = DiscountRule(
            kind=DiscountKind.BUNDLE, name="Free hours", threshold=Decimal(10), free_quantity=Decimal(2),
            offering_ids=frozenset({audit.id}), needs_ids=frozenset({day.id}), starts_on=at.date(),
        )  # fmt: skip
        for rule in (early(date(2025, 12, 31), at.date()), free):
            add_discount(session, day.service_id, rule, by=by, at=at)
        agreed = selling.agreed(session, by, at, quantity="10", schedule=Schedule.ON_DELIVERY)
        days, hours = agreed.lines
        for tranche, minutes in zip(selling.tranches(session, agreed), (444, 60), strict=True):
            enter(
                session, tranche.id, EntryKind.DELIVERED, Minutes(-minutes), effective_on=date(2025, 11, 5),
                cause="delivery:1", by=by, at=at,
            )  # fmt: skip
        (due,) = due_plan(session, date(2025, 12, 1)).dues
        assert [str(line.net) for line in due.lines] == ["349.60", "0.00"]
        assert due.lines[0].why[0] == "7 hours 24 minutes of 74 hours agreed for £3,496.00 = £349.60"
        back = lost_time_due(days, agreed, Minutes(222), tax_point=date(2025, 12, 1))
        assert str(back.net) == "-174.80"
        assert not lost_time_due(hours, agreed, Minutes(60), tax_point=date(2025, 12, 1)).net


def test_discounts_that_make_no_sense_are_refused(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        service = a_service(session)
        core = a_core_offering(session)
        with pytest.raises(DiscountInThePast):
            add_discount(session, service.id, early(starts_on=date(2025, 10, 13)), by=by, at=at)
        lowered = DiscountRule(
            kind=DiscountKind.TAKE_ALL,
            name="x",
            percent=10_001,
            needs_ids=frozenset({core.id}),
            starts_on=at.date(),
        )
        with pytest.raises(Refused, match="up to 100"):
            add_discount(session, service.id, lowered, by=by, at=at)
        on_core = DiscountRule(
            kind=DiscountKind.TAKE_ALL,
            name="x",
            percent=100,
            needs_ids=frozenset({core.id}),
            starts_on=at.date(),
        )
        with pytest.raises(CoreIsFree):
            add_discount(session, service.id, on_core, by=by, at=at)
        added = add_discount(session, service.id, early(), by=by, at=at)
        ended = end_discount(session, added.id, on=date(2026, 1, 31), by=by, at=at)
        assert ended.ends_on == date(2026, 1, 31)
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.execute(text("UPDATE discount SET percent = 9000"))


def test_a_quote_is_the_sum_of_the_documents_that_follow(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        school = a_school(session, customer_class=CustomerClass.ACADEMY)

        @settings(max_examples=12, deadline=None)
        @given(
            prices=st.lists(st.integers(1, 500_000), min_size=1, max_size=4, unique=True),
            quantities=st.lists(st.integers(1, 30), min_size=4, max_size=4),
            schedule=st.sampled_from([one for one in Schedule if one is not Schedule.ON_DELIVERY]),
        )
        def holds(prices: list[int], quantities: list[int], schedule: Schedule) -> None:
            offers = [an_offering(session, str(Money(pence)), code=f"P{pence}") for pence in prices]
            halves = zip(offers, quantities, strict=False)
            lines = [LineWanted(one.id, Decimal(quantity) / 2) for one, quantity in halves]
            quoted = selling.quote(session, by, at, school=school, lines=lines, schedule=schedule)
            documents = quoted_documents(session, quoted)
            assert total(one.gross for one in documents) == quoted.gross
            assert (
                total(one.net for one in documents) == total(line.net for line in quoted.lines) == quoted.net
            )

        holds()


def test_a_quote_of_many_asks_the_database_little(database: Database, by: Actor, at: datetime) -> None:
    academy = CustomerClass.ACADEMY
    with database.transaction() as session:
        day = an_offering(session)
        service_id, offering_id = day.service_id, day.id
        schools = [a_school(session, customer_class=academy).id for _ in range(3)]
    with database.reading() as session:
        shared = shared_facts(session, service_id, documents_on=at.date())
    texts = set()
    for place, school_id in enumerate(schools):
        with queries(database) as asked, database.transaction() as session:
            quoted = prepare_quote(
                session, service_id=service_id, school_id=school_id, starts_on=date(2025, 10, 14),
                ends_on=date(2026, 3, 31), schedule=Schedule.THREE,
                lines=[LineWanted(offering_id, Decimal(12))], shared=shared if place else None, by=by, at=at,
            )  # fmt: skip
            facts = latest_version(session, quoted.id).facts
            texts.add(
                canonical_json({key: facts[key] for key in ("core_offer", "costs", "delivery", "we_will")})
            )
        assert place == 0 or asked.number <= 12, f"{asked.number} questions"
    assert len(texts) == 1
