"""What may never stand in the repository: machine paths, registry hosts, switched-off tests, work left for later."""

from __future__ import annotations

import re

import pytest

from sla_manager.config import ROOT
from tests.house.sources import texts

HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("npmmirror", "com"),
    )
)
MACHINE_PATHS = tuple(
    "/" + "/".join(parts) for parts in (("work", "main"), ("work", "shared"), ("root", "."), ("opt", "pypi"))
)
LATER = re.compile(r"\b(?:{})\b".format("|".join(("TO" + "DO", "FIX" + "ME", "X" * 3))))
SWITCHED_OFF = re.compile(r"pytest\.(?:mark\.)?(?:skip|xfail|importorskip)|unittest\.skip")


@pytest.mark.parametrize("words", [*HOSTS, *MACHINE_PATHS, "shared/design", "shared/" + "sources"])
def test_no_file_names_a_package_registry_or_a_path_of_one_machine(words: str) -> None:
    if "shared/" in words:
        words = "../" + words
    assert [str(path.relative_to(ROOT)) for path, text in texts() if words in text] == []


def test_nothing_is_left_for_later() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path, text in texts()
        if path.name != "package-lock.json"
        for match in LATER.finditer(text)
    ]
    assert found == []


def test_no_test_is_switched_off() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path, text in texts()
        if path.suffix == ".py" and path.name != "test_words.py"
        for match in SWITCHED_OFF.finditer(text)
    ]
    assert found == []


def test_the_commands_of_the_readme_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"bash (script/\w+)", readme))
    assert {"script/run", "script/test"} <= named
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []


def test_continuous_integration_runs_everything() -> None:
    assert "bash script/test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
