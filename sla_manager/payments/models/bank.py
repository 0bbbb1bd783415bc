"""What the bank's statements say, line by line, and what became of each line that brought money."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sla_manager.kernel.money import Money
from sla_manager.payments.models.receipts import Receipt
from sla_manager.store.tables import Numbered, Table

_OPEN = text("open > 0")
_NAMED = text("payer <> ''")
_NAMED_ACCOUNT = text("payer_account <> ''")


class BankLayout(Numbered):
    """How another bank's CSV file is read: which column means what. A changed file gets a layout of a new name."""

    __tablename__ = "bank_layout"

    name: Mapped[str] = mapped_column(unique=True)
    columns: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]
    made_by: Mapped[str]


class BankImport(Numbered):
    """One file that was taken: how it was written, how many of its lines were new, what could not be read."""

    __tablename__ = "bank_import"
    __table_args__ = (UniqueConstraint("sha256", "written"),)

    file_name: Mapped[str]
    written: Mapped[str]
    sha256: Mapped[str]
    accounts: Mapped[list[Any]]
    taken: Mapped[int]
    known: Mapped[int]
    findings: Mapped[list[Any]]
    """Each a pair of a row number (0 the file) and a sentence."""
    first_on: Mapped[date | None]
    last_on: Mapped[date | None]
    imported_at: Mapped[datetime]
    imported_by: Mapped[str]


class BankLine(Numbered):
    """Money that moved on an account: above nothing it arrived. The same line is never taken twice.

    `identity` is a hash of what the bank says of it; `occurrence` counts lines that are the same in one file.
    """

    __tablename__ = "bank_line"
    __table_args__ = (
        UniqueConstraint("identity", "occurrence"),
        CheckConstraint("amount <> 0", name="amount"),
        CheckConstraint("occurrence > 0", name="occurrence"),
        Index("ix_bank_line_import", "import_id", "id"),
        Index(
            "ix_bank_line_payer_account",
            "payer_account",
            sqlite_where=_NAMED_ACCOUNT,
            postgresql_where=_NAMED_ACCOUNT,
        ),
        Index("ix_bank_line_payer", "payer", sqlite_where=_NAMED, postgresql_where=_NAMED),
    )

    import_id: Mapped[int] = mapped_column(ForeignKey("bank_import.id"))
    number: Mapped[int]
    account: Mapped[str]
    booked_on: Mapped[date]
    value_on: Mapped[date | None]
    amount: Mapped[Money]
    text: Mapped[str]
    payer: Mapped[str]
    payer_account: Mapped[str]
    bank_reference: Mapped[str]
    identity: Mapped[str]
    occurrence: Mapped[int]

    file: Mapped[BankImport] = relationship(lazy="raise")


class BankLineOpen(Table):
    """What of a line that brought money is not matched yet. Triggers write it; nothing else may."""

    __tablename__ = "bank_line_open"
    __table_args__ = (Index("ix_bank_line_open_open", "line_id", sqlite_where=_OPEN, postgresql_where=_OPEN),)

    line_id: Mapped[int] = mapped_column(ForeignKey("bank_line.id"), primary_key=True)
    open: Mapped[Money]

    line: Mapped[BankLine] = relationship(lazy="raise")


class BankMatch(Numbered):
    """What a line, or a part of it, became. Taken back by a negative one that names it.

    `receipt` made a receipt, `recorded` found one that somebody had recorded before, `not_ours` pays nothing. The
    database refuses more than the line, an amount that is not its receipt's, and a receipt twice.
    """

    __tablename__ = "bank_match"
    __table_args__ = (
        CheckConstraint("kind IN ('receipt', 'recorded', 'not_ours')", name="kind"),
        CheckConstraint(
            "(reverses_id IS NULL AND amount > 0) OR (reverses_id IS NOT NULL AND amount < 0)", name="sign"
        ),
        CheckConstraint(
            "(receipt_id IS NOT NULL) = (kind <> 'not_ours' AND reverses_id IS NULL)", name="receipt"
        ),
        UniqueConstraint("reverses_id"),
    )

    line_id: Mapped[int] = mapped_column(ForeignKey("bank_line.id"), index=True)
    kind: Mapped[str]
    receipt_id: Mapped[int | None] = mapped_column(ForeignKey("receipt.id"), index=True)
    amount: Mapped[Money]
    reason: Mapped[str]
    """Why it was matched so, or why it is not ours, or why it was taken back."""
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("bank_match.id"))
    matched_at: Mapped[datetime]
    matched_by: Mapped[str]
    once_key: Mapped[str | None] = mapped_column(unique=True)

    line: Mapped[BankLine] = relationship(lazy="raise")
    receipt: Mapped[Receipt | None] = relationship(lazy="raise")


class JournalRemittance(Numbered):
    """A journal that moved schools' budgets to the service: its reference and what it settled."""

    __tablename__ = "journal_remittance"
    __table_args__ = (CheckConstraint("total > 0", name="total"),)

    reference: Mapped[str]
    journal_on: Mapped[date]
    total: Mapped[Money]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    once_key: Mapped[str | None] = mapped_column(unique=True)


class JournalReceipt(Numbered):
    """One customer's receipt of a journal."""

    __tablename__ = "journal_receipt"

    remittance_id: Mapped[int] = mapped_column(ForeignKey("journal_remittance.id"), index=True)
    receipt_id: Mapped[int] = mapped_column(ForeignKey("receipt.id"), unique=True)

    receipt: Mapped[Receipt] = relationship(lazy="raise")
