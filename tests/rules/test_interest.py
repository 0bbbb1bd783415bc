"""Statutory interest and compensation: the worked numbers, and what always holds."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla_manager.kernel.money import Money, total
from sla_manager.payments.rules.interest import (
    Part,
    Pause,
    explained,
    fixed_sum,
    interest,
    reference_day,
    statutory_rate,
    stretches,
)

DUE = date(2025, 7, 1)


def late(debt: str, days: int, rate: int, **more: object) -> Money:
    """Return the interest on a debt that is so many days late."""
    until = DUE + timedelta(days=days)
    return interest(stretches(Money.parse(debt), after=DUE, until=until, **more), rate)  # type: ignore[arg-type]


def test_the_worked_numbers_of_late_payment() -> None:
    """5,299.20 late by 60 days at 12.25 %: 106.71 and 70.00. £1,000, 50 days, 8.5 %: 11.64."""
    assert statutory_rate(425) == 1225
    assert str(late("5299.20", 60, statutory_rate(425))) == "106.71"
    assert str(fixed_sum(Money(5_299_20))) == "70.00"
    assert str(late("1000.00", 50, statutory_rate(50))) == "11.64"


@pytest.mark.parametrize(
    ("debt", "wanted"),
    [
        ("0.01", "40.00"), ("999.99", "40.00"), ("1000.00", "70.00"), ("9999.99", "70.00"), ("10000.00", "100.00"),
        ("120000.00", "100.00"),
    ],
)  # fmt: skip
def test_the_fixed_sum_changes_at_its_limits(debt: str, wanted: str) -> None:
    """Under £1,000, under £10,000, from £10,000: by the gross of the debt."""
    assert str(fixed_sum(Money.parse(debt))) == wanted


@pytest.mark.parametrize(
    ("starts_on", "counts"),
    [
        (date(2026, 1, 1), date(2025, 12, 31)), (date(2026, 6, 30), date(2025, 12, 31)),
        (date(2026, 7, 1), date(2026, 6, 30)), (date(2026, 12, 31), date(2026, 6, 30)),
        (date(2028, 2, 29), date(2027, 12, 31)),
    ],
)  # fmt: skip
def test_the_rate_of_the_half_year_before_counts(starts_on: date, counts: date) -> None:
    """Interest that starts from January to June takes the rate of 31 December, else that of 30 June."""
    assert reference_day(starts_on) == counts


def test_a_part_payment_bears_interest_to_its_day_and_no_further() -> None:
    """£1,000, of which £600 came after 20 days: 20 days on the whole, 30 on the rest, rounded once."""
    parts = [Part(DUE + timedelta(days=20), Money(600_00))]
    found = stretches(Money(1000_00), after=DUE, until=DUE + timedelta(days=50), parts=parts)
    assert [(str(one.owed), one.days) for one in found] == [("1000.00", 20), ("400.00", 30)]
    assert str(interest(found, 1000)) == "8.77"


def test_days_on_hold_bear_nothing_and_the_sum_says_so() -> None:
    """Ten of fifty days held: forty bear interest; the day on which the hold ends bears it again."""
    pause = Pause(DUE + timedelta(days=11), DUE + timedelta(days=21))
    found = stretches(Money(1000_00), after=DUE, until=DUE + timedelta(days=50), pauses=[pause])
    assert [(one.days, one.held) for one in found] == [(10, False), (10, True), (30, False)]
    assert interest(found, 850) == late("1000.00", 40, 850)
    assert "12 July 2025 to 21 July 2025, 10 days: held, so no interest on £1,000.00." in explained(
        found, 850
    )
    for_ever = Pause(DUE, None)
    assert str(late("1000.00", 50, 850, pauses=[for_ever])) == "0.00"


def test_what_is_paid_in_time_bears_nothing() -> None:
    """Money on the due date or before; and a debt that is not due yet."""
    assert stretches(Money(500), after=DUE, until=DUE, parts=()) == ()
    paid = [Part(DUE, Money(500))]
    assert stretches(Money(500), after=DUE, until=DUE + timedelta(days=9), parts=paid) == ()


@settings(max_examples=60, deadline=None)
@given(
    debt=st.integers(1, 2_000_000),
    days=st.integers(1, 400),
    rate=st.integers(800, 2000),
    parts=st.lists(st.tuples(st.integers(0, 400), st.integers(1, 500_000)), max_size=4),
    pause=st.tuples(st.integers(0, 400), st.integers(0, 90)),
)
def test_stretches_are_every_day_that_something_was_owed_on(
    debt: int, days: int, rate: int, parts: list[tuple[int, int]], pause: tuple[int, int]
) -> None:
    """Counted day by day, the same days and pence come out, however parts and holds fall."""
    gone = [Part(DUE + timedelta(days=day), Money(pence)) for day, pence in parts]
    held = Pause(DUE + timedelta(days=pause[0]), DUE + timedelta(days=pause[0] + pause[1]))
    found = stretches(Money(debt), after=DUE, until=DUE + timedelta(days=days), parts=gone, pauses=[held])
    counted = 0
    for number in range(1, days + 1):
        day = DUE + timedelta(days=number)
        owed = debt - total(one.amount for one in gone if one.on < day).pence
        if owed > 0 and not held.covers(day):
            counted += owed
    assert counted == sum(one.owed.pence * one.days for one in found if not one.held)
    assert abs(2 * (interest(found, rate).pence * 3_650_000 - counted * rate)) <= 3_650_000
