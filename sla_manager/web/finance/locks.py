"""Locking the books up to a day, and opening them again."""

from __future__ import annotations

from datetime import timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sla_manager.billing.models import PeriodLock
from sla_manager.billing.queries.locks import locked_through, locks
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.periods import month_of
from sla_manager.kernel.words import long_date
from sla_manager.payments.commands.locks import LONGEST_REASON, lock_period, reopen_period
from sla_manager.people.rules.roles import Permission
from sla_manager.reports.before_closing import before_closing
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.forms import BaseForm, DateField, TextField
from sla_manager.web.guard import may, permitted
from sla_manager.web.pages import actor, now, reading, today, transaction


class LockForm(BaseForm):
    """Up to which day, and why."""

    through = DateField(
        "Lock the books up to the end of",
        enter="Enter the last day to lock",
        hint="Nothing can be dated on this day or before it afterwards.",
    )
    reason = TextField(
        "Why do you lock them?",
        enter="Enter why you lock them",
        hint="For example: VAT return of March sent.",
        longest=LONGEST_REASON,
    )


class ReopenForm(BaseForm):
    """Why a period is opened again."""

    reason = TextField(
        "Why do you open them again?", enter="Enter why you open them again", longest=LONGEST_REASON
    )


@blueprint.get("/locks", endpoint="locks")
@permitted(Permission.SEE_DOCUMENTS)
def lock_list() -> str:
    """Show how far the books are locked, and what was locked and opened again."""
    session = reading()
    return render_template(
        "finance/locks.html",
        navigation=finance_menu(),
        through=locked_through(session),
        locks=locks(session),
        may_lock=may(Permission.MANAGE_MONEY),
    )


@blueprint.route("/locks/new", methods=["GET", "POST"])
@permitted(Permission.MANAGE_MONEY)
def lock_books() -> ResponseReturnValue:
    """Say what is still open, then lock."""
    last_month = month_of(today()).start - timedelta(days=1)
    form = LockForm(data={"through": last_month}) if request.method == "GET" else LockForm()
    if form.is_sent():
        try:
            with transaction() as session:
                lock = lock_period(session, form.through.data, reason=form.reason.data, by=actor(), at=now())
            flash(f"The books are locked up to {long_date(lock.through)}.", "success")
            return redirect(url_for("finance.locks"), 303)
        except Refused as error:
            form.refuse(error)
    through = form.through.data or last_month
    page = render_template(
        "finance/lock.html",
        navigation=finance_menu(),
        form=form,
        through=through,
        waiting=before_closing(reading(), through),
    )
    return page, 422 if form.error_list() else 200


@blueprint.route("/locks/<int:lock_id>/reopen", methods=["GET", "POST"])
@permitted(Permission.MANAGE_MONEY)
def reopen_books(lock_id: int) -> ResponseReturnValue:
    """Take a lock back, with the reason."""
    form = ReopenForm()
    if form.is_sent():
        try:
            with transaction() as session:
                reopen_period(session, lock_id, reason=form.reason.data, by=actor(), at=now())
            flash("The books are open again.", "success")
            return redirect(url_for("finance.locks"), 303)
        except Refused as error:
            form.refuse(error)
    lock = reading().get(PeriodLock, lock_id)
    if lock is None:
        raise NotFound
    page = render_template("finance/reopen.html", navigation=finance_menu(), form=form, lock=lock)
    return page, 422 if form.error_list() else 200
