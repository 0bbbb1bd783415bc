"""A school's published figures as pages show them: what is not published says so, never nothing."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy.orm import Session

from sla_manager.catalogue.rules.recommending import shown_per_cent
from sla_manager.people.figures import figures_of
from sla_manager.people.rules.attendance_files import year_name
from sla_manager.web import display


@dataclass(frozen=True)
class ShownFigures:
    """One academic year in words."""

    name: str
    pupils: str
    overall: str
    persistent: str
    severe: str
    source: str


def shown_figures(session: Session, school_id: int) -> list[ShownFigures]:
    """Return a school's figures in words, the newest year first."""
    return [
        ShownFigures(
            name=year_name(one.year),
            pupils="Not published" if one.enrolments is None else display.number(one.enrolments),
            overall=_said(one.overall),
            persistent=_with_pupils(one.persistent, one.persistent_pupils),
            severe=_with_pupils(one.severe, one.severe_pupils),
            source=f"{one.source.filename}, imported {display.short_day(one.source.at)}",
        )
        for one in figures_of(session, school_id)
    ]


def _said(value: Decimal | None) -> str:
    return shown_per_cent(value).capitalize()


def _with_pupils(value: Decimal | None, pupils: int | None) -> str:
    told = f" ({pupils:,})" if value is not None and pupils is not None else ""
    return f"{_said(value)}{told}"
