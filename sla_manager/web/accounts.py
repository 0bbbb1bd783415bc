"""A customer's account as finance and the customer see it: the page, and the same as a letter."""

from __future__ import annotations

from datetime import date

from flask import Response, request

from sla_manager.kernel.periods import FinancialYear
from sla_manager.payments.papers import statement_facts
from sla_manager.payments.queries.statements import Statement, statement
from sla_manager.web.downloads import pdf
from sla_manager.web.forms import FilterForm, SelectField, choice
from sla_manager.web.navigation import provider
from sla_manager.web.pages import reading, today
from sla_manager.web.printing import page_printer

SINCE = {"": "This financial year", "last": "Since the financial year before", "all": "From the beginning"}


class SinceForm(FilterForm):
    """From when on."""

    since = SelectField("Show", choices=[choice(value, label) for value, label in SINCE.items()])


def asked_since() -> date | None:
    """Return the day from which on the address asks for movements; None for all of them."""
    wanted = request.args.get("since", "")
    if wanted == "all":
        return None
    council = provider(reading())
    month = council.financial_year_start_month if council else 4
    year = FinancialYear.of(today(), start_month=month)
    return FinancialYear(year.first - (wanted == "last"), month).period.start


def account_of(customer_id: int) -> Statement:
    """Return the account that the address asks for."""
    return statement(reading(), customer_id, since=asked_since(), today=today())


def account_pdf(customer_id: int) -> Response:
    """Return the account as a letter of today."""
    account = account_of(customer_id)
    content = page_printer().print("statement_of_account", statement_facts(reading(), account))
    return pdf(content, f"statement-{account.customer.account_reference}-{today().isoformat()}")
