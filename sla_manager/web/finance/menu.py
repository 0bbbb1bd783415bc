"""The pages within finance: those of every day in the menu, the others a step further, under "More"."""

from __future__ import annotations

from flask import render_template

from sla_manager.people.rules.roles import Permission
from sla_manager.web.finance import blueprint
from sla_manager.web.guard import may, permitted
from sla_manager.web.navigation import Entry, entry

PAGES = (
    ("Today", "finance.home", Permission.SEE_DOCUMENTS),
    ("Invoice run", "finance.run_preview", Permission.ISSUE_DOCUMENTS),
    ("Documents", "finance.documents", Permission.SEE_DOCUMENTS),
    ("Payments", "finance.receipts", Permission.SEE_DOCUMENTS),
    ("Bank", "finance.bank", Permission.SEE_DOCUMENTS),
    ("Chasing", "finance.chasing", Permission.SEE_DOCUMENTS),
    ("Exports", "finance.exports", Permission.EXPORT),
    ("Cards", "finance.cards", Permission.SEE_DOCUMENTS),
    ("Electronic invoices", "finance.e_invoices", Permission.SEE_DOCUMENTS),
    ("One-off charges", "finance.charges", Permission.SEE_DOCUMENTS),
    ("Parked", "finance.parked", Permission.SEE_DOCUMENTS),
    ("Proof packs", "finance.proof_packs", Permission.SEE_DOCUMENTS),
    ("Reports", "finance.reports", Permission.SEE_DOCUMENTS),
    ("Period locks", "finance.locks", Permission.SEE_DOCUMENTS),
    ("Year end", "finance.year_end", Permission.SEE_DOCUMENTS),
    ("Check the books", "finance.integrity", Permission.SEE_DOCUMENTS),
    ("How we ask for money", "finance.settings", Permission.MANAGE_MONEY),
)
EVERY_DAY = (
    "finance.home",
    "finance.run_preview",
    "finance.documents",
    "finance.receipts",
    "finance.bank",
    "finance.chasing",
    "finance.exports",
)
"""What stands in the menu, in this order; every other page of `PAGES` is a step further."""
GROUPS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Figures and closing",
        (
            (
                "finance.reports",
                "VAT, debtors, deferred income, lapsed time, income, cost recovery; as CSV and Excel",
            ),
            ("finance.locks", "How far the books are locked; lock a month, or open it again"),
            ("finance.year_end", "What is still open, and a rehearsal of the close on a copy"),
        ),
    ),
    (
        "Billing",
        (
            ("finance.charges", "Training, audits, referrals and debit notes that no agreement covers"),
            ("finance.parked", "Agreements that a run could not bill, and why"),
            ("finance.e_invoices", "Which documents left as XML, and whose address is missing"),
            ("finance.settings", "Purchase orders, reminders, late payment, electronic invoices"),
        ),
    ),
    (
        "The books",
        (
            ("finance.cards", "Payments by card: what needs you, disputes, messages of the card provider"),
            ("finance.proof_packs", "Everything about one school and one year, in one file"),
            ("finance.integrity", "Whether numbers, sums, files and balances agree"),
        ),
    ),
)
"""The headings of "More", and what one does on each page."""


def _known() -> dict[str, str]:
    """Return the pages that this person may open: their texts by endpoint."""
    return {endpoint: text for text, endpoint, permission in PAGES if may(permission)}


def finance_menu() -> list[Entry]:
    """Return the menu of finance, as far as the person may open its pages.

    A page that is a step further stands in it while one is there.
    """
    known = _known()
    entries = [entry(known[endpoint], endpoint) for endpoint in EVERY_DAY if endpoint in known]
    further = [entry(text, endpoint) for endpoint, text in known.items() if endpoint not in EVERY_DAY]
    here = max((one for one in further if one["active"]), key=lambda one: len(one["href"]), default=None)
    if here is not None:
        for other in entries:
            other["active"] = False
        entries.append(here)
    if further:
        entries.append(entry("More", "finance.more"))
    if entries:
        entries[0]["active"] = entries[0]["active"] and not any(other["active"] for other in entries[1:])
    return entries


@blueprint.get("/more")
@permitted(Permission.SEE_DOCUMENTS)
def more() -> str:
    """List every page of finance that is not in the menu, with what one does there."""
    known = _known()
    grouped = {endpoint for _, places in GROUPS for endpoint, _ in places}
    groups = [
        (heading, [(known[endpoint], endpoint, about) for endpoint, about in places if endpoint in known])
        for heading, places in GROUPS
    ]
    rest = [
        (text, endpoint, "")
        for endpoint, text in known.items()
        if endpoint not in grouped and endpoint not in EVERY_DAY
    ]
    return render_template(
        "finance/more.html",
        navigation=finance_menu(),
        groups=[one for one in (*groups, ("Also", rest)) if one[1]],
    )
