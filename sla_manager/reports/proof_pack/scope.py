"""What a proof pack is about: one school's agreements, visits and documents of one financial year."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session, aliased, joinedload, selectinload

from sla_manager.agreements.models import (
    Acceptance,
    Agreement,
    AgreementFile,
    AgreementVersion,
    Paper,
    PaperFile,
)
from sla_manager.billing.models import Billed, Document, DocumentFile, OneOffCharge
from sla_manager.kernel.errors import NotFound
from sla_manager.kernel.periods import FinancialYear
from sla_manager.people.models import School
from sla_manager.people.queries import the_provider

SIGNED_PAPERS = ("variation", "ending")
"""Papers that go with the agreement they change. A certificate is left out: it names who prepared the quote."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A school, a year, and what belongs to both; everything in the order in which it came about."""

    council: str
    school: School
    year: FinancialYear
    agreements: list[Agreement]
    versions: list[tuple[AgreementVersion, AgreementFile | None]]
    acceptances: list[Acceptance]
    papers: list[tuple[Paper, PaperFile | None]]
    documents: list[Document]
    files: dict[int, DocumentFile]

    @property
    def name(self) -> str:
        """What the file is called."""
        return f"proof-pack-{self.school.urn}-{self.year}"

    def folder(self, agreement_id: int) -> str:
        """Return the folder of an agreement within the pack."""
        return f"agreements/{self.agreement(agreement_id).reference.replace('/', '-')}"

    def agreement(self, agreement_id: int) -> Agreement:
        """Return one of its agreements."""
        return next(one for one in self.agreements if one.id == agreement_id)


def scope_of(session: Session, school_id: int, year: int) -> Scope:
    """Return what a proof pack is about; `year` is the calendar year in which the financial year starts."""
    school = session.scalar(select(School).where(School.id == school_id).options(joinedload(School.trust)))
    if school is None:
        raise NotFound
    council = the_provider(session)
    wanted = FinancialYear(year, council.financial_year_start_month)
    agreements = _agreements(session, school_id, wanted)
    ids = [one.id for one in agreements]
    versions = (
        select(AgreementVersion, AgreementFile)
        .outerjoin(AgreementFile, AgreementFile.version_id == AgreementVersion.id)
        .where(AgreementVersion.agreement_id.in_(ids))
        .order_by(AgreementVersion.agreement_id, AgreementVersion.number)
    )
    papers = (
        select(Paper, PaperFile)
        .outerjoin(PaperFile, PaperFile.paper_id == Paper.id)
        .where(Paper.agreement_id.in_(ids), Paper.kind.in_(SIGNED_PAPERS))
        .order_by(Paper.id)
    )
    accepted = select(Acceptance).where(Acceptance.agreement_id.in_(ids)).order_by(Acceptance.agreement_id)
    documents = documents_of(session, school_id, year)
    files = select(DocumentFile).where(DocumentFile.document_id.in_([one.id for one in documents]))
    return Scope(
        council=council.name,
        school=school,
        year=wanted,
        agreements=agreements,
        versions=[(version, file) for version, file in session.execute(versions)],
        acceptances=list(session.scalars(accepted)),
        papers=[(paper, file) for paper, file in session.execute(papers)],
        documents=documents,
        files={one.document_id: one for one in session.scalars(files)},
    )


def _agreements(session: Session, school_id: int, year: FinancialYear) -> list[Agreement]:
    query = (
        select(Agreement)
        .where(
            Agreement.school_id == school_id,
            Agreement.agreed_at.is_not(None),
            Agreement.starts_on < year.period.end,
            Agreement.ends_on >= year.period.start,
        )
        .options(joinedload(Agreement.service), selectinload(Agreement.lines))
        .order_by(Agreement.id)
    )
    return list(session.scalars(query))


def documents_of(session: Session, school_id: int, year: int) -> list[Document]:
    """Return a school's documents of a financial year: of its agreements, of one-off charges, and their credits."""
    credited = aliased(Document)
    one_off = (
        exists()
        .where(
            Billed.document_id.in_((Document.id, Document.credits_id)),
            Billed.purpose == "one_off",
            OneOffCharge.id == Billed.source_id,
            OneOffCharge.school_id == school_id,
        )
        .correlate(Document)
    )
    bought = (
        exists()
        .where(
            or_(credited.id == Document.id, credited.id == Document.credits_id),
            Agreement.id == credited.agreement_id,
            Agreement.school_id == school_id,
        )
        .correlate(Document)
    )
    query = (
        select(Document)
        .where(Document.year == year, or_(bought, one_off))
        .options(selectinload(Document.lines), selectinload(Document.vat_rows))
        .order_by(Document.id)
    )
    return list(session.scalars(query))
