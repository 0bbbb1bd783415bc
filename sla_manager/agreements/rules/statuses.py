"""How an agreement comes about and ends: every allowed move, in one table."""

from __future__ import annotations

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.titles import Titled


class AgreementStatus(Titled):
    """Where a quote, order or agreement stands."""

    DRAFT = "draft"
    QUOTED = "quoted"
    ORDERED = "ordered"
    AGREED = "agreed"
    SUPERSEDED = "superseded", "Replaced by a newer quote"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    DECLINED = "declined"
    ENDED = "ended"

    @property
    def is_final(self) -> bool:
        """Whether nothing follows it.

        >>> AgreementStatus.DECLINED.is_final, AgreementStatus.AGREED.is_final
        (True, False)
        """
        return all(start is not self for start, _ in MOVES)


class Origin(Titled):
    """How an agreement came about."""

    QUOTE = "quote", "A quote"
    RENEWAL = "renewal", "A renewal of last year's"
    TRANSFER = "transfer", "Carried on from an earlier agreement"
    IMPORT = "import", "Taken over from a spreadsheet"


MOVES: frozenset[tuple[AgreementStatus, AgreementStatus]] = frozenset(
    {
        (AgreementStatus.DRAFT, AgreementStatus.QUOTED),
        (AgreementStatus.DRAFT, AgreementStatus.WITHDRAWN),
        (AgreementStatus.QUOTED, AgreementStatus.ORDERED),
        (AgreementStatus.QUOTED, AgreementStatus.SUPERSEDED),
        (AgreementStatus.QUOTED, AgreementStatus.EXPIRED),
        (AgreementStatus.QUOTED, AgreementStatus.WITHDRAWN),
        (AgreementStatus.ORDERED, AgreementStatus.AGREED),
        (AgreementStatus.ORDERED, AgreementStatus.DECLINED),
        (AgreementStatus.AGREED, AgreementStatus.ENDED),
    }
)


def allowed_from(status: AgreementStatus) -> tuple[AgreementStatus, ...]:
    """Return what may follow a status, in the order of the list.

    >>> [after.value for after in allowed_from(AgreementStatus.ORDERED)]
    ['agreed', 'declined']
    """
    return tuple(after for after in AgreementStatus if (status, after) in MOVES)


class MoveNotAllowed(Refused):
    """A move that is not in the table."""

    def __init__(self, current: AgreementStatus, wanted: AgreementStatus) -> None:
        after = [status.title.lower() for status in allowed_from(current)]
        can = f"From here it can only become {' or '.join(after)}." if after else "Nothing more can follow."
        super().__init__(
            f"This is already {current.title.lower()}, so it cannot become {wanted.title.lower()}. {can}",
            field="status",
        )


def move(current: AgreementStatus, wanted: AgreementStatus) -> AgreementStatus:
    """Return the wanted status, or refuse a move that is not in the table.

    >>> move(AgreementStatus.QUOTED, AgreementStatus.ORDERED).value
    'ordered'
    >>> move(AgreementStatus.ENDED, AgreementStatus.AGREED)
    Traceback (most recent call last):
    sla_manager.agreements.rules.statuses.MoveNotAllowed: This is already ended, so it cannot become agreed. \
Nothing more can follow.
    """
    if (current, wanted) not in MOVES:
        raise MoveNotAllowed(current, wanted)
    return wanted
