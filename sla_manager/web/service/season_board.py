"""The season board: who has renewed, changed, declined, not answered; reminders; the list as a file; the letters."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sla_manager.agreements.models import Season
from sla_manager.agreements.queries.renewals import renewal_by_id
from sla_manager.agreements.queries.season_board import (
    Board,
    SchoolRow,
    SchoolSearch,
    Standing,
    ending_inside,
    every_school,
    season_board,
    season_schools,
)
from sla_manager.agreements.queries.seasons import preparation, season_by_id
from sla_manager.agreements.reminding import remind, remind_now
from sla_manager.agreements.rules.seasons import Stage
from sla_manager.finance.rules.cells import Cell, write_rows
from sla_manager.kernel.clock import london_date
from sla_manager.people.models import TradingService
from sla_manager.people.queries import officers
from sla_manager.people.rules.roles import Permission
from sla_manager.web.charts import Part
from sla_manager.web.display import counted, money
from sla_manager.web.forms import FilterForm, SelectField, TextField, choice
from sla_manager.web.guard import in_service
from sla_manager.web.letters import letter_pdf, letters_zip
from sla_manager.web.pages import actor, now, reading, today, transaction
from sla_manager.web.service import blueprint
from sla_manager.web.service.menu import service_menu
from sla_manager.web.service.seasons import ActForm

COLUMNS = (
    "URN", "School", "Where it stands", "Link officer", "Net before", "Net this season", "Reference", "Status",
    "Answered on", "Answered by", "Late", "Reason", "Last reminder", "Last sign-in", "By whom",
)  # fmt: skip


_WHOLE = 10_000
"""A bar's length: both bars are shares of their whole."""


class BoardForm(FilterForm):
    """What the list is narrowed by."""

    standing = SelectField("Where it stands")
    officer = SelectField("Link officer")
    text = TextField("School or URN", longest=100)


@blueprint.get("/<service>/seasons/<int:season_id>")
@in_service(Permission.SEE_SERVICE)
def season(service: TradingService, season_id: int) -> str:
    """Show the season: what is to do, what every answer comes to, and the schools."""
    session = reading()
    found = season_by_id(session, season_id, service_id=service.id)
    form = _filter(service)
    rows, more = season_schools(session, found, _search(form), after=_after())
    board = season_board(session, found)
    return render_template(
        "service/season.html",
        navigation=service_menu(service),
        service=service,
        season=found,
        filter=form,
        form=ActForm(),
        board=board,
        picture=_picture(board),
        done=preparation(session, found),
        rows=rows,
        more=_address(service, season_id, after=f"{more[1]}:{more[0]}") if more else "",
        first=_address(service, season_id) if request.args.get("after") else "",
        file=url_for("service.season_file", service=service.code, season_id=season_id, **_kept()),
        inside=ending_inside(session, found),
        today=today(),
        standings=Standing,
    )


def _filter(service: TradingService) -> Any:
    form = BoardForm.of_request()
    form.standing.choices = [choice("", "All"), *(choice(one.value, one.title) for one in Standing)]
    form.officer.choices = [
        choice("", "All"),
        *(choice(one.id, one.name) for one in officers(reading(), service_id=service.id)),
    ]
    return form


def _search(form: Any) -> SchoolSearch:
    standing, officer = form.standing.data or "", form.officer.data or ""
    return SchoolSearch(
        standing=Standing(standing) if standing in list(Standing) else None,
        text=(form.text.data or "")[:100],
        officer_id=int(officer) if officer.isdecimal() else None,
    )


def _kept() -> dict[str, Any]:
    return {name: value for name in ("standing", "officer", "text") if (value := request.args.get(name, ""))}


def _after() -> tuple[str, int] | None:
    urn, _, name = request.args.get("after", "").partition(":")
    return (name, int(urn)) if name and urn.isdecimal() and len(urn) < 10 else None


def _address(service: TradingService, season_id: int, **more: Any) -> str:
    return url_for("service.season", service=service.code, season_id=season_id, **_kept(), **more)


