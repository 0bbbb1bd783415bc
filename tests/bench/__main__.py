"""Prints every measurement as one table: `script/bench` (a part's name runs that part alone)."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

PARTS = ("quotes", "runs", "lists", "renewals", "pdf", "bank", "year_end", "exports")


def main(wanted: Sequence[str]) -> None:
    """Measure the parts wanted, or all of them."""
    unknown = set(wanted) - set(PARTS)
    if unknown:
        sys.exit(f"There is no part {', '.join(sorted(unknown))}. There are: {', '.join(PARTS)}.")
    for part in wanted or PARTS:
        rows = importlib.import_module(f"tests.bench.{part}").rows()
        width = max(len(label) for label, _ in rows)
        sys.stdout.write(f"\n{part}\n")
        for label, figure in rows:
            sys.stdout.write(f"  {label:<{width}}  {figure}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
