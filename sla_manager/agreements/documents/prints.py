"""Printing agreements: from what is frozen and not yet printed, so that a crash loses and doubles nothing."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from sla_manager.agreements.models import Agreement, AgreementFile, AgreementVersion
from sla_manager.gateways.archive import Archive
from sla_manager.gateways.printing import PrintingUnavailable, Prints
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import GatewayFailed, NotFound, ProductError
from sla_manager.kernel.periods import FinancialYear
from sla_manager.people.queries import the_provider
from sla_manager.store.database import Database

AT_ONCE = 200
"""How many are printed before the caller looks round again."""


class NotAllPrinted(GatewayFailed):
    """Some agreements (or papers) could not be printed; they wait for the next try."""

    def __init__(self, printed: int, reasons: list[str], what: str = "agreements") -> None:
        super().__init__(f"{printed} {what} printed, {len(reasons)} not. The first: {reasons[0]}")


def print_waiting_agreements(database: Database, *, archive: Archive, printer: Prints, at: datetime) -> int:
    """Print every signed agreement and variation that has no file yet; returns how many were printed.

    Printing happens outside any transaction; the file is then noted in one of its own. Two at once leave one
    file: the same facts give the same bytes, and the database notes a version once. One that cannot be printed
    does not stop the others (`NotAllPrinted` at the end).
    """
    printed, reasons = 0, []
    for version_id in _waiting(database):
        try:
            print_version(database, version_id, archive=archive, printer=printer, at=at)
            printed += 1
        except PrintingUnavailable:
            raise
        except ProductError as error:
            reasons.append(error.message)
    if reasons:
        raise NotAllPrinted(printed, reasons)
    return printed


def print_version(
    database: Database, version_id: int, *, archive: Archive, printer: Prints, at: datetime
) -> AgreementFile:
    """Return the printed file of a version, printing it when it has none (a quote is printed when asked for)."""
    with database.reading() as session:
        version = session.get(AgreementVersion, version_id)
        if version is None:
            raise NotFound
        known = session.scalar(select(AgreementFile).where(AgreementFile.version_id == version_id))
        if known is not None:
            return known
        start_month = the_provider(session).financial_year_start_month
    year = FinancialYear.of(london_date(version.frozen_at), start_month=start_month)
    content = printer.print("agreement", version.facts)
    name = f"{str(version.facts['reference']).replace('/', '-')}-v{version.number}.pdf"
    kept = archive.keep(year=str(year), name=name, content=content)
    return _note(database, version_id, path=kept.path, sha256=kept.sha256, at=at)


def _note(database: Database, version_id: int, *, path: str, sha256: str, at: datetime) -> AgreementFile:
    """Note the file of a version; when somebody else was quicker, theirs counts."""
    try:
        with database.transaction() as session:
            file = AgreementFile(version_id=version_id, path=path, sha256=sha256, printed_at=at)
            session.add(file)
        return file
    except IntegrityError:
        with database.reading() as session:
            return session.scalars(select(AgreementFile).where(AgreementFile.version_id == version_id)).one()


def _waiting(database: Database) -> list[int]:
    query = (
        select(AgreementVersion.id)
        .join(Agreement, Agreement.id == AgreementVersion.agreement_id)
        .outerjoin(AgreementFile, AgreementFile.version_id == AgreementVersion.id)
        .where(AgreementVersion.kind != "quote", AgreementFile.id.is_(None))
        .order_by(AgreementVersion.id)
        .limit(AT_ONCE)
    )
    with database.reading() as session:
        return list(session.scalars(query))
