"""Makes the small font files that documents embed, once, at set-up.

`python -m sla_manager.gateways.printing.fonts` takes two weights of Source Sans 3 (SIL Open Font License)
from the packages installed by name, keeps the characters that English, Welsh and neighbouring names need,
and writes them beside the templates. A full font costs every document time; without these files DejaVu Sans
is used. The family is renamed, because its licence reserves the name "Source" for the unchanged fonts.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "node_modules" / "@expo-google-fonts" / "source-sans-3"
TARGET = ROOT / "templates" / "documents" / "fonts"
SOURCES = {
    "regular.ttf": Path("400Regular") / "SourceSans3_400Regular.ttf",
    "semibold.ttf": Path("600SemiBold") / "SourceSans3_600SemiBold.ttf",
}
FAMILY = "Council Document"

_RANGES = (
    (0x20, 0x7E),
    (0xA0, 0x17F),
    (0x218, 0x21B),
    (0x1E80, 0x1E85),
    (0x1EF2, 0x1EF3),
    (0x2010, 0x2027),
)
_SINGLES = "‰′″‹›€№™←↑→↓−∕≠≤≥✓\ufffd"


def characters() -> set[int]:
    """Return the characters that are kept."""
    kept = {ord(character) for character in _SINGLES}
    for first, last in _RANGES:
        kept.update(range(first, last + 1))
    return kept


def subset_font(source: Path, target: Path) -> None:
    """Write the part of a font that documents need; a reader never sees a half-written file."""
    from fontTools import subset  # type: ignore[import-untyped]  # the font library carries no types

    options = subset.Options()
    options.layout_features = ["ccmp", "locl", "mark", "mkmk", "kern"]
    options.hinting = False
    options.notdef_outline = True
    options.recalc_timestamp = False
    options.name_IDs = [0, 1, 2, 4, 6, 13, 14]
    font = subset.load_font(str(source), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=characters())
    subsetter.subset(font)
    for record in font["name"].names:
        if record.nameID in (1, 4, 6):
            name = FAMILY if record.nameID == 1 else f"{FAMILY} {target.stem.title()}"
            record.string = name.replace(" ", "") if record.nameID == 6 else name
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(f".{os.getpid()}.part")
    subset.save_font(font, str(part), options)
    part.replace(target)


def make_fonts(package: Path = PACKAGE, target: Path = TARGET) -> bool:
    """Make every font file; return False when the package is not installed."""
    if not all((package / source).is_file() for source in SOURCES.values()):
        return False
    for name, source in SOURCES.items():
        subset_font(package / source, target / name)
    return True


if __name__ == "__main__":
    if not make_fonts():
        sys.stderr.write(f"{PACKAGE} is not installed: documents will be set in DejaVu Sans.\n")
