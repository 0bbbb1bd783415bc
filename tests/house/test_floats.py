"""M6: no binary float anywhere money or time passes. What is not written plainly, mypy's types give away."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from sla_manager.config import ROOT
from tests.house.sources import modules, place, tree

MONEY = (
    "kernel",
    "*/rules",
    "*/rules.py",
    "billing",
    "payments",
    "finance",
    "agreements",
    "catalogue",
    "visits",
    "reports",
)


def test_m6_no_float_is_written_where_money_or_time_passes() -> None:
    written = [
        place(path, node) for path in modules(*MONEY) for node in ast.walk(tree(path)) if _is_float(node)
    ]
    assert written == []


def test_m6_control_a_written_float_would_be_seen() -> None:
    source = "price = 1.5\ncost = float(row)\nfine = 15\n"
    assert [node.lineno for node in ast.walk(ast.parse(source)) if _is_float(node)] == [1, 2]


@pytest.mark.parametrize(
    ("line", "is_float"),
    [
        ("total // 3", False),
        ("total / 3", True),
        ("span // timedelta(minutes=1)", False),
        ("span.total_seconds()", True),
        ("Decimal(total) / 3", False),
        ("Fraction(total, 3)", False),
        ("float(total)", True),
        ("Path('a') / 'b'", False),
    ],
)
def test_m6_types_give_a_hidden_float_away(line: str, is_float: bool, tmp_path: Path) -> None:
    package = tmp_path / "sla_manager"
    package.mkdir()
    (package / "example.py").write_text(
        "from datetime import timedelta\nfrom decimal import Decimal\nfrom fractions import Fraction\n"
        f"from pathlib import Path\n\n\ndef example(total: int, span: timedelta) -> object:\n    return {line}\n"
    )
    settings = tmp_path / "mypy.ini"
    settings.write_text(
        f"[mypy]\nplugins = {ROOT / 'tests' / 'house' / 'no_floats.py'}\ncache_dir = {ROOT / '.mypy_cache'}\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(settings), str(package / "example.py")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ("this is a binary float" in done.stdout) is is_float, done.stdout + done.stderr
    assert done.returncode == int(is_float), done.stdout + done.stderr


def test_m6_the_type_check_of_the_product_looks_for_floats() -> None:
    assert '"tests/house/no_floats.py"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def _is_float(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, float | complex)
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"
