"""Who stands behind an agreement: who pays when it is not the school, and who buys together with it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from sla_manager.agreements.models import Agreement
from sla_manager.agreements.queries.partnerships import partnership_of
from sla_manager.agreements.rules.partnerships import Invoicing, PartnershipKind


def parties(session: Session, agreement: Agreement) -> tuple[str, ...]:
    """Return a sentence for each thing that is to be known about who pays and who shares."""
    school, trust = agreement.school, agreement.customer.trust
    found = []
    if trust is not None:
        found.append(
            f"{trust.name} pays for {school.name}, and “you” means both: the trust for what is paid, "
            "the school for the work."
        )
    is_shared = trust is not None or any("share" in (line.price_facts or {}) for line in agreement.lines)
    together = partnership_of(session, agreement.id) if is_shared else None
    if together is None:
        return tuple(found)
    others = [one.school.name for one in together.members if one.school_id != school.id]
    if others:
        found.append(
            f"{school.name} buys together with {_listed(others)}. Each school has its own document, its own time "
            "and its own charges."
        )
    if together.kind is PartnershipKind.POOL:
        found.append(
            "Their time is one pool: what one school does not need, another can use in the same financial year."
        )
    if together.invoicing is Invoicing.TOGETHER:
        found.append("The charges of all these schools come on one invoice, with a line for each school.")
    return tuple(found)


def _listed(names: list[str]) -> str:
    """Return names as a sentence lists them.

    >>> _listed(["A"]), _listed(["A", "B", "C"])
    ('A', 'A, B and C')
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
