"""What may be sold: families, prices, quantities, and how time becomes charged time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla_manager.catalogue.rules.charging import ChargingMethod, charged_time, counted, explain_charge
from sla_manager.catalogue.rules.families import (
    FREE_SENTENCE,
    CoreDuty,
    CoreIsFree,
    Family,
    free_duty,
    free_hint,
    refuse_core,
)
from sla_manager.catalogue.rules.pricing import (
    NoPrice,
    PricesOverlap,
    line_net,
    overlap,
    price_on,
    refuse_overlap,
)
from sla_manager.catalogue.rules.quantities import (
    NoTerm,
    QuantityRefused,
    check_quantity,
    quantity_hint,
    read_within,
    whole_quantity,
)
from sla_manager.kernel.errors import Broken
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.kernel.quantities import StepNotWholeMinutes, minutes_of, step_minutes
from sla_manager.people.rules.customer_classes import CustomerClass

DAY = Minutes(444)
HALF_DAY = Minutes(222)


def test_core_can_never_be_sold() -> None:
    with pytest.raises(CoreIsFree, match="Targeting support meeting is part of the free core offer"):
        refuse_core(Family.CORE, "Targeting support meeting")
    for family in Family:
        if family is not Family.CORE:
            refuse_core(family, "Late gates")


@pytest.mark.parametrize(
    ("need", "duty"),
    [
        ("penalty notice", CoreDuty.LEGAL_INTERVENTION),
        ("Penalty Notices for unauthorised holidays", CoreDuty.LEGAL_INTERVENTION),
        ("prosecution", CoreDuty.LEGAL_INTERVENTION),
        ("take a parent to court", CoreDuty.LEGAL_INTERVENTION),
        ("fine", CoreDuty.LEGAL_INTERVENTION),
        ("targeting  support\nmeeting", CoreDuty.TARGETING_SUPPORT_MEETING),
        ("TSM", CoreDuty.TARGETING_SUPPORT_MEETING),
        ("early help", CoreDuty.MULTI_DISCIPLINARY_SUPPORT),
        ("advice", CoreDuty.COMMUNICATION_AND_ADVICE),
        ("general queries", CoreDuty.COMMUNICATION_AND_ADVICE),
    ],
)
def test_who_looks_for_something_core_is_told_first_that_it_is_free(need: str, duty: CoreDuty) -> None:
    assert free_duty(need) is duty
    assert free_hint(need) == FREE_SENTENCE


@pytest.mark.parametrize(
    "need", ["attendance assembly", "late gates", "home visit", "refine our policy", "register audit", ""]
)
def test_who_looks_for_something_traded_is_not(need: str) -> None:
    assert free_hint(need) is None


@given(st.text(max_size=3000))
def test_any_text_may_be_searched_for(text: str) -> None:
    assert free_hint(text) in (None, FREE_SENTENCE)


@dataclass(frozen=True)
class APrice:
    customer_class: CustomerClass
    starts_on: date
    ends_on: date | None
    unit_price: Money = Money(368_00)


def academy(start: date, end: date | None = None) -> APrice:
    return APrice(CustomerClass.ACADEMY, start, end)


OLD, NEW = academy(date(2024, 4, 1), date(2025, 4, 1)), academy(date(2025, 4, 1))


@pytest.mark.parametrize(
    ("on", "price"), [(date(2024, 4, 1), OLD), (date(2025, 3, 31), OLD), (date(2025, 4, 1), NEW)]
)
def test_one_version_of_a_price_holds_on_a_day(on: date, price: APrice) -> None:
    found = price_on([NEW, OLD], customer_class=CustomerClass.ACADEMY, on=on, name="EWO day")
    assert found is price


def test_an_offering_without_a_price_for_a_class_or_a_day_cannot_be_ordered() -> None:
    with pytest.raises(NoPrice, match="no price for an academy on 31 March 2024"):
        price_on([OLD, NEW], customer_class=CustomerClass.ACADEMY, on=date(2024, 3, 31), name="EWO day")
    with pytest.raises(NoPrice):
        price_on([OLD, NEW], customer_class=CustomerClass.OTHER, on=date(2025, 4, 1), name="EWO day")


def test_two_prices_on_one_day_are_our_own_mistake() -> None:
    with pytest.raises(Broken):
        price_on([NEW, NEW], customer_class=CustomerClass.ACADEMY, on=date(2026, 1, 1), name="EWO day")


def test_versions_may_touch_and_never_overlap() -> None:
    refuse_overlap(NEW, [OLD])
    refuse_overlap(APrice(CustomerClass.OTHER, date(2024, 6, 1), None), [OLD, NEW])
    with pytest.raises(PricesOverlap, match="from 1 April 2024 until 1 April 2025"):
        refuse_overlap(academy(date(2025, 3, 31), date(2025, 4, 1)), [OLD])
    with pytest.raises(PricesOverlap):
        refuse_overlap(academy(date(2030, 1, 1)), [OLD, NEW])


@given(
    st.lists(
        st.tuples(
            st.integers(min_value=1, max_value=28),
            st.one_of(st.none(), st.integers(min_value=1, max_value=9)),
        ),
        min_size=2,
        max_size=2,
    )
)
def test_versions_overlap_exactly_when_they_share_a_day(drawn: list[tuple[int, int | None]]) -> None:
    one, other = (
        academy(
            date(2026, 1, first), None if length is None else date(2026, 1, first + min(length, 31 - first))
        )
        for first, length in drawn
    )

    def in_force(price: APrice, day: date) -> bool:
        return price.starts_on <= day and (price.ends_on is None or day < price.ends_on)

    shared = any(
        in_force(one, date(2026, 1, day)) and in_force(other, date(2026, 1, day)) for day in range(1, 32)
    )
    assert overlap(one, other) == overlap(other, one) == shared


def test_a_line_is_quantity_times_price_rounded_once() -> None:
    assert str(line_net(Decimal(12), Money.parse("368.00"))) == "4416.00"
    assert str(line_net(Decimal("0.333"), Money.parse("10.01"))) == "3.33"


@pytest.mark.parametrize("typed", ["0", "0.5", "4.25", "40.5", "-1", "four", "", "1e1", "4,5"])
def test_a_quantity_that_may_not_be_ordered_names_what_may(typed: str) -> None:
    with pytest.raises(QuantityRefused) as refused:
        read_within(typed, unit="day", minimum=Decimal(1), maximum=Decimal(40), step=Decimal("0.5"))
    assert refused.value.message == "Enter a number of days between 1 and 40, in half days, like 4.5."
    assert refused.value.field == "quantity"


@pytest.mark.parametrize(("asked", "allowed"), [(4, False), (5, True), (12, True), (30, True), (32, False)])
def test_hours_per_term_are_between_5_and_30(asked: int, allowed: bool) -> None:
    limits = {"minimum": Decimal(5), "maximum": Decimal(30), "step": Decimal(1)}
    if allowed:
        check_quantity(Decimal(asked), unit="hour", basis="term", **limits)
        return
    with pytest.raises(QuantityRefused, match="hours for each term between 5 and 30, in whole hours"):
        check_quantity(Decimal(asked), unit="hour", basis="term", **limits)


def test_12_hours_a_term_are_36_hours_of_2160_minutes() -> None:
    whole = whole_quantity(Decimal(12), basis="term", terms=3)
    assert (whole, minutes_of(whole, Minutes(60))) == (36, Minutes(2160))
    assert whole_quantity(Decimal(12), basis="agreement", terms=3) == 12
    with pytest.raises(NoTerm):
        whole_quantity(Decimal(12), basis="term", terms=0)


@given(
    st.integers(min_value=1, max_value=40),
    st.one_of(st.none(), st.integers(min_value=0, max_value=200)),
    st.sampled_from([Decimal("0.25"), Decimal("0.5"), Decimal(1), Decimal("0.1")]),
)
def test_the_example_in_a_hint_may_itself_be_ordered(
    least_steps: int, more: int | None, step: Decimal
) -> None:
    minimum = least_steps * step
    maximum = None if more is None else minimum + more * step
    hint = quantity_hint("day", minimum, maximum, step, "agreement")
    example = hint.rsplit(" ", 1)[-1].rstrip(".")
    read_within(example, unit="day", minimum=minimum, maximum=maximum, step=step)


def test_a_step_must_be_whole_minutes() -> None:
    assert step_minutes(Decimal("0.25"), DAY) == Minutes(111)
    with pytest.raises(StepNotWholeMinutes, match=r"0\.1 × 444 minutes is not a whole number"):
        step_minutes(Decimal("0.1"), DAY)


def test_a_visit_of_3_hours_20_and_a_report_of_40_minutes() -> None:
    worked = counted(
        work=Minutes(200),
        report=Minutes(40),
        travel=Minutes(50),
        counts_preparation=True,
        counts_report=True,
        counts_travel=False,
    )
    assert worked == Minutes(240)
    left = Minutes(10 * 444) - charged_time(worked, method=ChargingMethod.ACTUAL)
    assert (left, left.hours_and_minutes(), left.shown_in_units(DAY)) == (
        Minutes(4200),
        "70 hours",
        Decimal("9.46"),
    )


def test_the_same_in_half_day_blocks_rounded_up_is_a_day() -> None:
    charged = charged_time(Minutes(240), method=ChargingMethod.BLOCKS_UP, block=HALF_DAY)
    assert charged == Minutes(444)
    assert (Minutes(4440) - charged).shown_in_units(DAY) == 9


def test_the_same_to_the_nearest_block_is_half_a_day() -> None:
    charged = charged_time(Minutes(240), method=ChargingMethod.BLOCKS_NEAREST, block=HALF_DAY)
    assert charged == Minutes(222)
    assert (Minutes(4440) - charged).shown_in_units(DAY) == Decimal("9.5")


def test_T5_45_minutes_rounded_up_to_15_stay_45_however_often() -> None:
    def up(minutes: int) -> int:
        return charged_time(Minutes(minutes), method=ChargingMethod.BLOCKS_UP, block=Minutes(15)).minutes

    assert (up(45), up(up(45)), up(46)) == (45, 45, 60)


@pytest.mark.parametrize(
    ("what", "expected"), [("counts_preparation", 230), ("counts_report", 240), ("counts_travel", 250)]
)
def test_the_policy_says_what_counts(what: str, expected: int) -> None:
    policy = {"counts_preparation": False, "counts_report": False, "counts_travel": False}
    spent = {"preparation": Minutes(30), "report": Minutes(40), "travel": Minutes(50)}
    assert counted(work=Minutes(200), **spent, **policy) == Minutes(200)
    assert counted(work=Minutes(200), **spent, **{**policy, what: True}) == Minutes(expected)


@given(st.integers(min_value=0, max_value=3000), st.integers(min_value=1, max_value=500))
def test_blocks_are_whole_and_near(worked: int, block: int) -> None:
    up = charged_time(Minutes(worked), method=ChargingMethod.BLOCKS_UP, block=Minutes(block)).minutes
    near = charged_time(Minutes(worked), method=ChargingMethod.BLOCKS_NEAREST, block=Minutes(block)).minutes
    assert up % block == near % block == 0
    assert 0 <= up - worked < block
    assert 2 * abs(near - worked) <= block


def test_blocks_need_their_length_and_the_explanation_shows_it() -> None:
    with pytest.raises(Broken):
        charged_time(Minutes(10), method=ChargingMethod.BLOCKS_UP)
    why = explain_charge(Minutes(240), method=ChargingMethod.BLOCKS_NEAREST, block=HALF_DAY)
    assert why == "4 hours counted; in blocks of 3 hours 42 minutes, to the nearest: 3 hours 42 minutes"
