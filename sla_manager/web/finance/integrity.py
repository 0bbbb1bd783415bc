"""Whether the books are in order: the last check, what it found, and another one now."""

from __future__ import annotations

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sla_manager.people.rules.roles import Permission
from sla_manager.reports.errands import CHECK_BOOKS, EVERYTHING
from sla_manager.reports.integrity import to_look_at
from sla_manager.store.errands import latest
from sla_manager.web.errands import RELOAD_SECONDS, ask_for
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.forms import BaseForm
from sla_manager.web.guard import permitted
from sla_manager.web.pages import reading

SMALL = 1_500
"""Books of so many documents and files at most are checked while somebody waits; larger ones by the worker."""


@blueprint.route("/check", methods=["GET", "POST"])
@permitted(Permission.SEE_DOCUMENTS)
def integrity() -> ResponseReturnValue:
    """Show what the last check found, check by check, and begin another."""
    form = BaseForm()
    if form.is_sent():
        ask_for(CHECK_BOOKS, EVERYTHING, at_once=to_look_at(reading()) <= SMALL)
        return redirect(url_for("finance.integrity"), 303)
    last = latest(reading(), CHECK_BOOKS, EVERYTHING)
    stay = request.args.get("stay") == "yes"
    page = render_template(
        "finance/integrity.html", navigation=finance_menu(), form=form, last=last, stay=stay
    )
    waits = last is not None and last.is_waiting and not stay
    return Response(page, headers={"Refresh": str(RELOAD_SECONDS)} if waits else {})
