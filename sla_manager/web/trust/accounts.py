"""The trust's account: what is open, what was paid, and the same as a letter."""

from __future__ import annotations

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from sla_manager.people.models import Trust
from sla_manager.people.queries import customer_of_trust
from sla_manager.people.rules.roles import Permission
from sla_manager.web.accounts import SinceForm, account_of, account_pdf
from sla_manager.web.guard import in_trust
from sla_manager.web.pages import reading
from sla_manager.web.trust import blueprint
from sla_manager.web.trust.home import trust_menu


@blueprint.get("/<int:trust_id>/account")
@in_trust(Permission.SEE_SCHOOL)
def account(trust: Trust) -> str:
    """Show the trust's account."""
    return render_template(
        "trust/account.html",
        navigation=trust_menu(trust),
        trust=trust,
        account=account_of(customer_of_trust(reading(), trust.id).id),
        filter=SinceForm.of_request(),
        since=request.args.get("since"),
        to=lambda document_id: url_for("trust.one_document", trust_id=trust.id, document_id=document_id),
    )


@blueprint.get("/<int:trust_id>/account/pdf", endpoint="account_pdf")
@in_trust(Permission.SEE_SCHOOL)
def account_as_pdf(trust: Trust) -> ResponseReturnValue:
    """Hand out the trust's account as a letter."""
    return account_pdf(customer_of_trust(reading(), trust.id).id)
