"""Late payment: the sum that may be claimed on an invoice, with its why."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from sla_manager.billing.models import Document
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.payments.commands.interest import claim_late_payment
from sla_manager.payments.queries.interest import NotClaimable, claims_on, late_sum
from sla_manager.people.rules.roles import Permission
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.forms import BaseForm, once_key
from sla_manager.web.guard import permitted
from sla_manager.web.pages import actor, now, reading, today, transaction


class ClaimForm(BaseForm):
    """Nothing but the key: the sum is worked out, never typed."""

    once = once_key()


@blueprint.route("/documents/<int:document_id>/interest", methods=["GET", "POST"])
@permitted(Permission.MANAGE_MONEY)
def interest(document_id: int) -> ResponseReturnValue:
    """Show what the law adds to a late invoice, and claim it."""
    form = ClaimForm()
    if form.is_sent():
        try:
            with transaction() as session:
                claim_late_payment(session, document_id, once_key=form.once.data or "", by=actor(), at=now())
            flash("It is claimed. The next invoice run bills it.", "success")
            return redirect(url_for("finance.interest", document_id=document_id), 303)
        except Refused as error:
            form.refuse(error)
    session = reading()
    document = session.get(Document, document_id)
    if document is None or document.kind.is_credit:
        raise NotFound
    found, refusal = None, ""
    try:
        found = late_sum(session, document_id, today=today())
    except NotClaimable as error:
        refusal = error.message
    page = render_template(
        "finance/interest.html",
        navigation=finance_menu(),
        document=document,
        found=found,
        refusal=refusal,
        claims=claims_on(session, document_id),
        form=form,
    )
    return page, 422 if form.error_list() else 200
