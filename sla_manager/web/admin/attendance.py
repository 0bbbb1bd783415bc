"""Importing published figures of absence and pupils: choose a file, see what it brings, import it, read the report."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sla_manager.kernel.errors import Refused
from sla_manager.people import figures
from sla_manager.people.commands import forget_figures, import_kept_figures, keep_figures
from sla_manager.people.rules.attendance_files import academic_year_of
from sla_manager.people.rules.register import UnreadableCells
from sla_manager.people.rules.roles import Permission
from sla_manager.web.admin import blueprint
from sla_manager.web.admin.menu import admin_menu
from sla_manager.web.admin.register import ROWS_SHOWN, ActForm, plain_name
from sla_manager.web.forms import BaseForm, FileField, TextField
from sla_manager.web.guard import permitted
from sla_manager.web.pages import actor, now, reading, transaction

OUTCOMES = ("updated", "added", "unknown")


class FiguresForm(BaseForm):
    """A file of figures, and its year where the file does not say it."""

    file = FileField(
        "File of figures (CSV, up to 50 MB)",
        enter="Choose a file of figures",
        hint="The school-level absence file, or the school census file, of the Department for Education.",
    )
    year = TextField(
        "Academic year (optional)",
        hint="Only for a file without a column for it, like 2018/19.",
        longest=20,
        look={"classes": "govuk-input--width-5"},
    )


@blueprint.route("/attendance", methods=["GET", "POST"])
@permitted(Permission.IMPORT_REGISTER)
def attendance() -> str | Response | tuple[str, int]:
    """Take a file and keep it for the preview; nothing is imported yet."""
    form = FiguresForm()
    mistakes: list[str] = []
    if form.is_sent():
        content = form.file.data.read()
        try:
            with transaction() as session:
                upload = keep_figures(
                    session,
                    content,
                    filename=plain_name(form.file.data.filename),
                    year=_year(form.year.data),
                    by=actor(),
                    at=now(),
                )
            return redirect(url_for("admin.attendance_preview", figures_upload_id=upload.id), 303)
        except UnreadableCells as error:
            mistakes = [str(one) for one in error.errors]
            form.refuse(Refused(error.opening, field="file"))
        except Refused as error:
            form.refuse(error)
    session = reading()
    page = render_template(
        "admin/attendance.html",
        navigation=admin_menu(),
        form=form,
        mistakes=mistakes,
        imports=figures.figures_imports(session),
        without=figures.schools_without_figures(session),
    )
    return page, 422 if form.errors or form.form_errors else 200


def _year(typed: str | None) -> int | None:
    if not typed:
        return None
    year = academic_year_of(typed)
    if year is None:
        raise Refused(f"“{typed[:20]}” is not an academic year. Enter one like 2018/19.", field="year")
    return year


@blueprint.get("/attendance/uploads/<int:figures_upload_id>")
@permitted(Permission.IMPORT_REGISTER)
def attendance_preview(figures_upload_id: int) -> str:
    """Show what the file would bring."""
    upload = figures.figures_upload(reading(), figures_upload_id)
    return render_template(
        "admin/attendance_preview.html",
        navigation=admin_menu(),
        upload=upload,
        form=ActForm(),
        **_report(upload.report),
    )


@blueprint.post("/attendance/uploads/<int:figures_upload_id>/import")
@permitted(Permission.IMPORT_REGISTER)
def attendance_import_kept(figures_upload_id: int) -> Response:
    """Import the kept file."""
    with transaction() as session:
        report = import_kept_figures(session, figures_upload_id, by=actor(), at=now())
    flash(
        f"The figures are imported: {report.added:,} schools added, {report.updated:,} changed, "
        f"{report.unchanged:,} unchanged, {report.unknown:,} rows of schools we do not know.",
        "success",
    )
    latest = figures.figures_imports(reading(), limit=1)[0]
    return redirect(url_for("admin.attendance_report", figures_import_id=latest.id), 303)


@blueprint.post("/attendance/uploads/<int:figures_upload_id>/forget")
@permitted(Permission.IMPORT_REGISTER)
def attendance_forget_kept(figures_upload_id: int) -> Response:
    """Drop the kept file."""
    with transaction() as session:
        forget_figures(session, figures_upload_id)
    flash("The file is dropped. Nothing was imported.", "success")
    return redirect(url_for("admin.attendance"), 303)


@blueprint.get("/attendance/imports/<int:figures_import_id>")
@permitted(Permission.IMPORT_REGISTER, Permission.SEE_AUDIT_TRAIL)
def attendance_report(figures_import_id: int) -> str:
    """Show what an import brought, row by row."""
    done = figures.figures_import(reading(), figures_import_id)
    return render_template(
        "admin/attendance_report.html", navigation=admin_menu(), done=done, **_report(done.report)
    )


def _report(report: dict[str, Any]) -> dict[str, Any]:
    """Return what the page shows of a report: one outcome at a time, a page of rows at a time."""
    wanted = request.args.get("show", "")
    shown = wanted if wanted in OUTCOMES else next((name for name in OUTCOMES if report[name]), "added")
    rows = [row for row in report["outcomes"] if row["outcome"] == shown]
    start = max(0, min(request.args.get("from", 0, type=int), len(rows)))
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
