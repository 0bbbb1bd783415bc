"""Coming from spreadsheets: files that wait, how their columns are read, rows taken over, comparisons kept."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sla_manager.kernel.money import Money
from sla_manager.store.tables import Numbered


class TakeoverMapping(Numbered):
    """Which columns of a council's spreadsheet are which of our fields, kept by name for the next file."""

    __tablename__ = "takeover_mapping"
    __table_args__ = (UniqueConstraint("service_id", "name"),)

    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"))
    name: Mapped[str]
    facts: Mapped[dict[str, Any]]
    saved_at: Mapped[datetime]
    saved_by: Mapped[str]


class Takeover(Numbered):
    """A spreadsheet on its way into the books: uploaded, mapped, importing, done.

    `kept` holds its table as text, compressed, until it is done; cells with a pupil number are never in it.
    """

    __tablename__ = "takeover"
    __table_args__ = (
        CheckConstraint("purpose IN ('import', 'compare')", name="purpose"),
        CheckConstraint("status IN ('uploaded', 'mapped', 'importing', 'done')", name="status"),
        CheckConstraint("(status = 'done') = (kept IS NULL)", name="kept_until_done"),
        Index("ix_takeover_list", "service_id", "id"),
    )

    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"))
    purpose: Mapped[str]
    status: Mapped[str]
    filename: Mapped[str]
    sheet: Mapped[str]
    sha256: Mapped[str]
    """Of the bytes that were uploaded."""
    rows: Mapped[int]
    kept: Mapped[bytes | None] = mapped_column(LargeBinary)
    mapping: Mapped[dict[str, Any]] = mapped_column(default=dict)
    taken_on: Mapped[date | None]
    """The day of the takeover: what was used by then was used before."""
    bill_from: Mapped[date | None]
    """From when we bill; None: what was agreed is billed elsewhere."""
    uploaded_at: Mapped[datetime]
    uploaded_by: Mapped[str]
    started_at: Mapped[datetime | None]
    started_by: Mapped[str] = mapped_column(default="")
    finished_at: Mapped[datetime | None]
    reached: Mapped[int] = mapped_column(default=0)
    """The number of the last row that was looked at: where the import goes on."""
    refused: Mapped[list[Any]] = mapped_column(default=list)
    """Findings of the rows that were not taken over."""


class TakenRow(Numbered):
    """One row of a spreadsheet that became an agreement, with their figures on that day. Never changed."""

    __tablename__ = "taken_row"
    __table_args__ = (
        UniqueConstraint("service_id", "sha256", "row"),
        CheckConstraint("to_bill >= 0", name="to_bill"),
        Index("ix_taken_row_takeover", "takeover_id"),
    )

    takeover_id: Mapped[int] = mapped_column(ForeignKey("takeover.id"))
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"))
    sha256: Mapped[str]
    row: Mapped[int]
    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreement.id"), unique=True)
    theirs: Mapped[dict[str, Any]]
    """What their row said, by our fields; amounts and quantities as text."""
    bill_from: Mapped[date | None]
    to_bill: Mapped[Money]
    """The net of what is billed here: the instalments from `bill_from` on."""
    taken_at: Mapped[datetime]
    taken_by: Mapped[str]


class ParallelRun(Numbered):
    """Their balances and invoices beside ours on a day, as they were compared. Never changed."""

    __tablename__ = "parallel_run"
    __table_args__ = (Index("ix_parallel_run_list", "service_id", "id"),)

    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"))
    filename: Mapped[str]
    sha256: Mapped[str]
    as_at: Mapped[date]
    compared_at: Mapped[datetime]
    compared_by: Mapped[str]
    facts: Mapped[dict[str, Any]]
    once_key: Mapped[str | None] = mapped_column(unique=True)
