"""What is known of schools' attendance and pupils: the newest import of each year and census day counts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session, aliased, joinedload

from sla_manager.kernel.errors import NotFound
from sla_manager.kernel.words import long_date
from sla_manager.people.models import AttendanceFigure, CensusCount, FiguresImport, FiguresUpload, School


@dataclass(frozen=True, slots=True)
class PupilCount:
    """How many pupils a school has, from when, and where that is said ("census of 19 January 2023")."""

    pupils: int
    counted_on: date | None
    source: str


def _newest(table: Any, when: Any) -> Select[Any]:
    other: Any = aliased(table)
    newest = (
        select(func.max(other.import_id))
        .where(other.school_id == table.school_id, getattr(other, when.key) == when)
        .correlate(table)
        .scalar_subquery()
    )
    return select(table).where(table.import_id == newest)


def latest_figures(session: Session, *, school_ids: Collection[int] | None = None) -> list[AttendanceFigure]:
    """Return the figures that count, of every academic year, the newest year first; one query."""
    query = _newest(AttendanceFigure, AttendanceFigure.year).options(joinedload(AttendanceFigure.source))
    if school_ids is not None:
        query = query.where(AttendanceFigure.school_id.in_(school_ids))
    return list(session.scalars(query.order_by(AttendanceFigure.year.desc(), AttendanceFigure.school_id)))


def latest_counts(session: Session, *, school_ids: Collection[int] | None = None) -> list[CensusCount]:
    """Return the census counts that count, the newest census first; one query."""
    query = _newest(CensusCount, CensusCount.counted_on)
    if school_ids is not None:
        query = query.where(CensusCount.school_id.in_(school_ids))
    return list(session.scalars(query.order_by(CensusCount.counted_on.desc(), CensusCount.school_id)))


def figure_of(session: Session, school_id: int) -> AttendanceFigure | None:
    """Return a school's figures of the newest academic year that there is, published or suppressed."""
    return next(iter(latest_figures(session, school_ids=[school_id])), None)


def figures_of(session: Session, school_id: int) -> list[AttendanceFigure]:
    """Return a school's figures, the newest academic year first."""
    return latest_figures(session, school_ids=[school_id])


def pupil_counts(
    session: Session, school_ids: Collection[int] | None = None, *, on: date
) -> dict[int, PupilCount]:
    """Return how many pupils each school has on a day, by school: its latest census by then, else the register.

    A census that is not published for a school is passed over. A school with neither is left out. Two queries,
    however many schools.
    """
    found: dict[int, PupilCount] = {}
    for one in latest_counts(session, school_ids=school_ids):
        if one.pupils is not None and one.counted_on <= on and one.school_id not in found:
            found[one.school_id] = PupilCount(
                one.pupils, one.counted_on, f"census of {long_date(one.counted_on)}"
            )
    query = select(School.id, School.pupils)
    if school_ids is not None:
        query = query.where(School.id.in_(school_ids))
    for school_id, pupils in session.execute(query):
        if pupils is not None:
            found.setdefault(school_id, PupilCount(pupils, None, "national register of schools"))
    return found


def figures_imports(session: Session, *, limit: int = 20) -> list[FiguresImport]:
    """Return the latest imports of figures, newest first."""
    return list(session.scalars(select(FiguresImport).order_by(FiguresImport.id.desc()).limit(limit)))


def figures_import(session: Session, import_id: int) -> FiguresImport:
    """Return one import of figures with its report, or `NotFound`."""
    found = session.get(FiguresImport, import_id)
    if found is None:
        raise NotFound
    return found


def figures_upload(session: Session, upload_id: int) -> FiguresUpload:
    """Return a file of figures that waits to be imported, or `NotFound`."""
    found = session.get(FiguresUpload, upload_id)
    if found is None:
        raise NotFound("This file was imported already, or is more than a day old. Upload it again.")
    return found


def schools_without_figures(session: Session) -> int:
    """Return how many open schools have no figures of any year."""
    held = select(AttendanceFigure.id).where(AttendanceFigure.school_id == School.id).exists()
    query = select(func.count(School.id)).where(and_(School.status_code != "2", ~held))
    return session.scalar(query) or 0
