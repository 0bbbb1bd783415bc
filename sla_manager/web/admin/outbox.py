"""The outbox: mails that were sent, wait or fail, what is kept of each, and another try."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sla_manager.kernel.errors import Refused
from sla_manager.people.rules.roles import Permission
from sla_manager.store.outbox import attachments_of
from sla_manager.store.sending import (
    Sending,
    holds_a_secret,
    mail,
    mails_page,
    sending_of,
    try_again,
    try_all_again,
)
from sla_manager.web.admin import blueprint
from sla_manager.web.admin.menu import admin_menu, kept_filter
from sla_manager.web.forms import BaseForm, FilterForm, SelectField, TextField, choice
from sla_manager.web.guard import may, permitted
from sla_manager.web.pages import actor, now, reading, transaction


class MailFilter(FilterForm):
    """Which mails."""

    recipient = TextField("Recipient")
    state = SelectField("State")


@blueprint.get("/outbox")
@permitted(Permission.SEE_AUDIT_TRAIL)
def outbox() -> str:
    """List mails, the newest first."""
    form = MailFilter.of_request()
    form.state.choices = [choice("", "All"), *(choice(one.value, one.title) for one in Sending)]
    chosen = next((one for one in Sending if one.value == form.state.data), None)
    before = request.args.get("before", type=int)
    found, more = mails_page(reading(), state=chosen, recipient=form.recipient.data or "", before=before)
    kept = kept_filter("recipient", "state")
    return render_template(
        "admin/outbox.html",
        navigation=admin_menu(),
        filter=form,
        form=BaseForm(),
        mails=[(one, sending_of(one)) for one in found],
        failing=any(sending_of(one) is Sending.FAILING for one in found),
        may_try=may(Permission.MANAGE_PROVIDER),
        first=url_for("admin.outbox", **kept) if before is not None else "",
        more=url_for("admin.outbox", **kept, before=more) if more is not None else "",
    )


@blueprint.get("/outbox/<int:mail_id>")
@permitted(Permission.SEE_AUDIT_TRAIL)
def outbox_mail(mail_id: int) -> str:
    """Show what is kept of a mail; the text of one with a secret link is shown to nobody."""
    session = reading()
    found = mail(session, mail_id)
    return render_template(
        "admin/outbox_mail.html",
        navigation=admin_menu(),
        mail=found,
        state=sending_of(found),
        secret=holds_a_secret(found),
        files=attachments_of(session, mail_id),
        form=BaseForm(),
        may_try=may(Permission.MANAGE_PROVIDER) and sending_of(found) is Sending.FAILING,
    )


@blueprint.post("/outbox/<int:mail_id>/try-again")
@permitted(Permission.MANAGE_PROVIDER)
def try_mail_again(mail_id: int) -> ResponseReturnValue:
    """Put a mail that failed forward."""
    mail(reading(), mail_id)
    try:
        with transaction() as session:
            try_again(session, mail_id, by=actor(), at=now())
        flash("We try to send this mail again within a minute.", "success")
    except Refused as error:
        flash(error.message)
    return redirect(url_for("admin.outbox_mail", mail_id=mail_id), 303)


@blueprint.post("/outbox/try-again")
@permitted(Permission.MANAGE_PROVIDER)
def try_every_mail_again() -> ResponseReturnValue:
    """Put every mail that failed forward, when what stopped them is mended."""
    with transaction() as session:
        count = try_all_again(session, by=actor(), at=now())
    flash(f"We try to send {count} mails again within a minute.", "success")
    return redirect(url_for("admin.outbox", state=Sending.FAILING.value), 303)
