"""Rules decide from what they are given: no clock, no float, no database, no environment."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import sla_manager

PACKAGE = Path(sla_manager.__file__).parent
PURE = sorted(
    [
        *(PACKAGE / "kernel").rglob("*.py"),
        *(file for rules in PACKAGE.glob("*/rules") for file in rules.rglob("*.py")),
        PACKAGE / "cli" / "quote.py",
    ]
)
OUTSIDE = {"now", "today", "utcnow", "time_ns", "monotonic", "getenv", "environ"}
SYSTEM_CLOCK = PACKAGE / "kernel" / "clock.py"


def read_from_outside(source: str) -> set[str]:
    """Return which readings of the clock or the environment a source makes; a parameter may be called today."""
    attributes = {node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)}
    return attributes & OUTSIDE


def floats(source: str) -> list[ast.AST]:
    """Return where a source writes a float, calls `float` or `round`, or divides one number by another."""
    found: list[ast.AST] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case (
                ast.Constant(value=float())
                | ast.Call(func=ast.Name(id="float" | "round"))
                | ast.BinOp(left=ast.Constant(), op=ast.Div(), right=ast.Constant())
            ):
                found.append(node)
    return found


@pytest.mark.parametrize("file", PURE, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_M8_no_rule_reads_the_clock_or_the_environment(file: Path) -> None:
    read = read_from_outside(file.read_text(encoding="utf-8"))
    assert read == ({"now"} if file == SYSTEM_CLOCK else set())


@pytest.mark.parametrize("file", PURE, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_M6_no_float_stands_where_money_or_time_passes(file: Path) -> None:
    assert floats(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("source", ["date.today()", "datetime.now(UTC)", "os.environ['X']"])
def test_M8_control_a_rule_that_did_would_be_found(source: str) -> None:
    assert read_from_outside(source)


@pytest.mark.parametrize("source", ["net * 0.2", "float(net)", "round(net, 2)", "1 / 3"])
def test_M6_control_a_float_would_be_found(source: str) -> None:
    assert floats(source)


def test_the_files_that_are_looked_at_are_the_rules() -> None:
    looked_at = {str(file.relative_to(PACKAGE)) for file in PURE}
    assert {"kernel/money.py", "agreements/rules/ledger.py", "catalogue/rules/vat.py"} <= looked_at
