"""The papers that follow a change after signing: a signed variation, an early end or a transfer."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from sla_manager.agreements.documents.facts import paper_customer, paper_supplier
from sla_manager.agreements.documents.papers import freeze_paper
from sla_manager.agreements.models import Agreement, Termination, VariationProposal
from sla_manager.agreements.queries.endings import EndPreview
from sla_manager.gateways.printing.facts import Contact, plain
from sla_manager.gateways.printing.letter_facts import (
    LetterFacts,
    LetterKind,
    LetterRow,
    LetterSection,
    LetterTable,
    Signature,
)
from sla_manager.kernel.clock import LONDON, london_date
from sla_manager.kernel.quantities import plain as plain_number
from sla_manager.kernel.words import counted, long_date, pounds
from sla_manager.people.queries import the_provider


def freeze_variation(
    session: Session, agreement: Agreement, signed: VariationProposal, sentences: list[str], *, at: datetime
) -> None:
    """Freeze the paper of a signed change: what changed, what follows, who signed."""
    line = next(one for one in agreement.lines if one.id == signed.line_id)
    sign = "+" if signed.quantity > 0 else "−"
    change = f"{sign}{counted(abs(signed.quantity), line.unit)}"
    facts = _letter(
        session,
        agreement,
        kind="variation",
        heading="Change of your agreement",
        paragraphs=(
            f"This paper changes {agreement.reference}. Everything else in the signed text stays as it is.",
        ),
        glance=(
            LetterRow(label="Change", value=change),
            LetterRow(label="From", value=long_date(signed.effective_on)),
        ),
        sections=(
            LetterSection(
                heading="What changes",
                rows=(
                    LetterRow(label="Service", value=line.description),
                    LetterRow(label="Why", value=signed.reason),
                ),
            ),
            LetterSection(heading="What follows", points=tuple(sentences)),
        ),
        closing=(),
        signature=Signature(
            name=signed.name,
            role=signed.role,
            rows=(
                LetterRow(label="When", value=_moment(signed.signed_at or at)),
                LetterRow(label="How", value=signed.medium.title if signed.medium else ""),
                LetterRow(label="Statement", value=signed.statement),
                LetterRow(label="Figures signed", value=signed.document_sha256, is_code=True),
            ),
        ),
        at=at,
    )
    freeze_paper(
        session, f"variation:{signed.id}", kind="variation", facts=plain(facts),
        school_id=agreement.school_id, agreement_id=agreement.id, at=at,
    )  # fmt: skip


def freeze_ending(
    session: Session, agreement: Agreement, termination: Termination, preview: EndPreview, *, at: datetime
) -> None:
    """Freeze the paper of an early end: the day, what stays payable, what goes back."""
    table = LetterTable(
        caption="What stays payable",
        columns=("Service", "Agreed", "Goes on" if preview.goes_on else "Taken off", "Payable"),
        amounts=(False, True, True, True),
        rows=tuple(
            (
                one.line.description,
                pounds(one.value),
                f"{plain_number(one.quantity)} {one.line.unit}{'' if one.quantity == 1 else 's'}",
                pounds(one.payable),
            )
            for one in preview.lines
        ),
        last_row=("In all", pounds(preview.value), "", pounds(preview.payable)),
    )
    goes_on = termination.cause == "transfer"
    facts = _letter(
        session,
        agreement,
        kind="ending",
        heading="End of your agreement",
        paragraphs=(
            f"{agreement.reference} ends on {long_date(termination.ends_on)}. {termination.reason}",
            *(
                ("What is left of it goes on under a new agreement with another customer.",)
                if goes_on
                else ()
            ),
        ),
        glance=(
            LetterRow(label="Last day", value=long_date(termination.ends_on)),
            LetterRow(label="Payable", value=pounds(termination.payable)),
        ),
        sections=(
            LetterSection(heading="What follows", points=tuple(preview.sentences)),
            LetterSection(heading="The figures", table=table),
        ),
        closing=("Documents that were issued before stay as they are.",),
        signature=Signature(
            name=termination.name,
            role=termination.role,
            rows=(
                LetterRow(label="Given on", value=long_date(termination.notice_on)),
                LetterRow(label="Recorded", value=_moment(termination.recorded_at)),
                LetterRow(label="Figures", value=termination.sha256, is_code=True),
            ),
        ),
        at=at,
    )
    freeze_paper(
        session, f"ending:{termination.id}", kind="ending", facts=plain(facts), school_id=agreement.school_id,
        agreement_id=agreement.id, at=at,
    )  # fmt: skip


def _letter(
    session: Session,
    agreement: Agreement,
    *,
    kind: LetterKind,
    heading: str,
    paragraphs: tuple[str, ...],
    glance: tuple[LetterRow, ...],
    sections: tuple[LetterSection, ...],
    closing: tuple[str, ...],
    signature: Signature,
    at: datetime,
) -> LetterFacts:
    provider, service = the_provider(session), agreement.service
    return LetterFacts(
        kind=kind,
        heading=heading,
        reference=agreement.reference,
        dated=london_date(at).isoformat(),
        supplier=paper_supplier(provider, agreement),
        customer=paper_customer(agreement.customer),
        school=agreement.school.name,
        salutation="",
        paragraphs=paragraphs,
        glance=glance,
        sections=sections,
        closing=closing,
        signatures=(signature,),
        questions=Contact(
            name=service.name, role="Questions and advice", phone=service.phone or provider.phone,
            email=service.email or provider.email,
        ),
    )  # fmt: skip


def _moment(at: datetime) -> str:
    local = at.astimezone(LONDON)
    return f"{long_date(local.date())}, {local:%H:%M}"
