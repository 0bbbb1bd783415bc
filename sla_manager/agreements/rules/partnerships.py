"""Schools that buy together: a trust for its schools, partners that share days, partners with one pool."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.quantities import plain
from sla_manager.kernel.titles import Titled

_WHOLE = 10_000


class PartnershipKind(Titled):
    """How schools buy together."""

    TRUST = "trust", "A trust for its schools"
    SHARES = "shares", "Partners, each with its own share of the days"
    POOL = "pool", "Partners with one pool of days"


class Invoicing(Titled):
    """How many documents a date brings."""

    TOGETHER = "together", "One invoice with a line for each school"
    EACH = "each", "One invoice for each school"


class SharesDoNotAddUp(Refused):
    """Percentages of partners that are not 100 together."""

    def __init__(self, given: int) -> None:
        super().__init__(
            f"The shares add up to {_percent(given)} %, and must be 100 % together. Change one of them.",
            field="shares",
        )


class CapTooSmall(Refused):
    """In a pool nobody is held below what she pays for."""

    def __init__(self, school: str, own: Minutes, cap: Minutes) -> None:
        super().__init__(
            f"{school} pays for {own.hours_and_minutes()} and could use {cap.hours_and_minutes()} only. "
            "Set a cap that is not below its own share, or none.",
            field="caps",
        )


def check_shares(shares: Sequence[int]) -> tuple[int, ...]:
    """Return shares in basis points when there are at least two, each above nothing, 100 % together.

    >>> check_shares([5000, 3000, 2000])
    (5000, 3000, 2000)
    >>> check_shares([5000, 3000])
    Traceback (most recent call last):
    sla_manager.agreements.rules.partnerships.SharesDoNotAddUp: The shares add up to 80 %, and must be 100 % \
together. Change one of them.
    """
    if len(shares) < 2:
        raise Refused("At least two schools buy together. Add another school.", field="shares")
    if min(shares) <= 0:
        raise Refused(
            "Each school has a share above 0 %. Leave out a school that takes no part.", field="shares"
        )
    if sum(shares) != _WHOLE:
        raise SharesDoNotAddUp(sum(shares))
    return tuple(shares)


def equal_shares(count: int) -> tuple[int, ...]:
    """Return equal weights: they need not be round percentages.

    >>> equal_shares(3)
    (1, 1, 1)
    """
    if count < 2:
        raise Refused("At least two schools buy together. Add another school.", field="shares")
    return (1,) * count


def drawn_from(
    wanted: Minutes, lefts: Sequence[tuple[int, Minutes]], *, room: Minutes | None
) -> list[tuple[int, Minutes]]:
    """Return from which partners' tranches time is drawn: the one with most left first, ties to the lowest number.

    `room` is what the cap still allows (None: no cap). What nobody has is not drawn.

    >>> drawn_from(Minutes(300), [(1, Minutes(100)), (2, Minutes(250))], room=None)
    [(2, Minutes(minutes=250)), (1, Minutes(minutes=50))]
    >>> drawn_from(Minutes(300), [(2, Minutes(250))], room=Minutes(60))
    [(2, Minutes(minutes=60))]
    """
    open_minutes = wanted.minutes if room is None else min(wanted.minutes, max(room.minutes, 0))
    drawn = []
    for tranche_id, left in sorted(lefts, key=lambda one: (-one[1].minutes, one[0])):
        part = min(open_minutes, left.minutes)
        if part > 0:
            drawn.append((tranche_id, Minutes(part)))
            open_minutes -= part
    return drawn


def _percent(basis_points: int) -> str:
    return plain(Decimal(basis_points) / 100)
