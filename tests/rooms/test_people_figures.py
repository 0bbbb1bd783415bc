"""Published figures: read by name, suppressed is never nothing, the older measure refused, twice without a change."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sla_manager.cli.commands import program
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.people.commands import (
    FiguresReport,
    import_figures,
    import_kept_figures,
    keep_figures,
)
from sla_manager.people.figures import figure_of, figures_of, pupil_counts, schools_without_figures
from sla_manager.people.models import AttendanceFigure, FiguresImport, FiguresUpload
from sla_manager.people.rules.attendance_files import NotFigures, OldMeasure, TooManyRows
from sla_manager.people.rules.register import UnreadableCells
from sla_manager.store.audit import Actor, AuditEntry
from sla_manager.store.database import Database
from tests.builders import a_school

FOLDER = Path(__file__).parent.parent / "data" / "attendance"
ABSENCE = (FOLDER / "greenwich_absence_2018_19.csv").read_bytes()
CENSUS = (FOLDER / "greenwich_census_2022_23.csv").read_bytes()
TIDY = (FOLDER / "tidy_by_year_group.csv").read_bytes()
KNOWN = (100113, 100114, 100183)
Take = Callable[..., FiguresReport]


@pytest.fixture
def take(database: Database, by: Actor, at: datetime) -> Take:
    """Import a file in a transaction of its own, into a database that knows three of its schools."""
    with database.transaction() as session:
        for urn in KNOWN:
            a_school(session, urn, pupils=500)

    def importing(content: bytes, **more: int) -> FiguresReport:
        with database.transaction() as session:
            return import_figures(session, content, filename="figures.csv", by=by, at=at, **more)

    return importing


def changed(content: bytes, urn: int, **cells: str) -> bytes:
    """Return a file with other cells in the row of one school."""
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    for row in rows:
        if row["urn"] == str(urn):
            row.update(cells)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def held(session: Session, urn: int) -> AttendanceFigure:
    """Return what counts for a school."""
    found = figure_of(session, a_school(session, urn).id)
    assert found is not None
    return found


def test_a_school_level_file_brings_the_figures_of_the_schools_we_know(
    take: Take, database: Database
) -> None:
    report = take(ABSENCE)
    assert (report.rows, report.added, report.unknown, report.lacks) == (83, 3, 80, ("severe",))
    with database.transaction() as session:
        found = held(session, 100183)
        assert (found.year, found.enrolments, found.persistent_pupils) == (2018, 1274, 208)
        assert (found.persistent, found.severe) == (Decimal("16.327"), None)
        assert held(session, 100113).overall == Decimal("3.370")
        kept = session.scalars(select(FiguresImport)).one()
        assert (kept.filename, kept.imported_by, len(kept.sha256)) == ("figures.csv", "Test", 64)
        assert session.scalars(select(AuditEntry.action)).all() == ["import_figures"]


def test_the_same_file_twice_changes_nothing_and_a_revised_one_adds_what_differs(
    take: Take, database: Database
) -> None:
    take(ABSENCE)
    again = take(ABSENCE)
    assert (again.added, again.updated, again.unchanged) == (0, 0, 3)
    revised = take(
        changed(ABSENCE, 100113, enrolments_pa_10_exact="44", enrolments_pa_10_exact_percent="6.25")
    )
    assert (revised.updated, revised.unchanged) == (1, 2)
    assert revised.outcomes[0]["changes"]["Persistent absence, per cent"] == ["6.108", "6.25"]
    with database.transaction() as session:
        assert held(session, 100113).persistent == Decimal("6.250")
        assert len(figures_of(session, a_school(session, 100113).id)) == 1
        assert session.scalar(select(func.count(AttendanceFigure.id))) == 4


@pytest.mark.parametrize("mark", ["c", "z", "x", "NA", "SUPP", ":"])
def test_a_suppressed_figure_is_unknown_and_never_nothing(take: Take, database: Database, mark: str) -> None:
    report = take(changed(ABSENCE, 100113, enrolments_pa_10_exact_percent=mark, enrolments_pa_10_exact=mark))
    assert report.suppressed == 1
    with database.transaction() as session:
        found = held(session, 100113)
        assert (found.persistent, found.persistent_pupils, found.enrolments) == (None, None, 704)


def test_a_blank_percentage_follows_from_its_counts_and_a_marked_one_does_not(
    take: Take, database: Database
) -> None:
    content = changed(ABSENCE, 100113, enrolments_pa_10_exact_percent="", enrolments_pa_10_exact="121")
    take(changed(content, 100114, enrolments_pa_10_exact_percent="c"))
    with database.transaction() as session:
        assert held(session, 100113).persistent == Decimal("17.188")
        assert held(session, 100114).persistent is None


def test_a_later_file_that_lacks_a_column_changes_nothing_of_it(take: Take, database: Database) -> None:
    take(ABSENCE)
    report = take(b"urn,time_period,geographic_level,sess_overall_percent\n100113,201819,School,4.1\n")
    assert (report.updated, report.lacks) == (1, ("persistent", "severe"))
    with database.transaction() as session:
        assert (held(session, 100113).overall, held(session, 100113).persistent_pupils) == (
            Decimal("4.1"),
            43,
        )


@pytest.mark.parametrize("column", ["PPERSABS15", "enrolments_pa_15_percent", "enrolments_pa_15"])
def test_a_file_that_counts_by_15_per_cent_is_refused_with_the_reason(
    take: Take, database: Database, column: str
) -> None:
    content = f"URN,time_period,PERCTOT,{column}\n100113,201213,5.1,6.2\n".encode()
    with pytest.raises(OldMeasure, match=rf"“{column}” counts pupils who missed 15 % or more.*10 % or more"):
        take(content)
    with database.reading() as session:
        assert session.scalars(select(FiguresImport)).all() == []


def test_the_tidy_layout_brings_whole_schools_only(take: Take) -> None:
    report = take(TIDY)
    assert report.added == report.unknown == 0
    assert report.passed_over["of some pupils of a school, not of all"] == 12
    assert report.passed_over["not of a school"] == 8
    tidy = (
        "time_period,time_identifier,geographic_level,school_urn,school_name,ncyear,enrolments,"
        "enrolments_pa_10_exact,enrolments_pa_50_exact\n"
        "202223,Academic year,National,,,Total,900000,90000,900\n"
        "202223,Academic year,School,100113,A,Total,704,121,7\n"
        "202223,Academic year,School,100113,A,Year 4,90,40,1\n"
        "202223,Autumn term,School,100113,A,Total,704,200,9\n"
    )
    report = take(tidy.encode())
    assert (report.added, report.passed_over["of part of a year"]) == (1, 1)
    assert report.outcomes[0]["changes"]["Severe absence, per cent"] == ["", "0.994"]


def test_a_file_without_its_year_asks_for_it(take: Take, database: Database) -> None:
    content = b"URN,PERCTOT,PPERSABS10\n100113,5.1,SUPP\n"
    with pytest.raises(NotFigures, match="Say which year it is"):
        take(content)
    take(content, year=2016)
    with database.transaction() as session:
        assert (held(session, 100113).year, held(session, 100113).persistent) == (2016, None)


def test_the_census_counts_pupils_on_its_day_and_the_register_stands_in(
    take: Take, database: Database
) -> None:
    with database.transaction() as session:
        nursery, other = a_school(session, 100097, pupils=None).id, a_school(session, 100113).id
    report = take(CENSUS)
    assert report.added == 3
    with database.reading() as session:
        counts = pupil_counts(session, [nursery, other], on=date(2023, 9, 1))
        assert (counts[nursery].pupils, counts[nursery].source) == (156, "census of 19 January 2023")
        assert list(pupil_counts(session, [nursery, other], on=date(2023, 1, 18))) == [other]
        assert pupil_counts(session, [other], on=date(2023, 1, 18))[other].source.startswith(
            "national register"
        )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "The file is empty"),
        (b"PK\x03\x04", "Excel workbook"),
        (b"urn,name\n1,x\n", "no column of absence or of pupils"),
        (b"name,enrolments\nx,1\n", "no column “urn”"),
        (b"urn,time_period,sess_overall_percent\n", "no rows"),
    ],
)
def test_what_is_no_file_of_figures_is_refused_in_words(take: Take, content: bytes, says: str) -> None:
    with pytest.raises(NotFigures, match=says):
        take(content)


def test_every_cell_that_cannot_be_read_is_named_and_nothing_is_imported(
    take: Take, database: Database
) -> None:
    content = changed(ABSENCE, 100113, sess_overall_percent="104", enrolments="many")
    with pytest.raises(UnreadableCells) as refused:
        take(content)
    assert [(one.row, one.column) for one in refused.value.errors] == [
        (2, "enrolments"),
        (2, "sess_overall_percent"),
    ]
    twice = ABSENCE + ABSENCE.splitlines(keepends=True)[1]
    with pytest.raises(UnreadableCells, match=r"Row 85, urn .“100113”.: stands in row 2 already"):
        take(twice)
    with database.reading() as session:
        assert schools_without_figures(session) == 3


def test_s13_more_rows_than_any_release_has_are_refused(take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sla_manager.people.rules.attendance_files.MOST_ROWS", 50)
    with pytest.raises(TooManyRows):
        take(ABSENCE)


def test_figures_are_facts_that_the_database_keeps(take: Take, database: Database) -> None:
    take(ABSENCE)
    for statement in ("UPDATE attendance_figure SET persistent = 0", "DELETE FROM figures_import"):
        with pytest.raises((IntegrityError, Refused)), database.transaction() as session:
            session.execute(text(statement))


def test_a_kept_file_is_imported_once_and_goes_after_a_day(
    take: Take, database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        upload = keep_figures(session, ABSENCE, filename="absence.csv", by=by, at=at)
    with database.transaction() as session:
        assert session.scalar(select(func.count(AttendanceFigure.id))) == 0
        assert import_kept_figures(session, upload.id, by=by, at=at).added == 3
    with pytest.raises(NotFound, match="imported already"), database.transaction() as session:
        import_kept_figures(session, upload.id, by=by, at=at)
    with database.transaction() as session:
        keep_figures(session, ABSENCE, filename="one.csv", by=by, at=at)
        keep_figures(session, ABSENCE, filename="two.csv", by=by, at=at + timedelta(days=2))
        assert session.scalars(select(FiguresUpload.filename)).all() == ["two.csv"]


def test_figures_are_previewed_and_imported_from_the_terminal(
    take: Take, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database.engine.url.render_as_string(hide_password=False))
    file = tmp_path / "absence.csv"
    file.write_bytes(ABSENCE)
    preview, done = (
        CliRunner().invoke(program, ["import", "figures", str(file), "--json", *more])
        for more in (["--preview"], [])
    )
    assert (json.loads(preview.stdout)["added"], json.loads(preview.stdout)["imported"]) == (3, False)
    assert (json.loads(done.stdout)["added"], json.loads(done.stdout)["unknown"]) == (3, 80)
    file.write_bytes(b"URN,PERCTOT,PPERSABS15\n100113,5.1,6.2\n")
    refused = CliRunner().invoke(program, ["import", "figures", str(file), "--year", "2012/13"])
    assert refused.exit_code == 1
    assert "15 % or more" in refused.output
