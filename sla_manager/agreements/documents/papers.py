"""Papers besides the agreement itself: frozen once with the hash of their facts, printed like agreements are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sla_manager.agreements.documents.prints import AT_ONCE, NotAllPrinted
from sla_manager.agreements.models import Paper, PaperFile
from sla_manager.gateways.archive import Archive
from sla_manager.gateways.printing import PrintingUnavailable, Prints
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import NotFound, ProductError
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.references import canonical_json, sha256
from sla_manager.people.queries import the_provider
from sla_manager.store.database import Database


def freeze_paper(
    session: Session,
    key: str,
    *,
    kind: str,
    facts: Mapping[str, Any],
    school_id: int,
    agreement_id: int | None = None,
    at: datetime,
) -> Paper:
    """Write a paper down for ever; a key that was used before gives back the paper of that time.

    `kind` is a kind of printed document and `facts` are its plain facts (`gateways.printing.facts.plain`). It is
    printed after the transaction, by the worker or when somebody asks for it.
    """
    known = session.scalar(select(Paper).where(Paper.key == key))
    if known is not None:
        return known
    stored = dict(facts)
    paper = Paper(
        key=key,
        kind=kind,
        school_id=school_id,
        agreement_id=agreement_id,
        facts=stored,
        sha256=sha256(canonical_json(stored)),
        frozen_at=at,
    )
    session.add(paper)
    session.flush()
    return paper


def print_waiting_papers(database: Database, *, archive: Archive, printer: Prints, at: datetime) -> int:
    """Print every paper that has no file yet; returns how many were printed.

    One that cannot be printed does not stop the others (`NotAllPrinted` at the end).
    """
    printed, reasons = 0, []
    for paper_id in _waiting(database):
        try:
            print_paper(database, paper_id, archive=archive, printer=printer, at=at)
            printed += 1
        except PrintingUnavailable:
            raise
        except ProductError as error:
            reasons.append(error.message)
    if reasons:
        raise NotAllPrinted(printed, reasons, "papers")
    return printed


def print_paper(
    database: Database, paper_id: int, *, archive: Archive, printer: Prints, at: datetime
) -> PaperFile:
    """Return the printed file of a paper, printing it when it has none."""
    with database.reading() as session:
        paper = session.get(Paper, paper_id)
        if paper is None:
            raise NotFound
        known = session.scalar(select(PaperFile).where(PaperFile.paper_id == paper_id))
        if known is not None:
            return known
        start_month = the_provider(session).financial_year_start_month
    year = FinancialYear.of(london_date(paper.frozen_at), start_month=start_month)
    content = printer.print(paper.kind, paper.facts)
    kept = archive.keep(year=str(year), name=file_name(paper), content=content)
    try:
        with database.transaction() as session:
            file = PaperFile(paper_id=paper_id, path=kept.path, sha256=kept.sha256, printed_at=at)
            session.add(file)
        return file
    except IntegrityError:
        with database.reading() as session:
            return session.scalars(select(PaperFile).where(PaperFile.paper_id == paper_id)).one()


def file_name(paper: Paper) -> str:
    """Return the name of a paper's file: what it is about, what it is, and its number among papers."""
    about = str(paper.facts.get("reference") or "").replace("/", "-")
    return "-".join(part for part in (about, paper.kind.replace("_", "-"), str(paper.id)) if part) + ".pdf"


def _waiting(database: Database) -> list[int]:
    query = (
        select(Paper.id)
        .outerjoin(PaperFile, PaperFile.paper_id == Paper.id)
        .where(PaperFile.id.is_(None))
        .order_by(Paper.id)
        .limit(AT_ONCE)
    )
    with database.reading() as session:
        return list(session.scalars(query))
