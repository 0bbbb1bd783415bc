"""How the council asks for money: purchase orders, reminders, late payment, electronic invoices."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import HiddenField

from sla_manager.billing.commands.policy import E_INVOICES, read_stages, set_policy
from sla_manager.billing.models import FinancePolicy
from sla_manager.billing.queries.policy import finance_policy
from sla_manager.kernel.errors import Conflict, Refused
from sla_manager.people.rules.roles import Permission
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.forms import BaseForm, CheckboxField, ChoiceField, MoneyField, TextField, choice
from sla_manager.web.guard import permitted
from sla_manager.web.pages import actor, now, reading, transaction


class PolicyForm(BaseForm):
    """The council's rules of asking for money."""

    purchase_order_from = MoneyField(
        "From which total does an invoice need a purchase order? (optional)",
        hint="With VAT. Leave it empty to ask only customers who ask for one themselves.",
    )
    reminder_days = TextField(
        "How many days after the due date do reminders go?",
        hint="For example 7, 21 and 35. Leave it empty to send none.",
        longest=60,
    )
    late_payment = CheckboxField("Claim statutory interest and compensation for late payment")
    e_invoice = ChoiceField(
        "Electronic invoices",
        enter="Choose one of the list",
        choices=[choice(value, label) for value, label in E_INVOICES.items()],
    )
    endpoint_scheme = TextField(
        "Scheme of our electronic address (optional)", hint="Four digits, like 9932.", longest=4
    )
    endpoint_id = TextField(
        "Our electronic address (optional)", hint="For 9932, your VAT number with GB.", longest=50
    )
    version = HiddenField()


@blueprint.route("/settings", methods=["GET", "POST"])
@permitted(Permission.MANAGE_MONEY)
def settings() -> ResponseReturnValue:
    """Show the rules and change them; what two people change at once is never lost."""
    form = PolicyForm() if request.method == "POST" else _of(finance_policy(reading()))
    status = 200
    if form.is_sent():
        try:
            with transaction() as session:
                set_policy(
                    session,
                    purchase_order_from=form.purchase_order_from.data,
                    reminder_days=read_stages(form.reminder_days.data or ""),
                    late_payment=bool(form.late_payment.data),
                    e_invoice=form.e_invoice.data,
                    endpoint_scheme=form.endpoint_scheme.data or "",
                    endpoint_id=form.endpoint_id.data or "",
                    seen_version=int(form.version.data or 0),
                    by=actor(),
                    at=now(),
                )
            flash("The settings are saved. They hold from now on.", "success")
            return redirect(url_for("finance.settings"), 303)
        except Conflict as error:
            form.form_errors.append(error.message)
            form.version.process_data(str(finance_policy(reading()).version))
            form.version.raw_data = None
            status = 409
        except Refused as error:
            form.refuse(error)
    page = render_template(
        "finance/settings.html", navigation=finance_menu(), form=form, stored=finance_policy(reading())
    )
    return page, status if status != 200 else 422 if form.error_list() else 200


def _of(stored: FinancePolicy) -> PolicyForm:
    return PolicyForm(
        data={
            "purchase_order_from": stored.purchase_order_from,
            "reminder_days": ", ".join(str(day) for day in stored.reminder_days),
            "late_payment": stored.late_payment,
            "e_invoice": stored.e_invoice,
            "endpoint_scheme": stored.endpoint_scheme,
            "endpoint_id": stored.endpoint_id,
            "version": str(stored.version),
        }
    )
