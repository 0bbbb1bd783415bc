"""What the Department for Education publishes about a school: absence by academic year, pupils by census."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sla_manager.people.rules.attendance_files import FileKind
from sla_manager.store.columns import enum_column
from sla_manager.store.tables import Numbered


class FiguresImport(Numbered):
    """One import of published figures: which file, by whom, and what became of its rows. Never changed."""

    __tablename__ = "figures_import"

    at: Mapped[datetime]
    imported_by: Mapped[str]
    filename: Mapped[str]
    sha256: Mapped[str]
    kind: Mapped[FileKind] = mapped_column(enum_column(FileKind))
    rows: Mapped[int]
    added: Mapped[int]
    updated: Mapped[int]
    unchanged: Mapped[int]
    report: Mapped[dict[str, Any]]


class FiguresUpload(Numbered):
    """A file of figures that was read and waits for somebody to say "import"; kept for a day, compressed."""

    __tablename__ = "figures_upload"

    at: Mapped[datetime]
    uploaded_by: Mapped[str]
    filename: Mapped[str]
    sha256: Mapped[str]
    year: Mapped[int | None]
    """The academic year that was given for a file that does not say its own."""
    compressed: Mapped[bytes] = mapped_column(LargeBinary)
    report: Mapped[dict[str, Any]]


class AttendanceFigure(Numbered):
    """A school's absence in one academic year as one import gave it; the newest import counts. Never changed.

    `year` is the calendar year in which the academic year begins. Percentages have three places; None is what
    was not published, and is never nothing.
    """

    __tablename__ = "attendance_figure"
    __table_args__ = (
        UniqueConstraint("school_id", "year", "import_id"),
        CheckConstraint("year BETWEEN 2000 AND 2100", name="year"),
        CheckConstraint("enrolments >= 0", name="enrolments"),
        CheckConstraint("overall BETWEEN 0 AND 100000", name="overall"),
        CheckConstraint("persistent BETWEEN 0 AND 100000", name="persistent"),
        CheckConstraint("severe BETWEEN 0 AND 100000", name="severe"),
        Index("ix_attendance_figure_import_id", "import_id"),
    )

    school_id: Mapped[int] = mapped_column(ForeignKey("school.id"))
    year: Mapped[int]
    enrolments: Mapped[int | None]
    overall: Mapped[Decimal | None]
    """The percentage of possible sessions that were missed."""
    persistent: Mapped[Decimal | None]
    """The percentage of pupils who missed at least 10 % of their own possible sessions."""
    persistent_pupils: Mapped[int | None]
    severe: Mapped[Decimal | None]
    """The percentage of pupils who missed at least 50 % of their own possible sessions."""
    severe_pupils: Mapped[int | None]
    import_id: Mapped[int] = mapped_column(ForeignKey("figures_import.id"))

    source: Mapped[FiguresImport] = relationship(lazy="raise")


class CensusCount(Numbered):
    """How many pupils a school had on a census day, as one import gave it; the newest counts. Never changed."""

    __tablename__ = "census_count"
    __table_args__ = (
        UniqueConstraint("school_id", "counted_on", "import_id"),
        CheckConstraint("pupils >= 0", name="pupils"),
        Index("ix_census_count_import_id", "import_id"),
    )

    school_id: Mapped[int] = mapped_column(ForeignKey("school.id"))
    counted_on: Mapped[date]
    pupils: Mapped[int | None]
    import_id: Mapped[int] = mapped_column(ForeignKey("figures_import.id"))

    source: Mapped[FiguresImport] = relationship(lazy="raise")
