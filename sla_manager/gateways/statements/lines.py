"""What every bank statement becomes, whatever the bank wrote it in: lines with exact amounts, and what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.money import Money
from sla_manager.kernel.words import pounds

MOST_BYTES = 20 * 1024 * 1024
MOST_LINES = 20_000
LONGEST_TEXT = 1_000


class UnreadableStatement(Refused):
    """The file is no statement that we read; nothing of it was kept."""

    def __init__(self, why: str, what_to_do: str = "Download the statement from your bank again.") -> None:
        super().__init__(f"{why} {what_to_do}", field="file")


@dataclass(frozen=True, slots=True)
class StatementLine:
    """Money that moved on a day: above nothing it arrived, below nothing it left.

    `number` is the place in the file as a person counts it (the row, or the entry from 1).
    """

    number: int
    booked_on: date
    amount: Money
    text: str
    payer: str = ""
    payer_account: str = ""
    bank_reference: str = ""
    value_on: date | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a file that was not taken, or does not add up. `number` 0 speaks of the whole file."""

    number: int
    said: str


@dataclass(frozen=True, slots=True)
class Statement:
    """One account over some days. Balances are None where the file does not say them."""

    account: str
    lines: tuple[StatementLine, ...]
    findings: tuple[Finding, ...] = ()
    opening: Money | None = None
    closing: Money | None = None

    def checked(self) -> Statement:
        """Return the statement with a finding more when its lines do not lead from one balance to the other."""
        if self.opening is None or self.closing is None or self.findings:
            return self
        moved = Money(sum(line.amount.pence for line in self.lines))
        if self.opening + moved == self.closing:
            return self
        said = (
            f"The statement opens at {pounds(self.opening)} and closes at {pounds(self.closing)}. "
            f"Its lines add up to {pounds(moved)}, not {pounds(self.closing - self.opening)}. Is the file cut short?"
        )
        return Statement(self.account, self.lines, (Finding(0, said),), self.opening, self.closing)


@dataclass(frozen=True, slots=True)
class StatementFile:
    """A file that was read: how it is written, and the statements in it."""

    written: str
    statements: tuple[Statement, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that is wrong, in the order of the file."""
        return tuple(one for statement in self.statements for one in statement.findings)


def plain(text: str) -> str:
    """Return text with single spaces and no control characters, cut where no bank writes on.

    >>> plain("  EWS/26-27/000123\\t HILL\\xa0SCHOOL ")
    'EWS/26-27/000123 HILL SCHOOL'
    """
    spaced = " ".join(text.replace("\u00a0", " ").split())
    return "".join(letter for letter in spaced if letter.isprintable())[:LONGEST_TEXT]


def account_number(text: str) -> str:
    """Return an account in one spelling: a British IBAN is its sort code and number.

    >>> account_number("GB29 NWBK 6016 1331 9268 19"), account_number("'60-16-13 31926819"), account_number("DE89 1")
    ('60161331926819', '60161331926819', 'DE891')
    """
    kept = "".join(letter for letter in text.upper() if letter.isascii() and letter.isalnum())
    return kept[8:] if kept.startswith("GB") and len(kept) == 22 else kept[:40]
