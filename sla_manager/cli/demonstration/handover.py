"""Hand-over in the demonstration: cost centres and codes, a journal of recharges, a layout of the council's own, and
what its finance system answered to the latest batch."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.billing.models import Document
from sla_manager.finance.commands import make_batch, save_layout
from sla_manager.finance.commands.coding import enter_school_code, enter_service_code
from sla_manager.finance.commands.replies import receive_reply, take_in_reply
from sla_manager.finance.models import ExportBatch, ExportedDocument
from sla_manager.finance.queries.coding import classes_of
from sla_manager.finance.queries.replies import table_of, usual_reading
from sla_manager.finance.rules.layouts import Column
from sla_manager.finance.rules.settings import JOURNAL, SAGE50
from sla_manager.gateways.spreadsheets import write_csv
from sla_manager.people.models import Customer, School, TradingService
from sla_manager.store.audit import Actor

CODES = {"income_centre": "EW100", "income_code": "91250", "charge_code": "43700"}
TRAINING = {"income_centre": "EW100", "income_code": "91260", "charge_code": "43710"}
WITHOUT = 5
"""One own school in so many has no cost centre yet, so that the page shows what waits for one."""
REJECTED, PENDING = 7, 5
REASON = "Customer account is on hold in the ledger"


def tell_handover(session: Session, *, by: Actor, at: datetime) -> None:
    """Enter codes, journal the recharges, keep a layout of fixed width, and take a reply in."""
    for service in session.scalars(select(TradingService)).all():
        enter_service_code(session, service.id, training=False, **CODES, by=by, at=at)
        enter_service_code(session, service.id, training=True, **TRAINING, by=by, at=at)
    _cost_centres(session, by=by, at=at)
    _own_layout(session, by=by, at=at)
    make_batch(session, JOURNAL, by=by, at=at)
    _reply(session, by=by, at=at)


def _cost_centres(session: Session, *, by: Actor, at: datetime) -> None:
    query = select(Customer.id, School.urn).join(School, School.id == Customer.school_id).order_by(School.urn)
    customers = session.execute(query).all()
    classes = classes_of(session, [one for one, _ in customers])
    own = [(one, urn) for one, urn in customers if classes[one].is_own]
    for place, (customer_id, urn) in enumerate(own, start=1):
        if place % WITHOUT:
            enter_school_code(session, customer_id, cost_centre=f"S{urn % 10_000:04d}", by=by, at=at)


def _own_layout(session: Session, *, by: Actor, at: datetime) -> None:
    save_layout(
        session,
        name="wexcombe-ledger",
        title="Wexcombe’s general ledger (fixed width)",
        columns=[
            Column("Batch", constant="EWS", width=7),
            Column("Account", "account_reference", width=12),
            Column("Document", "number", width=20),
            Column("Kind", "type_word", width=3),
            Column("Date", "issued_on", width=8),
            Column("Income code", "income_code", width=8),
            Column("Amount in pence", "net", width=12, align="zeros"),
            Column("VAT in pence", "vat", width=12, align="zeros"),
            Column("Text", "description", width=40),
        ],
        options={
            "delimiter": "fixed", "date_format": "yyyymmdd", "decimals": "pence", "header": False,
            "encoding": "utf-8", "scope": "invoices", "charge_word": "INV", "credit_word": "CRN",
        },
        by=by,
        at=at,
    )  # fmt: skip


def _reply(session: Session, *, by: Actor, at: datetime) -> None:
    """Let the finance system answer the latest batch for Sage: most accepted, some not yet, one in seven rejected."""
    batch = session.scalar(
        select(ExportBatch).where(ExportBatch.target == SAGE50).order_by(ExportBatch.id.desc())
    )
    if batch is None:
        return
    query = select(Document.number).join(ExportedDocument, ExportedDocument.document_id == Document.id)
    numbers = session.scalars(query.where(ExportedDocument.batch_id == batch.id).order_by(Document.id)).all()
    rows = [
        (number, "Rejected", REASON, "")
        if place % REJECTED == 0
        else (number, "Posted", "", f"TRX{place:06d}")
        for place, number in enumerate(numbers, start=1)
        if place % PENDING
    ]
    if not rows:
        return
    content = write_csv(["Invoice number", "Status", "Message", "Trx id"], rows)
    received = receive_reply(session, SAGE50, filename="sage-reply.csv", content=content, by=by, at=at)
    reading = usual_reading(session, SAGE50, table_of(received).columns)
    take_in_reply(session, received.id, reading, by=by, at=at)
