"""Documents of money: the list, one document with its why, its file."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from sla_manager.billing.models import Document
from sla_manager.billing.queries import creditable, credits_of, document, documents_page, file_of, years
from sla_manager.billing.queries.policy import finance_policy
from sla_manager.billing.rules.kinds import DocumentKind
from sla_manager.finance.queries import batches_of
from sla_manager.finance.queries.coding import reported_as
from sla_manager.finance.queries.replies import answers_of
from sla_manager.finance.rules.replies import STATUSES
from sla_manager.kernel.errors import GatewayFailed
from sla_manager.kernel.periods import FinancialYear
from sla_manager.payments.queries import (
    DocumentState,
    allocations_of,
    open_amount,
    open_amounts,
    reversed_ids,
    state_is,
)
from sla_manager.payments.queries.holds import holds_in_force
from sla_manager.people.rules.roles import Permission
from sla_manager.web.cards import pay_choice
from sla_manager.web.downloads import NOT_PRINTED, archived_pdf
from sla_manager.web.e_invoices import panel
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.forms import BaseForm, FilterForm, SelectField, TextField, choice
from sla_manager.web.guard import may, permitted
from sla_manager.web.navigation import provider
from sla_manager.web.pages import reading, today


class DocumentFilter(FilterForm):
    """Which documents to list."""

    customer = TextField("Customer or number")
    kind = SelectField("Kind")
    state = SelectField("State")
    year = SelectField("Financial year")

    def offer(self, first_years: list[int], start_month: int) -> None:
        """Fill the lists."""
        self.kind.choices = [choice("", "All"), *(choice(one.value, one.title) for one in DocumentKind)]
        self.state.choices = [choice("", "All"), *(choice(one.value, one.title) for one in DocumentState)]
        self.year.choices = [
            choice("", "All"),
            *(choice(str(one), str(FinancialYear(one, start_month))) for one in first_years),
        ]


@blueprint.get("/documents")
@permitted(Permission.SEE_DOCUMENTS)
def documents() -> str:
    """List documents, the newest first."""
    session = reading()
    council = provider(session)
    form = DocumentFilter.of_request()
    form.offer(years(session), council.financial_year_start_month if council else 4)
    kind = _among(form.kind.data, {one.value for one in DocumentKind})
    state = _among(form.state.data, {one.value for one in DocumentState})
    year = _among(form.year.data, {one.value for one in form.year.choices})
    found = documents_page(
        session,
        kind=DocumentKind(kind) if kind else None,
        year=int(year) if year else None,
        customer=form.customer.data or "",
        where=state_is(DocumentState(state), today()) if state else None,
        after=request.args.get("after", ""),
    )
    wanted = {"customer": form.customer.data or "", "kind": kind, "state": state, "year": year}
    asked: dict[str, Any] = {name: value for name, value in wanted.items() if value}
    return render_template(
        "finance/documents.html",
        navigation=finance_menu(),
        filter=form,
        asked=asked,
        found=found,
        open=open_amounts(session, [row.id for row in found.rows]),
        today=today(),
        to=lambda document_id: url_for("finance.document", document_id=document_id),
        first=url_for("finance.documents", **asked) if "after" in request.args else "",
        next=url_for("finance.documents", **asked, after=found.after) if found.after else "",
    )


def _among(value: Any, allowed: set[str]) -> str:
    return value if isinstance(value, str) and value in allowed else ""


@blueprint.get("/documents/<int:document_id>", endpoint="document")
@permitted(Permission.SEE_DOCUMENTS)
def one_document(document_id: int) -> str:
    """Show a document: lines with their why, VAT, payments, credits, its file."""
    session = reading()
    found = document(session, document_id)
    allocations = allocations_of(session, document_id=document_id)
    left = None if found.kind.is_credit else creditable(session, document_id)
    owed = None if found.kind.is_credit else open_amount(session, document_id)
    return render_template(
        "finance/document.html",
        navigation=finance_menu(),
        document=found,
        original=document(session, found.credits_id) if found.credits_id else None,
        credits=credits_of(session, document_id),
        allocations=allocations,
        undone=reversed_ids(allocations),
        open=owed,
        can_link=pay_choice(found, owed).amount is not None and may(Permission.RECORD_PAYMENTS),
        acting=BaseForm(),
        file=file_of(session, document_id),
        batches=batches_of(session, document_id),
        answers=answers_of(session, document_id),
        statuses=STATUSES,
        coding=reported_as(session, document_id),
        may_export=may(Permission.EXPORT),
        overdue=_days_overdue(found.due_on),
        holds=holds_in_force(session, [document_id]).get(document_id, []),
        may_claim=_may_claim(found),
        may_credit=left is not None and bool(left.left) and may(Permission.ISSUE_DOCUMENTS),
        may_pay=may(Permission.RECORD_PAYMENTS),
        e_invoice=panel(session, found),
        may_make=may(Permission.MANAGE_MONEY),
        plain_form=BaseForm(),
    )


def _may_claim(found: Document) -> bool:
    """Say whether a claim for late payment can be thought of: the page of the claim says what may be claimed."""
    is_late = found.kind is DocumentKind.INVOICE and _days_overdue(found.due_on) > 0
    return is_late and may(Permission.MANAGE_MONEY) and finance_policy(reading()).late_payment


def _days_overdue(due_on: date | None) -> int:
    return max(0, (today() - due_on).days) if due_on is not None else 0


@blueprint.get("/documents/<int:document_id>/pdf")
@permitted(Permission.SEE_DOCUMENTS)
def document_pdf(document_id: int) -> ResponseReturnValue:
    """Hand out the printed file, after its hash was compared."""
    session = reading()
    found, file = document(session, document_id), file_of(session, document_id)
    if file is None:
        raise GatewayFailed(NOT_PRINTED)
    return archived_pdf(file.path, file.sha256, found.number)
