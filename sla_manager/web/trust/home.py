"""What a trust's finance lead needs first: her schools, what is left in each, what waits, what was bought together."""

from __future__ import annotations

from flask import render_template
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from sla_manager.agreements.models import Agreement, AgreementLine, Tranche
from sla_manager.agreements.queries.partnerships import partnerships
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.people.models import School, Trust
from sla_manager.people.rules.roles import Permission
from sla_manager.visits.queries import balances_with_booked
from sla_manager.web.guard import in_trust
from sla_manager.web.navigation import Entry, entry
from sla_manager.web.paces import PacedBalance, paced
from sla_manager.web.pages import reading, today
from sla_manager.web.trust import blueprint

_WAITING = (AgreementStatus.QUOTED, AgreementStatus.ORDERED)


def trust_menu(trust: Trust) -> list[Entry]:
    """Return the pages within a trust."""
    pages = (
        ("Overview", "trust.home"),
        ("Buy for several schools", "trust.buy"),
        ("Bought together", "trust.purchases"),
        ("Invoices", "trust.documents"),
    )
    entries = [entry(text, endpoint, trust_id=trust.id) for text, endpoint in pages]
    entries[0]["active"] = entries[0]["active"] and not any(other["active"] for other in entries[1:])
    return entries


def schools_of(trust: Trust) -> list[School]:
    """Return a trust's open schools, by name."""
    query = select(School).where(School.trust_id == trust.id, School.status_code != "2")
    return list(reading().scalars(query.order_by(School.name, School.urn)))


@blueprint.get("/<int:trust_id>/")
@in_trust(Permission.SEE_SCHOOL)
def home(trust: Trust) -> str:
    """Show the trust's schools, each with what is left of its bought time."""
    schools = schools_of(trust)
    session = reading()
    waiting = list(
        session.scalars(
            select(Agreement)
            .where(Agreement.school_id.in_([one.id for one in schools]), Agreement.status.in_(_WAITING))
            .options(joinedload(Agreement.school))
            .order_by(Agreement.id.desc())
        )
    )
    return render_template(
        "trust/home.html",
        navigation=trust_menu(trust),
        trust=trust,
        schools=schools,
        balances=_balances([one.id for one in schools]),
        waiting=waiting,
        together=partnerships(session, trust_id=trust.id)[:5],
    )


def _balances(school_ids: list[int]) -> dict[int, list[PacedBalance]]:
    """Return what is left now, by school; a handful of queries for however many schools."""
    session = reading()
    query = (
        select(Tranche.id, Agreement.school_id)
        .join(AgreementLine, AgreementLine.id == Tranche.line_id)
        .join(Agreement, Agreement.id == AgreementLine.agreement_id)
        .where(
            Agreement.school_id.in_(school_ids),
            Agreement.status == AgreementStatus.AGREED,
            Tranche.starts_on <= today(),
            Tranche.ends_on >= today(),
            Tranche.minutes.is_not(None),
        )
    )
    of_school = {row[0]: row[1] for row in session.execute(query)}
    found: dict[int, list[PacedBalance]] = {}
    if of_school:
        rows = balances_with_booked(session, tranche_ids=list(of_school))
        for one in paced(session, rows, today()):
            found.setdefault(of_school[one.row.tranche.tranche_id], []).append(one)
    return found
