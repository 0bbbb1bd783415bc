"""What agreements say: lists, quotes, balances and ledgers, the years and their close."""

from sla_manager.agreements.queries.balances import LedgerRow, TrancheBalance, balances, ledger, tranche_on
from sla_manager.agreements.queries.lists import (
    AgreementRow,
    acceptance_of,
    agreement,
    agreement_by_reference,
    agreements_page,
    frozen_sha256,
    instalments,
    latest_version,
    newer_version,
    orders_waiting,
    school_agreements,
    variations,
    version_files,
    versions,
)
from sla_manager.agreements.queries.payment import QuotedDocument, planned_documents, quoted_documents
from sla_manager.agreements.queries.years import (
    LapsingTranche,
    YearClosePreview,
    is_closed,
    year_close,
    year_close_preview,
)

__all__ = [
    "AgreementRow",
    "LapsingTranche",
    "LedgerRow",
    "QuotedDocument",
    "TrancheBalance",
    "YearClosePreview",
    "acceptance_of",
    "agreement",
    "agreement_by_reference",
    "agreements_page",
    "balances",
    "frozen_sha256",
    "instalments",
    "is_closed",
    "latest_version",
    "ledger",
    "newer_version",
    "orders_waiting",
    "planned_documents",
    "quoted_documents",
    "school_agreements",
    "tranche_on",
    "variations",
    "version_files",
    "versions",
    "year_close",
    "year_close_preview",
]
