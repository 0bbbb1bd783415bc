"""The days bought: the ledger, extra time, lapse, cancellations, pace."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla_manager.agreements.rules.cancellations import (
    BandsRefused,
    cancellation_charge,
    is_rearranged_in_time,
    no_access_charge,
    read_bands,
)
from sla_manager.agreements.rules.extra_time import absorbed, split_delivery
from sla_manager.agreements.rules.lapse import (
    ClosingTranche,
    YearIsClosed,
    close_preview,
    lapse_value,
    refuse_closed_year,
)
from sla_manager.agreements.rules.ledger import (
    Balance,
    BalanceBelowNothing,
    Deduction,
    Entry,
    EntryKind,
    VariationBelowUse,
    WrongSign,
    balance_of,
    check_variation,
    deduct,
    refuse_below_nothing,
    signed,
)
from sla_manager.agreements.rules.pace import Pace, pace_sentence, school_weeks, standing
from sla_manager.gateways.bank_holidays import is_bank_holiday
from sla_manager.kernel.minutes import Minutes, total_minutes
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import FinancialYear, Period

DAY, HALF_DAY = Minutes(444), Minutes(222)
RATE = Money.parse("368.00")
SEPTEMBER = date(2025, 9, 1)
BANDS = read_bands([[5, 100], [20, 50]])


def days(count: str) -> Minutes:
    return Minutes(int(Decimal(count) * 444))


def entry(kind: EntryKind, length: Minutes, on: date = SEPTEMBER) -> Entry:
    return Entry(kind, signed(kind, length), on)


def test_10_and_a_half_days_logged_on_10_propose_half_a_day() -> None:
    split = split_delivery(days("10.5"), days("10"), unit=DAY, unit_price=RATE)
    assert (split.deducted, split.extra, str(split.net)) == (days("10"), HALF_DAY, "184.00")


def test_E4_two_officers_log_half_a_day_each_against_the_last_half_day() -> None:
    first = deduct(HALF_DAY, HALF_DAY)
    second = deduct(HALF_DAY, HALF_DAY - first.deducted)
    assert first == Deduction(HALF_DAY, Minutes(0))
    assert second == Deduction(Minutes(0), HALF_DAY)


def test_E5_a_variation_absorbs_proposed_extra_time_the_oldest_first() -> None:
    proposals = [HALF_DAY, days("2"), days("2")]
    assert absorbed(days("3"), proposals) == (HALF_DAY, days("2"), HALF_DAY)
    assert absorbed(days("9"), proposals) == tuple(proposals)
    assert absorbed(days("-1"), proposals) == (Minutes(0),) * 3


def test_E6_a_variation_below_what_is_delivered_is_refused_with_the_figures() -> None:
    balance = Balance(contracted=days("10"), delivered=days("7"))
    assert check_variation(balance, days("-3")) == days("-3")
    with pytest.raises(VariationBelowUse) as refused:
        check_variation(balance, days("-3.5"))
    assert refused.value.message == (
        "51 hours 48 minutes of 74 hours are already used. 25 hours 54 minutes cannot be taken away: "
        "at most 22 hours 12 minutes can."
    )


def test_E7_core_work_is_never_charged_even_with_nothing_left() -> None:
    late = cancellation_charge(HALF_DAY, 0, BANDS, core=True)
    assert (late.charged, late.per_cent) == (Minutes(0), 0)
    assert no_access_charge(HALF_DAY, core=True).charged == Minutes(0)


def test_half_a_day_a_fortnight_over_39_weeks_is_19_visits_and_111_minutes() -> None:
    bought = Minutes(39 * 111)
    assert bought == Minutes(4329)
    assert divmod(bought.minutes, HALF_DAY.minutes) == (19, 111)


def test_twelve_days_invoiced_nine_delivered_one_lost_two_lapse() -> None:
    book = [
        entry(EntryKind.CONTRACTED, days("12")),
        *(entry(EntryKind.DELIVERED, DAY) for _ in range(9)),
        entry(EntryKind.CREDITED, DAY),
    ]
    left = balance_of(book).balance
    assert left == days("2")
    assert str(lapse_value(left, days("12"), Money.parse("4416.00"))) == "736.00"
    income = Money.parse("4416.00") - Money.parse("368.00")
    assert str(income) == "4048.00"


kinds = st.sampled_from([kind for kind in EntryKind if kind is not EntryKind.REVERSAL])


@st.composite
def histories(draw: st.DrawFn) -> list[Entry]:
    """Draw entries of any kind, some of them undone."""
    book: list[Entry] = []
    for _ in range(draw(st.integers(min_value=0, max_value=25))):
        kind = draw(kinds)
        length = Minutes(draw(st.integers(min_value=1, max_value=2000)))
        on = SEPTEMBER + timedelta(days=draw(st.integers(min_value=0, max_value=364)))
        made = entry(kind, length, on)
        book.append(made)
        if draw(st.booleans()):
            book.append(made.reversal)
    return book


@given(histories(), st.integers(min_value=-1, max_value=365))
def test_E9_the_balance_on_any_date_is_the_sum_of_the_entries_to_that_date(
    book: list[Entry], after: int
) -> None:
    on = SEPTEMBER + timedelta(days=after)
    figures = balance_of(book, on=on)
    assert figures.balance == total_minutes(one.minutes for one in book if one.effective_on <= on)
    shown = figures.shown()
    assert shown["balance"] == (
        shown["contracted"] + shown["varied"] - shown["delivered"] - shown["charged"]
        - shown["credited"] - shown["lapsed"]
    )  # fmt: skip


@given(histories())
def test_E9_the_balance_is_its_replay_in_any_order(book: list[Entry]) -> None:
    replayed = Minutes(0)
    for one in book:
        replayed += one.minutes
    assert balance_of(book).balance == balance_of(reversed(book)).balance == replayed
    assert balance_of(book) == balance_of(sorted(book, key=lambda one: one.effective_on))


@given(st.lists(kinds, max_size=12))
def test_entries_that_are_all_undone_leave_nothing(drawn: list[EntryKind]) -> None:
    book = [entry(kind, DAY) for kind in drawn]
    assert balance_of([*book, *(one.reversal for one in book)]) == Balance()


@given(st.lists(st.integers(min_value=1, max_value=700).map(Minutes), max_size=40))
def test_deliveries_never_bring_a_balance_below_nothing_and_nothing_is_lost(
    delivered: list[Minutes],
) -> None:
    book, extra = [entry(EntryKind.CONTRACTED, days("10"))], Minutes(0)
    for length in delivered:
        split = deduct(length, balance_of(book).balance)
        assert split.deducted + split.extra == length
        if split.deducted:
            book.append(entry(EntryKind.DELIVERED, split.deducted))
        extra += split.extra
        refuse_below_nothing(balance_of(book))
    assert balance_of(book).delivered + extra == total_minutes(delivered)
    assert not extra or not balance_of(book).balance


def test_books_below_nothing_are_our_own_mistake() -> None:
    with pytest.raises(BalanceBelowNothing):
        refuse_below_nothing(Balance(contracted=DAY), -(DAY + Minutes(1)))
    with pytest.raises(WrongSign):
        signed(EntryKind.DELIVERED, Minutes(-5))
    with pytest.raises(WrongSign):
        Entry(EntryKind.DELIVERED, Minutes(5), SEPTEMBER)
    with pytest.raises(WrongSign):
        Entry(EntryKind.REVERSAL, Minutes(5), SEPTEMBER)
    assert signed(EntryKind.VARIED, Minutes(-5)) == Minutes(-5)


def test_free_to_book_is_what_is_left_without_what_is_booked() -> None:
    assert Balance(contracted=days("10"), delivered=days("4")).free_to_book(days("2")) == days("4")


def test_ten_bought_seven_and_a_half_delivered_two_and_a_half_lapse_worth_920() -> None:
    old = ClosingTranche(Balance(contracted=days("10"), delivered=days("7.5")), Money.parse("3680.00"))
    preview = close_preview([old])
    assert (preview.tranches, preview.lapsed, str(preview.value)) == (1, days("2.5"), "920.00")


def test_E1_closing_twice_changes_nothing_and_the_new_year_opens_at_8() -> None:
    closed = Balance(contracted=days("10"), delivered=days("7.5"), lapsed=days("2.5"))
    again = close_preview([ClosingTranche(closed, Money.parse("3680.00"))])
    assert (again.tranches, again.lapsed, again.value, again.already) == (0, Minutes(0), Money(0), 1)
    assert balance_of([entry(EntryKind.CONTRACTED, days("8"), date(2025, 4, 1))]).balance == days("8")


@given(
    st.integers(min_value=1, max_value=20_000),
    st.integers(min_value=0, max_value=20_000),
    st.integers(min_value=0, max_value=10**8),
)
def test_what_lapses_is_worth_its_share_and_all_of_it_is_worth_everything(
    bought: int, delivered: int, pence: int
) -> None:
    balance = Balance(contracted=Minutes(bought), delivered=Minutes(min(delivered, bought)))
    tranche = ClosingTranche(balance, Money(pence))
    assert abs(tranche.value.pence * bought - pence * tranche.lapsing.minutes) * 2 <= bought
    assert ClosingTranche(Balance(contracted=Minutes(bought)), Money(pence)).value == Money(pence)


def test_E2_a_late_log_into_a_closed_year_is_refused_with_whom_to_ask() -> None:
    refuse_closed_year(FinancialYear(2025), closed_on=None)
    with pytest.raises(YearIsClosed, match=r"2025-26 was closed on 10 April 2026.*Ask the service manager"):
        refuse_closed_year(FinancialYear(2025), closed_on=date(2026, 4, 10))


@pytest.mark.parametrize(
    ("clear", "minutes", "per_cent"), [(0, 222, 100), (4, 222, 100), (5, 111, 50), (19, 111, 50), (20, 0, 0)]
)
def test_half_a_day_cancelled_by_the_school_is_charged_by_its_notice(
    clear: int, minutes: int, per_cent: int
) -> None:
    charge = cancellation_charge(HALF_DAY, clear, BANDS)
    assert (charge.charged, charge.per_cent, charge.clear_days) == (Minutes(minutes), per_cent, clear)


def test_half_of_an_odd_number_of_minutes_is_charged_half_up() -> None:
    assert cancellation_charge(Minutes(111), 10, BANDS).charged == Minutes(56)


def test_what_the_council_cancels_is_free_and_a_locked_door_is_not() -> None:
    assert cancellation_charge(HALF_DAY, 0, BANDS, by_provider=True).charged == Minutes(0)
    assert no_access_charge(HALF_DAY).charged == HALF_DAY
    assert cancellation_charge(HALF_DAY, 0, ()).charged == Minutes(0)


@pytest.mark.parametrize(
    ("delivered", "in_time"), [(date(2026, 5, 5), True), (date(2026, 6, 4), True), (date(2026, 6, 5), False)]
)
def test_a_visit_rearranged_and_delivered_within_20_working_days_is_free(
    delivered: date, in_time: bool
) -> None:
    visit = date(2026, 5, 6)
    assert is_rearranged_in_time(visit, delivered, within=20, holidays=is_bank_holiday) is in_time


@pytest.mark.parametrize(
    "rows", [[[5, 101]], [[5, -1]], [[0, 50]], [[20, 50], [5, 100]], [[5, 100], [5, 50]], [[5]], [[True, 50]]]
)
def test_bands_that_make_no_sense_are_refused(rows: list[list[int]]) -> None:
    with pytest.raises(BandsRefused):
        read_bands(rows)


@dataclass(frozen=True)
class Term:
    starts_on: date
    ends_on: date
    half_term_starts_on: date | None = None
    half_term_ends_on: date | None = None


SPRING = Term(date(2026, 1, 5), date(2026, 3, 27), date(2026, 2, 16), date(2026, 2, 20))
SUMMER = Term(date(2026, 4, 13), date(2026, 7, 20), date(2026, 5, 25), date(2026, 5, 29))


def test_eight_and_a_half_days_left_and_nine_school_weeks_to_31_March() -> None:
    weeks = school_weeks(Period.through(date(2026, 1, 19), date(2026, 3, 31)), [SPRING, SUMMER])
    sentence = pace_sentence(days("8.5"), DAY, "day", weeks=weeks, last=date(2026, 3, 31))
    assert sentence == "8.5 days left, 9 school weeks to 31 March"


def test_one_of_each_is_singular() -> None:
    sentence = pace_sentence(DAY, DAY, "day", weeks=1, last=date(2026, 3, 31))
    assert sentence == "1 day left, 1 school week to 31 March"


@pytest.mark.parametrize(
    ("first", "last", "weeks"),
    [
        (date(2026, 3, 30), date(2026, 3, 31), 1),  # no term is known to touch them: every week counts
        (date(2026, 3, 27), date(2026, 3, 31), 1),
        (date(2026, 2, 14), date(2026, 2, 22), 0),  # half-term
        (date(2026, 2, 20), date(2026, 2, 23), 1),
        (date(2026, 3, 23), date(2026, 4, 17), 2),  # Easter lies between
    ],
)
def test_school_weeks_have_at_least_one_school_day(first: date, last: date, weeks: int) -> None:
    assert school_weeks(Period.through(first, last), [SPRING, SUMMER]) == weeks


@given(st.integers(min_value=0, max_value=400), st.integers(min_value=1, max_value=400))
def test_school_weeks_are_never_more_than_the_weeks_that_a_period_touches(start: int, length: int) -> None:
    first = date(2025, 9, 1) + timedelta(days=start)
    period = Period(first, first + timedelta(days=length))
    weekdays = [first + timedelta(days=n) for n in range(length) if (first + timedelta(days=n)).weekday() < 5]
    touched = {day - timedelta(days=day.weekday()) for day in weekdays}
    assert school_weeks(period, [SPRING, SUMMER]) <= len(touched)
    assert school_weeks(period, []) == len(touched)


@pytest.mark.parametrize(
    ("used", "pace"),
    [("2", Pace.BEHIND), ("4", Pace.ON), ("5", Pace.ON), ("6", Pace.ON), ("6.5", Pace.AHEAD)],
)
def test_use_is_compared_with_an_even_pace(used: str, pace: Pace) -> None:
    assert standing(days(used), days("10"), weeks_gone=20, weeks=40).pace is pace


def test_how_far_behind_is_said_in_days() -> None:
    stands = standing(days("2"), days("10"), weeks_gone=20, weeks=40)
    assert stands.sentence(DAY, "day") == "Behind an even pace by 3 days"
    assert standing(days("5"), days("10"), weeks_gone=20, weeks=40).sentence(DAY, "day") == "On an even pace"