def _picture(board: Board) -> list[tuple[str, list[Part]]]:
    """Return how many schools stand where, and what they had before, as one bar each of the same length."""
    schools, pence = max(board.schools, 1), max(board.last_net.pence, 1)
    return [
        (
            "Schools",
            [
                _part(row.standing, row.schools * _WHOLE // schools, counted(row.schools, "school"))
                for row in board.rows
            ],
        ),
        (
            "Money before",
            [
                _part(row.standing, row.last_net.pence * _WHOLE // pence, money(row.last_net))
                for row in board.rows
            ],
        ),
    ]


def _part(standing: Standing, share: int, shown: str) -> Part:
    return Part(standing.title, share, shown, "lapsing" if standing is Standing.TROUBLE else "")


@blueprint.post("/<service>/seasons/<int:season_id>/remind")
@in_service(Permission.DECIDE_ORDERS)
def remind_all(service: TradingService, season_id: int) -> ResponseReturnValue:
    """Remind every school that has not answered; at most once a day each."""
    season_by_id(reading(), season_id, service_id=service.id)
    code = service.code
    if ActForm().is_sent():
        with transaction() as session:
            posted = remind_now(
                session, season_id, address=current_app.config["SLA_ADDRESS"], by=actor(), at=now()
            )
        flash(_said(posted), "success" if posted else "information")
    return redirect(url_for("service.season", service=code, season_id=season_id), 303)


@blueprint.post("/<service>/renewals/<int:renewal_id>/remind")
@in_service(Permission.DECIDE_ORDERS)
def remind_one(service: TradingService, renewal_id: int) -> ResponseReturnValue:
    """Remind one school; at most once a day."""
    found = renewal_by_id(reading(), renewal_id, service_id=service.id)
    code, season_id = service.code, found.season_id
    if ActForm().is_sent():
        with transaction() as session:
            posted = remind(
                session,
                [renewal_id],
                stage=Stage.BY_HAND,
                address=current_app.config["SLA_ADDRESS"],
                by=actor(),
                at=now(),
            )
        flash(_said(posted), "success" if posted else "information")
    return redirect(url_for("service.season", service=code, season_id=season_id), 303)


def _said(posted: int) -> str:
    if not posted:
        return "Nobody was reminded: they were reminded today already, have answered, or have no address."
    return f"{counted(posted, 'mail')} posted."


@blueprint.get("/<service>/seasons/<int:season_id>/schools.csv")
@in_service(Permission.SEE_SERVICE)
def season_file(service: TradingService, season_id: int) -> Response:
    """Hand out the list as a file, narrowed like the page."""
    session = reading()
    found = season_by_id(session, season_id, service_id=service.id)
    rows = [_cells(row) for row in every_school(session, found, _search(_filter(service)))]
    content = write_rows([COLUMNS, *rows], delimiter=",", encoding="utf-8-sig", date_format="dd/mm/yyyy")
    name = f"season-{service.code}-{_name(found)}.csv"
    return Response(
        content,
        mimetype="text/csv",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


@blueprint.get("/<service>/renewals/<int:renewal_id>/letter.pdf")
@in_service(Permission.SEE_SERVICE)
def renewal_letter(service: TradingService, renewal_id: int) -> Response:
    """Download the letter of one renewal."""
    return letter_pdf(renewal_by_id(reading(), renewal_id, service_id=service.id))


@blueprint.get("/<service>/seasons/<int:season_id>/letters.zip")
@in_service(Permission.SEE_SERVICE)
def season_letters(service: TradingService, season_id: int) -> Response:
    """Hand out the letters of every school that has not answered, in one file, to print and post."""
    found = season_by_id(reading(), season_id, service_id=service.id)
    return letters_zip(found, f"letters-{service.code}-{_name(found)}")


def _name(found: Season) -> str:
    return f"{found.starts_on.isoformat()}"


def _cells(row: SchoolRow) -> list[Cell]:
    return [
        row.urn,
        row.school,
        row.standing.title,
        row.officer,
        row.last_net,
        row.net,
        row.reference,
        row.status.title if row.status else "",
        london_date(row.answered_at) if row.answered_at else None,
        row.answered_by,
        "late" if row.is_late else "",
        row.says,
        london_date(row.reminded_at) if row.reminded_at else None,
        london_date(row.seen_at) if row.seen_at else None,
        row.seen_by,
    ]
