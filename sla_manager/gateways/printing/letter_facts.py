"""What a letter says: a certificate, a renewal, a variation, an ending, a statement. One shape, a template a kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sla_manager.gateways.printing.facts import Contact, Customer, Day, Prose, Supplier

LetterKind = Literal["certificate", "renewal_letter", "variation", "ending", "statement_of_account"]
LETTER_KINDS: tuple[LetterKind, ...] = (
    "certificate",
    "renewal_letter",
    "variation",
    "ending",
    "statement_of_account",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterRow:
    """One label and what stands beside it. `is_code` is for a hash or a reference that is read letter by letter."""

    label: str
    value: Prose
    is_code: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterTable:
    """A table: its columns' headings, rows of words, and an optional last row that sums them up.

    `amounts` says for each column whether its words are figures, which stand at the right. Amounts are written as
    people read them ("£4,416.00"): whoever freezes the letter decides the words.
    """

    caption: str
    columns: tuple[str, ...]
    amounts: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    last_row: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterSection:
    """A headed part of a letter: paragraphs, then points, then labels with values, then a table, as far as given."""

    heading: str
    paragraphs: tuple[Prose, ...] = ()
    points: tuple[Prose, ...] = ()
    rows: tuple[LetterRow, ...] = ()
    table: LetterTable | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Who signed, as what, when and from where; `lines` are further labels such as the hash of what was signed."""

    name: str
    role: str
    rows: tuple[LetterRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFacts:
    """A letter of the council: its head, whom it is for, its date, what it says and who signed.

    `reference` is the agreement, quote or account that it is about. A part that is empty is left out. A template of
    a kind may add to it, such as lines to sign by hand.
    """

    kind: LetterKind
    heading: str
    reference: str
    dated: Day
    supplier: Supplier
    customer: Customer
    school: str | None
    salutation: str
    paragraphs: tuple[Prose, ...]
    glance: tuple[LetterRow, ...]
    """What is seen at a glance beside the address."""
    sections: tuple[LetterSection, ...]
    closing: tuple[Prose, ...]
    signatures: tuple[Signature, ...]
    questions: Contact | None
