"""The signed copy by mail: the document and its certificate, once both are printed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, String, cast, literal, or_, select
from sqlalchemy.orm import Session, joinedload

from sla_manager.agreements import mails
from sla_manager.agreements.models import (
    Acceptance,
    Agreement,
    AgreementFile,
    AgreementVersion,
    Paper,
    PaperFile,
)
from sla_manager.people.models import Customer, School
from sla_manager.store.database import Database
from sla_manager.store.outbox import Attachment, OutboxMessage

AT_ONCE = 100


def post_signed_copies(database: Database, *, at: datetime) -> int:
    """Post the signed copy of every agreement whose document and certificate are printed; returns how many.

    The mail's key makes it once, whoever prints and however often.
    """
    with database.reading() as session:
        waiting = list(session.scalars(_waiting()))
    posted = 0
    for agreement_id in waiting:
        with database.transaction() as session:
            posted += _post(session, agreement_id, at=at)
    return posted


def _waiting() -> Select[int]:
    key = literal("signed:") + cast(Agreement.id, String)
    return (
        select(Agreement.id)
        .join(AgreementVersion, AgreementVersion.agreement_id == Agreement.id)
        .join(AgreementFile, AgreementFile.version_id == AgreementVersion.id)
        .join(Paper, Paper.agreement_id == Agreement.id)
        .join(PaperFile, PaperFile.paper_id == Paper.id)
        .outerjoin(OutboxMessage, OutboxMessage.key == key)
        .join(Acceptance, Acceptance.agreement_id == Agreement.id)
        .join(Customer, Customer.id == Agreement.customer_id)
        .where(
            AgreementVersion.kind == "agreement",
            Paper.kind == "certificate",
            OutboxMessage.id.is_(None),
            or_(Acceptance.person_id.is_not(None), Customer.email != ""),
        )
        .order_by(Agreement.id)
        .limit(AT_ONCE)
    )


def _post(session: Session, agreement_id: int, *, at: datetime) -> bool:
    agreement = session.scalars(
        select(Agreement)
        .where(Agreement.id == agreement_id)
        .options(
            joinedload(Agreement.school).joinedload(School.trust),
            joinedload(Agreement.service),
            joinedload(Agreement.customer),
        )
    ).one()
    document = session.scalars(
        select(AgreementFile)
        .join(AgreementVersion, AgreementVersion.id == AgreementFile.version_id)
        .where(AgreementVersion.agreement_id == agreement_id, AgreementVersion.kind == "agreement")
        .order_by(AgreementVersion.number)
    ).first()
    certificate = session.scalars(
        select(PaperFile)
        .join(Paper, Paper.id == PaperFile.paper_id)
        .where(Paper.agreement_id == agreement_id, Paper.kind == "certificate")
    ).first()
    if document is None or certificate is None:
        return False
    name = agreement.reference.replace("/", "-")
    files = (
        Attachment(f"{name}.pdf", document.path, document.sha256),
        Attachment(f"{name}-certificate.pdf", certificate.path, certificate.sha256),
    )
    return mails.send_signed_copy(session, agreement, files=files, at=at)
