"""Shapes of prices, part of a year, patterns, top-up and shares: pure, with the worked numbers and properties."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla_manager.agreements.rules.sharing_lines import LineShare, shared_line, tranches_of_share
from sla_manager.catalogue.rules.discounts import Basket, DiscountKind, DiscountRule, best_discount
from sla_manager.catalogue.rules.part_year import part_of_year, part_words
from sla_manager.catalogue.rules.patterns import Every, PatternRefused, VisitPattern
from sla_manager.catalogue.rules.price_terms import TermsRefused, check_terms
from sla_manager.catalogue.rules.shapes import (
    FigureMissing,
    PartYear,
    PriceShape,
    SchoolFigures,
    cheaper_hint,
    plainest,
    price_quantity,
    tier_price,
)
from sla_manager.catalogue.rules.top_up import change_net
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.periods import Period
from sla_manager.people.rules.customer_classes import CustomerClass

TIERS: dict[str, Any] = {
    "tiers": [["1", "565.00"], ["4", "500.00"], ["11", "475.00"], ["21", "432.00"]],
    "top_up": "original",
}
NOBODY = SchoolFigures()


def priced(shape: PriceShape, terms: dict[str, Any], quantity: str, figures: SchoolFigures = NOBODY) -> str:
    found = price_quantity(
        shape, Money(565_00), terms, Decimal(quantity), unit="audit", figures=figures, step=Decimal("0.5")
    )
    return str(found.net)


@pytest.mark.parametrize(
    ("quantity", "net"),
    [("3", "1695.00"), ("4", "2000.00"), ("10", "5000.00"), ("11", "5225.00"), ("20", "9500.00"), ("21", "9072.00")],
)  # fmt: skip
def test_whole_quantity_tiers_cost_what_the_list_says(quantity: str, net: str) -> None:
    assert priced(PriceShape.TIERS, TIERS, quantity) == net


TIER_LISTS = st.lists(
    st.tuples(st.integers(2, 160), st.integers(0, 10**6)), max_size=6, unique_by=lambda row: row[0]
).map(lambda rows: [(Decimal(4 * least) / 16, Money(pence)) for least, pence in sorted([(1, 10**6), *rows])])


@settings(max_examples=150, deadline=None)
@given(TIER_LISTS, st.integers(1, 80), st.sampled_from(["0.25", "0.5", "1"]), st.sampled_from([None, 12, 40]))
def test_more_never_costs_less_than_the_hint_says(
    tiers: list[tuple[Decimal, Money]], steps: int, size: str, maximum: int | None
) -> None:
    step = Decimal(size)
    quantity = steps * step
    most = None if maximum is None else Decimal(maximum)
    last = 200 if most is None else int(most / step)
    now = tier_price(tiers, quantity).times(quantity)
    cost = {more: tier_price(tiers, more * step).times(more * step) for more in range(steps + 1, last + 1)}
    cheapest = min(cost.values(), default=now)
    hint = cheaper_hint(tiers, quantity, "day", step=step, maximum=most)
    assert bool(hint) == (cheapest < now)
    if hint:
        assert f"cost £{cheapest.pence // 100:,}.{cheapest.pence % 100:02d}:" in hint


def test_a_hint_names_only_what_can_be_ordered() -> None:
    tiers = [(Decimal(1), Money(500_00)), (Decimal("10.25"), Money(400_00))]
    hint = cheaper_hint(tiers, Decimal(10), "day", step=Decimal("0.5"))
    assert hint == "10.5 days cost £4,200.00: that is £800.00 less than 10."
    assert cheaper_hint(tiers, Decimal(10), "day", step=Decimal("0.5"), maximum=Decimal(10)) == ""


BAD: list[tuple[PriceShape, dict[str, Any], str]] = [
    (PriceShape.UNIT, {"tiers": []}, "has no terms"),
    (PriceShape.TIERS, {}, "at least one price"),
    (PriceShape.TIERS, {"tiers": "1"}, "at least one price"),
    (PriceShape.TIERS, {"tiers": [["1"]]}, "a quantity and a price"),
    (PriceShape.TIERS, {"tiers": [[1, "9.00"]]}, "Enter a number"),
    (PriceShape.TIERS, {"tiers": [["1", 9]]}, "Enter an amount"),
    (PriceShape.TIERS, {"tiers": [["-1", "9.00"]]}, "below 0"),
    (PriceShape.TIERS, {"tiers": [["2", "9.00"]]}, "Begin at 1"),
    (PriceShape.TIERS, {"tiers": [["1", "9.00"], ["1", "8.00"]]}, "two prices would hold"),
    (PriceShape.TIERS, {"tiers": [["1", "9.00"], ["5", "8.00"], ["4", "7.00"]]}, "4 comes after 5"),
    (PriceShape.TIERS, {"tiers": [["1", "-9.00"]]}, "below £0.00"),
    (PriceShape.TIERS, {"tiers": [["1", "9.00"]], "top_up": "free"}, "later in the year"),
    (PriceShape.PER_PUPIL, {"base": "1.00"}, "Enter an amount"),
    (PriceShape.PER_PUPIL, {"base": "0.00", "each": "0.00"}, "above £0.00"),
    (PriceShape.PER_PUPIL, {"base": "1.00", "each": "-1.00"}, "below £0.00"),
    (PriceShape.PER_PUPIL, {"base": "1.00", "each": "1.00", "fallback_pupils": "many"}, "whole number"),
    (PriceShape.PER_PUPIL, {"base": "1.00", "each": "1.00", "fallback_pupils": 0}, "whole number"),
    (PriceShape.BANDS, {"by": "colour", "bands": [{"price": "1.00"}]}, "depends on"),
    (PriceShape.BANDS, {"by": "pupils", "bands": []}, "at least one band"),
    (PriceShape.BANDS, {"by": "pupils", "bands": ["0"]}, "a beginning and a price"),
    (PriceShape.BANDS, {"by": "pupils", "bands": [{"from": "0", "to": None}]}, "Enter an amount"),
    (PriceShape.BANDS, {"by": "pupils", "bands": [{"from": "5", "to": None, "price": "1.00"}]}, "a gap at 0"),
    (
        PriceShape.BANDS,
        {"by": "pupils", "bands": [
            {"from": "0", "to": "100", "price": "1.00"}, {"from": "90", "to": None, "price": "2.00"},
        ]},
        "an overlap at 90",
    ),
    (PriceShape.BANDS, {"by": "absence", "bands": [{"from": "0", "to": "9", "price": "1.00"}]}, "no end"),
    (PriceShape.BANDS, {"by": "phase", "bands": [{"price": "1.00"}]}, "Enter the phase"),
    (
        PriceShape.BANDS,
        {"by": "phase", "bands": [{"phase": "Primary", "price": "1"}, {"phase": "primary", "price": "2"}]},
        "two prices",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "terms", "says"), BAD)
def test_terms_with_gaps_overlaps_or_nothing_are_refused(
    shape: PriceShape, terms: dict[str, Any], says: str
) -> None:
    with pytest.raises(TermsRefused, match=says):
        check_terms(shape, terms, minimum=Decimal(1))


JUNK = st.recursive(
    st.none() | st.integers(-5, 5) | st.sampled_from(["1", "-1", "2.50", "x", "", "nan", "1e9", "pupils"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["from", "to", "price", "phase"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(list(PriceShape)),
    st.dictionaries(st.sampled_from(["tiers", "top_up", "base", "each", "by", "bands", "fallback_pupils"]), JUNK),
)  # fmt: skip
def test_whatever_terms_say_they_are_refused_or_can_be_priced(
    shape: PriceShape, terms: dict[str, Any]
) -> None:
    try:
        check_terms(shape, terms, minimum=Decimal(1))
    except Refused:
        return
    figures = SchoolFigures(phase="Primary", pupils=210, absence=Decimal("21.4"))
    try:
        found = price_quantity(shape, Money(1_00), terms, Decimal(3), unit="case", figures=figures)
    except FigureMissing:
        assert terms["by"] == "phase"
        return
    assert found.net.pence >= 0
    assert shape is PriceShape.UNIT or plainest(shape, terms).pence >= 0


def test_a_base_and_pupils_with_fallback_or_the_reason_why_not() -> None:
    terms: dict[str, Any] = {"base": "466.14", "each": "1.14"}
    counted = SchoolFigures(pupils=210, pupils_from="census of 16 January 2025")
    found = price_quantity(PriceShape.PER_PUPIL, Money(0), terms, Decimal(1), unit="year", figures=counted)
    assert str(found.net) == "705.54"
    assert found.facts["pupils"] == 210
    assert found.words == "£466.14 + £1.14 × 210 pupils = £705.54 (census of 16 January 2025)"
    with pytest.raises(FigureMissing, match="number of pupils, and none is published"):
        priced(PriceShape.PER_PUPIL, terms, "1")
    assert priced(PriceShape.PER_PUPIL, terms | {"fallback_pupils": 100}, "1") == "580.14"


def test_a_band_ends_before_the_next_begins() -> None:
    bands = {"by": "absence", "bands": [
        {"from": "0", "to": "10", "price": "100.00"}, {"from": "10", "to": "20", "price": "200.00"},
        {"from": "20", "to": None, "price": "300.00"},
    ]}  # fmt: skip
    found = [
        priced(PriceShape.BANDS, bands, "1", SchoolFigures(absence=Decimal(one)))
        for one in ("0", "9.9", "10", "20")
    ]
    assert found == ["100.00", "100.00", "200.00", "300.00"]
    with pytest.raises(FigureMissing, match="persistent absence"):
        priced(PriceShape.BANDS, bands, "1")


def test_a_phase_without_a_price_says_which() -> None:
    bands = {"by": "phase", "bands": [{"phase": "Primary", "price": "250.00"}]}
    with pytest.raises(FigureMissing, match="phase, and “Secondary” has no price"):
        priced(PriceShape.BANDS, bands, "1", SchoolFigures(phase="Secondary"))


LATE = Period.through(date(2025, 11, 1), date(2026, 3, 31))


@pytest.mark.parametrize(
    ("policy", "net"), [(PartYear.FULL, "705.54"), (PartYear.MONTHS, "293.98"), (PartYear.DAYS, "291.88")]
)
def test_m8_five_months_of_a_yearly_price(policy: PartYear, net: str) -> None:
    assert str(Money.rounded(Fraction(705_54) * part_of_year(policy, LATE))) == net


@pytest.mark.parametrize(
    ("last", "full", "months"),
    [
        (date(2026, 3, 31), 1, Fraction(1)),
        (date(2026, 4, 30), 2, Fraction(13, 12)),
        (date(2028, 3, 31), 3, Fraction(3)),
    ],
)  # fmt: skip
def test_m8_a_term_of_more_than_a_year_pays_each_year_begun_or_each_month(
    last: date, full: int, months: Fraction
) -> None:
    term = Period.through(date(2025, 4, 1), last)
    assert part_of_year(PartYear.FULL, term) == full
    assert part_of_year(PartYear.MONTHS, term) == months


@settings(max_examples=80, deadline=None)
@given(st.dates(date(2025, 4, 1), date(2027, 12, 31)), st.integers(1, 900), st.sampled_from(list(PartYear)))
def test_m8_a_longer_term_never_pays_less_and_one_year_pays_one_price(
    start: date, days: int, policy: PartYear
) -> None:
    term = Period.through(start, date.fromordinal(start.toordinal() + days))
    longer = Period.through(start, date.fromordinal(start.toordinal() + days + 1))
    assert 0 < part_of_year(policy, term) <= part_of_year(policy, longer)
    year = Period.through(date(2025, 4, 1), date(2026, 3, 31))
    assert part_of_year(policy, year) == 1
    assert part_words(policy, year) == ""


def test_thirty_nine_weeks_of_seven_point_four_hours() -> None:
    pattern = VisitPattern(Every.WEEK, Decimal("7.4"), 39)
    hours = pattern.quantity(unit="hour", unit_minutes=Minutes(60))
    assert pattern.words == "39 weeks × 7.4 hours"
    assert str(Money(33_00).times(hours)) == "9523.80"


def test_half_a_day_each_fortnight_is_nineteen_visits_and_a_rest() -> None:
    pattern = VisitPattern(Every.FORTNIGHT, Decimal("1.85"), 39)
    assert (pattern.minutes.minutes, pattern.visit.minutes) == (4329, 222)
    assert pattern.visits() == (19, Minutes(111))
    assert VisitPattern.of(pattern.facts()) == pattern


@pytest.mark.parametrize(("hours", "weeks"), [("0", 39), ("-1", 39), ("7.4", 0), ("7.4", 54)])
def test_a_pattern_of_nothing_is_refused(hours: str, weeks: int) -> None:
    with pytest.raises(PatternRefused, match="between 1 and 53 weeks"):
        VisitPattern(Every.WEEK, Decimal(hours), weeks)


def change(rule: str, quantity: str, *, now: str, now_net: str, lowered: bool = False, **facts: Any) -> str:
    found = change_net(
        Decimal(quantity), now=Decimal(now), now_net=Money.parse(now_net), unit_price=Money(565_00),
        shape=PriceShape.TIERS, facts=TIERS | {"top_up": rule} | facts, is_lowered=lowered,
    )  # fmt: skip
    return str(found)


@pytest.mark.parametrize(
    ("rule", "quantity", "now", "now_net", "net"),
    [
        ("original", "2", "3", "1695.00", "1130.00"),
        ("stand_alone", "4", "3", "1695.00", "2000.00"),
        ("cumulative", "1", "3", "1695.00", "305.00"),
        ("cumulative", "1", "20", "9500.00", "-428.00"),
        ("cumulative", "-1", "21", "9072.00", "0.00"),
        ("cumulative", "-18", "21", "9072.00", "-7377.00"),
        ("original", "-1", "3", "1695.00", "-565.00"),
        ("stand_alone", "-24", "24", "10767.00", "-10767.00"),
    ],
)
def test_a_change_costs_what_the_top_up_rule_says(
    rule: str, quantity: str, now: str, now_net: str, net: str
) -> None:
    assert change(rule, quantity, now=now, now_net=now_net) == net


def test_part_of_a_year_is_changed_at_its_part() -> None:
    part: dict[str, Any] = {
        "unit_price": Money(705_54), "shape": PriceShape.PER_PUPIL, "facts": {"part_of_year": "5/12"},
        "now": Decimal(1), "now_net": Money(293_98), "is_lowered": False,
    }  # fmt: skip
    assert str(change_net(Decimal(1), **part)) == "293.98"
    assert str(change_net(Decimal(-1), **part)) == "-293.98"


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["original", "stand_alone", "cumulative"]),
    st.lists(st.integers(-6, 12).filter(bool), min_size=1, max_size=6),
    st.integers(1, 30),
    st.booleans(),
)
def test_changes_never_give_back_more_than_was_paid(
    rule: str, changes: list[int], first: int, lowered: bool
) -> None:
    now, net = Decimal(first), tier_price([(Decimal(1), Money(565_00))], Decimal(first)).times(first)
    net = Money.parse(priced(PriceShape.TIERS, TIERS, str(first)))
    net = net.times(Fraction(9, 10)) if lowered else net
    for one in [*changes, -100]:
        taken = Decimal(max(one, -int(now)))
        if not taken:
            continue
        moved = Money.parse(change(rule, str(taken), now=str(now), now_net=str(net), lowered=lowered))
        assert moved.pence <= 0 or taken > 0
        now, net = now + taken, net + moved
        assert net.pence >= 0
    assert now == 0
    assert net.pence == 0


@pytest.mark.parametrize(
    ("weights", "quantity", "net", "expected"),
    [
        ((50, 30, 20), "6", "2208.00", [("1104.00", 1332), ("662.40", 799), ("441.60", 533)]),
        ((1, 1, 1), "1", "368.00", [("122.67", 148), ("122.67", 148), ("122.66", 148)]),
    ],
)
def test_partners_share_to_the_penny_and_the_minute(
    weights: tuple[int, ...], quantity: str, net: str, expected: list[tuple[str, int]]
) -> None:
    found = []
    for place in range(3):
        own = shared_line(
            LineShare(weights, place), Decimal(quantity), unit=Minutes(444), net=Money.parse(net)
        )
        assert own.minutes is not None
        found.append((str(own.net), own.minutes.minutes))
    assert found == expected


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(1, 100), min_size=1, max_size=6),
    st.integers(1, 80),
    st.integers(0, 10**7),
    st.dates(date(2025, 4, 1), date(2026, 3, 31)),
    st.integers(1, 700),
)
def test_shares_and_their_years_add_up_exactly(
    weights: list[int], halves: int, pence: int, start: date, days: int
) -> None:
    quantity, term = Decimal(halves) / 2, Period.through(start, date.fromordinal(start.toordinal() + days))
    parts = [
        shared_line(LineShare(tuple(weights), place), quantity, unit=Minutes(444), net=Money(pence))
        for place in range(len(weights))
    ]
    assert total(one.net for one in parts) == Money(pence)
    assert sum(one.minutes.minutes for one in parts if one.minutes) == halves * 222
    assert sum(one.quantity for one in parts) == quantity
    for one in parts:
        years = tranches_of_share(one, term)
        assert total(year.net for year in years) == one.net
        assert (
            sum(year.minutes.minutes for year in years if year.minutes) == (one.minutes or Minutes(0)).minutes
        )
        assert sum((year.quantity for year in years), Decimal(0)) == one.quantity


@pytest.mark.parametrize("weights", [(), (0, 1), (-1, 2)])
def test_a_share_of_nothing_is_refused(weights: tuple[int, ...]) -> None:
    with pytest.raises(Refused, match="above nothing"):
        LineShare(weights, 0)


def test_another_price_is_for_the_same_part_of_the_year() -> None:
    rule = DiscountRule(
        kind=DiscountKind.SUBSCRIBER, name="Subscriber", unit_price=Money(600_00), needs_ids=frozenset({7}),
        starts_on=date(2025, 4, 1),
    )  # fmt: skip
    basket = Basket(bought={7: Decimal(1)}, on=date(2025, 10, 1), customer_class=CustomerClass.ACADEMY)
    off = best_discount(
        [rule], basket, offering_id=8, quantity=Decimal(1), net=Money(293_98), part=Fraction(5, 12)
    )
    assert off is not None
    assert str(off.amount) == "43.98"
