"""What documents say: lists, one document, what waits, what is parked, what is due, what can be credited."""

from sla_manager.billing.queries.creditable import Creditable, creditable
from sla_manager.billing.queries.documents import (
    DocumentPage,
    DocumentRow,
    ParkedRow,
    agreement_values,
    credits_of,
    document,
    document_by_number,
    documents_page,
    file_of,
    parked,
    school_documents,
    waiting_to_print,
    years,
)
from sla_manager.billing.queries.dues import DuePlan, already_billed, due_plan

__all__ = [
    "Creditable",
    "DocumentPage",
    "DocumentRow",
    "DuePlan",
    "ParkedRow",
    "agreement_values",
    "already_billed",
    "creditable",
    "credits_of",
    "document",
    "document_by_number",
    "documents_page",
    "due_plan",
    "file_of",
    "parked",
    "school_documents",
    "waiting_to_print",
    "years",
]
