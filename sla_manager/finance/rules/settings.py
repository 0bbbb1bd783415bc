"""A ready layout's settings: what the council may choose, and what its finance system would refuse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from re import fullmatch
from typing import Any

from sla_manager.catalogue.rules.vat import VatCode
from sla_manager.finance.rules.layouts import Layout, LayoutNotUsable

PLAIN, SAGE50, XERO, QUICKBOOKS, ORACLE, JOURNAL = (
    "plain", "sage50", "xero", "quickbooks", "oracle", "journal"
)  # fmt: skip
TITLES = {
    PLAIN: "Everything, plainly",
    SAGE50: "Sage 50 audit trail transactions",
    XERO: "Xero sales invoices",
    QUICKBOOKS: "QuickBooks Online invoices",
    ORACLE: "Oracle AutoInvoice lines",
    JOURNAL: "Journal of recharges",
}
Options = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Setting:
    """One of a ready layout's settings: a text by its pattern, or one of a list."""

    name: str
    label: str
    default: str
    pattern: str = ""
    wanted: str = ""
    choices: Mapping[str, str] | None = None
    hint: str = ""

    def checked(self, given: Any) -> str:
        """Return what was given, or say what is allowed."""
        text = self.default if given is None else str(given).strip()
        if self.choices is not None and text not in self.choices:
            raise LayoutNotUsable("Choose one of the list.", field=self.name)
        if self.choices is None and not fullmatch(self.pattern, text):
            raise LayoutNotUsable(self.wanted, field=self.name)
        return text


@dataclass(frozen=True, slots=True)
class Ready:
    """A ready layout: how it is built from its settings, and what a person should know of it."""

    title: str
    build: Callable[[Options], Layout]
    settings: tuple[Setting, ...] = ()
    tax_codes: Mapping[VatCode, str] | None = None
    tax_pattern: str = r"[A-Za-z0-9]{1,10}"
    note: str = ""

    def checked(self, options: Options) -> dict[str, Any]:
        """Return options that can be used, each as it was given or by default."""
        kept: dict[str, Any] = {one.name: one.checked(options.get(one.name)) for one in self.settings}
        if self.tax_codes is not None:
            given = dict(options.get("tax_codes", {}))
            kept["tax_codes"] = {
                code.value: self._tax(code, given.get(code.value, ready))
                for code, ready in self.tax_codes.items()
            }
        return kept

    def _tax(self, code: VatCode, given: Any) -> str:
        text = str(given).strip()
        if not fullmatch(self.tax_pattern, text):
            example = dict(self.tax_codes or {}).get(code, "")
            raise LayoutNotUsable(
                f"Enter the tax code for {code.value.replace('_', ' ')}, like {example}.",
                field=f"tax_{code.value}",
            )
        return text
