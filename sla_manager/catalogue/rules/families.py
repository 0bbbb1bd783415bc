"""The free core offer and the four families that may be traded.

Source: Department for Education, "Working together to improve school attendance", section 4, and its page on
trading services with schools.
"""

from __future__ import annotations

import re

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.titles import Titled


class Family(Titled):
    """What an offering belongs to: exactly one of these."""

    CORE = "core", "Core offer"
    SCHOOL_PROCESSES = "school_processes", "School processes"
    CASEWORK = "casework", "Casework on behalf of the school"
    TRAINING = "training", "Training"
    AUDIT_SUPPORT = "audit_support", "Audits and attendance management support"


class CoreDuty(Titled):
    """The four duties that are free to every school."""

    COMMUNICATION_AND_ADVICE = "communication_and_advice", "Communication and advice"
    TARGETING_SUPPORT_MEETING = "targeting_support_meeting", "Targeting support meetings"
    MULTI_DISCIPLINARY_SUPPORT = "multi_disciplinary_support", "Multi-disciplinary support for families"
    LEGAL_INTERVENTION = "legal_intervention", "Legal intervention"


FREE_SENTENCE = "This is part of your free core offer, you do not need to buy it."

_NEEDS: dict[CoreDuty, str] = {
    CoreDuty.LEGAL_INTERVENTION: (
        r"penalt(?:y|ies)|fpns?|fixed[ -](?:penalt\w*|notices?)|fine[ds]?|prosecut\w+|courts?|legal"
        r"|magistrates?|summons\w*|supervision orders?|parenting (?:orders?|contracts?)|attendance orders?"
        r"|notices? to improve|fast[ -]track"
    ),
    CoreDuty.TARGETING_SUPPORT_MEETING: (
        r"target(?:ing|ed)? support|tsms?|termly (?:meetings?|conversations?|visits?|reviews?)"
    ),
    CoreDuty.MULTI_DISCIPLINARY_SUPPORT: (
        r"multi[ -]?disciplinary|multi[ -]?agency|early help|lead (?:professional|practitioner)s?"
        r"|family (?:plans?|support)|whole[ -]family|child protection|child in need|social care"
    ),
    CoreDuty.COMMUNICATION_AND_ADVICE: (
        r"advi[cs]e|advising|guidance|quer(?:y|ies)|questions?|named (?:contact|officer)|point of contact"
        r"|link officer|duty officer|networks?|forums?|best practice"
    ),
}
_PATTERNS = {duty: re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE) for duty, words in _NEEDS.items()}


class CoreIsFree(Refused):
    """A core offering can never be priced, ordered, invoiced or taken off bought time."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is part of the free core offer. It has no price and cannot be ordered: "
            "ask for it, and it is done."
        )


def refuse_core(family: Family, name: str) -> None:
    """Refuse an offering of the core family where something is sold."""
    if family is Family.CORE:
        raise CoreIsFree(name)


def free_duty(need: str) -> CoreDuty | None:
    """Return the core duty that a school's need falls under, or None when it is not free.

    >>> free_duty("a penalty notice for a holiday"), free_duty("assembly")
    (<CoreDuty.LEGAL_INTERVENTION: 'legal_intervention'>, None)
    """
    searched = " ".join(need[:500].split())
    return next((duty for duty, pattern in _PATTERNS.items() if pattern.search(searched)), None)


def free_hint(need: str) -> str | None:
    """Return what to tell a school that looks for something free, or None.

    >>> free_hint("prosecution")
    'This is part of your free core offer, you do not need to buy it.'
    >>> free_hint("late gates") is None
    True
    """
    return FREE_SENTENCE if free_duty(need) else None
