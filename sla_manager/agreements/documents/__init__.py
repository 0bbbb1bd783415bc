"""The agreement as a document: its facts, frozen versions, and their printing."""

from sla_manager.agreements.documents.copies import post_signed_copies
from sla_manager.agreements.documents.facts import agreement_facts
from sla_manager.agreements.documents.freezing import freeze
from sla_manager.agreements.documents.papers import freeze_paper, print_paper, print_waiting_papers
from sla_manager.agreements.documents.prints import print_version, print_waiting_agreements

__all__ = [
    "agreement_facts",
    "freeze",
    "freeze_paper",
    "post_signed_copies",
    "print_paper",
    "print_version",
    "print_waiting_agreements",
    "print_waiting_papers",
]
