"""What cannot be right is not issued: more than was agreed, or far too many documents at once (C6)."""

from __future__ import annotations

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.money import Money
from sla_manager.kernel.words import pounds

MOST_AT_ONCE = 60
"""Documents of one agreement in one run: five years of monthly payments. More is a mistake in its dates."""


class MoreThanAgreed(Refused):
    """Instalments that together would bill more than the agreement is worth: two of them overlap."""

    def __init__(self, reference: str, value: Money, billed: Money, proposed: Money) -> None:
        super().__init__(
            f"{reference} is worth {pounds(value)}. {pounds(billed)} is billed and this run would add "
            f"{pounds(proposed)}, which is {pounds(billed + proposed - value)} too much. Nothing was issued. "
            "Ask the service to check its instalments."
        )


class TooManyAtOnce(Refused):
    """An absurd number of documents for one agreement."""

    def __init__(self, reference: str, count: int) -> None:
        super().__init__(
            f"This run would issue {count} documents for {reference}, and more than {MOST_AT_ONCE} at once cannot "
            "be right. Nothing was issued. Ask the service to check its dates."
        )


def impossible(
    reference: str, *, value: Money, billed: Money, proposed: Money, documents: int
) -> Refused | None:
    """Return why a proposal for an agreement cannot be right, or None.

    `value` is what is agreed with its variations; `billed` and `proposed` are its instalments and variations,
    without extra time.

    >>> impossible("A/1", value=Money(300), billed=Money(200), proposed=Money(100), documents=1) is None
    True
    >>> print(impossible("A/1", value=Money(300), billed=Money(250), proposed=Money(100), documents=1).message)
    A/1 is worth £3.00. £2.50 is billed and this run would add £1.00, which is £0.50 too much. Nothing was issued. \
Ask the service to check its instalments.
    """
    if documents > MOST_AT_ONCE:
        return TooManyAtOnce(reference, documents)
    if proposed.pence > 0 and billed + proposed > value:
        return MoreThanAgreed(reference, value, billed, proposed)
    return None
