"""Handing out printed documents: the bytes that were archived, checked against their hash, or a clear "not yet"."""

from __future__ import annotations

from flask import Response

from sla_manager.agreements.models import Agreement, Paper
from sla_manager.agreements.queries import version_files, versions
from sla_manager.agreements.queries.papers import paper_file
from sla_manager.gateways.archive import Archive
from sla_manager.kernel.errors import GatewayFailed, NotFound
from sla_manager.web.pages import archive_folder, reading

NOT_PRINTED = "This document is being prepared. Reload this page in a minute."


def pdf(content: bytes, name: str) -> Response:
    """Return a PDF that a browser shows, under a name that a folder can keep."""
    safe = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)
    return Response(
        content,
        mimetype="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="{safe}.pdf"',
            "Cache-Control": "private, no-store",
        },
    )


def archived_pdf(path: str, sha256: str, name: str) -> Response:
    """Return an archived PDF; a file that is not what was issued is never handed out."""
    return pdf(Archive(archive_folder()).read(path, sha256), name)


def agreement_pdf(agreement: Agreement, version_id: int) -> Response:
    """Return the printed document of one of the agreement's versions."""
    session = reading()
    version = next((one for one in versions(session, agreement.id) if one.id == version_id), None)
    if version is None:
        raise NotFound
    file = version_files(session, agreement.id).get(version_id)
    if file is None:
        raise GatewayFailed(NOT_PRINTED)
    return archived_pdf(file.path, file.sha256, f"{agreement.reference}-{version.kind}-{version.number}")


def paper_pdf(paper: Paper) -> Response:
    """Return the printed file of a certificate or a letter."""
    file = paper_file(reading(), paper.id)
    if file is None:
        raise GatewayFailed(NOT_PRINTED)
    return archived_pdf(file.path, file.sha256, f"{paper.facts.get('reference', '')}-{paper.kind}")
