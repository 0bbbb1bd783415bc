"""What a finance system answers: which column of its file holds what, which words mean what, and each row's answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from re import fullmatch

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.money import Money
from sla_manager.kernel.references import sha256

ACCEPTED, REJECTED, PAID = "accepted", "rejected", "paid"
STATUSES = {ACCEPTED: "Accepted", REJECTED: "Rejected", PAID: "Paid"}
PARTS = {
    "number": "Document number",
    "status": "Answer",
    "reason": "Reason of a rejection",
    "reference": "The finance system’s own number",
    "date": "Date",
    "amount": "Amount paid",
}
WORDS: dict[str, tuple[str, ...]] = {
    ACCEPTED: ("accepted", "accept", "ok", "posted", "imported", "success", "processed", "complete", "a"),
    REJECTED: ("rejected", "reject", "error", "failed", "failure", "invalid", "r", "e"),
    PAID: ("paid", "settled", "cleared", "receipted", "closed", "p"),
}
NO_REASON = "The finance system gave no reason."
LONGEST_REASON = 500
_SPELLINGS = {
    "number": ("document number", "invoice number", "transaction number", "invoice no", "invoiceno", "number",
               "reference", "trx number", "document"),
    "status": ("status", "answer", "result", "outcome", "state", "interface status"),
    "reason": ("reason", "message", "error", "error message", "message text", "comment", "details"),
    "reference": ("ledger number", "ledger reference", "ledger id", "trx id", "system number", "voucher"),
    "date": ("date", "paid on", "date paid", "payment date", "posted on", "receipt date"),
    "amount": ("amount paid", "paid amount", "amount", "receipt amount"),
}  # fmt: skip
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class ReplyNotReadable(Refused):
    """A reply of which rows cannot be understood; nothing of it was taken in."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        rows = "One row" if len(problems) == 1 else f"{len(problems):,} rows"
        super().__init__(
            f"{rows} cannot be understood, so nothing was taken in. {problems[0]}", field="words"
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """How a reply is read: column names by part, words by status; `every` is the status of a file without one."""

    columns: Mapping[str, str]
    words: Mapping[str, tuple[str, ...]]
    every: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One row's answer."""

    row: int
    number: str
    status: str
    reason: str = ""
    reference: str = ""
    on: date | None = None
    amount: Money | None = None

    def fingerprint(self, document_id: int, occurrence: int) -> str:
        """Return what makes this the same answer when another file gives it again."""
        parts = (
            document_id,
            self.status,
            self.reason,
            self.reference,
            self.on or "",
            self.amount or "",
            occurrence,
        )
        return sha256("|".join(str(one) for one in parts).encode())


def guessed(columns: Sequence[str]) -> dict[str, str]:
    """Return which column probably holds which part, each column once.

    >>> guessed(["Invoice No", "Status", "Error message", "Amount"])["reason"]
    'Error message'
    """
    free = {" ".join(name.casefold().replace("_", " ").split()): name for name in columns}
    found: dict[str, str] = {}
    for part, spellings in _SPELLINGS.items():
        spelt = next((one for one in spellings if one in free), "")
        found[part] = free.pop(spelt) if spelt else ""
    return found


def plain_number(text: str) -> str:
    """Return a document's number without what systems change in it: case, blanks, hyphens, slashes.

    >>> plain_number("ews/25-26/000123") == plain_number("EWS 25-26 000123")
    True
    """
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def split_words(text: str) -> tuple[str, ...]:
    """Return words that were typed with commas between them."""
    return tuple(word for one in text.split(",") if (word := " ".join(one.casefold().split())))


def read_answers(
    columns: Sequence[str], rows: Iterable[tuple[int, Sequence[str]]], reading: Reading
) -> list[Answer]:
    """Return every row's answer. Raises `ReplyNotReadable` with each row that cannot be understood."""
    places = _places(columns, reading)
    found: list[Answer] = []
    problems: list[str] = []
    for number, cells in rows:
        given = {part: cells[place].strip() if place >= 0 else "" for part, place in places.items()}
        if not any(given.values()):
            continue
        try:
            found.append(_answer(number, given, reading))
        except Refused as error:
            problems.append(f"Row {number}: {error}")
    if problems:
        raise ReplyNotReadable(problems)
    if not found:
        raise ReplyNotReadable(["There is no row with an answer."])
    return found


def _places(columns: Sequence[str], reading: Reading) -> dict[str, int]:
    places: dict[str, int] = {}
    for part in PARTS:
        name = reading.columns.get(part, "")
        if name and name not in columns:
            raise Refused(
                f"There is no column “{name[:60]}”. Choose one of the list.", field=f"column_{part}"
            )
        places[part] = list(columns).index(name) if name else -1
    if places["number"] < 0:
        raise Refused("Choose the column with the document number.", field="column_number")
    if places["status"] < 0 and reading.every not in STATUSES:
        raise Refused("Choose the column with the answer, or one answer for every row.", field="every")
    return places


def _answer(number: int, given: Mapping[str, str], reading: Reading) -> Answer:
    status = _status(given["status"], reading)
    reason = given["reason"][:LONGEST_REASON] if status == REJECTED else ""
    amount = Money.parse(given["amount"]) if given["amount"] and status == PAID else None
    if amount is not None and amount.pence <= 0:
        raise Refused(f"{amount} is no payment. A payment is above nothing.")
    if not plain_number(given["number"]):
        raise Refused("it has no document number.")
    return Answer(
        row=number,
        number=given["number"][:100],
        status=status,
        reason=reason or (NO_REASON if status == REJECTED else ""),
        reference=given["reference"][:100],
        on=read_date(given["date"]) if given["date"] else None,
        amount=amount,
    )


def _status(text: str, reading: Reading) -> str:
    if reading.every in STATUSES:
        return reading.every
    word = " ".join(text.casefold().split())
    for status, words in reading.words.items():
        if word in words:
            return status
    raise Refused(
        f"“{text[:40]}” is none of the words for accepted, rejected or paid. Add it to one of them."
    )


def read_date(text: str) -> date:
    """Read a day as finance systems write it.

    >>> read_date("31/03/2026") == read_date("2026-03-31") == read_date("31-MAR-26") == read_date("20260331")
    True
    """
    cleaned = text.strip().split(" ")[0].split("T")[0]
    for pattern, order in (
        (r"(\d{4})[-/.]?(\d{2})[-/.]?(\d{2})", (1, 2, 3)),
        (r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{2}|\d{4})", (3, 2, 1)),
        (r"(\d{1,2})[- ]([A-Za-z]{3})[- ](\d{2}|\d{4})", (3, 2, 1)),
    ):
        match = fullmatch(pattern, cleaned)
        if match is None:
            continue
        year, month, day = (match[place] for place in order)
        number = _MONTHS.index(month.lower()) + 1 if month.lower() in _MONTHS else 0
        try:
            return date(int(year) + (2000 if len(year) == 2 else 0), number or int(month), int(day))
        except ValueError:
            break
    raise Refused(f"“{text[:40]}” is not a day. Days are written like 31/03/2026 or 2026-03-31.")
