"""The geometry of the pictures: whole numbers in, whole numbers out, so that page and PDF draw the same.

A picture never stands alone: the macros in `templates/parts/charts.html` print its table beneath it, and each
kind of part has its own pattern as well as its own colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 1000
ROW = 56
BAR = 32
LABELS = 260
HEIGHT = 360
LEFT, RIGHT, TOP, BOTTOM = 110, 40, 20, 50
EDGE, FLOOR = WIDTH - RIGHT, HEIGHT - BOTTOM
KINDS = ("used", "booked", "left", "lapsing")
COLOURS = {
    "used": "#1d5c63",
    "booked": "#5694ca",
    "left": "#b9d9c4",
    "lapsing": "#f7c9a8",
}
SERIES = ("#1d5c63", "#f47738", "#5694ca", "#85994b", "#912b88")


@dataclass(frozen=True)
class Part:
    """One figure of a picture: what it is called, how large it is, and how it is said ("8.5 days")."""

    label: str
    amount: int
    shown: str
    kind: str = ""


@dataclass(frozen=True)
class Box:
    """A rectangle that stands for a part."""

    x: int
    y: int
    width: int
    height: int
    part: Part
    series: int = 0


@dataclass(frozen=True)
class Tick:
    """A mark on an axis, with its words."""

    at: int
    text: str


@dataclass(frozen=True)
class Bars:
    """A drawing of rectangles with a label for each row or group."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    labels: tuple[Tick, ...]


@dataclass(frozen=True)
class Line:
    """A drawing of a course through the year against an even pace."""

    width: int
    height: int
    actual: str
    even: str
    last: tuple[int, int]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]


def balance(parts: Sequence[Part]) -> Bars:
    """Lay the parts of one balance end to end over the whole width.

    >>> [(box.x, box.width) for box in balance([Part("Used", 3, "3 days"), Part("Left", 1, "1 day")]).boxes]
    [(0, 750), (750, 250)]
    """
    whole = sum(part.amount for part in parts)
    return Bars(WIDTH, BAR, tuple(_laid(parts, whole, 0, WIDTH, 0)), ())


def stacked(rows: Sequence[tuple[str, Sequence[Part]]]) -> Bars:
    """Lay rows of parts above each other, all to the scale of the longest row."""
    longest = max((sum(part.amount for part in parts) for _, parts in rows), default=0)
    boxes: list[Box] = []
    for index, (_, parts) in enumerate(rows):
        length = _share(sum(part.amount for part in parts), longest, WIDTH - LABELS)
        boxes += _laid(parts, sum(part.amount for part in parts), LABELS, length, index * ROW)
    labels = tuple(Tick(index * ROW + BAR // 2, text) for index, (text, _) in enumerate(rows))
    return Bars(WIDTH, max(len(rows), 1) * ROW, tuple(boxes), labels)


def grouped(groups: Sequence[tuple[str, Sequence[Part]]]) -> Bars:
    """Stand bars side by side in groups, all to one scale; a negative amount has no height.

    >>> drawn = grouped([("2025-26", [Part("Income", 200, "£2.00"), Part("Cost", 100, "£1.00")])])
    >>> [box.height for box in drawn.boxes]
    [290, 145]
    """
    tallest = max((part.amount for _, parts in groups for part in parts), default=0)
    room, floor = FLOOR - TOP, FLOOR
    step = (WIDTH - LEFT - RIGHT) // max(len(groups), 1)
    boxes, labels = [], []
    for place, (text, parts) in enumerate(groups):
        bar = min(step * 3 // 4 // max(len(parts), 1), 120)
        start = LEFT + place * step + (step - bar * len(parts)) // 2
        labels.append(Tick(LEFT + place * step + step // 2, text))
        for index, part in enumerate(parts):
            height = _share(max(part.amount, 0), tallest, room)
            boxes.append(Box(start + index * bar, floor - height, max(bar - 4, 1), height, part, index))
    return Bars(WIDTH, HEIGHT, tuple(boxes), tuple(labels))


def pace(
    points: Sequence[tuple[int, int]], *, length: int, whole: int, across: Sequence[tuple[int, str]], top: str
) -> Line:
    """Draw (day of the year, amount so far) against an even pace from nothing to `whole` at `length` days.

    `across` names days on the axis; `top` says the whole ("12 days").

    >>> pace([(0, 0), (50, 80)], length=100, whole=100, across=[(0, "April")], top="100").even
    '110,310 960,20'
    """
    largest = max([whole, *(amount for _, amount in points)])
    floor, room, breadth = FLOOR, FLOOR - TOP, EDGE - LEFT

    def spot(on: int, amount: int) -> tuple[int, int]:
        return LEFT + _share(on, length, breadth), floor - _share(amount, largest, room)

    spots = [spot(on, amount) for on, amount in points] or [spot(0, 0)]
    return Line(
        WIDTH,
        HEIGHT,
        " ".join(f"{x},{y}" for x, y in spots),
        " ".join(f"{x},{y}" for x, y in (spot(0, 0), spot(length, whole))),
        spots[-1],
        tuple(Tick(spot(on, 0)[0], text) for on, text in across),
        (Tick(floor, "0"), Tick(spot(0, whole)[1], top)),
    )


def fill(box: Box) -> str:
    """Return the colour of a part: by its kind, or by its place in the group."""
    return COLOURS.get(box.part.kind) or SERIES[box.series % len(SERIES)]


def _laid(parts: Sequence[Part], whole: int, start: int, length: int, y: int) -> list[Box]:
    boxes, so_far = [], 0
    for index, part in enumerate(parts):
        begin, so_far = _share(so_far, whole, length), so_far + part.amount
        end = _share(so_far, whole, length)
        if end > begin:
            boxes.append(Box(start + begin, y, end - begin, BAR, part, index))
    return boxes


def _share(amount: int, whole: int, length: int) -> int:
    """Return the part of a length, rounded to the nearest whole step; of nothing, nothing."""
    return (2 * amount * length + whole) // (2 * whole) if whole > 0 else 0
