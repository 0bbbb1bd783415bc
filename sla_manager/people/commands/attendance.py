"""Importing published figures: the same plan is previewed and carried out, and every import stays traceable.

A figure is never changed. A file that says something else adds a row, and the newest row counts; what a file
has no column for is carried over. Schools that the register has not brought are counted and passed over.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from sla_manager.gateways.registers import UnreadableRegister, read_register
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.quantities import plain
from sla_manager.kernel.references import sha256
from sla_manager.kernel.words import long_date
from sla_manager.people.figures import figures_upload, latest_counts, latest_figures
from sla_manager.people.models import AttendanceFigure, CensusCount, FiguresImport, FiguresUpload, School
from sla_manager.people.rules.attendance_files import (
    FIGURES,
    FigureRow,
    FiguresFile,
    FileKind,
    NotFigures,
    read_figures,
    year_name,
)
from sla_manager.store.audit import Actor, record

UPLOADS_ARE_KEPT = timedelta(days=1)
UNKNOWN_SHOWN = 200
TITLES: Mapping[str, str] = {
    "enrolments": "Pupils on roll",
    "overall": "Absence, per cent",
    "persistent": "Persistent absence, per cent",
    "persistent_pupils": "Persistently absent pupils",
    "severe": "Severe absence, per cent",
    "severe_pupils": "Severely absent pupils",
    "pupils": "Pupils on census day",
}


@dataclass
class FiguresReport:
    """Counts, what was passed over and why, and each row that was not simply unchanged."""

    kind: FileKind
    rows: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    unknown: int = 0
    """Rows of schools that the register has not brought."""
    suppressed: int = 0
    """Figures of schools we know that are not published."""
    lacks: tuple[str, ...] = ()
    passed_over: Counter[str] = field(default_factory=Counter)
    outcomes: list[dict[str, Any]] = field(default_factory=list)

    def facts(self) -> dict[str, Any]:
        """Return the whole report as JSON holds it."""
        return {
            "kind": self.kind.value,
            "rows": self.rows,
            "added": self.added,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "unknown": self.unknown,
            "suppressed": self.suppressed,
            "lacks": list(self.lacks),
            "passed_over": dict(self.passed_over),
            "outcomes": self.outcomes,
        }


@dataclass
class _Plan:
    report: FiguresReport
    inserts: list[dict[str, Any]] = field(default_factory=list)


def preview_figures(session: Session, content: bytes, *, year: int | None = None) -> FiguresReport:
    """Return what an import of this file would do, without doing it. Raises as `import_figures`."""
    return _plan(session, content, year).report


def import_figures(
    session: Session, content: bytes, *, filename: str, year: int | None = None, by: Actor, at: datetime
) -> FiguresReport:
    """Bring a file of absence or census figures in; the same file again changes nothing.

    `year` is the academic year of a file that has no column for it. Raises `OldMeasure`, `NotFigures`,
    `UnreadableCells` or `TooManyRows`; nothing is imported then.
    """
    plan = _plan(session, content, year)
    report = plan.report
    kept = FiguresImport(
        at=at,
        imported_by=by.name,
        filename=filename[:200],
        sha256=sha256(content),
        kind=report.kind,
        rows=report.rows,
        added=report.added,
        updated=report.updated,
        unchanged=report.unchanged,
        report=report.facts(),
    )
    session.add(kept)
    session.flush()
    if plan.inserts:
        table = AttendanceFigure if report.kind is FileKind.ABSENCE else CensusCount
        session.execute(insert(table), [row | {"import_id": kept.id} for row in plan.inserts])
    record(
        session,
        "import_figures",
        about="figures_import",
        about_id=kept.id,
        summary=f"Imported {kept.filename}: figures of {report.added} schools added, {report.updated} changed, "
        f"{report.unchanged} unchanged, {report.unknown} of schools we do not know.",
        details={"sha256": kept.sha256, "kind": report.kind.value},
        by=by,
        at=at,
    )
    return report


def keep_figures(
    session: Session, content: bytes, *, filename: str, year: int | None = None, by: Actor, at: datetime
) -> FiguresUpload:
    """Keep an uploaded file with its preview until somebody says "import"; older files go."""
    report = preview_figures(session, content, year=year)
    session.execute(delete(FiguresUpload).where(FiguresUpload.at < at - UPLOADS_ARE_KEPT))
    upload = FiguresUpload(
        at=at,
        uploaded_by=by.name,
        filename=filename[:200],
        sha256=sha256(content),
        year=year,
        compressed=zlib.compress(content, 6),
        report=report.facts(),
    )
    session.add(upload)
    session.flush()
    return upload


def import_kept_figures(session: Session, upload_id: int, *, by: Actor, at: datetime) -> FiguresReport:
    """Import a kept file. It is dropped in the same transaction, so a second click finds nothing."""
    upload = figures_upload(session, upload_id)
    content, filename, year = zlib.decompress(upload.compressed), upload.filename, upload.year
    session.delete(upload)
    session.flush()
    return import_figures(session, content, filename=filename, year=year, by=by, at=at)


def forget_figures(session: Session, upload_id: int) -> None:
    """Drop a kept file without importing it."""
    session.delete(figures_upload(session, upload_id))


def _read(content: bytes, year: int | None) -> FiguresFile:
    if year is not None and not 2000 <= year <= 2100:
        raise Refused("Enter an academic year like 2018/19.", field="year")
    try:
        register = read_register(content)
        return read_figures(register.columns, register.rows(), year=year)
    except UnreadableRegister as error:
        raise NotFigures(error.why) from error


def _plan(session: Session, content: bytes, year: int | None) -> _Plan:
    file = _read(content, year)
    plan = _Plan(
        FiguresReport(file.kind, rows=file.total, lacks=file.lacks, passed_over=file.passed_over.copy())
    )
    known = {
        row.urn: (row.id, row.name) for row in session.execute(select(School.urn, School.id, School.name))
    }
    before: dict[tuple[int, Any], Mapping[str, Any]] = {}
    if file.kind is FileKind.ABSENCE:
        for one in latest_figures(session):
            before[one.school_id, one.year] = {name: getattr(one, name) for name in FIGURES}
    else:
        for counted in latest_counts(session):
            before[counted.school_id, counted.counted_on] = {"pupils": counted.pupils}
    for row in file.rows:
        school = known.get(row.urn)
        if school is None:
            _unknown(plan.report, row)
        else:
            _compare(plan, row, school, before.get((school[0], row.when)))
    return plan


def _unknown(report: FiguresReport, row: FigureRow) -> None:
    report.unknown += 1
    if report.unknown <= UNKNOWN_SHOWN:
        report.outcomes.append(_outcome(row, row.name or "A school that is not in our register", "unknown"))


def _compare(plan: _Plan, row: FigureRow, school: tuple[int, str], stored: Mapping[str, Any] | None) -> None:
    report, (school_id, name) = plan.report, school
    empty: Mapping[str, Any] = dict.fromkeys(FIGURES if report.kind is FileKind.ABSENCE else ("pupils",))
    facts = {**empty, **(stored or {}), **row.facts}
    hidden = [one for one in ("overall", "persistent", "severe", "pupils") if row.facts.get(one, 0) is None]
    report.suppressed += len(hidden)
    note = {"not_published": [TITLES[one] for one in hidden]} if hidden else {}
    if stored == facts:
        report.unchanged += 1
        return
    key = "year" if report.kind is FileKind.ABSENCE else "counted_on"
    plan.inserts.append({"school_id": school_id, key: row.when} | facts)
    if stored is None:
        report.added += 1
        shown = {TITLES[one]: ("", _shown(value)) for one, value in row.facts.items() if value is not None}
        report.outcomes.append(_outcome(row, name, "added", shown) | note)
        return
    report.updated += 1
    changed = {
        TITLES[one]: (_shown(stored[one]), _shown(value))
        for one, value in facts.items()
        if stored[one] != value
    }
    report.outcomes.append(_outcome(row, name, "updated", changed) | note)


def _outcome(
    row: FigureRow, name: str, outcome: str, changes: Mapping[str, tuple[str, str]] | None = None
) -> dict[str, Any]:
    when = long_date(row.when) if isinstance(row.when, date) else year_name(row.when)
    return {
        "row": row.number,
        "urn": row.urn,
        "name": name,
        "when": when,
        "outcome": outcome,
        "changes": {column: list(pair) for column, pair in (changes or {}).items()},
    }


def _shown(value: Any) -> str:
    if value is None:
        return "not published"
    return plain(value) if isinstance(value, Decimal) else str(value)
