"""The repository's own files, for the tests of the house."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from sla_manager.config import ROOT

PACKAGE = ROOT / "sla_manager"
NOT_OURS = {".git", ".venv", "node_modules", "var", "static", "build", "dist", "invoices"}
BINARY = {".ttf", ".png", ".pdf", ".ico", ".woff2", ".db", ".gz", ".zip", ".jpg"}


def files() -> Iterator[Path]:
    """Yield every file of the repository: not what set-up made, nor caches, nor data."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(
            name
            for name in folders
            if name not in NOT_OURS
            and not name.endswith(("cache", ".egg-info", "__"))
            and name != ".hypothesis"
        )
        yield from (
            Path(folder) / name for name in sorted(names) if not name.endswith((".pyc", ".db-wal", ".db-shm"))
        )


def texts() -> Iterator[tuple[Path, str]]:
    """Yield every text file with what it says."""
    for path in files():
        if path.suffix not in BINARY:
            yield path, path.read_text(encoding="utf-8", errors="replace")


def modules(*under: str) -> list[Path]:
    """Return the product's Python files, all of them or those under some of its parts ("kernel", "*/rules")."""
    if not under:
        return sorted(PACKAGE.rglob("*.py"))
    found = {path for part in under for place in PACKAGE.glob(part) for path in _python(place)}
    return sorted(found)


def _python(place: Path) -> Iterator[Path]:
    yield from place.rglob("*.py") if place.is_dir() else [place]


@cache
def tree(path: Path) -> ast.Module:
    """Return a module's syntax."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def place(path: Path, node: ast.AST | None = None) -> str:
    """Say where something stands: sla_manager/billing/rules/vat.py:12."""
    line = f":{node.lineno}" if node is not None and hasattr(node, "lineno") else ""
    return f"{path.relative_to(ROOT)}{line}"


def imported(path: Path) -> Iterator[tuple[str, ast.AST]]:
    """Yield the full name of every module that a file imports, wherever in it."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, node
