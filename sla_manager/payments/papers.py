"""The statement of account on paper: a letter with what is open first, then every movement."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from sla_manager.gateways.printing.facts import Contact, Customer, Supplier, plain
from sla_manager.gateways.printing.letter_facts import LetterFacts, LetterRow, LetterSection, LetterTable
from sla_manager.kernel.money import Money
from sla_manager.kernel.words import long_date, pounds
from sla_manager.payments.queries.statements import Statement
from sla_manager.people.models import Provider
from sla_manager.people.queries import the_provider


def statement_facts(session: Session, account: Statement) -> dict[str, Any]:
    """Return what the letter says; print it as `statement_of_account`."""
    provider = the_provider(session)
    facts = LetterFacts(
        kind="statement_of_account",
        heading="Statement of account",
        reference=account.customer.account_reference,
        dated=account.until.isoformat(),
        supplier=Supplier(
            name=provider.name, service="Finance", address=tuple(str(line) for line in provider.address),
            vat_number=provider.vat_number or None, email=provider.email, phone=provider.phone,
            colour=provider.colour,
        ),
        customer=_customer(account),
        school=None,
        salutation="",
        paragraphs=(_opening(account),),
        glance=(
            LetterRow(label="To pay", value=pounds(account.to_pay)),
            *((LetterRow(label="Overdue", value=pounds(account.overdue)),) if account.overdue else ()),
            *((LetterRow(label="By journal", value=pounds(account.by_journal)),) if account.by_journal else ()),
            *((LetterRow(label="On account", value=pounds(account.on_account)),) if account.on_account else ()),
        ),
        sections=(*_open(account), *_paying(provider, account), _movements(account)),
        closing=(
            (
                "If something is wrong, open the document in the portal and dispute it. "
                "Until that is settled we send no reminders."
            ),
        ),
        signatures=(),
        questions=Contact(name=provider.name, role="Finance", phone=provider.phone, email=provider.email),
    )  # fmt: skip
    return plain(facts)


def _customer(account: Statement) -> Customer:
    payer = account.customer
    lines = payer.trust.address if payer.trust is not None else []
    if payer.school is not None:
        lines = payer.school.address_lines
    return Customer(
        name=account.name, address=tuple(str(line) for line in lines), reference=payer.account_reference
    )


def _opening(account: Statement) -> str:
    day = long_date(account.until)
    if not account.open:
        return f"On {day} nothing is open on your account."
    if not account.to_pay:
        return (
            f"On {day} there is nothing for you to pay. {pounds(account.by_journal)} still moves by journal."
        )
    part = "All" if account.overdue == account.to_pay else pounds(account.overdue)
    late = f" {part} of it is overdue." if account.overdue else ""
    return f"On {day} {pounds(account.to_pay)} is to be paid.{late}"


def _open(account: Statement) -> tuple[LetterSection, ...]:
    if not account.open:
        return ()
    rows = tuple(
        (
            long_date(one.issued_on), f"{one.kind.title} {one.number}",
            long_date(one.due_on) if one.due_on else "By journal",
            "Held" if one.held else one.age.title if one.is_overdue else "", pounds(one.open),
        )
        for one in account.open
    )  # fmt: skip
    together = sum((one.open for one in account.open), Money(0))
    table = LetterTable(
        caption="",
        columns=("Date", "What", "Due", "Overdue", "Open"),
        amounts=(False, False, False, False, True),
        rows=rows,
        last_row=("Together", "", "", "", pounds(together)),
    )
    return (LetterSection(heading="What is open", table=table),)


def _paying(provider: Provider, account: Statement) -> tuple[LetterSection, ...]:
    if not account.to_pay or not provider.bank_account:
        return ()
    rows = (
        LetterRow(label="Account name", value=provider.bank_name or provider.name),
        LetterRow(label="Sort code", value=provider.bank_sort_code),
        LetterRow(label="Account number", value=provider.bank_account),
        LetterRow(label="Reference", value="The numbers of the invoices that you pay"),
    )
    return (LetterSection(heading="How to pay", rows=rows),)


def _movements(account: Statement) -> LetterSection:
    heading = "What happened"
    if not account.movements:
        return LetterSection(heading=heading, paragraphs=("Nothing in this time.",))
    since = account.since or account.movements[0].on
    before = (long_date(since), "Balance before", "", "", pounds(account.opening))
    rows = tuple(
        (
            long_date(one.on), f"{one.what} {one.number}".strip(),
            pounds(one.amount) if one.amount.pence >= 0 else "",
            pounds(-one.amount) if one.amount.pence < 0 else "", pounds(one.balance),
        )
        for one in account.movements
    )  # fmt: skip
    table = LetterTable(
        caption="",
        columns=("Date", "What", "Asked for", "Paid or credited", "Balance"),
        amounts=(False, False, True, True, True),
        rows=(before, *rows),
        last_row=(long_date(account.until), "Balance", "", "", pounds(account.closing)),
    )
    return LetterSection(heading=heading, table=table)
