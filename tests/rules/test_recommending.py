"""How much a school needs: bands without gaps or overlaps, and the sentence that a suggestion stands on."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla_manager.catalogue.rules.recommending import (
    BandBackwards,
    BandGap,
    BandOverlap,
    BandStep,
    Basis,
    Measure,
    Recommendation,
    SchoolFigures,
    Sold,
    check_steps,
    recommend,
)
from sla_manager.kernel.errors import Refused

HOURS, DAYS = 1, 2
SOLD = {HOURS: Sold("Attendance advisory officer", "hour"), DAYS: Sold("Education welfare officer", "day")}


@dataclass(frozen=True)
class Band:
    """A band as the store would hold it."""

    measure: Measure
    from_value: Decimal
    to_value: Decimal | None
    quantity: Decimal
    offering_id: int = HOURS
    basis: Basis = Basis.TERM
    phase: str = ""
    wording: str = ""


def step(first: str, last: str | None, quantity: str = "5") -> BandStep:
    """Return a step from text."""
    return BandStep(Decimal(first), Decimal(last) if last else None, Decimal(quantity))


GREENWICH = [
    Band(Measure.PERSISTENT, Decimal(first), Decimal(last) if last else None, Decimal(quantity))
    for first, last, quantity in (
        ("0", "8", "5"), ("8", "12", "10"), ("12", "20", "15"), ("20", "30", "22"), ("30", None, "30"),
    )
]  # fmt: skip
SHROPSHIRE = [Band(Measure.PHASE, Decimal(0), None, Decimal(1), DAYS, Basis.WEEK, "Secondary")]


def only(bands: list[Band], figures: SchoolFigures) -> Recommendation:
    """Return the one suggestion there is."""
    (found,) = recommend(bands, figures, SOLD)
    return found


def test_persistent_absence_gives_hours_a_term_with_the_figures_they_stand_on() -> None:
    figures = SchoolFigures(
        phase="Primary", year="2018/19", enrolments=704, persistent=Decimal("17.188"), persistent_pupils=121
    )
    found = only(GREENWICH, figures)
    assert (found.quantity, found.basis, found.asked) == (Decimal(15), Basis.TERM, Decimal(15))
    assert found.sentence == (
        "Persistent absence was 17.2 % in 2018/19 (121 of 704 pupils): we suggest 15 hours a term."
    )


def test_a_secondary_school_needs_a_day_a_week_over_39_weeks_and_a_primary_school_is_told_nothing() -> None:
    found = only(SHROPSHIRE, SchoolFigures(phase="Secondary"))
    assert found.asked == Decimal(39)
    assert found.sentence == (
        "Your school is a secondary school: we suggest 1 day a school week, which is 39 days over 39 school weeks."
    )
    assert recommend(SHROPSHIRE, SchoolFigures(phase="Primary"), SOLD) == []


def test_a_figure_that_is_not_published_says_so_and_suggests_nothing() -> None:
    found = only(GREENWICH, SchoolFigures(phase="Primary", year="2018/19", enrolments=12))
    assert (found.quantity, found.asked) == (None, None)
    assert found.sentence.startswith("Persistent absence of your school is not published for 2018/19")
    assert only(GREENWICH, SchoolFigures(phase="Primary")).sentence.startswith(
        "We have no attendance figures"
    )


def test_the_measure_that_suggests_most_counts_and_a_published_one_before_an_unpublished() -> None:
    severe = [
        Band(Measure.SEVERE, Decimal(0), Decimal(2), Decimal(5)),
        Band(Measure.SEVERE, Decimal(2), None, Decimal(25)),
    ]
    figures = SchoolFigures(phase="", year="2023/24", persistent=Decimal(9), severe=Decimal("2.5"))
    assert only([*GREENWICH, *severe], figures).sentence.startswith("Severe absence was 2.5 % in 2023/24: we")
    hidden = SchoolFigures(phase="", year="2023/24", severe=Decimal("1.0"))
    assert only([*GREENWICH, *severe], hidden).quantity == Decimal(5)


def test_what_is_not_sold_to_the_school_is_not_suggested_and_nought_is_the_free_offer() -> None:
    figures = SchoolFigures(phase="Primary", pupils=1200, pupils_source="census of 19 January 2023")
    assert recommend(SHROPSHIRE, SchoolFigures(phase="Secondary"), {HOURS: SOLD[HOURS]}) == []
    large = [
        Band(Measure.PUPILS, Decimal(0), Decimal(1000), Decimal(0)),
        Band(Measure.PUPILS, Decimal(1000), None, Decimal(12)),
    ]
    assert only(large, figures).sentence == (
        "Your school has 1,200 pupils (census of 19 January 2023): we suggest 12 hours a term."
    )
    small = SchoolFigures(phase="Primary", pupils=80)
    assert only(large, small).sentence == (
        "Your school has 80 pupils: the free core offer is likely to be enough."
    )


@pytest.mark.parametrize(
    ("steps", "refusal", "says"),
    [
        ([step("0", "10"), step("12", None)], BandGap, "No band covers 10 to 12"),
        ([step("5", None)], BandGap, "No band covers 0 to 5"),
        ([step("0", "10"), step("10", "20")], BandGap, "No band covers 20 to without end"),
        ([step("0", "12"), step("10", None)], BandOverlap, "Two bands cover 10"),
        ([step("0", None), step("10", None)], BandOverlap, "Two bands cover 10"),
        ([step("0", "10"), step("10", "10"), step("10", None)], BandBackwards, "from 10 to 10 ends before"),
        ([step("0", "101"), step("101", None)], Refused, "between 0 and 100"),
        ([], Refused, "at least one band"),
    ],
)
def test_bands_with_a_gap_or_an_overlap_are_refused_naming_it(
    steps: list[BandStep], refusal: type[Refused], says: str
) -> None:
    with pytest.raises(refusal, match=says):
        check_steps(steps, measure=Measure.PERSISTENT)


@settings(max_examples=60)
@given(
    st.sets(st.integers(1, 99_999), max_size=8).map(sorted),
    st.integers(0, 100_000).map(lambda thousandths: Decimal(thousandths) / 1000),
)
def test_every_figure_falls_in_exactly_one_band(limits: list[int], figure: Decimal) -> None:
    edges = [Decimal(0), *(Decimal(one) / 1000 for one in limits)]
    ends: list[Decimal | None] = [*edges[1:], None]
    steps = [
        BandStep(first, last, Decimal(n)) for n, (first, last) in enumerate(zip(edges, ends, strict=True), 1)
    ]
    checked = check_steps(steps[::-1], measure=Measure.PERSISTENT)
    bands = [Band(Measure.PERSISTENT, one.from_value, one.to_value, one.quantity) for one in checked]
    found = only(bands, SchoolFigures(phase="", year="2018/19", persistent=figure))
    assert found.quantity == sum(1 for edge in edges if edge <= figure)
