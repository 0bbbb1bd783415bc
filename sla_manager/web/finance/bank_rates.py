"""The Bank Rates that statutory interest is worked out from."""

from __future__ import annotations

from decimal import Decimal

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from sla_manager.kernel.errors import Refused
from sla_manager.payments.commands.bank_rates import record_bank_rate
from sla_manager.payments.queries.interest import bank_rates
from sla_manager.people.rules.roles import Permission
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.forms import BaseForm, DateField, QuantityField
from sla_manager.web.guard import may, permitted
from sla_manager.web.pages import actor, now, reading, today, transaction


class BankRateForm(BaseForm):
    """A Bank Rate and its day."""

    rate = QuantityField(
        "Bank Rate in per cent", enter="Enter the rate", hint="As published, for example 3.75."
    )
    from_day = DateField(
        "From which day?",
        enter="Enter the day from which it holds",
        hint="If it has not changed, the day on which you checked.",
    )


@blueprint.get("/bank-rate", endpoint="bank_rates")
@permitted(Permission.SEE_DOCUMENTS)
def rates() -> str:
    """List the Bank Rates that are recorded."""
    return _rates_page(BankRateForm(data={"from_day": today()}))


@blueprint.post("/bank-rate")
@permitted(Permission.MANAGE_MONEY)
def add_bank_rate() -> ResponseReturnValue:
    """Record a Bank Rate."""
    form = BankRateForm()
    if form.is_sent():
        try:
            points = Decimal(form.rate.data) * 100
            if points != points.to_integral_value():
                raise Refused("Enter the rate with two decimals at most, like 3.75.", field="rate")
            with transaction() as session:
                record_bank_rate(session, from_day=form.from_day.data, rate=int(points), by=actor(), at=now())
            flash("The rate is recorded.", "success")
            return redirect(url_for("finance.bank_rates"), 303)
        except Refused as error:
            form.refuse(error)
    return _rates_page(form), 422


def _rates_page(form: BankRateForm) -> str:
    return render_template(
        "finance/bank_rates.html",
        navigation=finance_menu(),
        form=form,
        rates=bank_rates(reading()),
        may_change=may(Permission.MANAGE_MONEY),
    )
