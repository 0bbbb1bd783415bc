"""Commands on seasons: the renewals of every school prepared from the terminal, with the same rules as on the pages."""

from __future__ import annotations

from datetime import date

import click

from sla_manager.cli.opening import IsoDate, answer, as_json, moment, on_date, open_product, refusals
from sla_manager.kernel.errors import NotFound


@click.group("season")
def season() -> None:
    """Seasons of buy-back."""


@season.command("prepare")
@click.option("--service", "service_code", help="The service's short name; needed when there are several.")
@click.option("--starts-on", "starts_on", required=True, type=IsoDate(), help="The season's first day.")
@on_date
@as_json
@refusals
def prepare(service_code: str | None, starts_on: date, day: date | None, as_json: bool) -> None:
    """Prepare every school's renewal from last year. Run again, it does what is missing; nothing is doubled."""
    from sla_manager.agreements.commands.renewals import prepare_renewals
    from sla_manager.agreements.queries.seasons import preparation, season_by_id, seasons
    from sla_manager.people.queries import one_service

    product = open_product()
    with product.database.reading() as session:
        service = one_service(session, service_code)
        found = next((one for one in seasons(session, service.id) if one.starts_on == starts_on), None)
    if found is None:
        raise NotFound(
            f"There is no season of {service.name} that begins on {starts_on:%-d %B %Y}. Plan it first."
        )

    def show(done: int, schools: int) -> None:
        if not as_json and done % 50 == 0:
            click.echo(f"{done} of {schools}", err=True)

    done = prepare_renewals(product.database, found.id, by=product.by, at=moment(day), progress=show)
    with product.database.reading() as session:
        state = preparation(session, season_by_id(session, found.id))
    facts = {
        "season": found.name,
        "prepared_now": done.prepared,
        "schools": state.schools,
        "prepared": state.prepared,
        "troubled": state.troubled,
    }
    answer(facts, as_json=as_json, words=f"{found.name}: {done.words}.")
