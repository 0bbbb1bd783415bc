"""What a service's new agreements say on notice and renewal."""

from __future__ import annotations

from decimal import Decimal

import wtforms
from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from sla_manager.agreements.commands.policies import LONGEST_NOTICE, set_agreement_policy
from sla_manager.agreements.queries.policies import Policy, agreement_policy
from sla_manager.kernel.errors import Refused
from sla_manager.people.models import TradingService
from sla_manager.people.rules.roles import Permission
from sla_manager.web.forms import BaseForm, CheckboxField, LongTextField, WholeNumberField
from sla_manager.web.guard import in_service
from sla_manager.web.pages import actor, now, reading, transaction
from sla_manager.web.service import blueprint
from sla_manager.web.service.menu import service_menu


class PolicyForm(BaseForm):
    """Notice and renewal of new agreements."""

    notice_months = WholeNumberField(
        "How many months’ notice ends an agreement early?",
        enter="Enter how many months, or 0 for none",
        hint="0 means that it runs to its last day, unless both sides consent.",
        least=Decimal(0),
        most=Decimal(LONGEST_NOTICE),
        unit="months",
    )
    renews = CheckboxField("New agreements renew by themselves unless one side gives notice")
    wording = LongTextField(
        "Your own sentence on notice and renewal (optional)",
        hint="It is printed in the document, after ours.",
        longest=2_000,
    )
    version = wtforms.HiddenField()


@blueprint.route("/<service>/agreement-policy", methods=["GET", "POST"])
@in_service(Permission.VARY_AGREEMENTS)
def agreement_policy_page(service: TradingService) -> str | tuple[str, int] | Response:
    """Show and set the policy. What was signed keeps its own terms."""
    form = PolicyForm()
    if not form.is_submitted():
        _fill(form, agreement_policy(reading(), service.id))
    if form.is_sent():
        try:
            with transaction() as session:
                set_agreement_policy(
                    session,
                    service.id,
                    notice_months=form.notice_months.data,
                    renews=form.renews.data,
                    wording=form.wording.data or "",
                    expected_version=_version(form),
                    by=actor(),
                    at=now(),
                )
            flash("New quotes say this from now on.", "success")
            return redirect(url_for("service.changes", service=service.code), 303)
        except Refused as error:
            form.refuse(error)
    page = render_template(
        "service/agreement_policy.html",
        navigation=service_menu(service),
        service=service,
        form=form,
        policy=agreement_policy(reading(), service.id),
    )
    return page, 422 if form.is_submitted() else 200


def _fill(form: PolicyForm, policy: Policy) -> None:
    form.notice_months.data, form.renews.data = policy.notice_months, policy.renews
    form.wording.data, form.version.data = policy.wording, str(policy.version)


def _version(form: PolicyForm) -> int:
    typed = form.version.data or ""
    return int(typed) if typed.isdecimal() and len(typed) < 10 else -1
