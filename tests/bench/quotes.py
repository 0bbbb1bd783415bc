"""Pricing without a database: lines a second, by the same function as `sla-manager quote`."""

from __future__ import annotations

import itertools
import json
import time

from sla_manager.cli.quote import quote_lines

LINES = 10_000


def cases() -> list[str]:
    """Return as many cases as are measured, of every class, schedule and VAT."""
    classes = (
        "academy",
        "own_maintained",
        "voluntary_aided",
        "independent",
        "out_of_area_maintained",
        "other",
    )
    schedules = ("single", "three", "seven-five", "monthly")
    mixed = itertools.cycle(itertools.product(classes, schedules, ("standard", "exempt")))
    return [
        json.dumps(
            {
                "customer_class": customer_class,
                "unit_price": f"{300 + number % 90}.{number % 100:02}",
                "quantity": f"{1 + number % 40}.5",
                "step": "0.5",
                "day_minutes": 444,
                "start": "2025-09-01",
                "end": "2026-08-31",
                "schedule": schedule,
                "vat": vat,
            }
        )
        for number, (customer_class, schedule, vat) in zip(range(LINES), mixed, strict=False)
    ]


def rows() -> list[tuple[str, str]]:
    """Return how many lines a second are priced."""
    lines = cases()
    started = time.perf_counter()
    answered = sum(1 for _ in quote_lines(lines))
    seconds = time.perf_counter() - started
    return [(f"{answered} lines priced", f"{answered / seconds:,.0f} a second")]
