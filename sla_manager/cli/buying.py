"""Commands on orders: a purchase placed and accepted from the terminal, with the same rules as on the pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import click

from sla_manager.cli.opening import IsoDate, answer, as_json, moment, on_date, open_product, refusals
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.quantities import read_quantity

Split = dict[FinancialYear, Decimal]


@click.group("orders")
def orders() -> None:
    """Orders of schools."""


@orders.command("place")
@click.option("--school", "urn", required=True, type=int, help="The school's URN.")
@click.option(
    "--offering",
    "offerings",
    required=True,
    multiple=True,
    metavar="CODE=QUANTITY",
    help="What is bought and how much, like SOU-EWO-DAY=12; may be given several times.",
)
@click.option(
    "--split",
    "splits",
    multiple=True,
    metavar="CODE=YEAR:QUANTITY,…",
    help="How much of it belongs to which year, like SOU-EWO-DAY=2025-26:5,2026-27:7; else the months decide.",
)
@click.option("--service", "service_code", help="The service's short name; needed when there are several.")
@click.option("--start", required=True, type=IsoDate(), help="The first day, like 2025-10-14.")
@click.option("--end", required=True, type=IsoDate(), help="The last day, included, like 2026-03-31.")
@click.option(
    "--schedule",
    default="single",
    show_default=True,
    type=click.Choice(["single", "three", "seven-five", "monthly", "on_delivery"]),
)
@click.option(
    "--paid-from", default="budget", show_default=True, type=click.Choice(["budget", "private_fund"])
)
@click.option("--purchase-order", default="", help="The school's purchase order number.")
@click.option("--signed-by", required=True, help="Who accepted for the school.")
@click.option(
    "--signed-as", default="School business manager", show_default=True, help="Her role at the school."
)
@click.option(
    "--accept", is_flag=True, help="Accept the order for the service as well: it becomes an agreement."
)
@click.option(
    "--beyond-capacity",
    default="",
    metavar="REASON",
    help="Why it is accepted although officers have no time for it; needed only then.",
)
@on_date
@as_json
@refusals
def place(
    urn: int,
    offerings: tuple[str, ...],
    splits: tuple[str, ...],
    service_code: str | None,
    start: date,
    end: date,
    schedule: str,
    paid_from: str,
    purchase_order: str,
    signed_by: str,
    signed_as: str,
    accept: bool,
    beyond_capacity: str,
    day: date | None,
    as_json: bool,
) -> None:
    """Quote and order for a school (on paper it signed a form: name who signed)."""
    from sla_manager.agreements.commands import LineWanted, place_order, prepare_quote
    from sla_manager.agreements.queries import frozen_sha256, quoted_documents
    from sla_manager.agreements.rules.schedules import Schedule
    from sla_manager.catalogue.queries import offering_by_code
    from sla_manager.people.queries import one_service, school_by_urn, the_provider
    from sla_manager.planning.commands import decide_order
    from sla_manager.planning.commands.orders import BeyondCapacity
    from sla_manager.store.audit import Actor

    product = open_product()
    at = moment(day)
    with product.database.transaction() as session:
        service = one_service(session, service_code)
        school = school_by_urn(session, urn)
        start_month = the_provider(session).financial_year_start_month
        wanted = []
        for code, (quantity, split) in _read_lines(offerings, splits, start_month).items():
            offering = offering_by_code(session, service.id, code)
            wanted.append(LineWanted(offering.id, quantity, split))
        quote = prepare_quote(
            session,
            service_id=service.id,
            school_id=school.id,
            starts_on=start,
            ends_on=end,
            schedule=Schedule(schedule),
            lines=wanted,
            paid_from=paid_from,
            purchase_order=purchase_order,
            by=product.by,
            at=at,
        )
        documents = quoted_documents(session, quote)
        ordered = place_order(
            session,
            quote.id,
            role=signed_as,
            statement="Signed on paper; entered by the council.",
            address="command line",
            document_sha256=frozen_sha256(session, quote.id),
            by=Actor(None, signed_by),
            at=at,
        )
        if accept:
            try:
                ordered = decide_order(session, quote.id, reason=beyond_capacity, by=product.by, at=at)
            except BeyondCapacity as error:
                raise Refused(
                    f"{error.room.sentence} Nothing is ordered. Say why you accept it all the same with "
                    "--beyond-capacity REASON, or leave out --accept: then the order waits."
                ) from None
    facts = {
        "reference": ordered.reference,
        "status": ordered.status.value,
        "net": str(ordered.net),
        "vat": str(ordered.vat),
        "gross": str(ordered.gross),
        "documents": [
            {"due_on": d.due_on.isoformat(), "net": str(d.net), "vat": str(d.vat), "gross": str(d.gross)}
            for d in documents
        ],
    }
    totals = f"net £{ordered.net}, VAT £{ordered.vat}, gross £{ordered.gross}"
    words = f"{ordered.reference} is {ordered.status.value}: {totals}."
    answer(facts, as_json=as_json, words=words)


def _read_lines(
    offerings: Sequence[str], splits: Sequence[str], start_month: int
) -> dict[str, tuple[Decimal, Split | None]]:
    """Read what is bought: each offering once, with its quantity and its split by years, when one is given."""
    divided = {}
    for text in splits:
        code, parts = _pair(text)
        divided[code] = _read_split(parts, start_month)
    lines: dict[str, tuple[Decimal, Split | None]] = {}
    for text in offerings:
        code, quantity = _pair(text)
        if code in lines:
            raise Refused(f"{code} is there twice. Name it once, with the whole quantity.")
        lines[code] = (read_quantity(quantity, field="offering"), divided.pop(code, None))
    if divided:
        raise Refused(f"There is a split for {', '.join(divided)}, which is not bought.")
    return lines


def _pair(text: str) -> tuple[str, str]:
    code, separator, rest = text.partition("=")
    if not (code.strip() and separator and rest.strip()):
        raise Refused(f"“{text[:60]}” is not CODE=QUANTITY. Write it like SOU-EWO-DAY=12.")
    return code.strip(), rest.strip()


def _read_split(text: str, start_month: int) -> Split:
    split: Split = {}
    for part in text.split(","):
        name, _, quantity = part.partition(":")
        year = FinancialYear.parse(name, start_month=start_month)
        if year in split:
            raise Refused(f"{year} is there twice in “{text[:60]}”. Name each year once.")
        split[year] = read_quantity(quantity, field="split")
    return split
