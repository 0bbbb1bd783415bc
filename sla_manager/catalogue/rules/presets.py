"""Presets: data files that set up a real service, read into frozen facts and checked as they are read.

Each file in `catalogue/presets/` is one council's document. Nothing in it is a price that the document does
not give, and everything in it names the line it comes from.
"""

from __future__ import annotations

from pathlib import Path

from sla_manager.catalogue.rules.preset_reading import parse_examples, parse_preset
from sla_manager.catalogue.rules.preset_shapes import (
    Basis,
    LimitBasis,
    Origin,
    Phase,
    Preset,
    PresetCancellationBand,
    PresetCharging,
    PresetDocument,
    PresetExample,
    PresetHours,
    PresetItem,
    PresetObligation,
    PresetOffering,
    PresetPassage,
    PresetPolicies,
    PresetPolicy,
    PresetPrice,
    PresetRole,
    PresetSource,
    Side,
    Unit,
)
from sla_manager.catalogue.rules.preset_table import PresetRefused
from sla_manager.kernel.errors import NotFound

__all__ = [
    "Basis",
    "LimitBasis",
    "Origin",
    "Phase",
    "Preset",
    "PresetCancellationBand",
    "PresetCharging",
    "PresetDocument",
    "PresetExample",
    "PresetHours",
    "PresetItem",
    "PresetObligation",
    "PresetOffering",
    "PresetPassage",
    "PresetPolicies",
    "PresetPolicy",
    "PresetPrice",
    "PresetRefused",
    "PresetRole",
    "PresetSource",
    "Side",
    "Unit",
    "parse_examples",
    "parse_preset",
    "preset_names",
    "read_examples",
    "read_preset",
]

FOLDER = Path(__file__).parent.parent / "presets"
EXAMPLES = "examples"


def preset_names() -> tuple[str, ...]:
    """Return the presets that come with the product.

    >>> "southampton-2024-25" in preset_names(), "examples" in preset_names()
    (True, False)
    """
    return tuple(sorted(file.stem for file in FOLDER.glob("*.toml") if file.stem != EXAMPLES))


def read_preset(name: str) -> Preset:
    """Return a preset by its name.

    >>> read_preset("shropshire-2025-26").document.title
    'Education Access Service Level Agreement 2025-26'
    """
    if name not in preset_names():
        raise NotFound(f"There is no preset “{name[:60]}”. The presets are {', '.join(preset_names())}.")
    return parse_preset(name, (FOLDER / f"{name}.toml").read_bytes())


def read_examples() -> tuple[PresetExample, ...]:
    """Return the published rates that the demonstration uses."""
    return parse_examples((FOLDER / f"{EXAMPLES}.toml").read_bytes(), file=f"{EXAMPLES}.toml")
