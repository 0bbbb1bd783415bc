"""Years, months, London dates and working days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla_manager.gateways.bank_holidays import bank_holidays, is_bank_holiday
from sla_manager.kernel.clock import elapsed, london_date, london_time
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.periods import (
    ONE_DAY,
    FinancialYear,
    Period,
    academic_year,
    calendar_months,
    financial_years,
    month_of,
    months_weight,
)
from sla_manager.kernel.working_days import (
    add_working_days,
    clear_working_days,
    is_working_day,
    next_working_day,
    notice_day,
)
from tests.rules.strategies import days, terms

SHROPSHIRE = {0: time(17), 1: time(17), 2: time(17), 3: time(17), 4: time(16)}
"""Closing times: Monday to Thursday 17:00, Friday 16:00."""


def test_half_past_eleven_at_night_in_utc_is_the_new_financial_year_in_London() -> None:
    late = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)
    assert str(FinancialYear.of(london_date(late))) == "2026-27"


def test_T1_a_visit_at_quarter_past_midnight_on_1_April_is_in_the_new_financial_year() -> None:
    start, end = (london_time(date(2026, 4, 1), of_day) for of_day in (time(0, 15), time(1, 45)))
    assert start.date() == date(2026, 3, 31)  # still March in UTC
    assert {FinancialYear.of(london_date(at)) for at in (start, end)} == {FinancialYear(2026)}
    assert elapsed(start, end) == Minutes(90)


@pytest.mark.parametrize(
    ("day", "minutes"), [(date(2026, 3, 29), 60), (date(2026, 10, 25), 180), (date(2026, 6, 1), 120)]
)
def test_T2_visits_across_a_change_of_the_clocks_have_the_minutes_that_passed(
    day: date, minutes: int
) -> None:
    start, end = (london_time(day, of_day) for of_day in (time(0, 30), time(2, 30)))
    assert elapsed(start, end) == Minutes(minutes)


@given(terms(longest=4000))
def test_financial_years_tile_a_term(term: Period) -> None:
    parts = [year.period.overlap(term) for year in financial_years(term)]
    assert sum(part.days for part in parts if part) == term.days
    found = [part for part in parts if part]
    assert len(found) == len(parts)
    assert (found[0].start, found[-1].end) == (term.start, term.end)
    assert all(one.end == other.start for one, other in pairwise(found))


@given(terms())
def test_calendar_months_tile_a_term(term: Period) -> None:
    months = list(calendar_months(term))
    assert sum(shared.days for month in months if (shared := month.overlap(term))) == term.days
    assert all(one.end == other.start for one, other in pairwise(months))


@given(terms())
def test_months_weigh_the_fraction_of_each_that_is_covered(term: Period) -> None:
    day_by_day = Fraction(0)
    day = term.start
    while day < term.end:
        day_by_day += Fraction(1, month_of(day).days)
        day += ONE_DAY
    assert months_weight(term) == day_by_day


@given(days)
def test_every_day_is_in_exactly_one_financial_and_one_academic_year(day: date) -> None:
    year = FinancialYear.of(day)
    assert day in year.period
    assert day not in year.next().period
    assert FinancialYear.parse(str(year)) == year
    assert day in academic_year(day)
    assert academic_year(day).end == academic_year(academic_year(day).end).start


def test_notice_on_28_April_of_a_visit_on_6_May_is_four_clear_days() -> None:
    assert clear_working_days(date(2026, 4, 28), date(2026, 5, 6), is_bank_holiday) == 4
    assert clear_working_days(date(2026, 4, 28), date(2026, 5, 6), bank_holidays(2026)) == 4
    assert clear_working_days(date(2026, 4, 28), date(2026, 5, 6), frozenset()) == 5


@pytest.mark.parametrize(
    ("given_at", "counts_from"),
    [
        (datetime(2026, 4, 28, 16, 0, tzinfo=UTC), date(2026, 4, 28)),  # 17:00, in time
        (datetime(2026, 4, 28, 16, 1, tzinfo=UTC), date(2026, 4, 29)),  # 17:01
        (datetime(2026, 5, 1, 15, 0, tzinfo=UTC), date(2026, 5, 1)),  # Friday 16:00
        (datetime(2026, 5, 1, 15, 30, tzinfo=UTC), date(2026, 5, 5)),  # Friday 16:30, Monday is a holiday
        (datetime(2026, 5, 2, 9, 0, tzinfo=UTC), date(2026, 5, 5)),  # Saturday
        (datetime(2026, 5, 4, 9, 0, tzinfo=UTC), date(2026, 5, 5)),  # the bank holiday itself
        (datetime(2026, 1, 13, 16, 30, tzinfo=UTC), date(2026, 1, 13)),  # winter: 16:30 in London as well
        (
            datetime(2026, 4, 27, 23, 30, tzinfo=UTC),
            date(2026, 4, 28),
        ),  # 00:30 on Tuesday, not late on Monday
    ],
)
def test_notice_after_closing_time_counts_from_the_next_working_day(
    given_at: datetime, counts_from: date
) -> None:
    assert notice_day(given_at, SHROPSHIRE, is_bank_holiday) == counts_from


def test_without_closing_times_only_the_date_counts() -> None:
    assert notice_day(datetime(2026, 4, 28, 21, 0, tzinfo=UTC), {}, is_bank_holiday) == date(2026, 4, 28)


@given(days, st.integers(min_value=0, max_value=60))
def test_adding_working_days_is_counting_them(day: date, count: int) -> None:
    later = add_working_days(day, count, is_bank_holiday)
    between = [day + timedelta(days=n) for n in range(1, (later - day).days + 1)]
    assert sum(is_working_day(one, is_bank_holiday) for one in between) == count
    if count:
        assert is_working_day(later, is_bank_holiday)
        assert clear_working_days(day, later, is_bank_holiday) == count - 1


@given(days)
def test_the_next_working_day_is_never_a_weekend_or_a_holiday(day: date) -> None:
    following = next_working_day(day, is_bank_holiday)
    assert following > day
    assert following.weekday() < 5
    assert not is_bank_holiday(following)


def test_the_bank_holidays_of_2026_as_the_government_lists_them() -> None:
    listed = ["01-01", "04-03", "04-06", "05-04", "05-25", "08-31", "12-25", "12-28"]
    on_weekdays = sorted(day for day in bank_holidays(2026) if day.weekday() < 5)
    assert [f"{day:%m-%d}" for day in on_weekdays] == listed
