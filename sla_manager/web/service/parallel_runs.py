"""Parallel runs: their balances and invoices beside ours, on a page and to download."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import render_template, request, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from sla_manager.agreements.models import ParallelRun
from sla_manager.agreements.queries.takeovers import parallel_run as one_run
from sla_manager.agreements.rules.differences import Figure
from sla_manager.gateways.spreadsheets import CSV_TYPE, XLSX_TYPE, Cell, write_csv, write_xlsx
from sla_manager.kernel.money import Money
from sla_manager.people.models import TradingService
from sla_manager.people.rules.roles import Permission
from sla_manager.reports.parallel_run import compare_taken_over
from sla_manager.web.forms import BaseForm, DateField, once_key
from sla_manager.web.guard import in_service
from sla_manager.web.pages import actor, now, reading, today, transaction
from sla_manager.web.service import blueprint
from sla_manager.web.service.menu import service_menu

SHOWN = 100
MONEY = (Figure.INVOICED_NET.value, Figure.INVOICED_GROSS.value)
_SIDES = (("theirs", "theirs"), ("ours", "ours"), ("off", "difference"))


class CompareForm(BaseForm):
    """The day on which the figures that were taken over are compared."""

    as_at = DateField("Compare on", enter="Enter the day to compare on")
    once = once_key()


@blueprint.route("/<service>/spreadsheets/parallel-runs", methods=["GET", "POST"])
@in_service(Permission.DECIDE_ORDERS)
def new_parallel_run(service: TradingService) -> str | tuple[str, int] | Response:
    """Compare the figures that were taken over with the books on a day."""
    form = CompareForm()
    if not form.is_submitted():
        form.as_at.data = today()
    if form.is_sent():
        with transaction() as session:
            run = compare_taken_over(
                session, service.id, as_at=form.as_at.data, once_key=form.once.data, by=actor(), at=now()
            )
        return redirect(url_for("service.parallel_run", service=service.code, run_id=run.id), 303)
    page = render_template(
        "service/new_parallel_run.html", navigation=service_menu(service), service=service, form=form
    )
    return page, 422 if form.errors else 200


@blueprint.get("/<service>/spreadsheets/parallel-runs/<int:run_id>")
@in_service(Permission.SEE_SERVICE)
def parallel_run(service: TradingService, run_id: int) -> str:
    """Show a comparison: what differs first, with the reason; every line when asked."""
    run = one_run(reading(), run_id, service_id=service.id)
    shown = "all" if request.args.get("show") == "all" else "differences"
    lines = [line for line in run.facts["lines"] if shown == "all" or not line["agrees"]]
    start = max(0, request.args.get("from", 0, type=int))
    return render_template(
        "service/parallel_run.html",
        navigation=service_menu(service),
        service=service,
        run=run,
        totals=_typed_totals(run),
        shown=shown,
        lines=[_typed(line) for line in lines[start : start + SHOWN]],
        count=len(lines),
        start=start,
        later=start + SHOWN if len(lines) > start + SHOWN else None,
        earlier=max(0, start - SHOWN) if start else None,
        figures=list(Figure),
        money=MONEY,
    )


@blueprint.get("/<service>/spreadsheets/parallel-runs/<int:run_id>.csv")
@in_service(Permission.SEE_SERVICE)
def parallel_run_csv(service: TradingService, run_id: int) -> Response:
    """Hand the comparison out as CSV."""
    run = one_run(reading(), run_id, service_id=service.id)
    return _file(run, write_csv(*_rows(run)), CSV_TYPE, "csv")


@blueprint.get("/<service>/spreadsheets/parallel-runs/<int:run_id>.xlsx")
@in_service(Permission.SEE_SERVICE)
def parallel_run_xlsx(service: TradingService, run_id: int) -> Response:
    """Hand the comparison out as an Excel workbook."""
    run = one_run(reading(), run_id, service_id=service.id)
    names, rows = _rows(run)
    return _file(run, write_xlsx(names, rows, sheet=f"Parallel run {run.as_at}"), XLSX_TYPE, "xlsx")


def _file(run: ParallelRun, content: bytes, kind: str, ending: str) -> Response:
    return Response(
        content,
        mimetype=kind.partition(";")[0],
        headers={
            "Content-Disposition": f'attachment; filename="parallel-run-{run.as_at}-{run.id}.{ending}"',
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


def _value(figure: str, text: str | None) -> Any:
    """Return a kept figure in its type."""
    if text is None:
        return None
    return Money.parse(text) if figure in MONEY else Decimal(text)


def _typed(line: dict[str, Any]) -> dict[str, Any]:
    figures = {
        name: {side: _value(name, one[side]) for side in ("theirs", "ours", "off")}
        | {"reason": one["reason"]}
        for name, one in line["figures"].items()
    }
    return {**line, "figures": figures}


def _typed_totals(run: ParallelRun) -> dict[str, Any]:
    totals = run.facts["totals"]
    return {
        **totals,
        "money": {
            name: {side: _value(name, text) for side, text in sums.items()}
            for name, sums in totals["money"].items()
        },
        "time": {
            unit: {
                name: {side: _value(name, text) for side, text in sums.items()}
                for name, sums in named.items()
            }
            for unit, named in totals["time"].items()
        },
    }


def _rows(run: ParallelRun) -> tuple[list[str], list[list[Cell]]]:
    """Return the whole comparison as a table: a row for each line, three columns and a reason for each figure."""
    names = ["Row", "School", "Agreement", "What", "Unit"]
    for figure in Figure:
        names += [f"{figure.title}: {said}" for _, said in _SIDES] + [f"{figure.title}: reason"]
    names.append("Finding")
    rows: list[list[Cell]] = []
    for line in map(_typed, run.facts["lines"]):
        cells: list[Cell] = [
            line["row"],
            line["school"],
            line["reference"],
            line["description"],
            line["unit"],
        ]
        for figure in Figure:
            one = line["figures"][figure.value]
            cells += [one[side] for side, _ in _SIDES]
            cells.append(one["reason"])
        rows.append([*cells, line["finding"]])
    return names, rows
