"""The school's first page: what is left, what comes next, what waits for her, what was sent."""

from __future__ import annotations

from flask import render_template

from sla_manager.agreements.queries import school_agreements
from sla_manager.agreements.queries.approvals import approvals_waiting
from sla_manager.agreements.queries.renewals import open_renewals
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.billing.queries import school_documents
from sla_manager.billing.queries.proposing import proposals
from sla_manager.people.models import School
from sla_manager.people.rules.roles import Permission
from sla_manager.visits.queries import awaiting_school, balances_with_booked, next_visits
from sla_manager.web.guard import in_school, may, me
from sla_manager.web.navigation import Entry, entry
from sla_manager.web.paces import paced
from sla_manager.web.pages import now, reading, today
from sla_manager.web.school import blueprint

OPEN = (AgreementStatus.QUOTED, AgreementStatus.ORDERED)


def school_menu(school: School) -> list[Entry]:
    """Return the pages within a school."""
    pages = (
        ("Overview", "school.home"),
        ("Services and prices", "school.services"),
        *((("Basket", "school.basket"),) if may(Permission.ORDER) else ()),
        ("Agreements", "school.agreements"),
        ("Visits", "school.visits"),
        ("Invoices and recharges", "school.documents"),
    )
    entries = [entry(text, endpoint, urn=school.urn) for text, endpoint in pages]
    home = entries[0]
    home["active"] = home["active"] and not any(other["active"] for other in entries[1:])
    return entries


@blueprint.get("/<int:urn>/")
@in_school(Permission.SEE_SCHOOL)
def home(school: School) -> str:
    """Show what a business manager needs first."""
    session = reading()
    agreements = school_agreements(session, school.id)
    rows = [row for row in balances_with_booked(session, school_id=school.id) if today() in row.period]
    renewals = open_renewals(session, school.id, today=today())
    offered = {one.agreement_id for one in renewals}
    return render_template(
        "school/home.html",
        navigation=school_menu(school),
        school=school,
        renewals=renewals,
        today=today(),
        approvals=approvals_waiting(session, person_id=me().id, school_id=school.id, at=now()),
        balances=paced(session, rows, today()),
        waiting=[one for one in agreements if one.status in OPEN and one.id not in offered],
        answers=awaiting_school(session, school.id),
        changes=proposals(session, school_id=school.id, only_open=True, to_sign=True),
        visits=next_visits(session, school.id, today(), limit=5),
        documents=school_documents(session, school.id, limit=5).rows,
        has_agreements=any(one.status is AgreementStatus.AGREED for one in agreements),
    )
