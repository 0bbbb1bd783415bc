"""What is earned: parts that always add up, whatever was delivered, charged, lapsed or given back."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla_manager.agreements.rules.lapse import lapse_value
from sla_manager.agreements.rules.ledger import Balance
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money, half_up, total
from sla_manager.reports.earned import (
    Recovery,
    YearOfCost,
    cost_of_year,
    cumulative,
    half_up_ratio,
    passed,
    shared_by_time,
    worth_of,
)

USES = st.lists(st.integers(0, 3_000), min_size=4, max_size=4)


@settings(max_examples=60)
@given(uses=USES, unused=st.integers(0, 3_000), net=st.integers(0, 10_000_000))
def test_the_parts_of_a_year_add_up_to_its_net_and_lapsed_time_is_worth_what_closing_says(
    uses: list[int], unused: int, net: int
) -> None:
    delivered, charged, lapsed, credited = (Minutes(one) for one in uses)
    bought = Minutes(sum(uses) + unused)
    balance = Balance(
        contracted=bought, delivered=delivered, charged=charged, lapsed=lapsed, credited=credited
    )
    worth = worth_of(balance, Money(net))
    assert total([worth.earned, worth.credited, worth.left]) == Money(net)
    assert worth.lapsed == lapse_value(lapsed, bought, Money(net))
    assert min(worth.delivered, worth.charged, worth.lapsed, worth.credited, worth.left) >= Money(0)
    if not delivered and charged:
        assert not worth.delivered
    if bought == delivered + charged + lapsed:
        assert worth.earned == (Money(net) if bought else Money(0))


@given(numerator=st.integers(-(10**9), 10**9), denominator=st.integers(1, 10**6))
@settings(max_examples=60)
def test_dividing_whole_numbers_rounds_as_money_does(numerator: int, denominator: int) -> None:
    assert half_up_ratio(numerator, denominator) == half_up(Fraction(numerator, denominator))


def test_what_is_not_counted_in_time_is_earned_evenly_and_wholly_at_its_end() -> None:
    net, starts, ends = Money(1200_00), date(2025, 9, 1), date(2026, 8, 31)
    days = (date(2025, 8, 31), date(2025, 9, 30), date(2026, 3, 31), date(2026, 8, 31), date(2027, 1, 1))
    assert [str(passed(net, starts, ends, day)) for day in days] == [
        "0.00", "100.00", "700.00", "1200.00", "1200.00",
    ]  # fmt: skip


def test_officers_share_what_they_delivered_to_the_penny() -> None:
    shares = shared_by_time(Money(100_00), {7: 100, 2: 100, 5: 100, 9: 0})
    assert {who: str(amount) for who, amount in shares.items()} == {2: "33.34", 5: "33.33", 7: "33.33"}
    assert shared_by_time(Money(0), {}) == {}


@pytest.mark.parametrize(
    ("years", "exceeds", "over"),
    [
        ([(2023, 900, 1000), (2024, 1100, 1000), (2025, 1000, 1000)], False, 0),
        ([(2023, 900, 1000), (2024, 1100, 1000), (2025, 1001, 1000)], True, 1),
        ([(2022, 1, 9999), (2023, 1000, 1000), (2024, 1000, 1000), (2025, 1001, 1000)], True, 1),
        ([(2023, 9000, None), (2024, 900, 1000), (2025, 1000, 1000)], False, 0),
        ([(2025, 9000, None)], False, 0),
    ],
)
def test_one_year_is_taken_with_another_and_only_years_with_a_cost_are_compared(
    years: list[tuple[int, int, int | None]], exceeds: bool, over: int
) -> None:
    found: Recovery = cumulative(
        [
            YearOfCost(year, Money(income), None if cost is None else Money(cost))
            for year, income, cost in years
        ]
    )
    assert (found.exceeds, found.over) == (exceeds, Money(over))


def test_cost_is_days_with_preparation_and_travel_at_their_cost_and_overhead() -> None:
    assert str(cost_of_year(Money(241_50), Minutes(115 * 444), Minutes(444), Money(5_000_00))) == "32772.50"
