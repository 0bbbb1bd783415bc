"""Attendance figures of the invented schools, in the columns of the department's release, and suggested quantities."""

from __future__ import annotations

import csv
import io
import random
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.catalogue.commands.needs import use_example_needs
from sla_manager.kernel.periods import academic_year
from sla_manager.people.commands import import_figures
from sla_manager.people.models import School, TradingService
from sla_manager.store.audit import Actor

COLUMNS = (
    "time_period", "time_identifier", "geographic_level", "old_la_code", "la_name", "school_urn", "school_name",
    "enrolments", "sess_possible", "sess_overall", "sess_overall_percent",
    "enrolments_pa_10_exact", "enrolments_pa_10_exact_percent",
    "enrolments_pa_50_exact", "enrolments_pa_50_exact_percent",
)  # fmt: skip
CENSUS_COLUMNS = (
    "time_period", "time_identifier", "geographic_level", "urn", "school_name", "headcount of pupils",
)  # fmt: skip
_SMALLEST_PUBLISHED = 40


def tell_needs(session: Session, service: TradingService, *, today: date, by: Actor, at: datetime) -> None:
    """Import two years of invented figures and a census, and set the suggestions of the service's preset."""
    schools = list(session.scalars(select(School).where(School.status_code == "1").order_by(School.urn)))
    latest = academic_year(today).start.year - 2
    for year in (latest - 1, latest):
        content = absence_file(schools, year)
        name = f"absence_school_{year}{(year + 1) % 100:02d}.csv"
        import_figures(session, content, filename=name, by=by, at=at)
    year = academic_year(today).start.year - 1
    import_figures(session, census_file(schools, year), filename=f"census_{year}.csv", by=by, at=at)
    use_example_needs(session, service.id, preset=service.preset, by=by, at=at)


def absence_file(schools: list[School], year: int) -> bytes:
    """Return the figures of a year, the same every time; small schools and nurseries are suppressed."""
    chance = random.Random(year)  # noqa: S311 (invented figures need no secrecy)
    rows = []
    for school in schools:
        pupils = school.pupils or 0
        row: dict[str, Any] = _place(school, year) | {"school_urn": school.urn}
        if pupils < _SMALLEST_PUBLISHED or school.phase == "Nursery":
            rows.append(row | dict.fromkeys(COLUMNS[7:], "c"))
            continue
        secondary = "Secondary" in school.phase
        persistent = pupils * chance.randint(14 if secondary else 6, 34 if secondary else 21) // 100
        severe = pupils * chance.randint(5 if secondary else 0, 40 if secondary else 15) // 1000
        possible = pupils * 365
        missed = possible * chance.randint(60 if secondary else 42, 105 if secondary else 72) // 1000
        rows.append(
            row
            | {
                "enrolments": pupils,
                "sess_possible": possible,
                "sess_overall": missed,
                "enrolments_pa_10_exact": persistent,
                "enrolments_pa_50_exact": severe,
            }
        )
    return _written(COLUMNS, rows)


def census_file(schools: list[School], year: int) -> bytes:
    """Return a spring census: what the register says, some more or less."""
    chance = random.Random(year + 7)  # noqa: S311 (invented figures need no secrecy)
    rows = [
        _place(school, year)
        | {"urn": school.urn, "headcount of pupils": max(1, (school.pupils or 0) + chance.randint(-9, 9))}
        for school in schools
    ]
    return _written(CENSUS_COLUMNS, rows)


def _place(school: School, year: int) -> dict[str, Any]:
    return {
        "time_period": f"{year}{(year + 1) % 100:02d}",
        "time_identifier": "Academic year",
        "geographic_level": "School",
        "old_la_code": school.la_code,
        "la_name": school.la_name,
        "school_name": school.name,
    }


def _written(columns: tuple[str, ...], rows: list[dict[str, Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()
