"""Sets of bands that come with a preset, to begin with."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from decimal import Decimal

from sla_manager.catalogue.rules.presets import FOLDER
from sla_manager.catalogue.rules.recommending import BandStep, Basis, Measure, check_steps

NEEDS = FOLDER / "needs"


@dataclass(frozen=True, slots=True)
class ExampleSet:
    """The bands of one offering (by its code), measure and phase."""

    offering: str
    measure: Measure
    phase: str
    basis: Basis
    wording: str
    steps: tuple[BandStep, ...]


def example_sets(preset: str | None) -> tuple[ExampleSet, ...]:
    """Return the sets that come with a preset; none where it has none.

    >>> [str(step.quantity) for step in example_sets("greenwich-2026-27")[0].steps]
    ['5', '10', '15', '20', '25', '30']
    >>> example_sets("dfe-core-offer"), example_sets(None)
    ((), ())
    """
    file = next((one for one in sorted(NEEDS.glob("*.toml")) if one.stem == preset), None)
    if file is None:
        return ()
    stored = tomllib.loads(file.read_text(encoding="utf-8"))
    return tuple(
        ExampleSet(
            offering=one["offering"],
            measure=Measure(one["measure"]),
            phase=one.get("phase", ""),
            basis=Basis(one["basis"]),
            wording=one.get("wording", ""),
            steps=steps_between(
                [(Decimal(begins), Decimal(quantity)) for begins, quantity in one["bands"]],
                Measure(one["measure"]),
            ),
        )
        for one in stored["sets"]
    )


def steps_between(begins: list[tuple[Decimal, Decimal]], measure: Measure) -> tuple[BandStep, ...]:
    """Return steps of which each ends where the next begins; the last has no end."""
    ends: list[Decimal | None] = [begin for begin, _ in begins[1:]]
    steps = [
        BandStep(begin, end, quantity) for (begin, quantity), end in zip(begins, [*ends, None], strict=True)
    ]
    return tuple(check_steps(steps, measure=measure))
