"""The certificate of acceptance: who accepted what, as whom, when and from where, on both sides."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from sla_manager.agreements.documents.facts import paper_customer, paper_supplier
from sla_manager.agreements.documents.papers import freeze_paper
from sla_manager.agreements.models import Acceptance, Agreement, AgreementVersion, Approval, Paper
from sla_manager.agreements.queries import acceptance_of
from sla_manager.agreements.queries.approvals import approved
from sla_manager.gateways.printing.facts import plain
from sla_manager.gateways.printing.letter_facts import LetterFacts, LetterRow, LetterSection
from sla_manager.kernel.clock import LONDON, london_date
from sla_manager.kernel.words import long_date, pounds
from sla_manager.people.queries import the_provider
from sla_manager.store.audit import Actor


def certificate_key(agreement_id: int) -> str:
    """Return the key of an agreement's certificate: there is one."""
    return f"certificate:{agreement_id}"


def freeze_certificate(
    session: Session, agreement: Agreement, signed: AgreementVersion, *, by: Actor, at: datetime
) -> Paper | None:
    """Freeze the certificate when the service accepts; None where nobody accepted for the school.

    `agreement` is whole and agreed, `signed` its signed text, `by` who accepted for the service.
    """
    accepted = acceptance_of(session, agreement.id)
    if accepted is None:
        return None
    facts = _facts(session, agreement, signed, accepted, by, at)
    return freeze_paper(
        session,
        certificate_key(agreement.id),
        kind="certificate",
        facts=plain(facts),
        school_id=agreement.school_id,
        agreement_id=agreement.id,
        at=at,
    )


def _facts(
    session: Session,
    agreement: Agreement,
    signed: AgreementVersion,
    accepted: Acceptance,
    by: Actor,
    at: datetime,
) -> LetterFacts:
    provider = the_provider(session)
    service = agreement.service
    name = "service level agreement" if agreement.customer_class.is_own else "contract for services"
    return LetterFacts(
        kind="certificate",
        heading="Certificate of acceptance",
        reference=agreement.reference,
        dated=london_date(at).isoformat(),
        supplier=paper_supplier(provider, agreement),
        customer=paper_customer(agreement.customer),
        school=agreement.school.name,
        salutation="",
        paragraphs=(
            (
                f"This certifies that the {name} {agreement.reference} was accepted for {agreement.school.name} and by "
                f"{service.name}, as recorded at the moment of each acceptance. The record is never changed."
            ),
        ),
        glance=(
            LetterRow(label="From", value=long_date(agreement.starts_on)),
            LetterRow(label="To", value=long_date(agreement.ends_on)),
            LetterRow(label="Net", value=pounds(agreement.net)),
            *((LetterRow(label="Total with VAT", value=pounds(agreement.gross)),) if agreement.vat else ()),
        ),
        sections=(
            LetterSection(
                heading="Accepted for the school",
                rows=_for_the_school(accepted, approved(session, agreement.id), agreement),
            ),
            LetterSection(
                heading="Accepted by the service",
                rows=(
                    LetterRow(label="Accepted by", value=by.name),
                    LetterRow(label="For", value=f"{service.name}, {provider.name}"),
                    _moment(at),
                    LetterRow(label="Signed document (SHA-256)", value=signed.sha256, is_code=True),
                ),
            ),
        ),
        closing=(
            (
                "The hash is that of the frozen facts of the document. The same facts always give the same hash, and a "
                "document that differs in one character gives another."
            ),
        ),
        signatures=(),
        questions=None,
    )


def _for_the_school(
    accepted: Acceptance, approval: Approval | None, agreement: Agreement
) -> tuple[LetterRow, ...]:
    rows = [
        LetterRow(label="Accepted by", value=accepted.name),
        LetterRow(label="Role", value=accepted.role),
        LetterRow(label="Statement", value=accepted.statement),
        _moment(accepted.accepted_at),
        LetterRow(label="Network address", value=accepted.address),
        LetterRow(label="Document accepted (SHA-256)", value=accepted.document_sha256, is_code=True),
    ]
    if approval is not None:
        asked = long_date(london_date(approval.asked_at))
        rows.append(LetterRow(label="Prepared by", value=f"{approval.asked_by}, who asked on {asked}"))
    elif agreement.prepared_by != accepted.name:
        rows.append(LetterRow(label="Quote prepared by", value=agreement.prepared_by))
    if agreement.purchase_order:
        rows.append(LetterRow(label="Purchase order", value=agreement.purchase_order))
    return tuple(rows)


def _moment(at: datetime) -> LetterRow:
    utc, local = at.astimezone(UTC), at.astimezone(LONDON)
    return LetterRow(
        label="Time",
        value=(
            f"{long_date(utc.date())}, {utc:%H:%M:%S} UTC; in London {long_date(local.date())}, "
            f"{local:%H:%M:%S} {local.tzname()}"
        ),
    )
