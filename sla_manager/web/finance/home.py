"""What waits for finance today: to invoice, to print and hand over, to collect; and what went wrong by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import render_template, url_for

from sla_manager.billing.queries import parked
from sla_manager.kernel.money import Money
from sla_manager.people.rules.roles import Permission
from sla_manager.reports.dashboard import Dashboard, Waiting, dashboard
from sla_manager.web.charts import Part
from sla_manager.web.display import money
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.guard import may, permitted
from sla_manager.web.pages import reading, today


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the page: what waits, where it is dealt with ("" for nowhere), how many, how much."""

    text: str
    to: str
    count: int | None
    amount: Money | None = None

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to do."""
        return not self.count and not self.amount


@blueprint.get("/")
@permitted(Permission.SEE_DOCUMENTS)
def home() -> str:
    """Show what is to do, what went wrong by itself, and who owes since when."""
    found = dashboard(reading(), today())
    parts = [Part(one.age.title, one.amount.pence, money(one.amount)) for one in found.aged]
    return render_template(
        "finance/home.html",
        navigation=finance_menu(),
        found=found,
        groups=[
            ("To invoice", _to_invoice(found)),
            ("To print and hand over", _to_hand_over(found)),
            ("To collect", _to_collect(found)),
        ],
        picture=[("Owed", parts)],
        outbox=_page("admin.outbox", Permission.SEE_AUDIT_TRAIL),
    )


def _to_invoice(found: Dashboard) -> list[Row]:
    run = _page("finance.run_preview", Permission.ISSUE_DOCUMENTS)
    return [
        _row("Instalments that are due", run, found.instalments),
        _row("One-off charges", run, found.one_off),
        _row("Extra time that schools approved", run, found.extra_time),
        _row("Time given, paid for afterwards", run, found.arrears),
        Row("Parked, with a reason", _page("finance.parked"), found.parked),
    ]


def _to_hand_over(found: Dashboard) -> list[Row]:
    exports = _page("finance.exports", Permission.EXPORT)
    return [
        Row("Waiting to print", "", found.to_print),
        *(Row(f"To export: {title}", exports, count) for title, count in found.to_export),
    ]


def _to_collect(found: Dashboard) -> list[Row]:
    return [
        _row("Overdue invoices", _page("finance.documents", state="overdue"), found.overdue),
        _row("Disputed or held", _page("finance.chasing"), found.held),
        _row("Bank lines without a match", _page("finance.bank"), found.unmatched),
        Row("Card payments to look at", _page("finance.cards"), found.card_alerts),
        _row("Paid more than is owed", _page("finance.documents", state="overpaid"), found.overpaid),
        Row("Money on account", _page("finance.receipts", show="on-account"), None, found.on_account),
    ]


def _row(text: str, to: str, waiting: Waiting) -> Row:
    return Row(text, to, waiting.count, waiting.amount)


def _page(endpoint: str, permission: Permission = Permission.SEE_DOCUMENTS, **values: Any) -> str:
    """Return the address of a page, or nothing where the person may not open it."""
    return url_for(endpoint, **values) if may(permission) else ""


@blueprint.get("/parked", endpoint="parked")
@permitted(Permission.SEE_DOCUMENTS)
def parked_list() -> str:
    """List the agreements that the last run could not bill, and why."""
    return render_template("finance/parked.html", navigation=finance_menu(), parked=parked(reading()))
