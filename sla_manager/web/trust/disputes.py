"""A trust disputes one of its documents, and follows what is said about it."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from sla_manager.kernel.errors import NotFound
from sla_manager.payments.queries.disputes import disputes_of
from sla_manager.people.models import Trust
from sla_manager.people.rules.roles import Permission
from sla_manager.web.disputing import DisputeForm, send_dispute
from sla_manager.web.guard import in_trust
from sla_manager.web.pages import reading
from sla_manager.web.trust import blueprint
from sla_manager.web.trust.documents import own_document
from sla_manager.web.trust.home import trust_menu


@blueprint.route("/<int:trust_id>/documents/<int:document_id>/dispute", methods=["GET", "POST"])
@in_trust(Permission.DISPUTE)
def dispute(trust: Trust, document_id: int) -> ResponseReturnValue:
    """Say what is wrong with a document; until it is settled nobody is reminded of it."""
    found = own_document(trust, document_id)
    if found.kind.is_credit:
        raise NotFound
    form = DisputeForm()
    if send_dispute(form, document_id):
        flash("We have it. Until it is settled we send no reminders.", "success")
        return redirect(url_for("trust.dispute", trust_id=trust.id, document_id=document_id), 303)
    page = render_template(
        "school/dispute.html",
        navigation=trust_menu(trust),
        document=found,
        stories=disputes_of(reading(), document_id),
        form=form,
        back_to=url_for("trust.one_document", trust_id=trust.id, document_id=document_id),
    )
    return page, 422 if form.error_list() else 200
