"""The kinds of document of money, and the number series that each is drawn from."""

from __future__ import annotations

from sla_manager.catalogue.rules.vat import Route
from sla_manager.kernel.titles import Titled


class DocumentKind(Titled):
    """The kinds of document of money, each with its own number series."""

    INVOICE = "invoice", "Invoice"
    RECHARGE_NOTE = "recharge_note", "Recharge note"
    CREDIT_NOTE = "credit_note", "Credit note"
    RECHARGE_CREDIT = "recharge_credit", "Recharge credit note"

    @property
    def is_credit(self) -> bool:
        """Whether it takes back a part of another document."""
        return self in (DocumentKind.CREDIT_NOTE, DocumentKind.RECHARGE_CREDIT)

    @property
    def route(self) -> Route:
        """Whether it goes out as a VAT document or stays within the council's books."""
        recharged = self in (DocumentKind.RECHARGE_NOTE, DocumentKind.RECHARGE_CREDIT)
        return Route.RECHARGE if recharged else Route.INVOICE

    @property
    def printed_as(self) -> str:
        """The kind of the printed facts: both credits look alike."""
        return DocumentKind.CREDIT_NOTE.value if self.is_credit else self.value


_SUFFIXES = {
    DocumentKind.INVOICE: "",
    DocumentKind.RECHARGE_NOTE: "-RN",
    DocumentKind.CREDIT_NOTE: "-CN",
    DocumentKind.RECHARGE_CREDIT: "-RCN",
}


def charge_kind(route: Route) -> DocumentKind:
    """Return the kind of document that asks for money on a route."""
    return DocumentKind.INVOICE if route is Route.INVOICE else DocumentKind.RECHARGE_NOTE


def credit_kind(charged: DocumentKind) -> DocumentKind:
    """Return the kind of document that takes back a part of a charge."""
    return DocumentKind.CREDIT_NOTE if charged is DocumentKind.INVOICE else DocumentKind.RECHARGE_CREDIT


def series_of(service_series: str, kind: DocumentKind) -> str:
    """Return the number series of a kind: a recharge never uses up a number of the VAT invoices.

    >>> [series_of("EWS", kind) for kind in DocumentKind]
    ['EWS', 'EWS-RN', 'EWS-CN', 'EWS-RCN']
    """
    return service_series + _SUFFIXES[kind]
