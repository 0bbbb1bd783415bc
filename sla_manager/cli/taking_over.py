"""`sla-manager import agreements`: a spreadsheet taken over from the terminal, by the same rules as on the pages."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sla_manager.cli.opening import (
    IsoDate,
    Product,
    answer,
    as_json,
    day_of,
    moment,
    on_date,
    open_product,
    refusals,
)
from sla_manager.kernel.errors import Refused

if TYPE_CHECKING:
    from sla_manager.agreements.rules.takeovers import ColumnMapping


@click.command("agreements")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--service", "service_code", help="The service's short name; needed when there are several.")
@click.option("--mapping", "name", default="", help="The name of choices of columns that were kept.")
@click.option(
    "--column",
    "chosen",
    multiple=True,
    metavar="FIELD=NAME",
    help="Which column a field stands in, like quantity=Days; over the mapping, else over our guess.",
)
@click.option("--sheet", default="", help="The sheet of a workbook; else its first.")
@click.option("--offering", default="", help="The code of the one service that all rows are about.")
@click.option("--start", type=IsoDate(), help="The first day, for rows that do not say it.")
@click.option("--end", type=IsoDate(), help="The last day, for rows that do not say it.")
@click.option("--hours", is_flag=True, help="Used and balance are hours.")
@click.option("--taken-on", type=IsoDate(), help="The day of the takeover; else today.")
@click.option("--bill-from", type=IsoDate(), help="From when we bill; else the other system goes on billing.")
@click.option("--keep-as", default="", help="Keep the choices of columns under this name.")
@click.option("--dry-run", is_flag=True, help="Say what would be taken over, and enter nothing.")
@on_date
@as_json
@refusals
def import_agreements(
    file: Path, service_code: str | None, sheet: str, taken_on: date | None, day: date | None, as_json: bool,
    dry_run: bool, **wanted: Any,
) -> None:  # fmt: skip
    """Take agreements over from FILE (Excel or CSV), each row once. The same file again changes nothing."""
    from sla_manager.agreements.commands.takeovers import (
        begin_takeover,
        forget_spreadsheet,
        keep_spreadsheet,
        name_columns,
    )
    from sla_manager.agreements.queries.takeovers import kept_table, preview
    from sla_manager.people.queries import one_service

    product = open_product()
    at = moment(day)
    acting: dict[str, Any] = {"by": product.by, "at": at}
    with product.database.transaction() as session:
        service = one_service(session, service_code)
        found = keep_spreadsheet(
            session, service.id, content=file.read_bytes(), filename=file.name, sheet=sheet, **acting
        )
        mapping = _mapping(session, service.id, kept_table(found).columns, wanted)
        name_columns(
            session,
            found.id,
            service_id=service.id,
            mapping=mapping,
            taken_on=taken_on or day_of(day),
            bill_from=wanted["bill_from"],
            save_as=wanted["keep_as"],
            **acting,
        )
        seen = preview(session, found, today=day_of(day))
        if dry_run:
            forget_spreadsheet(session, found.id, service_id=service.id)
        else:
            begin_takeover(session, found.id, service_id=service.id, **acting)
    taken = len(seen.to_take) if dry_run else _take_all(product, found.id, acting)
    facts = {
        "rows": found.rows,
        "taken": taken,
        "refused": len(seen.refused),
        "already": len(seen.already),
        "dry_run": dry_run,
        "findings": [one.facts() for one in seen.findings],
    }
    for one in () if as_json else seen.findings:
        named = f", {one.field.title}" if one.field else ""
        click.echo(f"Row {one.row}{named}: {one.message} {one.what_to_do}")
    done = "would be taken over" if dry_run else "taken over"
    words = (
        f"{found.rows} rows: {taken} {done}, {len(seen.refused)} refused, "
        f"{len(seen.already)} taken over before."
    )
    answer(facts, as_json=as_json, words=words)


def _take_all(product: Product, takeover_id: int, acting: dict[str, Any]) -> int:
    """Take everything over, a few rows in each transaction; returns how many rows became agreements."""
    from sla_manager.agreements.commands.takeovers import take_over_some

    while True:
        with product.database.transaction() as session:
            progress = take_over_some(session, takeover_id, **acting)
        if progress.is_done:
            return progress.taken


def _mapping(
    session: Any, service_id: int, columns: tuple[str, ...], wanted: dict[str, Any]
) -> ColumnMapping:
    """Return the kept mapping, or our guess, with what was said besides."""
    from dataclasses import replace

    from sla_manager.agreements.queries.takeovers import mappings
    from sla_manager.agreements.rules.takeovers import ColumnMapping, Field, guessed

    found = ColumnMapping(guessed(columns))
    if wanted["name"]:
        kept = {one.name: one for one in mappings(session, service_id)}
        if wanted["name"] not in kept:
            raise Refused(f"There is no mapping “{wanted['name']}”. There are: {', '.join(kept) or 'none'}.")
        found = ColumnMapping.of(kept[wanted["name"]].facts)
    chosen = dict(found.columns)
    for text in wanted["chosen"]:
        field, _, column = text.partition("=")
        if field not in [one.value for one in Field]:
            raise Refused(f"“{field[:40]}” is no field. There are: {', '.join(one.value for one in Field)}.")
        chosen[Field(field)] = column
    return replace(
        found,
        columns={field: column for field, column in chosen.items() if column},
        offering=wanted["offering"] or found.offering,
        starts_on=wanted["start"] or found.starts_on,
        ends_on=wanted["end"] or found.ends_on,
        in_hours=wanted["hours"] or found.in_hours,
    )
