"""Which class of customer a school is, from the register's type, type group and authority."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla_manager.people.rules.customer_classes import CustomerClass, derive_customer_class

TYPES = Path(__file__).parents[1] / "data" / "establishment-types.csv"

OWN = "203"

EXPECTED = {
    CustomerClass.OWN_MAINTAINED: {
        "Community school",
        "Voluntary controlled school",
        "Foundation school",
        "Community special school",
        "Foundation special school",
        "Pupil referral unit",
        "Local authority nursery school",
    },
    CustomerClass.VOLUNTARY_AIDED: {"Voluntary aided school"},
    CustomerClass.ACADEMY: {
        "Academy sponsor led",
        "Academy special sponsor led",
        "Academy converter",
        "Academy alternative provision converter",
        "Academy alternative provision sponsor led",
        "Academy special converter",
        "Academy 16-19 converter",
        "Academy 16 to 19 sponsor led",
        "Academy secure 16 to 19",
        "Free schools",
        "Free schools special",
        "Free schools alternative provision",
        "Free schools 16 to 19",
        "University technical college",
        "Studio schools",
    },
    CustomerClass.INDEPENDENT: {
        "City technology college",
        "Other independent school",
        "Other independent special school",
        "Non-maintained special school",
    },
}


def register_types() -> list[tuple[str, str, str]]:
    """Return the group code, type code and type name of every type in the register."""
    with TYPES.open(encoding="utf-8", newline="") as file:
        return [(row["group"], row["type"], row["name"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize(("group", "code", "name"), register_types())
def test_every_type_of_the_register_has_its_class(group: str, code: str, name: str) -> None:
    expected = next((one for one, names in EXPECTED.items() if name in names), CustomerClass.OTHER)
    assert derive_customer_class(code, group, OWN, OWN) is expected
    assert derive_customer_class(code.zfill(2), group.zfill(2), f" {OWN} ", OWN) is expected
    elsewhere = derive_customer_class(code, group, "893", OWN)
    if expected.is_own:
        assert elsewhere is CustomerClass.OUT_OF_AREA_MAINTAINED
    else:
        assert elsewhere is expected


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ("4", CustomerClass.OWN_MAINTAINED),
        ("10", CustomerClass.ACADEMY),
        ("11", CustomerClass.ACADEMY),
        ("3", CustomerClass.INDEPENDENT),
        ("5", CustomerClass.OTHER),
        ("", CustomerClass.OTHER),
    ],
)
def test_a_type_that_is_new_is_classed_by_its_group(group: str, expected: CustomerClass) -> None:
    assert derive_customer_class("98", group, OWN, OWN) is expected


def test_a_school_without_an_authority_is_not_ours() -> None:
    assert derive_customer_class("1", "4", "", "") is CustomerClass.OUT_OF_AREA_MAINTAINED


@given(st.text(max_size=6), st.text(max_size=6), st.text(max_size=6), st.text(max_size=6))
def test_any_codes_have_a_class(kind: str, group: str, authority: str, provider: str) -> None:
    assert derive_customer_class(kind, group, authority, provider) in CustomerClass


def test_classes_have_titles_and_stand_in_a_sentence() -> None:
    assert CustomerClass.ACADEMY.described == "an academy"
    assert CustomerClass.INDEPENDENT.described == "an independent school"
    assert CustomerClass.OWN_MAINTAINED.described == "a maintained school of this authority"
    assert len({one.title for one in CustomerClass}) == len(CustomerClass)
