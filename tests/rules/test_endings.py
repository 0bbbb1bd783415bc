"""What stays payable when an agreement ends early, and that charged less credited is always exactly that."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla_manager.agreements.rules.endings import (
    EndsByItself,
    NoEarlyEnd,
    PlannedDocument,
    YearPart,
    end_by_notice,
    kept_by_delivery,
    kept_by_months,
    settle,
    share_until,
)
from sla_manager.agreements.rules.schedules import Schedule, plan_instalments
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.periods import Period

YEAR = Period.through(date(2025, 4, 1), date(2026, 3, 31))
DAY = 444


def part(used_days: int = 0, *, term: Period = YEAR, net: Money = Money(4416_00), days: int = 12) -> YearPart:
    """Return one year's part of 12 days for £4,416.00."""
    return YearPart(
        starts_on=term.start,
        ends_on=term.last,
        net=net,
        bought=Minutes(days * DAY),
        used=Minutes(used_days * DAY),
    )


def test_three_months_notice_on_31_august_ends_on_30_november() -> None:
    last = end_by_notice("X", starts_on=YEAR.start, ends_on=YEAR.last, months=3, notice_on=date(2025, 8, 31))
    assert last == date(2025, 11, 30)


def test_without_a_notice_period_nothing_ends_early() -> None:
    with pytest.raises(NoEarlyEnd, match="runs to 31 March 2026"):
        end_by_notice("X", starts_on=YEAR.start, ends_on=YEAR.last, months=0, notice_on=date(2025, 8, 31))


def test_notice_that_runs_past_the_last_day_is_refused_with_both_days() -> None:
    with pytest.raises(EndsByItself, match=r"31 March 2026.*31 March 2026|31 March 2026"):
        end_by_notice("X", starts_on=YEAR.start, ends_on=YEAR.last, months=3, notice_on=date(2025, 12, 31))


@pytest.mark.parametrize(
    ("used", "payable", "kept"), [(0, "2944.00", 8), (8, "2944.00", 8), (10, "3680.00", 10)]
)
def test_eight_twelfths_are_payable_and_never_less_than_what_was_delivered(
    used: int, payable: str, kept: int
) -> None:
    found = kept_by_months(part(used), date(2025, 11, 30))
    assert str(found.net) == payable
    assert found.minutes == Minutes(kept * DAY)


def test_e11_what_was_delivered_stays_and_the_rest_goes_on() -> None:
    term = Period.through(date(2025, 10, 14), date(2026, 3, 31))
    found = kept_by_delivery(part(7, term=term), date(2025, 12, 31))
    assert (found.minutes, str(found.net)) == (Minutes(7 * DAY), "2576.00")
    assert str(Money(4416_00) - found.net) == "1840.00"


def test_a_year_that_is_over_keeps_everything_and_one_to_come_nothing() -> None:
    after = YEAR.end + timedelta(days=30)
    assert kept_by_delivery(part(3), after).minutes == Minutes(12 * DAY)
    before = YEAR.start - timedelta(days=1)
    assert kept_by_months(part(0), before).net == Money(0)
    assert share_until(part(0), YEAR.last) == 1


@settings(max_examples=60)
@given(
    used=st.integers(0, 12 * DAY),
    last=st.dates(YEAR.start, YEAR.last),
    net=st.integers(0, 2_000_00),
    by_months=st.booleans(),
)
def test_what_stays_is_never_less_than_what_was_used_nor_more_than_all(
    used: int, last: date, net: int, by_months: bool
) -> None:
    year = YearPart(
        starts_on=YEAR.start, ends_on=YEAR.last, net=Money(net), bought=Minutes(12 * DAY), used=Minutes(used)
    )
    kept = (kept_by_months if by_months else kept_by_delivery)(year, last)
    assert kept.minutes is not None
    assert Minutes(used) <= kept.minutes <= Minutes(12 * DAY)
    assert year.used_net <= kept.net <= Money(net)


@settings(max_examples=60)
@given(
    schedule=st.sampled_from([Schedule.SINGLE, Schedule.THREE, Schedule.SEVEN_FIVE, Schedule.MONTHLY]),
    last=st.dates(YEAR.start, YEAR.last - timedelta(days=1)),
    used=st.integers(0, 12 * DAY),
    pence=st.integers(1, 9_999_99),
    run_to=st.dates(YEAR.start - timedelta(days=1), YEAR.last),
)
def test_charged_less_credited_is_payable_whatever_was_delivered_and_billed(
    schedule: Schedule, last: date, used: int, pence: int, run_to: date
) -> None:
    net = Money(pence)
    planned = [
        PlannedDocument(one.position, "instalment", one.due_on, {1: one.parts[0]})
        for one in plan_instalments(schedule, YEAR, [net])
    ]
    billed = {one.instalment_id for one in planned if one.due_on <= run_to}
    year = YearPart(
        starts_on=YEAR.start, ends_on=YEAR.last, net=net, bought=Minutes(12 * DAY), used=Minutes(used)
    )
    payable = kept_by_months(year, last).net
    found = settle({1: payable}, planned, billed=billed, through=last)
    charged = total(one.parts[1] for one in planned if one.instalment_id in found.counted)
    assert charged + found.difference == payable
    assert billed <= set(found.counted)
    assert not set(found.counted) & set(found.dropped)
    assert len(found.counted) + len(found.dropped) == len(planned)


def test_what_another_system_billed_before_it_was_taken_over_counts() -> None:
    planned = [PlannedDocument(3, "instalment", date(2026, 1, 1), {1: Money(1472_00)})]
    found = settle(
        {1: Money(2944_00)}, planned, billed=(), through=date(2025, 11, 30), elsewhere={1: Money(2944_00)}
    )
    assert found.dropped == (3,)
    assert found.difference == Money(0)
