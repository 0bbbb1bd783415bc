"""The school's own account: what is open, what was paid, and the same as a letter."""

from __future__ import annotations

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from sla_manager.kernel.errors import NotFound
from sla_manager.people.models import Customer, School
from sla_manager.people.rules.roles import Permission
from sla_manager.web.accounts import SinceForm, account_of, account_pdf
from sla_manager.web.guard import in_school
from sla_manager.web.pages import reading
from sla_manager.web.school import blueprint
from sla_manager.web.school.home import school_menu


def _customer_id(school: School) -> int:
    found = reading().scalar(select(Customer.id).where(Customer.school_id == school.id))
    if found is None:
        raise NotFound
    return found


@blueprint.get("/<int:urn>/account")
@in_school(Permission.SEE_SCHOOL)
def account(school: School) -> str:
    """Show the school's account."""
    return render_template(
        "school/account.html",
        navigation=school_menu(school),
        school=school,
        account=account_of(_customer_id(school)),
        filter=SinceForm.of_request(),
        since=request.args.get("since"),
        to=lambda document_id: url_for("school.document", urn=school.urn, document_id=document_id),
    )


@blueprint.get("/<int:urn>/account/pdf", endpoint="account_pdf")
@in_school(Permission.SEE_SCHOOL)
def account_as_pdf(school: School) -> ResponseReturnValue:
    """Hand out the school's account as a letter."""
    return account_pdf(_customer_id(school))
