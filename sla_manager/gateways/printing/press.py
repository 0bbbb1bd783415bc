"""Lays out a document and writes it as PDF/UA-1: the only place that imports the layout library.

Import it through `sla_manager.gateways.printing`, which says what to install when the library is missing.
The same facts, templates and fonts give the same bytes: the date comes from the facts and nothing else is
random. One font configuration and one parsed style sheet serve every document of the process.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import weasyprint
from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

from sla_manager.gateways.printing import hybrid, pictures, shortcuts, wording
from sla_manager.gateways.printing.agreement_facts import AgreementFacts
from sla_manager.gateways.printing.facts import DayStatementFacts
from sla_manager.gateways.printing.letter_facts import LETTER_KINDS
from sla_manager.gateways.printing.reading import Facts, read_facts

_BETWEEN_ELEMENTS = re.compile(r">\s*\n\s*<")
"""Line ends that lay templates out; in a text they cannot stand so, because its angle brackets are escaped."""
FONT_FILES = ("regular.ttf", "semibold.ttf")
TEMPLATES: dict[str, str] = {
    "invoice": "documents/invoice.html",
    "recharge_note": "documents/recharge_note.html",
    "credit_note": "documents/credit_note.html",
    "agreement": "documents/agreement.html",
    "day_statement": "documents/day_statement.html",
    "brochure": "documents/brochure.html",
    **{kind: f"documents/{kind}.html" for kind in LETTER_KINDS},
}


class AssetRefusedError(ValueError):
    """Something in a document asked for an address; only the packaged assets exist for it."""


class PackagedAssets(URLFetcher):  # type: ignore[misc]  # the layout library carries no types
    """Answers for the files beside the print style sheet and for nothing else; opens no connection.

    `refused` keeps what was asked for in vain, so that it can be reported.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(allowed_protocols=("file",), allow_redirects=False)
        self.folder = folder.resolve()
        self.refused: list[str] = []

    def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> URLFetcherResponse:
        """Return a packaged font, or refuse."""
        parts = urlsplit(url)
        if parts.scheme == "file" and parts.netloc == "":
            path = Path(url2pathname(parts.path)).resolve()
            if path.parent == self.folder / "fonts" and path.name in FONT_FILES and path.is_file():
                return URLFetcherResponse(url, path.read_bytes(), {"Content-Type": "font/ttf"})
        self.refused.append(url)
        raise AssetRefusedError("A document may use packaged assets only.")


class Press:
    """Everything that is made once and used for every document of a process."""

    def __init__(self, templates: Path) -> None:
        shortcuts.take()
        folder = templates.resolve() / "documents"
        self.assets = PackagedAssets(folder)
        self._fonts = FontConfiguration()
        self._environment = environment(templates)
        own_font = all((folder / "fonts" / name).is_file() for name in FONT_FILES)
        sheets = ("own_font.css" if own_font else "system_font.css", "print.css")
        self._base = self._parse(folder, "base.css")
        self._styles = [self._parse(folder, name) for name in sheets]

    def _parse(self, folder: Path, name: str) -> weasyprint.CSS:
        return weasyprint.CSS(
            string=(folder / name).read_text("utf-8"),
            base_url=(folder / name).as_uri(),
            url_fetcher=self.assets,
            font_config=self._fonts,
        )

    def page(self, kind: str, stored: Mapping[str, object]) -> str:
        """Return the HTML of a document: every fact escaped."""
        reading = read_facts(kind, stored)
        return self._environment.get_template(TEMPLATES[kind]).render(
            facts=reading.facts, omitted=reading.omitted, pictures=_pictures(reading.facts)
        )

    def print_document(self, kind: str, stored: Mapping[str, object], xml: bytes = b"") -> bytes:
        """Return the PDF of a document; with an electronic invoice, a PDF/A-3 that carries it."""
        return self.typeset(self.page(kind, stored), xml, made_on=str(stored.get("issued_on", "")))

    def typeset(self, page: str, xml: bytes = b"", *, made_on: str = "") -> bytes:
        """Lay out HTML that is already escaped and write it as a tagged PDF."""
        document = _Sheets(
            string=_BETWEEN_ELEMENTS.sub("><", page),
            base_url=self.assets.folder.as_uri(),
            url_fetcher=self.assets,
        )
        document.base = self._base
        options: dict[str, object] = {"pdf_variant": hybrid.VARIANT if xml else "pdf/ua-1"}
        if xml:
            options["attachments"] = [hybrid.attachment(xml, made_on)]
        laid_out = document.render(stylesheets=self._styles, font_config=self._fonts, **options)
        if xml:
            hybrid.say_so(laid_out.metadata)
        written: bytes = laid_out.write_pdf(**options)
        return written


class _Sheets(weasyprint.HTML):  # type: ignore[misc]  # the layout library carries no types
    """A page whose elements are described by our own short base sheet."""

    base: weasyprint.CSS

    def _ua_stylesheets(self, forms: bool = False) -> list[weasyprint.CSS]:
        return [self.base]


def environment(templates: Path) -> ImmutableSandboxedEnvironment:
    """Return the printing environment: sandboxed, everything escaped, an unknown name is an error."""
    made = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in (
        "pounds",
        "long_date",
        "short_date",
        "moment",
        "per_cent",
        "in_units",
        "in_hours",
        "signed",
    ):
        made.filters[name] = getattr(wording, name)
    made.filters["vat_number"] = wording.vat_number
    return made


def _pictures(facts: Facts) -> Mapping[str, object]:
    if isinstance(facts, DayStatementFacts):
        return {"balances": [pictures.balance_bar(tranche) for tranche in facts.tranches]}
    if isinstance(facts, AgreementFacts):
        return {"schedule": pictures.schedule_bar(facts.costs.schedule, shows_vat=facts.costs.shows_vat)}
    return {}
