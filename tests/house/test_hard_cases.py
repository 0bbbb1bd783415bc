"""Every hard case that the product promises to hold is held by a test that carries its name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent
PROMISED = (
    *(f"M{number}" for number in range(1, 10)),
    *(f"N{number}" for number in range(1, 12)),
    *(f"E{number}" for number in range(1, 12)),
    *(f"C{number}" for number in range(1, 9)),
    *(f"P{number}" for number in (1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12)),
    *(f"X{number}" for number in range(1, 7)),
    *("T1", "T2", "T6", "S1", "S3", "S5", "S9", "S10", "S12", "S14"),
)
RACES = ("N1", "D1", "E4", "C1", "C4", "P1", "P11", "X1")
"""Hard cases of a race: a control, with the guard taken away, shows that the test can fail."""


def names_of_tests() -> list[str]:
    """Return the names of all tests."""
    return [
        node.name
        for path in sorted(TESTS.rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


NAMES = names_of_tests()


@pytest.mark.parametrize("case", PROMISED)
def test_every_promised_hard_case_has_a_test_of_its_name(case: str) -> None:
    carried = re.compile(rf"(?:^|_){case.lower()}(?:_|$)")
    assert [name for name in NAMES if carried.search(name)], f"no test carries {case}"


@pytest.mark.parametrize("case", RACES)
def test_every_race_has_a_control_that_shows_it(case: str) -> None:
    assert [name for name in NAMES if name.startswith(f"test_{case.lower()}_control_")], (
        f"{case} has no control"
    )
