"""What an agreement comes to: allowed moves, tranches by financial year, instalments."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla_manager.agreements.rules.schedules import (
    Schedule,
    instalment_dates,
    instalment_weights,
    plan_instalments,
)
from sla_manager.agreements.rules.statuses import (
    MOVES,
    AgreementStatus,
    MoveNotAllowed,
    allowed_from,
    move,
)
from sla_manager.agreements.rules.tranches import (
    QuantityOffStep,
    SplitDoesNotAddUp,
    TranchePart,
    tranches_as_agreed,
    tranches_by_months,
)
from sla_manager.catalogue.rules.pricing import line_net
from sla_manager.catalogue.rules.vat import TaxedLine, VatCode, document_totals
from sla_manager.kernel.minutes import Minutes, total_minutes
from sla_manager.kernel.money import Money, apportion, total
from sla_manager.kernel.periods import FinancialYear, Period, months_weight
from sla_manager.kernel.quantities import StepNotWholeMinutes
from tests.rules.strategies import amounts, steps, terms

DAY = Minutes(444)
RATE = Money.parse("368.00")
OCTOBER_TO_MARCH = Period.through(date(2025, 10, 14), date(2026, 3, 31))
SCHOOL_YEAR = Period.through(date(2025, 9, 1), date(2026, 8, 31))
FINANCIAL_YEAR = Period.through(date(2025, 4, 1), date(2026, 3, 31))
UPFRONT = [one for one in Schedule if one is not Schedule.ON_DELIVERY]


def cut(quantity: str, step: str, term: Period = SCHOOL_YEAR) -> list[tuple[str, str, str]]:
    whole = Decimal(quantity)
    parts = tranches_by_months(whole, Decimal(step), term, net=line_net(whole, RATE), unit=DAY)
    return [(str(part.year), f"{part.quantity:f}", str(part.net)) for part in parts]


def test_20_days_of_a_school_year_in_half_days() -> None:
    assert cut("20", "0.5") == [("2025-26", "11.5", "4232.00"), ("2026-27", "8.5", "3128.00")]


def test_38_days_of_a_school_year_in_quarter_days() -> None:
    assert [part[1] for part in cut("38", "0.25")] == ["22.25", "15.75"]


def test_12_days_from_October_to_March_are_all_in_one_year() -> None:
    assert cut("12", "0.5", OCTOBER_TO_MARCH) == [("2025-26", "12.0", "4416.00")]


def test_the_minutes_of_a_tranche_are_its_quantity_at_the_day_length_that_was_agreed() -> None:
    parts = tranches_by_months(Decimal(20), Decimal("0.5"), SCHOOL_YEAR, net=Money(0), unit=DAY)
    assert [part.minutes for part in parts] == [Minutes(5106), Minutes(3774)]


def test_E10_another_day_length_next_year_leaves_this_years_figures() -> None:
    this = tranches_by_months(Decimal(10), Decimal("0.5"), FINANCIAL_YEAR, net=Money(0), unit=DAY)
    following = Period.through(date(2026, 4, 1), date(2027, 3, 31))
    then = tranches_by_months(Decimal(10), Decimal("0.5"), following, net=Money(0), unit=Minutes(420))
    assert this[0].minutes == Minutes(4440)
    assert then[0].minutes == Minutes(4200)


def test_something_that_is_not_counted_in_time_is_cut_all_the_same() -> None:
    parts = tranches_by_months(Decimal(3), Decimal(1), SCHOOL_YEAR, net=Money.parse("750.00"), unit=None)
    assert [(part.quantity, part.minutes, str(part.net)) for part in parts] == [
        (2, None, "500.00"),
        (1, None, "250.00"),
    ]


def test_an_explicit_split_is_used_as_agreed() -> None:
    parts = tranches_as_agreed(
        Decimal(20),
        Decimal("0.5"),
        SCHOOL_YEAR,
        split={FinancialYear(2025): Decimal(15), FinancialYear(2026): Decimal(5)},
        net=line_net(Decimal(20), RATE),
        unit=DAY,
    )
    assert [(str(part.year), str(part.net)) for part in parts] == [
        ("2025-26", "5520.00"),
        ("2026-27", "1840.00"),
    ]


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ({2025: "15"}, "add up to 15, and the whole quantity is 20"),
        ({2025: "15", 2026: "5.5"}, "add up to 20.5"),
        ({2025: "15", 2027: "5"}, "does not touch the financial year 2027-28. It touches 2025-26, 2026-27"),
        ({2025: "15.25", 2026: "4.75"}, "15.25 is not allowed"),
        ({2025: "21", 2026: "-1"}, "-1 is not allowed"),
    ],
)
def test_an_explicit_split_must_make_the_whole(split: dict[int, str], message: str) -> None:
    years = {FinancialYear(year): Decimal(part) for year, part in split.items()}
    with pytest.raises((SplitDoesNotAddUp, QuantityOffStep), match=message):
        tranches_as_agreed(
            Decimal(20), Decimal("0.5"), SCHOOL_YEAR, split=years, net=Money(7360_00), unit=DAY
        )


@pytest.mark.parametrize(("quantity", "step"), [("0", "0.5"), ("-1", "0.5"), ("1.25", "0.5"), ("1", "0")])
def test_nothing_less_than_nothing_and_off_step_are_refused(quantity: str, step: str) -> None:
    with pytest.raises(QuantityOffStep):
        tranches_by_months(Decimal(quantity), Decimal(step), SCHOOL_YEAR, net=Money(0), unit=DAY)


def test_a_step_that_is_no_whole_number_of_minutes_is_refused() -> None:
    with pytest.raises(StepNotWholeMinutes):
        tranches_by_months(Decimal(1), Decimal("0.1"), SCHOOL_YEAR, net=Money(0), unit=DAY)


@given(st.integers(min_value=1, max_value=400), steps, terms(), amounts)
def test_tranches_add_up_and_are_fair_for_any_quantity_step_and_term(
    count: int, step: Decimal, term: Period, net: Money
) -> None:
    quantity = count * step
    parts = tranches_by_months(quantity, step, term, net=net, unit=Minutes(360))
    assert sum(part.quantity for part in parts) == quantity
    assert total(part.net for part in parts) == net
    assert total_minutes(part.minutes for part in parts if part.minutes) == Minutes(int(quantity * 360))
    for part in parts:
        exact = Fraction(quantity) * months_weight(part.period) / months_weight(term)
        assert part.quantity > 0
        assert abs(Fraction(part.quantity) - exact) < step
        assert abs(part.net.pence - net.pence * Fraction(part.quantity) / Fraction(quantity)) < 1
        assert part.year.period.overlap(term) == part.period


@given(st.integers(min_value=1, max_value=100), terms(), st.integers(min_value=1, max_value=12))
def test_tranches_follow_the_providers_own_financial_year(count: int, term: Period, month: int) -> None:
    parts = tranches_by_months(Decimal(count), Decimal(1), term, net=Money(100), unit=None, start_month=month)
    assert all(part.year.period.start.month == month for part in parts)
    assert sum(part.quantity for part in parts) == count


def gross(nets: tuple[Money, ...] | list[Money]) -> list[tuple[str, str, str]]:
    totals = [document_totals([TaxedLine(net, VatCode.STANDARD, 2000)]) for net in nets]
    return [(str(one.net), str(one.vat), str(one.gross)) for one in totals]


def planned(schedule: Schedule, term: Period, *nets: str) -> list[Money]:
    return [one.net for one in plan_instalments(schedule, term, [Money.parse(net) for net in nets])]


def test_an_academy_buys_12_days_in_three_instalments() -> None:
    documents = gross(planned(Schedule.THREE, OCTOBER_TO_MARCH, "4416.00"))
    assert documents == [("1472.00", "294.40", "1766.40")] * 3


def test_ten_days_by_seven_and_five_twelfths() -> None:
    documents = gross(planned(Schedule.SEVEN_FIVE, SCHOOL_YEAR, "3680.00"))
    assert [one[:2] for one in documents] == [("2146.67", "429.33"), ("1533.33", "306.67")]


def test_seven_days_in_three_have_515_19_of_vat_because_each_document_computes_its_own() -> None:
    documents = gross(planned(Schedule.THREE, OCTOBER_TO_MARCH, "2576.00"))
    assert [one[0] for one in documents] == ["858.67", "858.67", "858.66"]
    assert [one[1] for one in documents] == ["171.73"] * 3
    assert total(Money.parse(one[1]) for one in documents) == Money.parse("515.19")


def test_M9_a_penny_in_three_is_one_document() -> None:
    instalments = plan_instalments(Schedule.THREE, OCTOBER_TO_MARCH, [Money(1)])
    assert [(one.position, one.count, one.net) for one in instalments] == [(1, 1, Money(1))]
    assert plan_instalments(Schedule.THREE, OCTOBER_TO_MARCH, [Money(0)]) == ()
    assert plan_instalments(Schedule.ON_DELIVERY, OCTOBER_TO_MARCH, [Money(100)]) == ()


@pytest.mark.parametrize(
    ("schedule", "first", "last", "dates"),
    [
        (Schedule.SINGLE, "2025-10-14", "2026-03-31", ["2025-10-14"]),
        (Schedule.THREE, "2025-10-14", "2026-03-31", ["2025-10-14", "2026-01-01", "2026-03-01"]),
        (Schedule.THREE, "2025-09-01", "2026-08-31", ["2025-09-01", "2026-01-01", "2026-04-01"]),
        (Schedule.THREE, "2025-04-01", "2026-03-31", ["2025-04-01", "2025-09-01", "2026-01-01"]),
        (Schedule.THREE, "2025-08-28", "2026-08-27", ["2025-08-28", "2026-01-01", "2026-04-01"]),
        (Schedule.THREE, "2026-01-01", "2026-03-31", ["2026-01-01", "2026-02-01", "2026-03-01"]),
        (Schedule.THREE, "2025-12-20", "2026-12-19", ["2025-12-20", "2026-04-01", "2026-09-01"]),
        (Schedule.THREE, "2025-10-14", "2025-10-14", ["2025-10-14", "2025-10-14", "2025-10-14"]),
        (Schedule.SEVEN_FIVE, "2025-09-01", "2026-08-31", ["2025-09-01", "2026-04-01"]),
        (Schedule.SEVEN_FIVE, "2025-04-01", "2026-03-31", ["2025-04-01", "2025-11-01"]),
        (Schedule.SEVEN_FIVE, "2026-01-01", "2026-12-31", ["2026-01-01", "2026-04-01"]),
        (Schedule.MONTHLY, "2025-11-15", "2026-01-02", ["2025-11-15", "2025-12-01", "2026-01-01"]),
        (Schedule.ON_DELIVERY, "2025-09-01", "2026-08-31", []),
    ],
)
def test_the_dates_of_the_instalments(schedule: Schedule, first: str, last: str, dates: list[str]) -> None:
    term = Period.through(date.fromisoformat(first), date.fromisoformat(last))
    assert [str(day) for day in instalment_dates(schedule, term)] == dates


@given(st.sampled_from(list(Schedule)), terms())
def test_instalments_fall_inside_the_term_in_order_the_first_at_its_start(
    schedule: Schedule, term: Period
) -> None:
    dates = instalment_dates(schedule, term)
    assert len(dates) == len(instalment_weights(schedule, term))
    assert list(dates) == sorted(dates)
    assert all(day in term for day in dates)
    if schedule is not Schedule.ON_DELIVERY:
        assert dates[0] == term.start


@given(st.sampled_from(UPFRONT), terms(), st.lists(amounts, min_size=1, max_size=6))
def test_instalments_of_several_lines_are_exact_shares_of_the_whole_and_each_line_adds_up(
    schedule: Schedule, term: Period, nets: list[Money]
) -> None:
    instalments = plan_instalments(schedule, term, nets)
    shares = apportion(sum(net.pence for net in nets), instalment_weights(schedule, term))
    assert [one.net.pence for one in instalments] == [share for share in shares if share]
    for index, net in enumerate(nets):
        assert total(one.parts[index] for one in instalments) == net
    assert [one.position for one in instalments] == list(range(1, len(instalments) + 1))


@pytest.mark.parametrize("current", list(AgreementStatus))
@pytest.mark.parametrize("wanted", list(AgreementStatus))
def test_only_moves_in_the_table_are_allowed(current: AgreementStatus, wanted: AgreementStatus) -> None:
    allowed = {
        ("draft", "quoted"), ("quoted", "ordered"), ("quoted", "superseded"), ("quoted", "expired"),
        ("quoted", "withdrawn"), ("draft", "withdrawn"), ("ordered", "agreed"), ("ordered", "declined"),
        ("agreed", "ended"),
    }  # fmt: skip
    if (current.value, wanted.value) in allowed:
        assert move(current, wanted) is wanted
        return
    with pytest.raises(MoveNotAllowed) as refused:
        move(current, wanted)
    assert current.title.lower() in refused.value.message
    assert wanted.title.lower() in refused.value.message


def test_what_is_final_leads_nowhere_and_everything_else_can_be_reached() -> None:
    assert {one for one in AgreementStatus if one.is_final} == {
        AgreementStatus.SUPERSEDED,
        AgreementStatus.EXPIRED,
        AgreementStatus.WITHDRAWN,
        AgreementStatus.DECLINED,
        AgreementStatus.ENDED,
    }
    assert {after for _, after in MOVES} == set(AgreementStatus) - {AgreementStatus.DRAFT}
    assert allowed_from(AgreementStatus.AGREED) == (AgreementStatus.ENDED,)


def test_M8_the_same_agreement_is_cut_the_same_however_often_it_is_asked() -> None:
    def once() -> tuple[TranchePart, ...]:
        return tranches_by_months(Decimal(20), Decimal("0.5"), SCHOOL_YEAR, net=Money(7360_00), unit=DAY)

    assert once() == once()
