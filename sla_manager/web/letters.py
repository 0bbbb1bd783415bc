"""Letters of renewals as they were archived: one, or those of a whole season in one file to print and post."""

from __future__ import annotations

import io
import zipfile

from flask import Response
from sqlalchemy import func, select

from sla_manager.agreements.documents.renewal_letters import letter_key
from sla_manager.agreements.models import Paper, PaperFile, Renewal, Season
from sla_manager.agreements.reminding import unanswered
from sla_manager.gateways.archive import Archive
from sla_manager.kernel.errors import GatewayFailed, NotFound
from sla_manager.people.models import School
from sla_manager.web.downloads import NOT_PRINTED, archived_pdf
from sla_manager.web.pages import archive_folder, reading

_ANY_DAY = (2000, 1, 1, 0, 0, 0)
"""The time of every file in the archive: the same letters give the same bytes."""


def letter_pdf(renewal: Renewal) -> Response:
    """Return the printed letter of a renewal; one that waits to be printed says so."""
    session = reading()
    paper = session.scalar(select(Paper).where(Paper.key == letter_key(renewal)))
    if paper is None:
        raise NotFound("There is no letter, because this renewal could not be prepared.")
    file = session.scalar(select(PaperFile).where(PaperFile.paper_id == paper.id))
    if file is None:
        raise GatewayFailed(NOT_PRINTED)
    return archived_pdf(file.path, file.sha256, f"renewal-{paper.facts['reference']}")


def letters_zip(season: Season, name: str) -> Response:
    """Return the letters of the schools that have not answered, by name; none may wait to be printed."""
    session = reading()
    wanted = (
        select(School.name, School.urn, PaperFile.path, PaperFile.sha256)
        .select_from(Renewal)
        .join(School, School.id == Renewal.school_id)
        .join(Paper, Paper.agreement_id == Renewal.quote_id)
        .join(PaperFile, PaperFile.paper_id == Paper.id)
        .where(unanswered(season.id), Paper.kind == "renewal_letter")
        .order_by(School.name, School.urn)
    )
    letters = session.execute(wanted).all()
    waiting = session.scalar(select(func.count(Renewal.id)).where(unanswered(season.id))) or 0
    if len(letters) < waiting or not waiting:
        raise GatewayFailed(
            f"{len(letters)} of {waiting} letters are printed. Try again in a few minutes."
            if waiting
            else "Every school has answered, so there is no letter to post."
        )
    archive, content = Archive(archive_folder()), io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as folder:
        for _, urn, path, sha256 in letters:
            folder.writestr(zipfile.ZipInfo(f"{urn}.pdf", _ANY_DAY), archive.read(path, sha256))
    return Response(
        content.getvalue(),
        mimetype="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="{name}.zip"',
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )
