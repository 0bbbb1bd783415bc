"""The house stands: rooms import downwards only, rules are pure, and nothing below the edges reads the world."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from sla_manager.config import ROOT
from tests.house.sources import PACKAGE, imported, modules, place, tree

ROOMS = (
    "people",
    "catalogue",
    "agreements",
    "visits",
    "planning",
    "billing",
    "payments",
    "finance",
    "reports",
)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
VAGUE = {"service", "utils", "util", "helpers", "helper", "common", "base", "manager"}
WORLD = {
    ("datetime", "now"),
    ("datetime", "today"),
    ("datetime", "utcnow"),
    ("date", "today"),
    ("time", "time"),
    ("os", "environ"),
    ("os", "getenv"),
}


def lint_imports(config: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter with a configuration."""
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [str(program), "--config", str(config), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_rooms_import_downwards_only() -> None:
    done = lint_imports(ROOT / "pyproject.toml")
    assert done.returncode == 0, done.stdout


def test_control_the_contract_sees_an_import_that_goes_up(tmp_path: Path) -> None:
    upside_down = tmp_path / "upside_down.ini"
    upside_down.write_text(
        "[importlinter]\nroot_package = sla_manager\n\n[importlinter:contract:upside-down]\nname = upside down\n"
        "type = layers\nlayers =\n    sla_manager.kernel\n    sla_manager.store\n"
    )
    done = lint_imports(upside_down)
    assert done.returncode != 0
    assert "BROKEN" in done.stdout


def test_the_package_itself_is_empty() -> None:
    assert (PACKAGE / "__init__.py").read_text(encoding="utf-8") == ""


def test_the_kernel_needs_the_standard_library_only() -> None:
    foreign = [
        f"{place(path, node)} imports {name}"
        for path in modules("kernel")
        for name, node in imported(path)
        if name.split(".")[0] not in sys.stdlib_module_names and not name.startswith("sla_manager.kernel")
    ]
    assert foreign == []


def test_rules_and_the_kernel_open_nothing() -> None:
    outside = {
        "os",
        "socket",
        "subprocess",
        "requests",
        "urllib",
        "http",
        "sqlite3",
        "shutil",
        "tempfile",
        "time",
    }
    found = [
        f"{place(path, node)} imports {name}"
        for path in modules("kernel", "*/rules", "*/rules.py")
        for name, node in imported(path)
        if name.split(".")[0] in outside
    ]
    assert found == []


def test_nothing_below_the_edges_reads_the_clock_or_the_environment() -> None:
    found = [
        place(path, node)
        for path in modules("kernel", "store", *ROOMS)
        if path != PACKAGE / "kernel" / "clock.py"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr) in WORLD
    ]
    assert found == []


def test_no_file_has_a_name_that_says_nothing() -> None:
    vague = [place(path) for path in modules() if path.stem in VAGUE]
    assert vague == []


def test_every_package_that_is_imported_is_declared() -> None:
    declared = {_plain(line) for line in PROJECT["project"]["dependencies"]}
    owners = packages_distributions()
    missing = {
        f"{place(path, node)} imports {name}"
        for path in modules()
        for name, node in imported(path)
        if (top := name.split(".")[0]) != "sla_manager"
        and top not in sys.stdlib_module_names
        and not declared & {_plain(owner) for owner in owners.get(top, [])}
    }
    assert missing == set()


def test_control_an_undeclared_package_would_be_seen() -> None:
    assert _plain("Psycopg[binary]>=3.3") == "psycopg"
    assert "hypothesis" not in {_plain(line) for line in PROJECT["project"]["dependencies"]}


@pytest.mark.parametrize(
    "lock", ["requirements.txt", "requirements-test.txt", "script/uv.txt", "script/node.txt"]
)
def test_every_locked_package_carries_its_hashes(lock: str) -> None:
    entries = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    assert entries
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


def test_the_locks_agree_with_each_other_and_hold_every_declared_package() -> None:
    run, test = _locked("requirements.txt"), _locked("requirements-test.txt")
    assert {name: test.get(name) for name in run} == run
    wanted = {_plain(line) for line in PROJECT["project"]["dependencies"]}
    assert wanted <= set(run)
    assert {_plain(line) for line in PROJECT["project"]["optional-dependencies"]["test"]} <= set(test)


def _locked(lock: str) -> dict[str, str]:
    lines = [line for line in (ROOT / lock).read_text(encoding="utf-8").splitlines() if "==" in line]
    return {_plain(line): line.split("==")[1].split()[0] for line in lines}


def _plain(requirement: str) -> str:
    name = requirement
    for mark in "[;<>=!~ ":
        name = name.split(mark)[0]
    return name.strip().lower().replace("_", "-").replace(".", "-")
