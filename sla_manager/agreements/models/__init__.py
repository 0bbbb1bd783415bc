"""Promised: quotes, orders and agreements, their lines, tranches, the day ledger, variations, the year close."""

from sla_manager.agreements.models.agreements import (
    Acceptance,
    Agreement,
    AgreementFile,
    AgreementLine,
    AgreementVersion,
    Instalment,
    InstalmentPart,
    LedgerEntry,
    Tranche,
    Variation,
    YearClose,
)
from sla_manager.agreements.models.approvals import Approval, ApprovalDecision
from sla_manager.agreements.models.baskets import Basket
from sla_manager.agreements.models.changes import (
    AgreementPolicy,
    DroppedInstalment,
    Termination,
    Transfer,
    VariationProposal,
)
from sla_manager.agreements.models.papers import Paper, PaperFile
from sla_manager.agreements.models.partnerships import Partnership, PartnershipMember, PoolMove
from sla_manager.agreements.models.seasons import AutomaticRenewal, Renewal, RenewalNotice, Season
from sla_manager.agreements.models.takeovers import ParallelRun, TakenRow, Takeover, TakeoverMapping

__all__ = [
    "Acceptance",
    "Agreement",
    "AgreementFile",
    "AgreementLine",
    "AgreementPolicy",
    "AgreementVersion",
    "Approval",
    "ApprovalDecision",
    "AutomaticRenewal",
    "Basket",
    "DroppedInstalment",
    "Instalment",
    "InstalmentPart",
    "LedgerEntry",
    "Paper",
    "PaperFile",
    "ParallelRun",
    "Partnership",
    "PartnershipMember",
    "PoolMove",
    "Renewal",
    "RenewalNotice",
    "Season",
    "TakenRow",
    "Takeover",
    "TakeoverMapping",
    "Termination",
    "Tranche",
    "Transfer",
    "Variation",
    "VariationProposal",
    "YearClose",
]
