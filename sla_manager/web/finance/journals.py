"""Recharges paid by journal: own schools' notes, settled together by one reference."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.payments.commands.journals import record_journal
from sla_manager.payments.queries import customer_words
from sla_manager.payments.queries.journals import PAGE, journal, journals_page, waiting_notes
from sla_manager.people.rules.roles import Permission
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.forms import BaseForm, DateField, TextField, once_key
from sla_manager.web.guard import may, permitted
from sla_manager.web.pages import actor, now, reading, today, transaction


class JournalForm(BaseForm):
    """A journal as it was posted in the ledger."""

    reference = TextField(
        "Journal reference",
        enter="Enter the journal’s reference",
        longest=200,
        hint="As it stands in the ledger.",
    )
    journal_on = DateField("Date of the journal", enter="Enter the date of the journal")
    once = once_key()


@blueprint.get("/journals", endpoint="journals")
@permitted(Permission.SEE_DOCUMENTS)
def list_journals() -> str:
    """List the recharge notes that wait for a journal, and the journals that there were."""
    form = JournalForm(data={"journal_on": today()})
    everything = request.args.get("tick") == "all"
    waiting = waiting_notes(reading()) if everything else []
    return _page(form, {one.document.id for one in waiting if not one.held})


@blueprint.post("/journals")
@permitted(Permission.RECORD_PAYMENTS)
def settle_by_journal() -> ResponseReturnValue:
    """Settle the ticked notes by one journal."""
    form = JournalForm()
    ticked = {int(one) for one in request.form.getlist("documents") if one.isdigit() and len(one) < 19}
    if form.is_sent():
        try:
            with transaction() as session:
                made = record_journal(
                    session,
                    ticked,
                    reference=form.reference.data,
                    journal_on=form.journal_on.data,
                    once_key=form.once.data,
                    by=actor(),
                    at=now(),
                )
            flash("The journal is recorded.", "success")
            return redirect(url_for("finance.journal", journal_id=made.id), 303)
        except (Refused, NotFound) as error:
            form.refuse(error if isinstance(error, Refused) else Refused(error.message))
    return _page(form, ticked), 422


def _page(form: JournalForm, ticked: set[int]) -> str:
    before = request.args.get("before", type=int)
    rows = journals_page(reading(), before=before)
    return render_template(
        "finance/journals.html",
        navigation=finance_menu(),
        form=form,
        waiting=waiting_notes(reading()),
        ticked=ticked,
        rows=rows,
        first=url_for("finance.journals") if before else "",
        next=url_for("finance.journals", before=rows[-1].id) if len(rows) == PAGE else "",
        may_pay=may(Permission.RECORD_PAYMENTS),
    )


@blueprint.get("/journals/<int:journal_id>", endpoint="journal")
@permitted(Permission.SEE_DOCUMENTS)
def one_journal(journal_id: int) -> str:
    """Show a journal and its receipts."""
    found, receipts = journal(reading(), journal_id)
    return render_template(
        "finance/journal.html",
        navigation=finance_menu(),
        journal=found,
        receipts=[(one, customer_words(one.customer)) for one in receipts],
    )
