"""`sla-manager`: every command and what it answers."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import click

from sla_manager.cli import (
    books,
    buying,
    demonstrating,
    exporting,
    figures,
    revisions,
    seasons,
    taking_over,
    users,
)
from sla_manager.cli.opening import answer, as_json, moment, on_date, open_product, refusals
from sla_manager.kernel.errors import Refused


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def program() -> None:
    """SLA Manager: what councils sell to schools, promise, deliver, invoice and hand over."""


@program.command("quote")
@click.argument("cases", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@refusals
def quote_cases(cases: str) -> None:
    """Price CASES (a JSON line each) without a database; a JSON line comes out for each."""
    from sla_manager.cli import quote

    sys.exit(quote.main(cases))


@program.command("init")
@click.option("--authority", required=True, help="The authority's three-digit code in the national register.")
@click.option("--name", required=True, help="The council's name.")
@click.option(
    "--service-code", default="ews", show_default=True, help="The service's short name in addresses."
)
@click.option("--service-name", default="Education Welfare Service", show_default=True)
@click.option(
    "--series", default="EWS", show_default=True, help="What the service's document numbers begin with."
)
@as_json
@refusals
def init(authority: str, name: str, service_code: str, service_name: str, series: str, as_json: bool) -> None:
    """Create the database, the council and its first service."""
    from sla_manager.cli import migrations
    from sla_manager.people.commands import add_service, create_provider

    product = open_product(empty=True)
    revision = migrations.upgrade(product)
    at = moment(None)
    with product.database.transaction() as session:
        made = create_provider(session, authority_code=authority, name=name, by=product.by, at=at)
        add_service(session, code=service_code, series=series, name=service_name, by=product.by, at=at)
    facts = {
        "authority": made.authority_code,
        "name": made.name,
        "service": service_code,
        "revision": revision,
    }
    answer(
        facts,
        as_json=as_json,
        words=f"{made.name} ({made.authority_code}) is ready, with the {service_name}.",
    )


@program.group("database")
def database_group() -> None:
    """The database's shape."""


@database_group.command("upgrade")
@refusals
def database_upgrade() -> None:
    """Run the migrations that are missing."""
    from sla_manager.cli import migrations

    click.echo(f"The database is at {migrations.upgrade(open_product(empty=True))}.")


@database_group.command("downgrade")
@click.argument("revision")
@refusals
def database_downgrade(revision: str) -> None:
    """Take migrations back to REVISION; data that only later revisions know is lost."""
    from sla_manager.cli import migrations

    click.echo(f"The database is at {migrations.downgrade(open_product(empty=True), revision)}.")


@database_group.command("current")
@refusals
def database_current() -> None:
    """Say which revision the database is at, and which is the newest."""
    click.echo(f"{revisions.revision_of(open_product(empty=True).database)} (newest: {revisions.newest()})")


@program.command("worker")
@refusals
def worker() -> None:
    """Work in the background until stopped: print, send mail, check the books every night."""
    from sla_manager.jobs.worker import Work, work_for_ever
    from sla_manager.kernel.clock import system_clock

    product = open_product(needs_council=False)
    work_for_ever(Work(product.database, product.settings, system_clock))
    click.echo("The worker has stopped.", err=True)


def _say_how_far(printed: int) -> None:
    """Show the progress of a long round."""
    if printed and printed % 100 == 0:
        click.echo(f"{printed:,} printed", err=True)


@program.command("print")
@as_json
@refusals
def print_waiting_documents(as_json: bool) -> None:
    """Print every issued document, signed agreement and paper that has no PDF yet."""
    from sla_manager.jobs.worker import Work
    from sla_manager.kernel.clock import system_clock

    product = open_product()
    work = Work(product.database, product.settings, system_clock)
    try:
        done = work.print_all(_say_how_far)
    finally:
        work.close()
    facts = {
        "documents": done.documents,
        "agreements": done.agreements,
        "papers": done.papers,
        "waiting": done.waiting,
    }
    answer(facts, as_json=as_json, words=done.words)
    if done.waiting:
        click.echo(done.words, err=True)
        raise SystemExit(1)


@program.command("check")
@as_json
@refusals
def check(as_json: bool) -> None:
    """Check ledgers, numbers, hashes and files; exit code 1 when anything is off."""
    from sla_manager.gateways.archive import Archive
    from sla_manager.reports.integrity import problems

    product = open_product()
    with product.database.reading() as session:
        found = list(problems(session, Archive(product.settings.archive)))
    listed = [
        {
            "code": problem.code,
            "about": problem.about,
            "message": problem.message,
            "what_to_do": problem.what_to_do,
        }
        for problem in found
    ]
    words = (
        "The books are in order."
        if not found
        else "\n".join(f"{p.about}: {p.message} {p.what_to_do}" for p in found)
    )
    answer({"ok": not found, "problems": listed}, as_json=as_json, words=words)
    if found:
        click.echo(f"The check found {len(found)} problems.", err=True)
        raise SystemExit(1)


@program.group("import")
def import_group() -> None:
    """Bring data in."""


@import_group.command("schools")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@on_date
@as_json
@refusals
def import_schools_file(file: Path, day: date | None, as_json: bool) -> None:
    """Import the national register (GIAS, CSV). The same file again changes nothing."""
    from sla_manager.people.commands import import_schools

    product = open_product()
    at = moment(day)
    with product.database.transaction() as session:
        report = import_schools(session, file.read_bytes(), filename=file.name, by=product.by, at=at)
    facts = {
        "rows": report.rows,
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "refused": report.refused,
        "reasons": dict(report.reasons),
    }
    reasons = ", ".join(f"{count} {reason}" for reason, count in report.reasons.items())
    words = (
        f"{report.rows} rows: {report.added} added, {report.updated} updated, {report.unchanged} unchanged, "
        f"{report.refused} refused{f' ({reasons})' if reasons else ''}."
    )
    answer(facts, as_json=as_json, words=words)


import_group.add_command(figures.import_figures_file)


@program.group("catalogue")
def catalogue_group() -> None:
    """What is sold, and what is free."""


@catalogue_group.command("load")
@click.argument("preset")
@click.option("--service", "service_code", help="The service's short name; needed when there are several.")
@on_date
@as_json
@refusals
def catalogue_load(preset: str, service_code: str | None, day: date | None, as_json: bool) -> None:
    """Load PRESET (a real service's offerings, prices, obligations, hours and policies) into a service."""
    from sla_manager.catalogue.commands import load_preset
    from sla_manager.catalogue.rules.presets import preset_names, read_preset
    from sla_manager.people.queries import one_service

    if preset not in preset_names():
        raise Refused(f"There is no preset “{preset}”. There are: {', '.join(preset_names())}.")
    product = open_product()
    at = moment(day)
    with product.database.transaction() as session:
        service = one_service(session, service_code)
        load = load_preset(session, read_preset(preset), service_id=service.id, by=product.by, at=at)
    answer(
        {"preset": preset, "service": service.code, "changes": load.changes},
        as_json=as_json,
        words=f"{preset} is loaded into {service.name}.",
    )


for command in (
    books.invoices,
    books.year,
    exporting.export,
    books.balance,
    buying.orders,
    seasons.season,
    users.users,
):
    program.add_command(command)
import_group.add_command(taking_over.import_agreements)
program.add_command(demonstrating.demonstration)
