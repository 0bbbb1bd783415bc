"""How the council asks for money: one row, made when somebody first changes it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sla_manager.kernel.money import Money
from sla_manager.store.tables import Numbered


class FinancePolicy(Numbered):
    """The council's own rules of invoicing, chasing and e-invoices; there is at most one.

    `purchase_order_from`: an invoice of this gross or more needs a purchase order (None: only where a customer asks).
    `reminder_days`: days after the due date of each stage of reminders; empty means that none are sent.
    `late_payment`: whether statutory interest and compensation may be claimed.
    `e_invoice`: `none`, `xml` (a UBL file beside the PDF) or `hybrid` (PDF/A-3 with the XML inside).
    `endpoint_scheme`, `endpoint_id`: the council's own electronic address (EAS code and number).
    """

    __tablename__ = "finance_policy"
    __table_args__ = (
        CheckConstraint("id = 1", name="only_one"),
        CheckConstraint("e_invoice IN ('none', 'xml', 'hybrid')", name="e_invoice"),
        CheckConstraint(
            "purchase_order_from IS NULL OR purchase_order_from >= 0", name="purchase_order_from"
        ),
    )

    purchase_order_from: Mapped[Money | None]
    reminder_days: Mapped[list[Any]]
    late_payment: Mapped[bool]
    e_invoice: Mapped[str]
    endpoint_scheme: Mapped[str]
    endpoint_id: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]
