"""What waits for finance today: to invoice, to print, to export, overdue, parked, on account."""

from __future__ import annotations

from flask import render_template

from sla_manager.billing.queries import parked, waiting_to_print
from sla_manager.billing.runs import preview_run
from sla_manager.finance.queries import layouts, waiting_count
from sla_manager.kernel.money import total
from sla_manager.payments.queries import debtors_by_age, unallocated_total
from sla_manager.payments.rules.ageing import Age
from sla_manager.people.rules.roles import Permission
from sla_manager.web.charts import Part
from sla_manager.web.display import money
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.guard import may, permitted
from sla_manager.web.pages import reading, today


@blueprint.get("/")
@permitted(Permission.SEE_DOCUMENTS)
def home() -> str:
    """Show what is to do, and who owes since when."""
    session = reading()
    aged = debtors_by_age(session, today())
    parts = [Part(one.age.title, one.amount.pence, money(one.amount)) for one in aged]
    return render_template(
        "finance/home.html",
        navigation=finance_menu(),
        run=preview_run(session, today()),
        to_print=waiting_to_print(session),
        to_export=[(one, waiting_count(session, one.name)) for one in layouts(session)],
        overdue=total(one.amount for one in aged if one.age is not Age.NOT_DUE),
        overdue_documents=sum(one.documents for one in aged if one.age is not Age.NOT_DUE),
        owed=total(one.amount for one in aged),
        aged=aged,
        picture=[("Owed", parts)],
        parked=parked(session),
        on_account=unallocated_total(session),
        may_issue=may(Permission.ISSUE_DOCUMENTS),
        may_export=may(Permission.EXPORT),
    )


@blueprint.get("/parked", endpoint="parked")
@permitted(Permission.SEE_DOCUMENTS)
def parked_list() -> str:
    """List the agreements that the last run could not bill, and why."""
    return render_template("finance/parked.html", navigation=finance_menu(), parked=parked(reading()))
