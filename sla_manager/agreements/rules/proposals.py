"""Where a proposed variation stands, and how it can be signed."""

from __future__ import annotations

from sla_manager.kernel.errors import Conflict
from sla_manager.kernel.titles import Titled


class ProposalStatus(Titled):
    """Where a proposed variation stands."""

    ASKED = "asked", "Asked for"
    PROPOSED = "proposed", "To be signed"
    SIGNED = "signed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired", "Run out"


class Medium(Titled):
    """How a variation was signed."""

    PAGE = "page", "On the school’s page"
    PAPER = "paper", "On paper"


_P = ProposalStatus
MOVES: frozenset[tuple[ProposalStatus, ProposalStatus]] = frozenset(
    {
        (_P.ASKED, _P.PROPOSED),
        (_P.ASKED, _P.DECLINED),
        (_P.ASKED, _P.WITHDRAWN),
        (_P.ASKED, _P.EXPIRED),
        (_P.PROPOSED, _P.SIGNED),
        (_P.PROPOSED, _P.DECLINED),
        (_P.PROPOSED, _P.WITHDRAWN),
        (_P.PROPOSED, _P.EXPIRED),
    }
)


class ProposalIsOver(Conflict):
    """What was signed, declined, withdrawn or has run out is not decided again."""

    def __init__(self, current: ProposalStatus) -> None:
        super().__init__(
            f"This change is already {current.title.lower()}. Ask for a new one if you still want it."
        )


def move(current: ProposalStatus, wanted: ProposalStatus) -> ProposalStatus:
    """Return the wanted status, or refuse a move that is not in the table.

    >>> move(ProposalStatus.PROPOSED, ProposalStatus.SIGNED).value
    'signed'
    """
    if (current, wanted) not in MOVES:
        raise ProposalIsOver(current)
    return wanted
