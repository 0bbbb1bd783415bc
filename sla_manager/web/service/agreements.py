"""A service's agreements: found and read."""

from __future__ import annotations

from flask import render_template, request
from werkzeug.wrappers import Response

from sla_manager.agreements.queries import (
    acceptance_of,
    agreements_page,
    instalments,
    ledger,
    variations,
    version_files,
    versions,
)
from sla_manager.agreements.queries import (
    agreement as one_agreement,
)
from sla_manager.agreements.queries.dropped import dropped_instalments
from sla_manager.agreements.queries.endings import last_day, termination_of, transfer_from, transfer_to
from sla_manager.agreements.queries.lists import PAGE
from sla_manager.agreements.queries.papers import paper_of_agreement, papers_of_agreement
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.billing.queries.proposing import proposals
from sla_manager.kernel.errors import NotFound
from sla_manager.people.models import TradingService
from sla_manager.people.rules.roles import Permission
from sla_manager.planning.queries import decision_of
from sla_manager.visits.queries import balances_with_booked
from sla_manager.web.downloads import agreement_pdf, paper_pdf
from sla_manager.web.guard import in_service
from sla_manager.web.paces import paced
from sla_manager.web.pages import reading, today
from sla_manager.web.service import blueprint
from sla_manager.web.service.menu import service_menu


@blueprint.get("/<service>/agreements")
@in_service(Permission.SEE_SERVICE)
def agreements(service: TradingService) -> str:
    """List agreements, the latest first, in pages."""
    wanted = request.args.get("status", "")
    statuses = [status for status in AgreementStatus if status.value == wanted]
    before = request.args.get("before", "")
    rows = agreements_page(
        reading(),
        service_id=service.id,
        statuses=statuses,
        before=int(before) if before.isdecimal() else None,
    )
    return render_template(
        "service/agreements.html",
        navigation=service_menu(service),
        service=service,
        rows=rows[:PAGE],
        older=rows[PAGE - 1].id if len(rows) > PAGE else None,
        is_first=not before.isdecimal(),
        statuses=list(AgreementStatus),
        wanted=wanted,
    )


@blueprint.get("/<service>/agreements/<int:agreement_id>")
@in_service(Permission.SEE_SERVICE)
def agreement(service: TradingService, agreement_id: int) -> str:
    """Show one agreement with its tranches, what is left and its history."""
    session = reading()
    found = one_agreement(session, agreement_id, service_id=service.id)
    return render_template(
        "service/agreement.html",
        navigation=service_menu(service),
        service=service,
        agreement=found,
        balances=paced(session, balances_with_booked(session, agreement_id=found.id), today()),
        instalments=instalments(session, found.id),
        variations=variations(session, found.id),
        acceptance=acceptance_of(session, found.id),
        beyond=decision_of(session, found.id),
        versions=versions(session, found.id),
        files=version_files(session, found.id),
        papers=papers_of_agreement(session, found.id),
        proposals=proposals(session, agreement_id=found.id),
        can_change=found.status is AgreementStatus.AGREED and today() <= last_day(found),
        dropped=dropped_instalments(session, found.id),
        termination=termination_of(session, found.id),
        went_to=transfer_from(session, found.id),
        came_from=transfer_to(session, found.id),
    )


@blueprint.get("/<service>/agreements/<int:agreement_id>/ledger/<int:tranche_id>")
@in_service(Permission.SEE_SERVICE)
def day_ledger(service: TradingService, agreement_id: int, tranche_id: int) -> str:
    """Show every entry that led to a balance."""
    session = reading()
    found = one_agreement(session, agreement_id, service_id=service.id)
    rows = balances_with_booked(session, agreement_id=found.id)
    row = next((one for one in rows if one.tranche.tranche_id == tranche_id), None)
    if row is None:
        raise NotFound
    return render_template(
        "service/ledger.html",
        navigation=service_menu(service),
        service=service,
        agreement=found,
        row=row,
        entries=ledger(session, tranche_id),
    )


@blueprint.get("/<service>/agreements/<int:agreement_id>/papers/<int:paper_id>.pdf")
@in_service(Permission.SEE_SERVICE)
def paper(service: TradingService, agreement_id: int, paper_id: int) -> Response:
    """Download a certificate or a letter about an agreement."""
    found = one_agreement(reading(), agreement_id, service_id=service.id)
    return paper_pdf(paper_of_agreement(reading(), paper_id, agreement_id=found.id))


@blueprint.get("/<service>/agreements/<int:agreement_id>/documents/<int:version_id>.pdf")
@in_service(Permission.SEE_SERVICE)
def agreement_document(service: TradingService, agreement_id: int, version_id: int) -> Response:
    """Download the printed document of a version."""
    return agreement_pdf(one_agreement(reading(), agreement_id, service_id=service.id), version_id)
