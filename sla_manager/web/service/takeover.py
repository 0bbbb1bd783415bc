"""Coming from spreadsheets: a file, its columns, what was found in its rows, and how far the takeover is."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sla_manager.agreements.commands.takeovers import (
    begin_takeover,
    forget_spreadsheet,
    keep_spreadsheet,
    name_columns,
    take_over_some,
)
from sla_manager.agreements.models import Takeover
from sla_manager.agreements.queries.takeovers import (
    kept_table,
    mappings,
    parallel_runs,
    preview,
    taken_rows,
    takeover,
    takeovers,
)
from sla_manager.agreements.rules.takeovers import ColumnMapping, Level, guessed
from sla_manager.kernel.errors import Refused
from sla_manager.people.models import TradingService
from sla_manager.people.rules.roles import Permission
from sla_manager.reports.parallel_run import compare_upload
from sla_manager.web.forms import BaseForm, ChoiceField, FileField, TextField, choice
from sla_manager.web.guard import in_service
from sla_manager.web.pages import actor, now, reading, today, transaction
from sla_manager.web.service import blueprint
from sla_manager.web.service.menu import service_menu
from sla_manager.web.service.takeover_columns import SECTIONS, ColumnsForm, prepared

SHOWN = 100
AT_ONCE, TIMES = 25, 4
"""How many rows a transaction takes over, and how many transactions a press of the button."""
STATES = {
    "uploaded": "Its columns are not named yet",
    "mapped": "Ready to be taken over",
    "importing": "Being taken over",
    "done": "Done",
}


class SpreadsheetForm(BaseForm):
    """A spreadsheet, and what it is for."""

    purpose = ChoiceField(
        "What do you want to do?",
        enter="Say what the spreadsheet is for",
        choices=[
            choice("import", "Take its agreements over", "You see every row before anything is entered."),
            choice(
                "compare",
                "Compare it with our books",
                "A parallel run: their balances and invoices beside ours.",
            ),
        ],
    )
    file = FileField(
        "Spreadsheet (Excel .xlsx or CSV, up to 20 MB)",
        enter="Choose a spreadsheet",
        hint="One row for each agreement, with column names above. Take pupils’ names and numbers out first.",
    )
    sheet = TextField(
        "Name of the sheet (optional)", longest=60, hint="Of an Excel workbook. Without it we read the first."
    )


class ActForm(BaseForm):
    """A button without questions."""


@blueprint.route("/<service>/spreadsheets", methods=["GET", "POST"])
@in_service(Permission.DECIDE_ORDERS)
def takeover_start(service: TradingService) -> str | tuple[str, int] | Response:
    """Take a spreadsheet and keep it; nothing is entered yet."""
    form = SpreadsheetForm()
    if form.is_sent():
        try:
            with transaction() as session:
                kept = keep_spreadsheet(
                    session,
                    service.id,
                    content=form.file.data.read(),
                    filename=form.file.data.filename or "",
                    sheet=form.sheet.data or "",
                    purpose=form.purpose.data,
                    by=actor(),
                    at=now(),
                )
            return redirect(
                url_for("service.takeover_columns", service=service.code, takeover_id=kept.id), 303
            )
        except Refused as error:
            form.refuse(error)
    session = reading()
    page = render_template(
        "service/takeover_start.html",
        navigation=service_menu(service),
        service=service,
        form=form,
        files=takeovers(session, service.id),
        runs=parallel_runs(session, service.id),
        states=STATES,
    )
    return page, 422 if form.errors else 200


@blueprint.route("/<service>/spreadsheets/<int:takeover_id>/columns", methods=["GET", "POST"])
@in_service(Permission.DECIDE_ORDERS)
def takeover_columns(service: TradingService, takeover_id: int) -> str | tuple[str, int] | Response:
    """Ask which column is which: guessed from their names, or as a kept mapping says."""
    found = takeover(reading(), takeover_id, service_id=service.id)
    if found.status in ("importing", "done"):
        return _to(service, "takeover_progress", takeover_id)
    form = _columns_form(service, found)
    if form.is_sent():
        try:
            return _named(service, found, form)
        except Refused as error:
            form.refuse(error)
    session = reading()
    table = kept_table(found)
    page = render_template(
        "service/takeover_columns.html",
        navigation=service_menu(service),
        service=service,
        found=found,
        form=form,
        sections=SECTIONS,
        columns=table.columns,
        sample=table.rows[:3],
        kept=mappings(session, service.id),
        using=request.args.get("mapping", ""),
    )
    return page, 422 if form.errors or form.form_errors else 200


def _columns_form(service: TradingService, found: Takeover) -> ColumnsForm:
    session = reading()
    table = kept_table(found)
    form = prepared(session, ColumnsForm(), service.id, table.columns, comparing=found.purpose == "compare")
    if not form.is_submitted():
        wanted = request.args.get("mapping", "")
        kept = next((one for one in mappings(session, service.id) if one.name == wanted), None)
        facts = kept.facts if kept else found.mapping
        mapping = ColumnMapping.of(facts) if facts else ColumnMapping(guessed(table.columns))
        form.fill(
            mapping, day=found.taken_on or today(), bill_from=found.bill_from, name=wanted if kept else ""
        )
    return form


def _named(service: TradingService, found: Takeover, form: ColumnsForm) -> Response:
    """Keep what the columns are; a file to compare is compared at once."""
    comparing = found.purpose == "compare"
    with transaction() as session:
        named = name_columns(
            session,
            found.id,
            service_id=service.id,
            mapping=form.mapping(),
            taken_on=form.taken_on.data,
            bill_from=None if comparing else form.bill_from.data,
            save_as=form.save_as.data or "",
            by=actor(),
            at=now(),
        )
        if comparing:
            run = compare_upload(session, named, as_at=form.taken_on.data, by=actor(), at=now())
            return redirect(url_for("service.parallel_run", service=service.code, run_id=run.id), 303)
    return _to(service, "takeover_findings", found.id)


@blueprint.get("/<service>/spreadsheets/<int:takeover_id>/findings")
@in_service(Permission.DECIDE_ORDERS)
def takeover_findings(service: TradingService, takeover_id: int) -> str | Response:
    """Show the dry run: what would be taken over, what would not, and why."""
    session = reading()
    found = takeover(session, takeover_id, service_id=service.id)
    if found.status == "uploaded" or found.purpose != "import":
        return _to(service, "takeover_columns", takeover_id)
    if found.status != "mapped":
        return _to(service, "takeover_progress", takeover_id)
    seen = preview(session, found, today=today())
    start = max(0, request.args.get("from", 0, type=int))
    findings, rows = seen.findings, seen.to_take
    return render_template(
        "service/takeover_findings.html",
        navigation=service_menu(service),
        service=service,
        found=found,
        seen=seen,
        totals=seen.totals,
        findings=findings[start : start + SHOWN],
        start=start,
        later=start + SHOWN if len(findings) > start + SHOWN else None,
        earlier=max(0, start - SHOWN) if start else None,
        count=len(findings),
        rows=rows[:SHOWN],
        colours={Level.ERROR: "red", Level.WARNING: "yellow", Level.PASSED_OVER: "grey"},
        form=ActForm(),
    )


@blueprint.post("/<service>/spreadsheets/<int:takeover_id>/begin")
@in_service(Permission.DECIDE_ORDERS)
def takeover_begin(service: TradingService, takeover_id: int) -> Response:
    """Begin, or go on: a few rows at a time, each kept; the rest follows by itself."""
    with transaction() as session:
        begin_takeover(session, takeover_id, service_id=service.id, by=actor(), at=now())
    for _ in range(TIMES):
        with transaction() as session:
            progress = take_over_some(session, takeover_id, most=AT_ONCE, by=actor(), at=now())
        if progress.is_done:
            flash(f"{progress.taken:,} of {progress.rows:,} rows are taken over.", "success")
            break
    return _to(service, "takeover_progress", takeover_id)


@blueprint.get("/<service>/spreadsheets/<int:takeover_id>")
@in_service(Permission.DECIDE_ORDERS)
def takeover_progress(service: TradingService, takeover_id: int) -> str | Response:
    """Show how far the takeover is, and afterwards what became of every row."""
    session = reading()
    found = takeover(session, takeover_id, service_id=service.id)
    if found.status not in ("importing", "done"):
        return _to(service, "takeover_columns", takeover_id)
    rows = taken_rows(session, found.id)
    start = max(0, request.args.get("from", 0, type=int))
    return render_template(
        "service/takeover_progress.html",
        navigation=service_menu(service),
        service=service,
        found=found,
        taken=rows[start : start + SHOWN],
        count=len(rows),
        start=start,
        later=start + SHOWN if len(rows) > start + SHOWN else None,
        earlier=max(0, start - SHOWN) if start else None,
        refused=len({one["row"] for one in found.refused}),
        form=ActForm(),
    )


@blueprint.post("/<service>/spreadsheets/<int:takeover_id>/drop")
@in_service(Permission.DECIDE_ORDERS)
def takeover_drop(service: TradingService, takeover_id: int) -> Response:
    """Drop a file of which nothing was taken over."""
    with transaction() as session:
        forget_spreadsheet(session, takeover_id, service_id=service.id)
    flash("The file is dropped. Nothing was entered.", "success")
    return redirect(url_for("service.takeover_start", service=service.code), 303)


def _to(service: TradingService, page: str, takeover_id: int) -> Response:
    values: dict[str, Any] = {"service": service.code, "takeover_id": takeover_id}
    return redirect(url_for(f"service.{page}", **values), 303)
