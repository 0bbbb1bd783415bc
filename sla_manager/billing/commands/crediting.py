"""Credits: full, in part by line, for time that the council lost, and for a variation that takes away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, joinedload

from sla_manager.agreements.commands import enter
from sla_manager.agreements.models import Agreement, AgreementLine, LedgerEntry, Tranche
from sla_manager.agreements.rules.ledger import EntryKind
from sla_manager.agreements.worth import worth_of_time
from sla_manager.billing.facts import CODE_LETTERS, credit_facts, rate_text
from sla_manager.billing.issuing import Draft, DraftLine, IssuedDocument, issue
from sla_manager.billing.models import Document, DocumentLine
from sla_manager.billing.queries.creditable import Creditable, creditable, creditable_of_agreement
from sla_manager.billing.rules.credits import (
    CreditedTooLate,
    NothingToCredit,
    ReasonMissing,
    credit_totals,
    last_day_to_credit,
    spread,
)
from sla_manager.billing.rules.dues import Due, DueLine, unit_words
from sla_manager.billing.rules.kinds import credit_kind
from sla_manager.catalogue.rules.vat import VatCode
from sla_manager.gateways.printing.facts import Credited
from sla_manager.gateways.printing.facts import DocumentLine as PrintedLine
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.quantities import PLACES, plain
from sla_manager.kernel.unique_pupil_numbers import refuse_pupil_numbers
from sla_manager.kernel.words import counted, long_date, per_cent, pounds
from sla_manager.people.queries import the_provider
from sla_manager.store.audit import Actor

LONGEST_REASON = 10_000


class NotInvoicedYet(Refused):
    """A reduction is credited against what was invoiced; there must be enough of it."""

    def __init__(self, wanted: Money, left: Money) -> None:
        super().__init__(
            f"{pounds(wanted)} is to be credited, but only {pounds(left)} of this has been invoiced and not yet "
            "credited. The next run tries again, when more has been invoiced."
        )


def issue_credit_note(
    session: Session,
    document_id: int,
    *,
    amounts: Mapping[int, Money] | None = None,
    reason: str,
    by: Actor,
    at: datetime,
    issued_on: date | None = None,
) -> IssuedDocument:
    """Issue a credit note for a document: for all that is left of it, or for net amounts by line position.

    VAT follows the document's own codes and rates, whatever they are today (M5). Never more than is left.
    """
    found = creditable(session, document_id, lock=True)
    wanted = found.everything if amounts is None else {line: net for line, net in amounts.items() if net}
    unknown = set(wanted) - {line.position for line in found.lines}
    if unknown:
        raise NotFound(f"This document has no line {min(unknown)}.")
    return _credit(session, found, wanted, reason=reason, issued_on=issued_on, by=by, at=at)


def credit_lost_time(
    session: Session,
    tranche_id: int,
    minutes: Minutes,
    *,
    decided_on: date,
    reason: str,
    visit_id: int | None = None,
    once_key: str | None = None,
    by: Actor,
    at: datetime,
) -> list[IssuedDocument]:
    """Credit time that was lost through the council's fault: off the balance, and off the latest documents.

    It does not lapse. The credit is issued within 14 days of the decision, counting that day. The same `once_key`
    again credits nothing more.
    """
    again = exists().where(LedgerEntry.tranche_id == tranche_id, LedgerEntry.cause == f"lost:{once_key}")
    if once_key is not None and visit_id is None and session.scalar(select(again)):
        return []
    today = london_date(at)
    if today > last_day_to_credit(decided_on):
        raise CreditedTooLate(decided_on, last_day_to_credit(decided_on))
    tranche = session.get(Tranche, tranche_id, options=[joinedload(Tranche.line)])
    if tranche is None or tranche.line.unit_minutes is None:
        raise NotFound
    line = tranche.line
    cause = f"lost:{visit_id or once_key or f'{decided_on}:{minutes.minutes}'}"
    entry = enter(
        session, tranche_id, EntryKind.CREDITED, minutes,
        effective_on=min(max(decided_on, tranche.starts_on), tranche.ends_on),
        cause=cause, reason=_checked(reason), visit_id=visit_id, by=by, at=at,
    )  # fmt: skip
    agreement = session.get_one(Agreement, line.agreement_id)
    due = lost_time_due(line, agreement, -entry.minutes, tax_point=today)
    return credit_agreement(session, due, agreement, issued_on=today, reason=reason, by=by, at=at)


def lost_time_due(line: AgreementLine, agreement: Agreement, lost: Minutes, *, tax_point: date) -> Due:
    """Return what is owed back for lost time: at the line's price, or its part of what was paid where that is less."""
    net = worth_of_time(line, lost)
    return Due(
        agreement_id=agreement.id,
        route=line.route,
        label="time that we could not provide",
        tax_point=tax_point,
        lines=(
            DueLine(
                line_id=line.id, description=line.description, period="", quantity=Decimal(1), unit=line.unit,
                unit_price=line.unit_price, net=-net, vat_code=line.vat_code, vat_reason=line.vat_reason,
                why=(f"{lost.hours_and_minutes()} that we could not provide",),
            ),
        ),
        sources=(),
    )  # fmt: skip


