"""Importing the national register: choose a file, see what it would change, import it, read the report."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sla_manager.kernel.errors import Refused
from sla_manager.people.commands import forget_upload, import_upload, keep_upload
from sla_manager.people.queries import register_import, register_imports, register_upload
from sla_manager.people.rules.register import UnreadableCells
from sla_manager.people.rules.roles import Permission
from sla_manager.web.admin import blueprint
from sla_manager.web.admin.menu import admin_menu
from sla_manager.web.forms import BaseForm, FileField
from sla_manager.web.guard import permitted
from sla_manager.web.pages import actor, now, reading, transaction

ROWS_SHOWN = 200
OUTCOMES = ("updated", "added", "refused")


class UploadForm(BaseForm):
    """The register file."""

    file = FileField(
        "Register file (CSV, up to 50 MB)",
        enter="Choose a register file",
        hint="All establishments, as downloaded from Get Information about Schools.",
    )


class ActForm(BaseForm):
    """A button without questions."""


@blueprint.route("/register", methods=["GET", "POST"])
@permitted(Permission.IMPORT_REGISTER)
def register() -> str | Response | tuple[str, int]:
    """Take a file and keep it for the preview; nothing is imported yet."""
    form = UploadForm()
    mistakes: list[str] = []
    if form.is_sent():
        content = form.file.data.read()
        try:
            with transaction() as session:
                upload = keep_upload(
                    session, content, filename=plain_name(form.file.data.filename), by=actor(), at=now()
                )
            return redirect(url_for("admin.preview", upload_id=upload.id), 303)
        except UnreadableCells as error:
            mistakes = [str(one) for one in error.errors]
            form.refuse(Refused(error.opening, field="file"))
        except Refused as error:
            form.refuse(error)
    page = render_template(
        "admin/register.html",
        navigation=admin_menu(),
        form=form,
        mistakes=mistakes,
        imports=register_imports(reading()),
    )
    return page, 422 if form.errors else 200


@blueprint.get("/register/uploads/<int:upload_id>")
@permitted(Permission.IMPORT_REGISTER)
def preview(upload_id: int) -> str:
    """Show what the file would change."""
    upload = register_upload(reading(), upload_id)
    return render_template(
        "admin/preview.html", navigation=admin_menu(), upload=upload, form=ActForm(), **_report(upload.report)
    )


@blueprint.post("/register/uploads/<int:upload_id>/import")
@permitted(Permission.IMPORT_REGISTER)
def import_kept(upload_id: int) -> Response:
    """Import the kept file."""
    with transaction() as session:
        report = import_upload(session, upload_id, by=actor(), at=now())
    flash(
        f"The register is imported: {report.added:,} schools added, {report.updated:,} updated, "
        f"{report.unchanged:,} unchanged, {report.refused:,} refused.",
        "success",
    )
    latest = register_imports(reading(), limit=1)[0]
    return redirect(url_for("admin.import_report", import_id=latest.id), 303)


@blueprint.post("/register/uploads/<int:upload_id>/forget")
@permitted(Permission.IMPORT_REGISTER)
def forget_kept(upload_id: int) -> Response:
    """Drop the kept file."""
    with transaction() as session:
        forget_upload(session, upload_id)
    flash("The file is dropped. Nothing was imported.", "success")
    return redirect(url_for("admin.register"), 303)


@blueprint.get("/register/imports/<int:import_id>")
@permitted(Permission.IMPORT_REGISTER, Permission.SEE_AUDIT_TRAIL)
def import_report(import_id: int) -> str:
    """Show what an import did, row by row."""
    done = register_import(reading(), import_id)
    return render_template(
        "admin/import_report.html", navigation=admin_menu(), done=done, **_report(done.report)
    )


def _report(report: dict[str, Any]) -> dict[str, Any]:
    """Return what the page shows of a report: one outcome at a time, a page of rows at a time."""
    wanted = request.args.get("show", "")
    held = {outcome: report.get(outcome, 0) for outcome in OUTCOMES}
    shown = wanted if wanted in OUTCOMES else next((name for name in OUTCOMES if held[name]), "updated")
    start = request.args.get("from", 0, type=int)
    rows = [row for row in report["outcomes"] if row["outcome"] == shown]
    start = max(0, min(start, len(rows)))
    later = start + ROWS_SHOWN
    return {
        "report": report,
        "shown": shown,
        "rows": rows[start:later],
        "start": start,
        "total": len(rows),
        "earlier": max(0, start - ROWS_SHOWN) if start else None,
        "later": later if later < len(rows) else None,
    }


def plain_name(name: str | None) -> str:
    """Return a file's own name, whatever folders a browser put before it; it is shown and never opened."""
    return PurePosixPath(PureWindowsPath(name or "").name).name or "register.csv"
