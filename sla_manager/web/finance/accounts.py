"""What a customer owes and has paid, as a page and as a letter."""

from __future__ import annotations

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from sla_manager.people.rules.roles import Permission
from sla_manager.web.accounts import SinceForm, account_of, account_pdf
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.guard import may, permitted


@blueprint.get("/customers/<int:customer_id>/account")
@permitted(Permission.SEE_DOCUMENTS)
def account(customer_id: int) -> str:
    """Show a customer's account."""
    return render_template(
        "finance/account.html",
        navigation=finance_menu(),
        account=account_of(customer_id),
        filter=SinceForm.of_request(),
        may_pay=may(Permission.RECORD_PAYMENTS),
        since=request.args.get("since"),
        to=lambda document_id: url_for("finance.document", document_id=document_id),
        receipts_to=lambda receipt_id: url_for("finance.receipt", receipt_id=receipt_id),
    )


@blueprint.get("/customers/<int:customer_id>/account/pdf", endpoint="account_pdf")
@permitted(Permission.SEE_DOCUMENTS)
def account_as_pdf(customer_id: int) -> ResponseReturnValue:
    """Hand out the account as a letter."""
    return account_pdf(customer_id)