def credit_agreement(
    session: Session,
    due: Due,
    agreement: Agreement,
    *,
    issued_on: date,
    reason: str = "",
    by: Actor,
    at: datetime,
) -> list[IssuedDocument]:
    """Credit amounts below nothing against an agreement's latest documents, line by line.

    One credit note cites one document, so a large reduction becomes several.
    """
    documents = (
        creditable_of_agreement(session, agreement.id, due.route)
        if due.credits_id is None
        else [creditable(session, due.credits_id, lock=True)]
    )
    wanted: dict[int, dict[int, Money]] = {}
    for line in due.lines:
        places = [
            (index, mine.position, mine.left)
            for index, one in enumerate(documents)
            for mine, stored in zip(one.lines, one.document.lines, strict=True)
            if stored.line_id == line.line_id
        ]
        parts = spread(-line.net, [left for _, _, left in places])
        if total(parts) != -line.net:
            raise NotInvoicedYet(-line.net, total(parts))
        for (index, position, _), part in zip(places, parts, strict=True):
            if part:
                wanted.setdefault(index, {})[position] = part
    said = reason or _said(due, agreement)
    issued: list[IssuedDocument] = []
    for index, amounts in wanted.items():
        sources = due.sources if not issued else ()
        issued.append(
            _credit(
                session,
                documents[index],
                amounts,
                reason=said,
                issued_on=issued_on,
                sources=sources,
                by=by,
                at=at,
            )
        )
    return issued


def _said(due: Due, agreement: Agreement) -> str:
    label = due.label[:1].upper() + due.label[1:]
    if due.credits_id is not None:
        return f"{label}: it was billed, and does not count any more."
    return f"{label} of {agreement.reference} reduces what was agreed."


def _checked(reason: str) -> str:
    cleaned = refuse_pupil_numbers(reason.strip(), field="reason")
    if not cleaned:
        raise ReasonMissing()
    if len(cleaned) > LONGEST_REASON:
        raise Refused(
            f"The reason has {len(cleaned):,} characters. Use {LONGEST_REASON:,} at most.", field="reason"
        )
    return cleaned


def _credit(
    session: Session,
    found: Creditable,
    wanted: Mapping[int, Money],
    *,
    reason: str,
    issued_on: date | None,
    sources: tuple[tuple[str, int], ...] = (),
    by: Actor,
    at: datetime,
) -> IssuedDocument:
    original, said = found.document, _checked(reason)
    if not found.left and not wanted:
        raise NothingToCredit()
    totals = credit_totals(found.lines, found.rows, wanted)
    kind = credit_kind(original.kind)
    day = max(issued_on or london_date(at), original.issued_on)
    lines = [(line, wanted[line.position]) for line in original.lines if line.position in wanted]
    credited = Credited(number=original.number, date=original.issued_on.isoformat(), reason=said)
    draft = Draft(
        kind=kind,
        service_id=original.service_id,
        service_series=original.service.series,
        customer_id=original.customer_id,
        customer_name=original.customer_name,
        agreement_id=original.agreement_id,
        tax_point=day,
        issued_on=day,
        due_on=None,
        purchase_order=original.purchase_order,
        lines=tuple(_credit_line(original, line, amount) for line, amount in lines),
        totals=totals,
        facts=credit_facts(
            original.facts, kind, [_printed(original, line, amount) for line, amount in lines], totals,
            issued_on=day, credited=credited,
        ),
        sources=sources,
        source_route=kind.route,
        credits_id=original.id,
        reason=said,
    )  # fmt: skip
    start_month = the_provider(session).financial_year_start_month
    return issue(session, draft, start_month=start_month, by=by, at=at)


def _figures(line: DocumentLine, amount: Money) -> tuple[Decimal, str, Money]:
    """Return quantity, unit and price of a credited line; the quantity is below nothing."""
    if line.unit_price.pence:
        exact = Fraction(amount.pence * 10**PLACES, line.unit_price.pence)
        if exact.denominator == 1:
            return -Decimal(exact.numerator).scaleb(-PLACES), line.unit, line.unit_price
    return Decimal(-1), "part", amount


def _why(original: Document, line: DocumentLine, amount: Money) -> tuple[str, ...]:
    quantity, unit, price = _figures(line, amount)
    sums = (
        f"{counted(-quantity, unit)} × {pounds(price)} = {pounds(amount)}"
        if unit != "part"
        else pounds(amount)
    )
    vat = (
        (line.explanation[-1] if line.explanation else line.vat_code.title)
        if line.vat_code in (VatCode.EXEMPT, VatCode.OUTSIDE_SCOPE)
        else f"VAT {per_cent(line.vat_rate)} as on {original.number}"
    )
    return (
        sums,
        f"credits line {line.position} of {original.number} of {long_date(original.issued_on)}",
        vat,
    )


def _credit_line(original: Document, line: DocumentLine, amount: Money) -> DraftLine:
    quantity, unit, price = _figures(line, amount)
    return DraftLine(
        line_id=line.line_id,
        description=line.description,
        quantity=quantity,
        unit=unit,
        unit_price=price,
        net=-amount,
        vat_code=line.vat_code,
        vat_rate=line.vat_rate,
        explanation=_why(original, line, amount),
        credits_line_id=line.id,
    )


def _printed(original: Document, line: DocumentLine, amount: Money) -> PrintedLine:
    quantity, unit, price = _figures(line, amount)
    untaxed = line.vat_code in (VatCode.EXEMPT, VatCode.OUTSIDE_SCOPE)
    return PrintedLine(
        description=line.description,
        period="",
        quantity=plain(quantity),
        unit=unit_words(quantity, unit),
        unit_price=str(price),
        net=str(-amount),
        vat_code=CODE_LETTERS[line.vat_code],
        vat_rate=None if untaxed else rate_text(line.vat_rate),
        explanation=", ".join(_why(original, line, amount)),
    )
