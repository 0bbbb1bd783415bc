"""Which bands a service suggests quantities by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from sla_manager.catalogue.models import NeedBand
from sla_manager.catalogue.rules.recommending import Measure


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
