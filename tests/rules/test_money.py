"""Money: exact, half up, and split so that the parts add up."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla_manager.catalogue.rules.pricing import line_net
from sla_manager.catalogue.rules.vat import TaxedLine, VatCode, document_totals
from sla_manager.kernel.money import Money, apportion, apportion_table, half_up, total
from tests.rules.strategies import amounts, weights


def split(amount: str, weights: Sequence[int | Fraction]) -> list[str]:
    return [str(part) for part in Money.parse(amount).split(weights)]


def test_a_third_of_2576_pounds_goes_to_the_earliest() -> None:
    assert split("2576.00", [1, 1, 1]) == ["858.67", "858.67", "858.66"]


def test_5000_pounds_by_seven_and_five() -> None:
    assert split("5000.00", [7, 5]) == ["2916.67", "2083.33"]


def test_M7_5_pounds_47_in_three() -> None:
    assert split("5.47", [1, 1, 1]) == ["1.83", "1.82", "1.82"]


def test_three_academies_share_six_days_50_30_20() -> None:
    parts = line_net(Decimal(6), Money.parse("368.00")).split([50, 30, 20])
    assert [str(part) for part in parts] == ["1104.00", "662.40", "441.60"]
    vat = [document_totals([TaxedLine(part, VatCode.STANDARD, 2000)]).vat for part in parts]
    assert [str(one) for one in vat] == ["220.80", "132.48", "88.32"]


def test_one_day_shared_equally_by_three_academies() -> None:
    parts = Money.parse("368.00").split([1, 1, 1])
    assert [str(part) for part in parts] == ["122.67", "122.67", "122.66"]
    vat = [document_totals([TaxedLine(part, VatCode.STANDARD, 2000)]).vat for part in parts]
    assert [str(one) for one in vat] == ["24.53", "24.53", "24.53"]
    assert str(total(vat)) == "73.59"
    assert apportion(444, [1, 1, 1]) == (148, 148, 148)


@given(amounts, weights)
def test_M7_parts_add_up_and_none_is_a_penny_from_its_exact_share(
    amount: Money, weights: list[int | Fraction]
) -> None:
    parts = amount.split(weights)
    assert total(parts) == amount
    everything = sum(Fraction(weight) for weight in weights)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part.pence - Fraction(amount.pence) * weight / everything) < 1


@given(amounts, st.integers(min_value=1, max_value=12))
def test_M7_equal_parts_differ_by_a_penny_at_most_and_the_earliest_are_the_larger(
    amount: Money, count: int
) -> None:
    parts = amount.split([1] * count)
    assert list(parts) == sorted(parts, reverse=True)
    assert parts[0].pence - parts[-1].pence <= 1


@given(amounts, weights)
def test_a_credit_is_split_as_its_invoice_was(amount: Money, weights: list[int | Fraction]) -> None:
    assert (-amount).split(weights) == tuple(-part for part in amount.split(weights))


@given(st.lists(st.integers(min_value=0, max_value=1_000_000), min_size=1, max_size=7), weights)
def test_a_table_of_lines_and_instalments_adds_up_both_ways(
    rows: list[int], weights: list[int | Fraction]
) -> None:
    table = apportion_table(rows, weights)
    assert [sum(row) for row in table] == rows
    assert tuple(map(sum, zip(*table, strict=True))) == apportion(sum(rows), weights)
    everything = sum(Fraction(weight) for weight in weights)
    for row, amount in zip(table, rows, strict=True):
        for cell, weight in zip(row, weights, strict=True):
            assert cell >= 0
            assert abs(cell - Fraction(amount) * weight / everything) <= 1


@pytest.mark.parametrize(
    ("rows", "weights"),
    [
        ([97, 5, 12, 11, 5058], [1, 1, 2, 20]),
        ([3378, 1, 5265], [1, 1, 28, Fraction(1, 3), 0]),
        ([6593, 5, 6117], [7, 13, 1, 1, 12, 2]),
    ],
)
def test_a_table_settles_where_giving_row_by_row_would_leave_a_column_a_penny_off(
    rows: list[int], weights: list[int | Fraction]
) -> None:
    columns = tuple(map(sum, zip(*apportion_table(rows, weights), strict=True)))
    assert columns == apportion(sum(rows), weights)


@given(st.fractions(min_value=-10_000, max_value=10_000, max_denominator=1000))
def test_rounding_is_half_up_and_the_same_for_a_credit(value: Fraction) -> None:
    rounded = half_up(value)
    assert abs(rounded - value) <= Fraction(1, 2)
    assert half_up(-value) == -rounded
    if (value * 2).denominator == 1 and value.denominator == 2:
        assert abs(rounded) > abs(value)


@pytest.mark.parametrize("factor", [0.5, True, "2"])
def test_M6_money_is_never_multiplied_by_a_float(factor: Any) -> None:
    with pytest.raises(TypeError):
        Money(100).times(factor)


@pytest.mark.parametrize("half", [0.5, True, "1"])
def test_M6_money_and_weights_are_never_floats(half: Any) -> None:
    with pytest.raises(TypeError):
        Money(half)
    with pytest.raises(TypeError):
        apportion(100, [half, half])
