"""The letter that comes with a renewal: last year beside this year's offer, by when to answer, what it will cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from sla_manager.agreements.documents.facts import paper_customer, paper_supplier
from sla_manager.agreements.documents.papers import freeze_paper
from sla_manager.agreements.models import Agreement, Paper, Renewal, Season
from sla_manager.agreements.queries.payment import Billing, planned_documents
from sla_manager.agreements.queries.renewals import Bought
from sla_manager.gateways.printing.facts import Contact, plain
from sla_manager.gateways.printing.letter_facts import LetterFacts, LetterRow, LetterSection, LetterTable
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.periods import Period
from sla_manager.kernel.words import counted, long_date, pounds
from sla_manager.people.queries import the_provider


def letter_key(renewal: Renewal) -> str:
    """Return the key of a renewal's letter: one for each prepared quote."""
    return f"renewal-letter:{renewal.id}:{renewal.quote_id}"


def freeze_renewal_letter(
    session: Session,
    renewal: Renewal,
    season: Season,
    bought: Bought,
    quote: Agreement,
    billing: Billing,
    *,
    at: datetime,
) -> Paper:
    """Freeze the letter of a renewal; `quote` comes with its lines, school, customer and service."""
    provider = the_provider(session)
    service, school = quote.service, quote.school
    facts = LetterFacts(
        kind="renewal_letter",
        heading=f"Your renewal for {season.name}",
        reference=quote.reference,
        dated=london_date(at).isoformat(),
        supplier=paper_supplier(provider, quote),
        customer=paper_customer(quote.customer),
        school=school.name,
        salutation="Dear colleague",
        paragraphs=(
            (
                f"Your agreement with the {service.name} ends on {long_date(bought.agreements[-1].ends_on)}. "
                f"We have prepared your renewal for {long_date(season.starts_on)} to {long_date(season.ends_on)}."
            ),
            (
                f"Please answer by {long_date(season.due_by)}. You can order from {long_date(season.submit_from)}: "
                "sign in, look at your renewal, and order it, change it, or tell us that you do not want it."
            ),
        ),
        glance=(
            LetterRow(label="Answer by", value=long_date(season.due_by)),
            LetterRow(label="Total", value=_total(quote)),
        ),
        sections=(
            LetterSection(
                heading="What you have now, and what we offer",
                table=_beside(bought, quote),
                paragraphs=(
                    (
                        "Quantities are what we agreed, with every variation. What you did not use does not "
                        "change them: time is never carried forward."
                    ),
                ),
            ),
            LetterSection(heading="What you would be charged", table=_charges(quote, billing)),
            LetterSection(
                heading="What stays free",
                paragraphs=(
                    (
                        "Your free core offer goes on whether you renew or not: advice, a targeting support meeting "
                        "every term, and legal intervention."
                    ),
                ),
            ),
            *_clause(quote),
        ),
        closing=("Nothing is owed before you order and we accept.",),
        signatures=(),
        questions=Contact(
            name=service.name,
            role="",
            phone=service.phone or provider.phone,
            email=service.email or provider.email,
        ),
    )
    return freeze_paper(
        session,
        letter_key(renewal),
        kind="renewal_letter",
        facts=plain(facts),
        school_id=renewal.school_id,
        agreement_id=quote.id,
        at=at,
    )


def _total(quote: Agreement) -> str:
    return f"{pounds(quote.gross)} including VAT" if quote.vat else f"{pounds(quote.net)}, no VAT"


def _beside(bought: Bought, quote: Agreement) -> LetterTable:
    """Return each offering of last year and of the offer, in words."""
    last: dict[str, list[str]] = {}
    for line in bought.lines:
        last.setdefault(line.description, []).append(
            f"{counted(line.quantity, line.unit)}, {pounds(line.net)}"
        )
    rows: list[tuple[str, ...]] = []
    for one in quote.lines:
        before = last.pop(one.description, ["New"])
        rows.append(
            (one.description, "; ".join(before), f"{counted(one.quantity, one.unit)}, {pounds(one.net)}")
        )
    rows += [(name, "; ".join(before), "Not offered") for name, before in last.items()]
    return LetterTable(
        caption="Before VAT",
        columns=("Service", "Now", "Offered"),
        amounts=(False, True, True),
        rows=tuple(rows),
        last_row=("Net", pounds(bought.net), pounds(quote.net)),
    )


def _charges(quote: Agreement, billing: Billing) -> LetterTable | None:
    documents = planned_documents(
        quote.lines, quote.schedule, Period.through(quote.starts_on, quote.ends_on), billing
    )
    if not documents:
        return None
    rows: Sequence[tuple[str, ...]] = [
        (long_date(one.due_on), one.label, pounds(one.net), pounds(one.vat), pounds(one.gross))
        for one in documents
    ]
    return LetterTable(
        caption="Documents that we would issue",
        columns=("Date", "Document", "Net", "VAT", "Total"),
        amounts=(False, False, True, True, True),
        rows=tuple(rows),
        last_row=("Total", "", pounds(quote.net), pounds(quote.vat), pounds(quote.gross)),
    )


def _clause(quote: Agreement) -> tuple[LetterSection, ...]:
    if not quote.renews:
        return ()
    return (
        LetterSection(
            heading="How it renews",
            paragraphs=(
                (
                    "The new agreement renews by itself for another year unless you give notice at least "
                    f"{counted(quote.notice_months, 'month')} before it ends. We write to you 60 and 30 days before."
                ),
            ),
        ),
    )
