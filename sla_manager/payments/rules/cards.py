"""What may be paid by card, and what a card payment means: pure judgements on amounts, currency and marks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.money import Money
from sla_manager.kernel.words import pounds

LEAST, MOST = Money(30), Money(999_999_99)
"""What the provider takes in pounds: 30 pence to £999,999.99."""
POUNDS = "gbp"
MARK, DOCUMENT = "sla_checkout", "sla_document"
"""The words that we give with a page, and that come back with its payment."""

UNDECIDED = ("warning_needs_response", "warning_under_review", "needs_response", "under_review")
TAKEN = ("lost", "appeal_needs_response", "appeal_under_review")
"""States of a dispute: nothing is decided; the money is gone (an appeal may bring it back). The provider's other
words (won, prevented, warning_closed) mean that it stays here."""


DISPUTE_REASONS = {
    "credit_not_processed": "a refund was promised and did not come",
    "customer_initiated": "the payer asked the bank",
    "duplicate": "it was charged twice",
    "fraudulent": "the card’s holder says that somebody else paid",
    "general": "the bank gives no reason",
    "product_not_received": "the service was not received",
    "product_unacceptable": "the service was not as agreed",
    "subscription_canceled": "it was cancelled",
    "unrecognized": "the card’s holder does not recognise it",
}
DISPUTE_STATES = {
    "warning_needs_response": "The bank asks about it",
    "warning_under_review": "The bank looks at it",
    "warning_closed": "Ended without a dispute",
    "needs_response": "Waits for your answer",
    "under_review": "The bank looks at your answer",
    "appeal_needs_response": "Lost, and can be appealed",
    "appeal_under_review": "Lost, and appealed",
    "prevented": "Ended before it began",
    "won": "Won",
    "lost": "Lost",
}


def dispute_reason(word: str) -> str:
    """Say in plain words why a payment is disputed; a word that we do not know stands as it is.

    >>> dispute_reason("duplicate"), dispute_reason("something_new")
    ('it was charged twice', 'something new')
    """
    return DISPUTE_REASONS.get(word, word.replace("_", " "))


def dispute_state(word: str) -> str:
    """Say in plain words how a dispute stands."""
    return DISPUTE_STATES.get(word, word.replace("_", " ").capitalize())


class TooMuchOrLittle(Refused):
    """An amount that the card provider does not take."""

    def __init__(self, amount: Money) -> None:
        super().__init__(
            f"{pounds(amount)} cannot be paid by card. The card provider takes {pounds(LEAST)} to {pounds(MOST)}. "
            "Pay by bank transfer instead."
        )


def require_payable(amount: Money) -> None:
    """Refuse an amount that the provider would refuse.

    >>> require_payable(Money(30))
    >>> require_payable(Money(29))
    Traceback (most recent call last):
    sla_manager.payments.rules.cards.TooMuchOrLittle: £0.29 cannot be paid by card. \
The card provider takes £0.30 to £999,999.99. Pay by bank transfer instead.
    """
    if not LEAST <= amount <= MOST:
        raise TooMuchOrLittle(amount)


@dataclass(frozen=True, slots=True)
class Expected:
    """What we asked for on a page: how much, for which document."""

    reference: str
    document_id: int
    amount: Money


@dataclass(frozen=True, slots=True)
class Judged:
    """What a payment is: an amount in pounds or none, whether it pays its document, and what is wrong with it."""

    amount: Money | None
    pays: bool
    problem: str = ""


def judge(pence: int, currency: str, marks: Mapping[str, str], expected: Expected) -> Judged:
    """Return what a payment is worth against what was asked for (P4).

    Another amount, or another document in its marks, is money that no document takes by itself. Another currency is
    no money of ours at all until somebody has looked at it.

    >>> asked = Expected("r", 7, Money(1766_40))
    >>> judge(1766_40, "gbp", {"sla_checkout": "r", "sla_document": "7"}, asked).pays
    True
    >>> judge(1766_39, "gbp", {"sla_checkout": "r", "sla_document": "7"}, asked).problem
    '£1,766.39 came, and £1,766.40 was asked for.'
    >>> judge(1766_40, "eur", {}, asked).amount is None
    True
    """
    if currency.lower() != POUNDS:
        return Judged(
            None, pays=False, problem=f"It came in another currency: {pence} of {currency.upper()[:3]}."
        )
    amount = Money(pence)
    if amount.pence <= 0:
        return Judged(None, pays=False, problem="No money came.")
    if amount != expected.amount:
        problem = f"{pounds(amount)} came, and {pounds(expected.amount)} was asked for."
        return Judged(amount, pays=False, problem=problem)
    if marks.get(MARK) != expected.reference or marks.get(DOCUMENT) != str(expected.document_id):
        return Judged(
            amount, pays=False, problem="It names another document than the one that was asked for."
        )
    return Judged(amount, pays=True)
