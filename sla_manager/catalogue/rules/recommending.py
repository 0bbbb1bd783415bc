"""How much a school needs, by the bands that a service sets: from published figures to a quantity and its sentence.

A band goes from a figure (included) up to another (not included). The bands of one offering, measure and phase
follow each other without a gap or an overlap, from nothing without end, so that every school falls in exactly one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Protocol, TypeVar

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.quantities import plain
from sla_manager.kernel.titles import Titled
from sla_manager.kernel.words import counted

SCHOOL_WEEKS = 39
"""Weeks of a school year in which schools are open to staff: 190 days for pupils and five for training."""


class Measure(Titled):
    """What a band looks at."""

    PERSISTENT = "persistent", "Persistent absence (per cent of pupils)"
    SEVERE = "severe", "Severe absence (per cent of pupils)"
    PHASE = "phase", "Phase of education alone"
    PUPILS = "pupils", "Pupils on roll"

    @property
    def is_percentage(self) -> bool:
        """Whether the band's limits are percentages."""
        return self in (Measure.PERSISTENT, Measure.SEVERE)


class Basis(Titled):
    """For what the quantity is suggested."""

    AGREEMENT = "agreement", "a year"
    TERM = "term", "a term"
    WEEK = "week", "a school week"


class Band(Protocol):
    """One band, stored or typed."""

    @property
    def measure(self) -> Measure: ...
    @property
    def phase(self) -> str: ...
    @property
    def from_value(self) -> Decimal: ...
    @property
    def to_value(self) -> Decimal | None: ...
    @property
    def offering_id(self) -> int: ...
    @property
    def quantity(self) -> Decimal: ...
    @property
    def basis(self) -> Basis: ...
    @property
    def wording(self) -> str: ...


@dataclass(frozen=True, slots=True)
class BandStep:
    """One step of a set of bands as it is typed: from, up to (None: without end), how much."""

    from_value: Decimal
    to_value: Decimal | None
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolFigures:
    """What is known of a school. `year` is in words ("2018/19"), empty where no figures were ever imported."""

    phase: str
    year: str = ""
    enrolments: int | None = None
    persistent: Decimal | None = None
    persistent_pupils: int | None = None
    severe: Decimal | None = None
    severe_pupils: int | None = None
    pupils: int | None = None
    pupils_source: str = ""


@dataclass(frozen=True, slots=True)
class Sold:
    """What a recommendation needs to know of an offering."""

    name: str
    unit: str


@dataclass(frozen=True, slots=True)
class Recommendation:
    """So much of an offering, and the sentence that it stands on.

    `quantity` None means that the figure is not there; the sentence says so. `asked` is what an order form asks
    for: the quantity of a term, or of the whole year.
    """

    offering_id: int
    measure: Measure
    quantity: Decimal | None
    basis: Basis
    asked: Decimal | None
    sentence: str
    wording: str = ""


class BandGap(Refused):
    """Some schools would fall in no band."""

    def __init__(self, from_value: Decimal, to_value: Decimal | None) -> None:
        until = f"{plain(to_value)}" if to_value is not None else "without end"
        super().__init__(
            f"No band covers {plain(from_value)} to {until}. Bands begin at 0, follow each other, and the last one "
            "has no end.",
            field="bands",
        )


class BandOverlap(Refused):
    """Some schools would fall in two bands."""

    def __init__(self, at: Decimal) -> None:
        super().__init__(f"Two bands cover {plain(at)}. End one where the next begins.", field="bands")


class BandBackwards(Refused):
    """A band that ends before it begins."""

    def __init__(self, step: BandStep) -> None:
        end = plain(step.to_value) if step.to_value is not None else ""
        super().__init__(
            f"A band from {plain(step.from_value)} to {end} ends before it begins. Enter the smaller figure first.",
            field="bands",
        )


def check_steps(steps: Sequence[BandStep], *, measure: Measure) -> list[BandStep]:
    """Return the steps in order; a gap, an overlap or a percentage above 100 is refused.

    >>> check_steps([BandStep(Decimal(10), None, Decimal(12)), BandStep(Decimal(0), Decimal(10), Decimal(5))],
    ...             measure=Measure.PERSISTENT)[0].quantity
    Decimal('5')
    """
    if not steps:
        raise Refused("Enter at least one band.", field="bands")
    ordered = sorted(steps, key=lambda step: step.from_value)
    reached: Decimal | None = Decimal(0)
    for step in ordered:
        if step.to_value is not None and step.to_value <= step.from_value:
            raise BandBackwards(step)
        if measure.is_percentage and max(step.from_value, step.to_value or Decimal(0)) > 100:
            raise Refused("A percentage is between 0 and 100.", field="bands")
        if reached is None or step.from_value < reached:
            raise BandOverlap(step.from_value)
        if step.from_value > reached:
            raise BandGap(reached, step.from_value)
        reached = step.to_value
    if reached is not None:
        raise BandGap(reached, None)
    return ordered


