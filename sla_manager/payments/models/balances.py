"""What is open on each document that asks for money: kept by the database beside its facts."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from sla_manager.billing.rules.kinds import DocumentKind
from sla_manager.kernel.money import Money
from sla_manager.store.columns import enum_column
from sla_manager.store.tables import Table

_OPEN, _OVER = text("open > 0"), text("open < 0")


class DocumentBalance(Table):
    """Gross less credits less what was paid. Triggers on documents and allocations write it; nothing else may.

    Above nothing it is owed; below nothing more was paid than is owed after credits. The integrity check holds it
    against the sums of its facts.
    """

    __tablename__ = "document_balance"
    __table_args__ = (
        Index(
            "ix_document_balance_due",
            "kind",
            "due_on",
            "document_id",
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index(
            "ix_document_balance_open",
            "customer_id",
            "document_id",
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_document_balance_over", "document_id", sqlite_where=_OVER, postgresql_where=_OVER),
    )

    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    kind: Mapped[DocumentKind] = mapped_column(enum_column(DocumentKind))
    due_on: Mapped[date | None]
    open: Mapped[Money]
