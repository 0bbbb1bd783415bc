"""The demonstration council: loaded once, and how to sign in to it."""

from __future__ import annotations

import click

from sla_manager.cli.opening import moment, open_product, refusals, settings_for_commands
from sla_manager.kernel.errors import Conflict


@click.group("demonstration")
def demonstration() -> None:
    """An invented council with a year of history."""


@demonstration.command("load")
@refusals
def load() -> None:
    """Load the demonstration into an empty database."""
    from sla_manager.cli import migrations
    from sla_manager.cli.demonstration.story import tell
    from sla_manager.people.queries import provider

    product = open_product(empty=True)
    migrations.upgrade(product)
    with product.database.reading() as session:
        if provider(session) is not None:
            raise Conflict(
                "There is a council in this database already. The demonstration needs an empty one."
            )
    tell(product.database, now=moment(None), say=lambda what: click.echo(f"  {what}"))


@demonstration.command("sign-ins")
@refusals
def sign_ins() -> None:
    """Print the address and one sign-in for each role."""
    from sla_manager.cli.demonstration.people import sign_in_sheet

    click.echo(sign_in_sheet(settings_for_commands().address))