def is_for_phase(phase: str, school_phase: str) -> bool:
    """Say whether a band for a phase is for a school; no phase is every school.

    >>> is_for_phase("Secondary", "Middle deemed secondary"), is_for_phase("", "Primary")
    (True, True)
    """
    return phase.casefold() in school_phase.casefold()


def recommend(
    bands: Sequence[Band], figures: SchoolFigures, sold: Mapping[int, Sold], *, weeks: int = SCHOOL_WEEKS
) -> list[Recommendation]:
    """Return what is suggested, one for each offering: where several bands fit, the one that suggests most.

    What is not sold to this school (not in `sold`) is left out. A figure that is not published gives a
    recommendation without a quantity, unless another measure has one.
    """
    best: dict[int, Recommendation] = {}
    for band in bands:
        if band.offering_id not in sold or not is_for_phase(band.phase, figures.phase):
            continue
        found = _of_band(band, figures, sold[band.offering_id], weeks)
        if found is None:
            continue
        held = best.get(band.offering_id)
        if held is None or _weight(found, weeks) > _weight(held, weeks):
            best[band.offering_id] = found
    return list(best.values())


B = TypeVar("B", bound=Band)


def band_of(bands: Sequence[B], figures: SchoolFigures) -> B | None:
    """Return the band of one set that a school falls in, or None where its figure is not published."""
    figure = _figure(bands[0].measure, figures) if bands else None
    if figure is None:
        return None
    return next((band for band in bands if _covers(band, figure)), None)


def _covers(band: Band, figure: Decimal) -> bool:
    return figure >= band.from_value and (band.to_value is None or figure < band.to_value)


def _weight(one: Recommendation, weeks: int) -> Decimal:
    if one.quantity is None:
        return Decimal(-1)
    return one.quantity * {Basis.AGREEMENT: 1, Basis.TERM: 3, Basis.WEEK: weeks}[one.basis]


def _of_band(band: Band, figures: SchoolFigures, sold: Sold, weeks: int) -> Recommendation | None:
    figure = _figure(band.measure, figures)
    if figure is None:
        missing = _missing(band.measure, figures)
        return Recommendation(band.offering_id, band.measure, None, band.basis, None, missing)
    if not _covers(band, figure):
        return None
    opening = _stands_on(band.measure, figures)
    if not band.quantity:
        sentence = f"{opening}: the free core offer is likely to be enough."
        return Recommendation(
            band.offering_id, band.measure, Decimal(0), band.basis, None, sentence, band.wording
        )
    much = f"{counted(band.quantity, sold.unit)} {band.basis.title}"
    asked = band.quantity
    if band.basis is Basis.WEEK:
        asked = band.quantity * weeks
        much += f", which is {counted(asked, sold.unit)} over {weeks} school weeks"
    return Recommendation(
        band.offering_id,
        band.measure,
        band.quantity,
        band.basis,
        asked,
        f"{opening}: we suggest {much}.",
        band.wording,
    )


def _figure(measure: Measure, figures: SchoolFigures) -> Decimal | None:
    if measure is Measure.PERSISTENT:
        return figures.persistent
    if measure is Measure.SEVERE:
        return figures.severe
    if measure is Measure.PUPILS:
        return None if figures.pupils is None else Decimal(figures.pupils)
    return Decimal(0)


def _stands_on(measure: Measure, figures: SchoolFigures) -> str:
    if measure is Measure.PHASE:
        return f"Your school is {_article(figures.phase)} {figures.phase.lower()} school"
    if measure is Measure.PUPILS:
        source = f" ({figures.pupils_source})" if figures.pupils_source else ""
        return f"Your school has {figures.pupils:,} pupils{source}"
    name, value, pupils = _absence(measure, figures)
    told = (
        f" ({pupils:,} of {figures.enrolments:,} pupils)" if pupils is not None and figures.enrolments else ""
    )
    return f"{name} absence was {shown_per_cent(value)} in {figures.year}{told}"


def _absence(measure: Measure, figures: SchoolFigures) -> tuple[str, Decimal | None, int | None]:
    if measure is Measure.SEVERE:
        return "Severe", figures.severe, figures.severe_pupils
    return "Persistent", figures.persistent, figures.persistent_pupils


def _missing(measure: Measure, figures: SchoolFigures) -> str:
    if measure is Measure.PUPILS:
        return "We do not know how many pupils your school has, so we cannot suggest a quantity. Ask us."
    name = _absence(measure, figures)[0]
    if not figures.year:
        return "We have no attendance figures of your school yet, so we cannot suggest a quantity. Ask us."
    why = f"{name} absence of your school is not published for {figures.year}"
    return f"{why}, so we cannot suggest a quantity. Ask us."


def _article(phase: str) -> str:
    return "an" if phase[:1].lower() in "aeio" else "a"


def shown_per_cent(value: Decimal | None) -> str:
    """Write a percentage with one place; one that is not published says so.

    >>> shown_per_cent(Decimal("17.188")), shown_per_cent(Decimal("6.000")), shown_per_cent(None)
    ('17.2 %', '6.0 %', 'not published')
    """
    return "not published" if value is None else f"{value.quantize(Decimal('0.1'), ROUND_HALF_UP)} %"
