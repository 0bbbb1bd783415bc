"""Credits that give money back for nothing that the ledger knows: income that is not earned after all.

A reduction that was agreed is in the agreement's value, and lost time in its ledger. What finance credits beyond
them (a goodwill, an invoice that was wrong) would otherwise look like income that is still to be invoiced.
"""

from __future__ import annotations

from collections import Counter
from datetime import date

from sqlalchemy import BigInteger, func, select, type_coerce
from sqlalchemy.orm import Session

from sla_manager.agreements.models import InstalmentPart
from sla_manager.billing.models import Billed, Document, DocumentLine
from sla_manager.kernel.money import Money
from sla_manager.reports.earnings import earned_parts

_FEW = 500


def waived_by_line(session: Session, on: date) -> dict[int, Money]:
    """Return what was credited by the end of a day beyond agreed reductions and lost time, by agreement line."""
    credited = _credited(session, on)
    for line, amount in _agreed_reductions(session, on).items():
        credited[line] -= amount
    wanted = {line for line, amount in credited.items() if amount > 0}
    if not wanted:
        return {}
    for part in earned_parts(session, on, lines=wanted if len(wanted) <= _FEW else None):
        if part.line_id in wanted:
            credited[part.line_id] -= part.worth.credited.pence
    return {line: Money(credited[line]) for line in sorted(wanted) if credited[line] > 0}


def _credited(session: Session, on: date) -> Counter[int]:
    """Return the pence that credit notes took back, by line."""
    query = (
        select(DocumentLine.line_id, func.sum(type_coerce(DocumentLine.net, BigInteger)))
        .join(Document, Document.id == DocumentLine.document_id)
        .where(Document.credits_id.is_not(None), Document.issued_on <= on, DocumentLine.line_id.is_not(None))
        .group_by(DocumentLine.line_id)
    )
    return Counter({line: -int(pence) for line, pence in session.execute(query) if line is not None})


def _agreed_reductions(session: Session, on: date) -> Counter[int]:
    """Return the pence of reductions that were agreed, or undone in the ledger, and credited for that reason."""
    is_credit = Document.credits_id.is_not(None) & (Document.issued_on <= on)
    varied = (
        select(InstalmentPart.line_id, func.sum(type_coerce(InstalmentPart.net, BigInteger)))
        .join(Billed, (Billed.source_id == InstalmentPart.instalment_id) & (Billed.purpose == "variation"))
        .join(Document, Document.id == Billed.document_id)
        .where(is_credit)
        .group_by(InstalmentPart.line_id)
    )
    undone = (
        select(DocumentLine.line_id, func.sum(type_coerce(DocumentLine.net, BigInteger)))
        .join(Document, Document.id == DocumentLine.document_id)
        .where(
            is_credit,
            DocumentLine.line_id.is_not(None),
            Document.id.in_(
                select(Billed.document_id).where(
                    Billed.purpose.in_(("delivery", "cancellation", "extra_time"))
                )
            ),
        )
        .group_by(DocumentLine.line_id)
    )
    found: Counter[int] = Counter()
    for query in (varied, undone):
        for line, pence in session.execute(query):
            if line is not None:
                found[line] -= int(pence)
    return found
