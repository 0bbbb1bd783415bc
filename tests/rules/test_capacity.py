"""The capacity guard's arithmetic: the worked number of the specification, and what must hold for any year."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla_manager.gateways.bank_holidays import is_bank_holiday
from sla_manager.kernel.clock import london_time
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes, total_minutes
from sla_manager.kernel.periods import FinancialYear
from sla_manager.planning.rules.capacity import (
    CapacityFacts,
    CapacitySettings,
    Promised,
    Standing,
    WhatIf,
    YearCapacity,
    room_in,
    thought,
    year_capacity,
)
from sla_manager.planning.rules.school_time import placed, stretches, unknown_time
from sla_manager.planning.rules.staffing import Away, OfficerTime, attendance

DAY = Minutes(444)
YEAR = FinancialYear(2025)
OFFICE = dict.fromkeys(range(5), (Minutes(540), Minutes(1020)))
NO_HOLIDAYS: frozenset[date] = frozenset()


@dataclass(frozen=True)
class Term:
    """Invented dates of a term."""

    name: str
    starts_on: date
    ends_on: date
    half_term_starts_on: date | None = None
    half_term_ends_on: date | None = None


SUMMER = Term("Summer", date(2025, 4, 14), date(2025, 7, 18), date(2025, 5, 26), date(2025, 5, 30))
AUTUMN = Term("Autumn", date(2025, 9, 8), date(2025, 12, 12), date(2025, 10, 27), date(2025, 10, 31))
SPRING = Term("Spring", date(2025, 12, 29), date(2026, 3, 27))
TERMS = (SUMMER, AUTUMN, SPRING)
"""Three terms of 65 school days: 195 a year."""


def days(count: int) -> Minutes:
    return Minutes(count * DAY.minutes)


def officer(**more: object) -> OfficerTime:
    wanted: dict[str, object] = {"name": "Asha Okafor", "pattern": OFFICE, "starts_on": date(2024, 4, 1)}
    return OfficerTime(**(wanted | more))  # type: ignore[arg-type]  # a builder of a small thing


def sold(count: int, *, standing: Standing = Standing.SOLD, first: date = YEAR.period.start,
         last: date = YEAR.period.last) -> Promised:  # fmt: skip
    return Promised(standing, 1, "EWS-SLA-1", "Meadow Lane", days(count), first, last)


def a_year(
    *promised: Promised, officers: tuple[OfficerTime, ...] = (officer(),), **more: int
) -> CapacityFacts:
    """One officer, forty schools with half a day each a term, and the time that the specification names."""
    wanted = {"training": 5, "supervision": 5, "court": 10} | more
    return CapacityFacts(
        year=YEAR,
        stretches=stretches(TERMS, YEAR.period, NO_HOLIDAYS),
        officers=officers,
        settings=CapacitySettings(
            day_length=DAY,
            meeting=Minutes(222),
            schools=40,
            **{name: days(count) for name, count in wanted.items()},
        ),
        promised=promised,
    )


def test_the_worked_number_115_days_can_be_sold_and_nine_more_than_113_are_seven_over() -> None:
    year = year_capacity(a_year(sold(113)))
    whole = year.whole
    assert [len(part.days) for part in year.facts.stretches] == [65, 65, 65]
    assert whole.working == days(195)
    assert (whole.training, whole.meetings, whole.supervision, whole.court) == (
        days(5),
        days(60),
        days(5),
        days(10),
    )
    assert whole.sellable == days(115)
    assert whole.free == days(2)
    room = room_in(year, days(9), first=YEAR.period.start, last=YEAR.period.last)
    assert room.over == days(7)
    assert not room_in(year, days(2), first=YEAR.period.start, last=YEAR.period.last).over


def test_sold_time_falls_evenly_on_the_school_weeks_that_the_agreement_covers() -> None:
    year = year_capacity(a_year(sold(12, first=date(2025, 9, 8), last=date(2026, 3, 27))))
    assert [term.figures.sold for term in year.terms] == [Minutes(0), days(6), days(6)]
    assert [part.weeks for part in year.facts.stretches] == [13, 13, 13]


def test_an_order_can_be_too_much_for_one_term_though_the_year_has_room() -> None:
    spring = {"first": SPRING.starts_on, "last": SPRING.ends_on}
    year = year_capacity(a_year(sold(36, **spring)))
    free = year.terms[2].figures.free
    assert year.whole.free > days(70)
    room = room_in(year, free + days(7), **spring)
    assert [term.name for term in room.tight] == ["Spring"]
    assert room.over == days(7)


def test_what_is_booked_counts_against_the_allowance_of_the_year() -> None:
    course = Away(
        "training", london_time(date(2025, 9, 8), time(8)), london_time(date(2025, 9, 10), time(18))
    )
    year = year_capacity(a_year(officers=(officer(away=(course,)),)))
    assert year.whole.training == days(5)
    assert [term.figures.training.minutes for term in year.terms] == [296, 3 * 444 + 296, 296]
    longer = replace(course, ends_at=london_time(date(2025, 9, 19), time(18)))
    assert year_capacity(a_year(officers=(officer(away=(longer,)),))).whole.training == days(10)


def test_half_a_day_away_takes_half_a_day_and_two_reasons_take_it_once() -> None:
    morning = Away("leave", london_time(date(2025, 9, 9), time(9)), london_time(date(2025, 9, 9), time(13)))
    ill = Away("sickness", london_time(date(2025, 9, 9), time(8)), london_time(date(2025, 9, 9), time(18)))
    found = attendance([officer(away=(morning, ill))], [date(2025, 9, 9)], DAY)
    assert (found.working, found.lost) == (DAY, {"leave": Minutes(222), "sickness": Minutes(222)})


def test_an_officer_who_starts_and_leaves_counts_only_between() -> None:
    one = officer(starts_on=date(2025, 9, 9), ends_on=date(2025, 9, 10))
    week = [date(2025, 9, 8) + timedelta(days=offset) for offset in range(7)]
    assert attendance([one], week, DAY).working == days(2)


def test_core_alone_can_be_short_of_time_and_is_never_squeezed_out() -> None:
    facts = a_year(court=140)
    assert year_capacity(facts).whole.sellable == -days(15)
    assert year_capacity(facts).whole.core == days(200)


def test_bank_holidays_are_no_working_days() -> None:
    with_holidays = stretches(TERMS, YEAR.period, is_bank_holiday)
    assert (
        sum(len(part.days) for part in with_holidays) == 195 - 4
    )  # Good Friday, Easter Monday, May Day, New Year's Day
    assert date(2025, 5, 5) not in with_holidays[0].days


def test_a_term_that_the_years_end_cuts_is_shared_by_its_school_days() -> None:
    easter = Term("Spring", date(2026, 1, 5), date(2026, 4, 10))
    this = stretches([easter], FinancialYear(2025).period, NO_HOLIDAYS)[-1]
    following = stretches([easter], FinancialYear(2026).period, NO_HOLIDAYS)[0]
    assert (len(this.days), len(following.days), this.of_term) == (62, 8, 70)
    assert following.name == "Spring, 1 Apr to 10 Apr"


def test_terms_that_nobody_entered_are_assumed_and_said() -> None:
    parts = stretches([SUMMER], YEAR.period, is_bank_holiday)
    assert [part.assumed for part in parts] == [False, True]
    assert [(one.start, one.last) for one in unknown_time([SUMMER], YEAR.period)] == [
        (date(2025, 7, 19), date(2026, 3, 31))
    ]
    assert 120 <= len(parts[1].days) <= 140
    assert not unknown_time(TERMS, YEAR.period)


def test_weeks_that_are_over_cannot_be_sold_any_more() -> None:
    today = date(2025, 10, 6)
    parts = stretches(TERMS, YEAR.period, NO_HOLIDAYS, today=today)
    assert [(part.name, len(part.days), part.past) for part in parts] == [
        ("Summer", 65, True),
        ("Autumn, so far", 20, True),
        ("Autumn, to come", 45, False),
        ("Spring", 65, False),
    ]
    year = year_capacity(replace(a_year(), stretches=parts))
    whole = year_capacity(a_year()).whole
    assert (year.whole.working, year.whole.sellable) == (whole.working, whole.sellable)
    assert year.ahead.working == days(110)
    room = room_in(year, days(60), first=today, last=YEAR.period.last)
    assert room.whole.free == year.ahead.free < days(70) < year.whole.free
    assert room.whole.name == "the rest of 2025-26"
    over = stretches(TERMS, YEAR.period, NO_HOLIDAYS, today=date(2026, 4, 1))
    assert not year_capacity(replace(a_year(), stretches=over)).is_known


def test_what_falls_on_no_school_day_counts_in_the_year_alone() -> None:
    year = year_capacity(a_year(sold(2, first=date(2025, 8, 4), last=date(2025, 8, 8))))
    assert year.elsewhere.sold == days(2)
    assert year.whole.sold == days(2)
    assert not any(term.figures.sold for term in year.terms)


def test_without_officers_nothing_is_known_and_nothing_is_held() -> None:
    year = year_capacity(a_year(officers=()))
    assert not year.is_known
    assert not room_in(year, days(9), first=YEAR.period.start, last=YEAR.period.last).over


def test_what_if_forty_more_days_are_sold_in_spring() -> None:
    now, then = _both(WhatIf(sell=days(40), sell_in="Spring"))
    assert [one.figures.sold for one in then.terms] == [Minutes(0), Minutes(0), days(40)]
    assert then.whole.free == now.whole.free - days(40)
    assert then.terms[2].figures.free < Minutes(0) < then.whole.free


def test_what_if_one_officer_fewer_from_january() -> None:
    now, then = _both(WhatIf(officers=-1, officers_from=date(2026, 1, 1)))
    lost = sum(day >= date(2026, 1, 1) for day in now.facts.stretches[2].days)
    assert then.whole.working == now.whole.working - days(lost)
    assert then.terms[0] == replace(now.terms[0], shares=then.terms[0].shares)


def test_what_if_two_more_schools_need_three_more_days_of_meetings() -> None:
    now, then = _both(WhatIf(schools=2))
    assert then.whole.meetings - now.whole.meetings == days(3)
    assert then.whole.free == now.whole.free - days(3)


@pytest.mark.parametrize(
    "what", [WhatIf(schools=-41), WhatIf(officers=-2), WhatIf(sell=days(1), sell_in="Advent")]
)
def test_a_thought_that_cannot_be_is_refused(what: WhatIf) -> None:
    with pytest.raises(Refused):
        thought(a_year(), what)


@settings(max_examples=40, deadline=None)
@given(
    minutes=st.integers(0, 60_000),
    first=st.dates(YEAR.period.start, YEAR.period.last),
    length=st.integers(0, 400),
    court=st.integers(0, 300),
)
def test_every_figure_of_the_year_is_the_sum_of_its_terms(
    minutes: int, first: date, length: int, court: int
) -> None:
    parts = stretches(TERMS, YEAR.period, NO_HOLIDAYS)
    laid, rest = placed(Minutes(minutes), parts, first=first, last=first + timedelta(days=length))
    assert total_minutes(laid) + rest == Minutes(minutes)
    asked = Promised(Standing.WAITING, 1, "", "", Minutes(minutes), first, first + timedelta(days=length))
    whole = year_capacity(a_year(asked, court=court)).whole
    assert whole.waiting == Minutes(minutes)
    assert whole.court == days(court)
    assert whole.sellable == whole.working - whole.away - whole.core
    assert whole.free_after_waiting == whole.sellable - whole.sold - whole.waiting


def _both(what: WhatIf) -> tuple[YearCapacity, YearCapacity]:
    facts = a_year()
    return year_capacity(facts), year_capacity(thought(facts, what))
