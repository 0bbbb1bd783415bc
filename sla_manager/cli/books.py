"""Commands on the books: invoice runs, the year close, exports, balances."""

from __future__ import annotations

from datetime import date
from typing import Any

import click

from sla_manager.cli.opening import answer, as_json, day_of, moment, on_date, open_product, refusals
from sla_manager.kernel.periods import FinancialYear


@click.group("invoices")
def invoices() -> None:
    """Documents of money."""


@invoices.command("run")
@on_date
@click.option("--preview", is_flag=True, help="Say what would be issued, and issue nothing.")
@as_json
@refusals
def run_invoices(day: date | None, preview: bool, as_json: bool) -> None:
    """Issue everything that is due. The same run again issues nothing."""
    from sla_manager.billing.runs import preview_run, run

    product = open_product()
    if preview:
        with product.database.reading() as session:
            result = preview_run(session, day_of(day))
    else:
        result = run(product.database, as_at=day_of(day), by=product.by, at=moment(day))
    facts: dict[str, Any] = {
        "issued": result.issued,
        "already": result.already,
        "parked": result.parked,
        "net": str(result.net),
        "vat": str(result.vat),
        "gross": str(result.gross),
        "documents": [
            {
                "number": document.number,
                "kind": document.kind.value,
                "customer": document.customer,
                "net": str(document.net),
                "vat": str(document.vat),
                "gross": str(document.gross),
            }
            for document in result.documents
        ],
    }
    verb = "would be issued" if preview else "issued"
    words = (
        f"{result.issued} documents {verb}, {result.already} were billed before, {result.parked} parked: "
        f"net £{result.net}, VAT £{result.vat}, gross £{result.gross}."
    )
    answer(facts, as_json=as_json, words=words)
    for reason in result.parked_reasons.values():
        click.echo(f"Parked: {reason}", err=True)


@click.group("year")
def year() -> None:
    """The financial year."""


@year.command("close")
@click.argument("name")
@click.option("--preview", is_flag=True, help="Say what would lapse, and close nothing.")
@on_date
@as_json
@refusals
def close(name: str, preview: bool, day: date | None, as_json: bool) -> None:
    """Close the financial year NAME (like 2025-26): unused time lapses. Closing twice changes nothing."""
    from sla_manager.agreements.commands.years import close_year, hold_years
    from sla_manager.agreements.queries import is_closed, year_close_preview
    from sla_manager.people.queries import the_provider

    product = open_product()
    with product.database.reading() as session:
        wanted = FinancialYear.parse(name, start_month=the_provider(session).financial_year_start_month)
        seen = year_close_preview(session, wanted)
        done = seen.closed or seen
    already = seen.closed is not None
    if not preview:
        with product.database.transaction() as session:
            hold_years(session)
            already = is_closed(session, wanted)
            done = close_year(session, wanted, by=product.by, at=moment(day))
    tranches, minutes, value = done.tranches, done.lapsed_minutes, done.lapsed_value
    facts = {
        "tranches": tranches,
        "lapsed_minutes": minutes.minutes,
        "lapsed_value": str(value),
        "already": already,
    }
    lead = (
        f"{wanted} was closed before"
        if already
        else (f"{wanted} would close" if preview else f"{wanted} is closed")
    )
    answer(facts, as_json=as_json, words=f"{lead}: {tranches} tranches, {minutes:} (£{value}) lapsed.")


@click.command("balance")
@click.argument("urn", type=int)
@on_date
@as_json
@refusals
def balance(urn: int, day: date | None, as_json: bool) -> None:
    """Show the balance of every agreement line of the school URN, year by year, in minutes."""
    from sla_manager.people.queries import school_by_urn
    from sla_manager.visits.queries import balances_with_booked

    product = open_product()
    with product.database.reading() as session:
        school = school_by_urn(session, urn)
        rows = balances_with_booked(session, school_id=school.id, on=day)
        figures = [
            {
                "year": str(row.year),
                "contracted": row.contracted.minutes,
                "varied": row.varied.minutes,
                "delivered": row.delivered.minutes,
                "charged": row.charged.minutes,
                "credited": row.credited.minutes,
                "lapsed": row.lapsed.minutes,
                "balance": row.balance.minutes,
                "booked": row.booked.minutes,
            }
            for row in rows
        ]
        words = "\n".join(
            f"{row.reference} {row.description} {row.year}: {row.balance:} left of "
            f"{row.contracted + row.varied:}, {row.booked:} booked."
            for row in rows
        )
    if as_json:
        import json

        click.echo(json.dumps(figures))
    else:
        click.echo(words or f"{school.name} has no agreements.")
