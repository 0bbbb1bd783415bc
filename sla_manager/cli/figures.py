"""Published figures of absence and pupils, brought in from the terminal with the same rules as on the pages."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from sla_manager.cli.opening import answer, as_json, moment, on_date, open_product, refusals
from sla_manager.kernel.errors import Refused


@click.command("figures")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--year", help="The academic year of a file that has no column for it, like 2018/19.")
@click.option("--preview", is_flag=True, help="Say what the file brings, and import nothing.")
@on_date
@as_json
@refusals
def import_figures_file(file: Path, year: str | None, preview: bool, day: date | None, as_json: bool) -> None:
    """Import the department's school-level absence or census file (CSV). The same file again changes nothing."""
    from sla_manager.people.commands import import_figures, preview_figures
    from sla_manager.people.rules.attendance_files import academic_year_of

    first = academic_year_of(year) if year is not None else None
    if year is not None and first is None:
        raise Refused(f"“{year[:20]}” is not an academic year. Write it like 2018/19.", field="year")
    product = open_product()
    content = file.read_bytes()
    with product.database.transaction() as session:
        if preview:
            report = preview_figures(session, content, year=first)
        else:
            report = import_figures(
                session, content, filename=file.name, year=first, by=product.by, at=moment(day)
            )
    facts = report.facts()
    if not preview:
        del facts["outcomes"]
    words = (
        f"{report.rows} rows: {report.added} schools added, {report.updated} changed, {report.unchanged} unchanged, "
        f"{report.unknown} rows of schools we do not know, {report.suppressed} figures not published."
    )
    answer(facts | {"imported": not preview}, as_json=as_json, words=words)
