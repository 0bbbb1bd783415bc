"""Freezing what an agreement says: the quote, the signed text, each variation, with the hash of its facts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sla_manager.agreements.documents.facts import agreement_facts
from sla_manager.agreements.models import AgreementVersion
from sla_manager.agreements.queries import agreement
from sla_manager.agreements.queries.standing import SharedFacts
from sla_manager.kernel.references import canonical_json, sha256


def freeze(
    session: Session, agreement_id: int, *, kind: str, at: datetime, shared: SharedFacts | None = None
) -> AgreementVersion:
    """Write down for ever what the agreement says now; `kind` is quote, agreement or variation.

    `shared` is what many documents of its service have in common, read once.
    """
    latest = select(func.max(AgreementVersion.number)).where(AgreementVersion.agreement_id == agreement_id)
    number = (session.scalar(latest) or 0) + 1
    facts = agreement_facts(session, agreement(session, agreement_id), number=number, at=at, shared=shared)
    version = AgreementVersion(
        agreement_id=agreement_id,
        number=number,
        kind=kind,
        facts=facts,
        sha256=sha256(canonical_json(facts)),
        frozen_at=at,
    )
    session.add(version)
    session.flush()
    return version
