"""Which bands a service suggests quantities by, and what they suggest to a school."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from sla_manager.catalogue.models import NeedBand, Offering
from sla_manager.catalogue.rules.recommending import (
    Measure,
    Recommendation,
    SchoolFigures,
    Sold,
    band_of,
    recommend,
)
from sla_manager.people.figures import PupilCount, latest_figures, pupil_counts
from sla_manager.people.models import AttendanceFigure, School
from sla_manager.people.rules.attendance_files import year_name


@dataclass(frozen=True, slots=True)
class BandSet:
    """The bands of one offering, measure and phase, in order; together they cover every figure once."""

    measure: Measure
    phase: str
    bands: Sequence[NeedBand]

    @property
    def first(self) -> NeedBand:
        """The lowest band: it names the offering, the basis and the wording of all."""
        return self.bands[0]


def need_bands(session: Session, service_id: int) -> list[NeedBand]:
    """Return every band of a service with its offering, set by set and in order; one query."""
    query = (
        select(NeedBand)
        .where(NeedBand.service_id == service_id)
        .options(joinedload(NeedBand.offering))
        .order_by(NeedBand.offering_id, NeedBand.measure, NeedBand.phase, NeedBand.from_value)
    )
    return list(session.scalars(query))


def band_sets(session: Session, service_id: int) -> list[BandSet]:
    """Return a service's bands gathered into sets."""
    gathered: dict[tuple[int, Measure, str], list[NeedBand]] = {}
    for band in need_bands(session, service_id):
        gathered.setdefault((band.offering_id, band.measure, band.phase), []).append(band)
    return [BandSet(measure, phase, bands) for (_, measure, phase), bands in gathered.items()]


def school_figures(session: Session, school: School, *, on: date) -> SchoolFigures:
    """Return what is known of a school on a day: its newest academic year, and its pupils."""
    newest = next(iter(latest_figures(session, school_ids=[school.id])), None)
    return _figures(school, newest, pupil_counts(session, [school.id], on=on).get(school.id))


def suggestions(
    session: Session, service_id: int, school: School, offered: Iterable[Offering], *, on: date
) -> Mapping[int, Recommendation]:
    """Return what a service suggests to a school, by offering; only of what is given as offered."""
    bands = need_bands(session, service_id)
    if not bands:
        return {}
    sold = {one.id: Sold(one.name, one.unit) for one in offered}
    found = recommend(bands, school_figures(session, school, on=on), sold)
    return {one.offering_id: one for one in found}


def schools_by_band(session: Session, bands: Sequence[NeedBand], *, on: date) -> Counter[int | None]:
    """Return how many open schools fall in each of these bands, by band; None counts those without a figure.

    The bands are one set. Schools of another phase are not counted. Four queries, however many schools.
    """
    newest: dict[int, AttendanceFigure] = {}
    for one in latest_figures(session):
        newest.setdefault(one.school_id, one)
    pupils = pupil_counts(session, on=on)
    found: Counter[int | None] = Counter()
    for school in session.scalars(select(School).where(School.status_code != "2")):
        if bands[0].phase.casefold() in school.phase.casefold():
            figures = _figures(school, newest.get(school.id), pupils.get(school.id))
            band = band_of(bands, figures)
            found[band.id if band is not None else None] += 1
    return found


def _figures(school: School, newest: AttendanceFigure | None, pupils: PupilCount | None) -> SchoolFigures:
    return SchoolFigures(
        phase=school.phase,
        year=year_name(newest.year) if newest else "",
        enrolments=newest.enrolments if newest else None,
        persistent=newest.persistent if newest else None,
        persistent_pupils=newest.persistent_pupils if newest else None,
        severe=newest.severe if newest else None,
        severe_pupils=newest.severe_pupils if newest else None,
        pupils=pupils.pupils if pupils else None,
        pupils_source=pupils.source if pupils else "",
    )
