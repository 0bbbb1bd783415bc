"""Handed over: export batches, frozen, and each council's own mapping of columns."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sla_manager.billing.models import Document
from sla_manager.kernel.money import Money
from sla_manager.store.tables import Numbered


class ColumnMapping(Numbered):
    """A layout of the council's own: which columns, in which order, under which names."""

    __tablename__ = "column_mapping"

    name: Mapped[str] = mapped_column(unique=True)
    columns: Mapped[list[Any]]
    options: Mapped[dict[str, Any]]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]


class ExportBatch(Numbered):
    """A file for the finance system, frozen with its control totals; downloading it again gives the same bytes."""

    __tablename__ = "export_batch"
    __table_args__ = (CheckConstraint("count > 0", name="count"),)

    target: Mapped[str]
    """The layout's name: a document enters one batch per target."""
    filename: Mapped[str] = mapped_column(unique=True)
    made_at: Mapped[datetime]
    made_by: Mapped[str]
    count: Mapped[int]
    net: Mapped[Money]
    vat: Mapped[Money]
    gross: Mapped[Money]
    sha256: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    layout: Mapped[dict[str, Any]]


class ExportedDocument(Numbered):
    """That a document is in a batch; once per target, by the database's own key."""

    __tablename__ = "exported_document"
    __table_args__ = (UniqueConstraint("target", "document_id"),)

    batch_id: Mapped[int] = mapped_column(ForeignKey("export_batch.id"), index=True)
    target: Mapped[str]
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)

    batch: Mapped[ExportBatch] = relationship(lazy="raise")
    document: Mapped[Document] = relationship(lazy="raise")
