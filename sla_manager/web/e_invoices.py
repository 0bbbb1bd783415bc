"""A document's electronic invoice: what stands about it on a page, and the archived file itself."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response
from sqlalchemy.orm import Session

from sla_manager.billing.models import Document, EInvoice
from sla_manager.billing.queries.e_invoices import addresses_for, e_invoices_of, form_of
from sla_manager.billing.rules.e_invoices import Missing, missing
from sla_manager.catalogue.rules.vat import Route
from sla_manager.gateways.archive import Archive
from sla_manager.kernel.errors import GatewayFailed
from sla_manager.web.pages import archive_folder, reading

NOT_MADE = "No electronic invoice of this document is made yet. The council’s finance team can make it."


@dataclass(frozen=True, slots=True)
class Panel:
    """What a page says of a document's electronic invoice.

    `form` is what was chosen at issue (none, xml, hybrid), `carries` whether the PDF has the XML inside, `lacks` what
    is to be filled in before a file can be made.
    """

    kept: EInvoice | None
    form: str
    carries: bool
    lacks: tuple[Missing, ...]


def panel(session: Session, document: Document) -> Panel | None:
    """Return what a page says of a document's electronic invoice; nothing of a recharge, which never has one."""
    if document.kind.route is not Route.INVOICE:
        return None
    kept = e_invoices_of(session, document.id)
    lacks = (
        () if "ubl" in kept else tuple(missing(document.facts, addresses_for(session, document.customer_id)))
    )
    return Panel(kept.get("ubl"), form_of(session, document.id), "cii" in kept, lacks)


def kept_e_invoice(session: Session, document: Document) -> EInvoice | None:
    """Return the electronic invoice that was made of a document, if it was."""
    return e_invoices_of(session, document.id).get("ubl")


def e_invoice_file(document: Document) -> Response:
    """Return the archived electronic invoice; a file that is not what was kept is never handed out."""
    kept = kept_e_invoice(reading(), document)
    if kept is None:
        raise GatewayFailed(NOT_MADE)
    name = document.number.replace("/", "-")
    return Response(
        Archive(archive_folder()).read(kept.path, kept.sha256),
        mimetype="application/xml",
        headers={
            "Content-Disposition": f'attachment; filename="{name}.xml"',
            "Cache-Control": "private, no-store",
        },
    )
