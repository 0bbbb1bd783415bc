"""Printed documents: what they say, how they are tagged, and that nothing in them can reach out."""

from __future__ import annotations

import io
import logging
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import pytest
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject
from weasyprint.css import ComputedStyle

from sla_manager.gateways.printing import (
    Limits,
    Printer,
    PrinterHere,
    PrintingFailed,
    open_press,
    print_document,
    shortcuts,
)
from sla_manager.gateways.printing.facts import MoneyDocumentFacts, plain
from sla_manager.gateways.printing.pictures import BAR_WIDTH, balance_bar, schedule_bar
from sla_manager.gateways.printing.press import TEMPLATES, AssetRefusedError, Press
from sla_manager.gateways.printing.reading import (
    FACTS,
    LONGEST_LABEL,
    LONGEST_TEXT,
    LONGEST_WORD,
    MOST_ROWS,
    Facts,
    FactsRefused,
    read_facts,
)
from sla_manager.gateways.printing.wording import pounds
from sla_manager.kernel.errors import Broken
from tests.rooms import printed_samples as samples
from tests.rooms.printed_agreements import agreement, agreements, presets

ROOT = Path(__file__).parents[2]
PAPER = ROOT / "templates"

MONEY = {
    "academy invoice": samples.academy_invoice(),
    "recharge note": samples.recharge_note(),
    "credit note": samples.credit_note(),
    "mixed invoice": samples.mixed_invoice(),
    "50 lines": samples.long_invoice(),
}
HOSTILE = (
    "<img src=file:///etc/passwd>",
    "<link rel=attachment href=http://169.254.169.254/latest/meta-data/>",
    "<style>@import url(http://169.254.169.254/a.css)</style>",
    "<svg xmlns='http://www.w3.org/2000/svg'><use href='http://169.254.169.254/a.svg#b'/></svg>",
    "</td></tr></table><iframe src='file:///etc/hostname'></iframe>",
    "\"><base href='http://169.254.169.254/'>",
    "{{ 7*7 }}{% include '/etc/passwd' %}",
    "url(http://169.254.169.254/x) ; background: url(file:///etc/passwd)",
)


class Complaints(logging.Handler):
    """Keeps what the layout library complains of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


COMPLAINTS = Complaints()


@pytest.fixture(scope="module")
def press() -> Iterator[Press]:
    library = logging.getLogger("weasyprint")
    library.addHandler(COMPLAINTS)
    yield Press(PAPER)
    library.removeHandler(COMPLAINTS)
    for kept in (print_once, printed, words):
        kept.cache_clear()


@lru_cache(maxsize=32)
def print_once(facts: Facts, press: Press) -> tuple[bytes, tuple[str, ...]]:
    """Print facts once for all the tests that look at them; returns the bytes and what was complained of."""
    stored, before = plain(facts), len(COMPLAINTS.said)
    content = press.print_document(str(stored["kind"]), stored)
    return content, tuple(COMPLAINTS.said[before:])


@lru_cache(maxsize=32)
def printed(facts: Facts, press: Press) -> PdfReader:
    """Return the printed document."""
    return PdfReader(io.BytesIO(print_once(facts, press)[0]))


@lru_cache(maxsize=32)
def words(reader: PdfReader) -> str:
    """Return what a reader of the document finds, with single ordinary spaces."""
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


# What is printed is what is stored.


@pytest.mark.parametrize("facts", MONEY.values(), ids=MONEY)
def test_m2_every_stored_amount_is_printed_as_it_is(facts: MoneyDocumentFacts, press: Press) -> None:
    said = words(printed(facts, press))
    stored = [facts.net] + [amount for line in facts.lines for amount in (line.unit_price, line.net)]
    if facts.route == "invoice":
        stored += [facts.vat, facts.gross] + [
            amount for row in facts.vat_rows for amount in (row.net, row.vat)
        ]
    assert not [amount for amount in stored if pounds(amount) not in said]


def test_m2_a_template_recomputes_nothing(press: Press) -> None:
    """A stored gross that adds up to nothing is printed all the same: the books are right or wrong, not paper."""
    odd = replace(samples.academy_invoice(), gross="36.04", vat="7.77")
    said = words(printed(odd, press))
    assert "£36.04" in said
    assert "£7.77" in said
    assert "£1,766.40" not in said


def test_an_academy_s_invoice_says_what_a_vat_invoice_must(press: Press) -> None:
    facts = samples.academy_invoice()
    said = words(printed(facts, press))
    for wanted in (
        "Invoice number EWS/25-26/000123",
        "14 October 2025",
        "Tax point",
        "Pay by 13 November 2025",
        "BLT-2025-0417",
        "Aldermere Council",
        "12 Market Square",
        "VAT number GB 123 4567 89",
        "Brightwater Learning Trust",
        "12 days £368.00 20 % £1,472.00",
        "12 days × £368.00 = £4,416.00, instalment 1 of 3",
        "Total before VAT £1,472.00",
        "VAT £294.40",
        "Amount due £1,766.40",
        "How to pay",
        "Questions about this invoice",
        "Page 1 of 1",
    ):
        assert wanted in said, wanted


def test_three_instalments_print_three_documents_of_the_same_amount(press: Press) -> None:
    said = [words(printed(samples.academy_invoice(number), press)) for number in (1, 2, 3)]
    assert all("Amount due £1,766.40" in text for text in said)
    assert [f"instalment {number} of 3" in text for number, text in enumerate(said, 1)] == [True] * 3


def test_a_recharge_note_has_no_vat_number_no_vat_column_and_no_vat_total(press: Press) -> None:
    facts = samples.recharge_note()
    assert facts.supplier.vat_number == "GB123456789", (
        "the stored facts hold a number that must not be printed"
    )
    said = words(printed(replace(facts, vat_rows=samples.academy_invoice().vat_rows, vat="294.40"), press))
    assert "Amount recharged £1,472.00" in said
    assert "This is not a VAT invoice" in said
    assert "123 4567 89" not in said
    assert "GB123456789" not in said
    assert "294.40" not in said
    assert "VAT" not in said.replace(samples.WHY_NO_VAT, "")


def test_m3_a_credit_note_cites_its_invoice_and_is_below_nothing(press: Press) -> None:
    said = words(printed(samples.credit_note(), press))
    assert "Against EWS/25-26/000123 of 14 October 2025" in said
    assert "Our officer was ill on 12 March 2026" in said
    assert "Amount credited −£220.80" in said
    assert "−£184.00" in said
    assert "−£36.80" in said


def test_a_credit_note_for_a_recharge_carries_no_vat(press: Press) -> None:
    note = replace(samples.credit_note(), route="recharge", route_reason=samples.WHY_NO_VAT)
    said = words(printed(note, press))
    assert "Amount credited −£184.00" in said
    assert "−£36.80" not in said
    assert "123 4567 89" not in said


def test_m4_each_vat_code_has_its_row_and_exempt_its_reason(press: Press) -> None:
    said = words(printed(samples.mixed_invoice(), press))
    assert "S: Standard rate 20 % £368.00 £73.60" in said
    assert "E: Exempt – £250.00 £0.00" in said
    assert "VAT Act 1994, Schedule 9, Group 6." in said


def test_m1_fifty_lines_print_in_full_over_several_pages(press: Press) -> None:
    reader = printed(samples.long_invoice(), press)
    said = words(reader)
    assert all(f"round {number} " in said for number in range(1, 51))
    assert "Amount due £14,500.20" in said
    pages = len(reader.pages)
    assert pages > 1
    assert [f"Page {n} of {pages}" in reader.pages[n - 1].extract_text() for n in range(1, pages + 1)] == [
        True
    ] * pages
    assert all("EWS/25-26/000127" in page.extract_text() for page in reader.pages)
    heads = [page.extract_text().count("Price each") for page in reader.pages]
    assert heads[:-1] == [1] * (pages - 1), "the table's head stands on every page that has lines"


def test_the_address_stands_in_the_window_of_a_dl_envelope(press: Press) -> None:
    """Always in the window, however the sheet slips: 20–100 mm from the left, 57–81 mm from the top."""
    seen: dict[str, tuple[float, float]] = {}

    def notice(text: str, outer: list[float], inner: list[float], _font: object, _size: float) -> None:
        at = (outer[0] * inner[4] + outer[4], outer[3] * inner[5] + outer[5])
        seen.setdefault(text.strip(), at)

    payer = replace(
        samples.ACADEMY, address=("Brightwater Academy Office", "Quayside Road", "Coldhaven", "AM3 7LP")
    )
    page = printed(replace(samples.academy_invoice(), customer=payer), press).pages[0]
    page.extract_text(visitor_text=notice)
    sheet = float(page.mediabox.height)
    for text in (payer.name, *payer.address):
        x, y = seen[text]
        left, top = x * 25.4 / 72, (sheet - y) * 25.4 / 72
        assert 19.9 <= left <= 21, (text, left)
        assert 57 <= top <= 81, (text, top)


def test_e9_a_statement_prints_every_entry_and_the_balance_after_it(press: Press) -> None:
    facts = samples.day_statement()
    said = words(printed(facts, press))
    assert "1.5 days left" in said
    assert "2 school weeks to 31 March" in said
    for day, entry, time, balance in (
        ("1 Apr 2025", "Bought", "+10 days", "10 days"),
        ("10 Jun 2025", "Delivered", "−0.54 days", "8.46 days"),
        ("18 Nov 2025", "Charged", "−0.5 days", "4.5 days"),
        ("10 Mar 2026", "Delivered", "−0.5 days", "1.5 days"),
    ):
        assert re.search(rf"{day} {entry} .*?{re.escape(time)} .*?{balance}", said), day
    assert "62 hours 36 minutes" in said


# Agreements.


def test_every_preset_prints_as_the_document_of_its_service(press: Press) -> None:
    assert len(agreements()) == 5
    for name, facts in agreements().items():
        reader = printed(facts, press)
        said = words(reader)
        assert facts.title in said, name
        assert all(promise.text[:40] in said for promise in (*facts.we_will, *facts.you_will)), name
        assert all(item.name in said for duty in facts.core_offer for item in duty.items), name
        assert said.count("Free · £0.00") == sum(len(duty.items) for duty in facts.core_offer), name
        assert f"Page 1 of {len(reader.pages)}" in said, name


def test_the_four_duties_stand_before_anything_that_costs_money(press: Press) -> None:
    said = words(printed(next(iter(agreements().values())), press))
    order = [said.index(heading) for heading in ("2. What is free to you", "3. What", "4. Your link officer")]
    contents = [said.rindex(heading) for heading in ("Communication and advice", "Legal intervention")]
    assert order == sorted(order)
    assert max(contents) < said.rindex("3. What")


def test_shropshire_s_promises_keep_their_references(press: Press) -> None:
    facts = agreements()["shropshire-2025-26"]
    said = words(printed(facts, press))
    for reference in [f"P{n}" for n in range(1, 18)] + [f"C{n}" for n in range(1, 9)]:
        assert re.search(rf"\b{reference} [A-Z]", said), reference
    assert "8:45am to 4pm" in said


def test_a_quote_says_until_when_and_leaves_the_signature_empty(press: Press) -> None:
    preset = presets()["southampton-2024-25"]
    said = words(printed(agreement(preset, own=False, signed=False), press))
    assert "Quote valid until 10 October 2025." in said
    assert "What this quote is for" in said
    assert "SHA-256" not in said


def test_c3_a_signed_agreement_prints_the_evidence_of_its_acceptance(press: Press) -> None:
    facts = agreement(presets()["southampton-2024-25"], own=False, signed=True)
    said = words(printed(facts, press))
    assert facts.acceptance is not None
    for wanted in (
        "Imogen Fairweather",
        "School business manager",
        "2 October 2025, 13:04:55 UTC",
        "192.0.2.44",
        facts.acceptance.document_sha256,
    ):
        assert wanted in said.replace(
            " " + facts.acceptance.document_sha256[40:], facts.acceptance.document_sha256[40:]
        )
    assert "Quote valid until" not in said


def test_the_title_follows_the_customer_and_a_recharge_shows_no_vat(press: Press) -> None:
    preset = presets()["southampton-2024-25"]
    own = words(printed(agreement(preset, own=True, signed=True), press))
    academy = words(printed(agreement(preset, own=False, signed=True), press))
    assert "Service level agreement" in own
    assert "not a legal contract" in own
    assert "£883.20" not in own
    assert "Recharge note 3 of 3" in own
    assert "Contract for services" in academy
    assert "£4,416.00 £883.20 £5,299.20" in academy
    assert "Ending this contract early" in academy
    assert "Ending this" not in own


def test_a_part_that_a_service_does_not_have_is_left_out_with_its_number(press: Press) -> None:
    facts = agreement(presets()["shropshire-2025-26"], own=True, signed=True)
    bare = replace(facts, roles=(), hours=(), you_will=(), cover=(), cancellation=(), cancellation_bands=())
    said = words(printed(bare, press))
    assert "Who does what" not in said
    assert "When the service is available" not in said
    assert "6. Using your time within the year" in said


# A file that anyone can read.


def _elements(node: object) -> Iterator[DictionaryObject]:
    if isinstance(node, ArrayObject):
        for child in node:
            yield from _elements(child.get_object())
    elif isinstance(node, DictionaryObject):
        if "/S" in node:
            yield node
        if "/K" in node:
            yield from _elements(node["/K"])


@pytest.mark.parametrize("kind", ["invoice", "agreement", "statement"])
def test_documents_are_tagged_titled_and_in_english_with_one_embedded_family(kind: str, press: Press) -> None:
    facts = {
        "invoice": samples.academy_invoice(),
        "agreement": agreements()["greenwich-2026-27"],
        "statement": samples.day_statement(),
    }[kind]
    reader = printed(facts, press)
    root = reader.root_object
    assert str(root["/Lang"]) == "en-GB"
    assert str(root["/MarkInfo"]["/Marked"]).lower() == "true"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert b"pdfuaid" in root["/Metadata"].get_data()
    assert reader.metadata is not None
    assert reader.metadata.title
    elements = list(_elements(root["/StructTreeRoot"]))
    tags = [str(element["/S"]) for element in elements]
    assert tags.count("/H1") == 1
    assert {"/Table", "/TH", "/TD", "/P"} <= set(tags)
    figures = [element for element in elements if element["/S"] == "/Figure"]
    assert all(element.get("/Alt") for element in figures)
    assert bool(figures) == (kind != "invoice")
    fonts = {
        font.get_object()["/BaseFont"]: font.get_object()
        for page in reader.pages
        for font in page["/Resources"]["/Font"].values()
    }
    families = {
        re.sub(r"^/[A-Z]+\+|-?(Bold|Semi-?Bold|Regular|Medium)$", "", str(name), flags=re.I) for name in fonts
    }
    assert len(families) == 1, families
    for font in fonts.values():
        described = font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        assert "/FontFile2" in described or "/FontFile3" in described


def test_every_page_is_a4(press: Press) -> None:
    sizes = {
        (round(float(page.mediabox.width)), round(float(page.mediabox.height)))
        for page in printed(samples.long_invoice(), press).pages
    }
    assert sizes == {(595, 842)}


def test_printing_raises_no_complaint_from_the_layout_library(press: Press) -> None:
    Press(PAPER)
    for facts in (*MONEY.values(), samples.day_statement(), agreements()["barnsley-2024-25"]):
        assert print_once(facts, press)[1] == ()


def test_control_a_complaint_of_the_layout_library_would_be_seen(press: Press) -> None:
    before = len(COMPLAINTS.said)
    logging.getLogger("weasyprint").warning("Ignored something")
    assert COMPLAINTS.said[before:] == ["Ignored something"]


# The same facts, the same bytes.


@pytest.mark.parametrize("facts", [*MONEY.values(), samples.day_statement()], ids=[*MONEY, "statement"])
def test_n6_the_same_facts_give_the_same_bytes(facts: Facts, press: Press) -> None:
    stored = plain(facts)
    kind = str(stored["kind"])
    first, _ = print_once(facts, press)
    press.print_document("credit_note", plain(samples.credit_note()))
    assert press.print_document(kind, stored) == first
    assert Press(PAPER).print_document(kind, dict(reversed(stored.items()))) == first


def test_n6_two_processes_print_the_same_bytes_and_the_date_is_that_of_the_facts() -> None:
    stored = plain(samples.academy_invoice())
    with Printer(PAPER) as one:
        first = one.print("invoice", stored)
    assert first == print_document("invoice", stored, templates=PAPER)
    information = PdfReader(io.BytesIO(first)).metadata
    assert information is not None
    assert information.creation_date is not None
    assert information.creation_date.date().isoformat() == "2025-10-14"


def test_n6_other_facts_give_other_bytes(press: Press) -> None:
    one, other = (
        plain(samples.academy_invoice()),
        plain(replace(samples.academy_invoice(), purchase_order="X")),
    )
    assert press.print_document("invoice", one) != press.print_document("invoice", other)


# Nothing in a document reaches out.


def _hostile_invoice(text: str) -> MoneyDocumentFacts:
    invoice = samples.academy_invoice()
    return replace(
        invoice,
        purchase_order=text,
        school=text,
        agreement=text,
        payment_terms=text,
        how_to_pay=text,
        route_reason=text,
        customer=replace(invoice.customer, name=text, address=(text, text), reference=text),
        supplier=replace(invoice.supplier, name=text, service=text, email=text, phone=text, address=(text,)),
        lines=(replace(invoice.lines[0], description=text, explanation=text, period=text, unit=text),),
        questions=replace(invoice.questions, name=text, role=text, phone=text, email=text),
    )


_OPENED: list[str] = []
_WATCHING = [False]


def _watch(
    event: str,
    arguments: tuple[object, ...],
    watching: list[bool] = _WATCHING,
    opened: list[str] = _OPENED,
) -> None:
    if watching[0] and event in ("open", "socket.connect", "socket.getaddrinfo", "urllib.Request"):
        opened.append(f"{event} {arguments[0]!r}")


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """Every file opened and connection tried by this process while the test runs, as the interpreter sees it."""
    if not hasattr(sys, "_sla_manager_watched"):
        sys.addaudithook(_watch)
        sys._sla_manager_watched = True  # type: ignore[attr-defined]
    _OPENED.clear()
    _WATCHING[0] = True
    yield _OPENED
    _WATCHING[0] = False


@pytest.mark.parametrize("text", HOSTILE)
def test_s3_hostile_text_is_inert_on_paper(text: str, press: Press, opened: list[str]) -> None:
    press.print_document("invoice", plain(samples.academy_invoice()))
    press.assets.refused.clear()
    opened.clear()
    content = press.print_document("invoice", plain(_hostile_invoice(text)))
    seen = list(opened)
    reader = PdfReader(io.BytesIO(content))
    assert press.assets.refused == [], "the document asked for nothing"
    assert not [event for event in seen if "socket" in event or "urllib" in event or "passwd" in event]
    assert not [event for event in seen if "/etc/host" in event]
    said = "".join(words(reader).split())
    assert "".join(text.split()) in said, "it is printed as the text that it is"
    assert "/EmbeddedFiles" not in (reader.root_object.get("/Names") or {})


def test_s3_control_the_same_text_unescaped_asks_and_is_refused(press: Press, opened: list[str]) -> None:
    """Without the escape the layout library does ask: the fetcher is the second lock, and it holds."""
    press.assets.refused.clear()
    page = "<html lang=en><title>t</title><body>" + "".join(HOSTILE[:6])
    press.typeset(page)
    assert any("etc/passwd" in url for url in press.assets.refused)
    assert any("169.254.169.254" in url for url in press.assets.refused)
    assert not [event for event in opened if "socket" in event or "etc/passwd" in event]


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "http://169.254.169.254/",
        "data:text/css,p{}",
        "ftp://example.example/a",
        (PAPER / "documents" / "invoice.html").as_uri(),
        (PAPER / "documents" / "fonts" / ".." / "print.css").as_uri(),
        "file://remote.example/" + str(PAPER / "documents" / "fonts" / "regular.ttf"),
        "fonts/regular.ttf",
    ],
)
def test_s3_the_fetcher_answers_for_packaged_fonts_only(url: str, press: Press) -> None:
    with pytest.raises(AssetRefusedError):
        press.assets.fetch(url)


def test_s3_hostile_words_cannot_become_style_in_the_letterhead() -> None:
    stored = plain(samples.academy_invoice())
    supplier = stored["supplier"]
    assert isinstance(supplier, dict)
    supplier["colour"] = "red; background: url(file:///etc/passwd)"
    with pytest.raises(FactsRefused, match=r"supplier\.colour"):
        read_facts("invoice", stored)


def test_s6_a_template_cannot_reach_python(press: Press) -> None:
    said = words(printed(_hostile_invoice("{{ facts.__class__.__mro__ }}"), press))
    assert "__mro__" in said
    assert "MoneyDocumentFacts" not in said


# Anything prints, in bounded time and memory.


def test_s4_a_note_of_100_000_characters_is_shortened_and_says_so(press: Press) -> None:
    invoice = samples.academy_invoice()
    note = "A note about attendance at this school. " * 2500
    long = replace(invoice, lines=(replace(invoice.lines[0], description=note),))
    reader = printed(long, press)
    said = words(reader)
    assert len(reader.pages) <= 3
    assert "Shortened for printing. The full text is kept" in said
    assert "Amount due £1,766.40" in said


def test_s4_5_000_lines_print_in_a_child_and_the_totals_stand() -> None:
    invoice = samples.long_invoice(5000)
    with Printer(PAPER, limits=Limits(processor_seconds=120, wall_seconds=300)) as printer:
        content = printer.print("invoice", plain(invoice))
    reader = PdfReader(io.BytesIO(content))
    last = " ".join(page.extract_text() for page in reader.pages[-2:])
    said = " ".join(last.split())
    assert f"round {MOST_ROWS} " in said
    assert f"{5000 - MOST_ROWS} more lines are not shown here" in said
    assert "Amount due £14,500.20" in said


def test_s4_every_text_and_list_is_bounded() -> None:
    invoice = samples.academy_invoice()
    endless = "x" * 100_000
    stored = plain(_hostile_invoice(endless))
    stored["lines"] = [plain(replace(invoice.lines[0], description=endless)) for _ in range(3000)]
    reading = read_facts("invoice", stored)
    assert isinstance(reading.facts, MoneyDocumentFacts)
    assert reading.omitted["lines"] == 3000 - MOST_ROWS
    assert len(reading.facts.lines) == MOST_ROWS
    assert len(reading.facts.customer.name) <= LONGEST_LABEL
    assert max(len(line.description) for line in reading.facts.lines) <= LONGEST_TEXT
    assert max(len(word) for word in reading.facts.lines[0].description.split()) <= LONGEST_WORD + 1
    assert sum(len(line.description) for line in reading.facts.lines) < 600_000


def test_what_is_shortened_once_is_not_shortened_again() -> None:
    stored = plain(_hostile_invoice("word " * 30_000))
    once = read_facts("invoice", stored).facts
    assert read_facts("invoice", plain(once)).facts == once


def test_text_of_the_ordinary_length_is_printed_whole() -> None:
    stored = plain(replace(samples.academy_invoice(), how_to_pay="a " * 999 + "z"))
    reading = read_facts("invoice", stored)
    assert plain(reading.facts) == stored
    assert not reading.omitted


def test_controls_and_marks_that_turn_writing_are_replaced() -> None:
    stored = plain(replace(samples.academy_invoice(), purchase_order="PO\x00\u202e99\x1b"))
    facts = read_facts("invoice", stored).facts
    assert isinstance(facts, MoneyDocumentFacts)
    assert facts.purchase_order == "PO��99�"


def test_names_from_anywhere_print(press: Press) -> None:
    said = words(printed(replace(samples.academy_invoice(), school="Ysgol Tŷ’r Ŵyl, Łódź Straße 😀"), press))
    assert "Ysgol Tŷ’r Ŵyl, Łódź Straße" in said


# Facts of another shape are refused, by field.


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"net": "4,416.00"}, "net: “4,416.00” is not the amount"),
        ({"net": "4416"}, "net: “4416” is not the amount"),
        ({"net": 4416}, "net: expected text, found int"),
        ({"issued_on": "31/03/2026"}, "issued_on: “31/03/2026” is not the day"),
        ({"issued_on": "2026-02-30"}, "issued_on: “2026-02-30” is not the day"),
        ({"route": "barter"}, "route: 'barter' is none of invoice, recharge"),
        ({"lines": "none"}, "lines: expected a list, found str"),
        ({"lines": [3]}, r"lines\[0\]: expected fields, found int"),
        ({"extra": "x"}, "unknown extra"),
        ({"kind": "credit_note"}, "These are the facts of a credit_note, not of a invoice"),
        ({"credits": {"number": "1"}}, "credits: missing date, missing reason"),
    ],
)
def test_facts_of_another_shape_are_refused_by_field(change: Mapping[str, object], told: str) -> None:
    with pytest.raises(FactsRefused, match=told):
        read_facts("invoice", plain(samples.academy_invoice()) | dict(change))


def test_a_missing_fact_is_named_and_an_unknown_kind_too() -> None:
    stored = plain(samples.academy_invoice())
    del stored["gross"]
    with pytest.raises(FactsRefused, match="missing gross"):
        read_facts("invoice", stored)
    with pytest.raises(FactsRefused, match="no kind of printed document"):
        read_facts("poster", stored)


def test_every_kind_has_its_facts_and_its_template() -> None:
    assert set(FACTS) == set(TEMPLATES)
    assert all((PAPER / name).is_file() for name in TEMPLATES.values())


# Pictures.


def test_the_parts_of_a_bar_fill_it_and_leave_out_what_is_nothing() -> None:
    bar = balance_bar(samples.day_statement().tranches[0])
    assert bar is not None
    assert sum(part.width for part in bar.parts) == BAR_WIDTH
    assert [part.left for part in bar.parts] == [
        sum(p.width for p in bar.parts[:n]) for n in range(len(bar.parts))
    ]
    assert [part.words for part in bar.parts] == [
        "8.5 days delivered",
        "0.5 days charged",
        "0.5 days credited",
        "0.5 days booked",
        "1 day free to book",
    ]
    assert len({part.filling for part in bar.parts}) == len(bar.parts), "told apart without colour"


def test_nothing_to_draw_is_no_picture() -> None:
    tranche = samples.day_statement().tranches[0]
    empty = replace(
        tranche,
        contracted=0,
        varied=0,
        delivered=0,
        charged=0,
        credited=0,
        booked=0,
        free_to_book=0,
        balance=0,
    )
    assert balance_bar(empty) is None
    assert schedule_bar((), shows_vat=True) is None


# The printing process.


def test_children_are_kept_and_replaced_after_so_many_documents() -> None:
    stored = plain(samples.recharge_note())
    with Printer(PAPER, limits=Limits(documents_per_child=2)) as printer:
        children = []
        contents = []
        for _ in range(3):
            contents.append(printer.print("recharge_note", stored))
            children.append(printer.process_ids())
    assert len(set(contents)) == 1
    assert children[0] != ()
    assert children[1] == (), "the second document was the child's last"
    assert children[2] not in ((), children[0])


def test_s4_a_document_beyond_its_processor_time_fails_with_the_reason_and_the_next_one_prints() -> None:
    with Printer(PAPER, limits=Limits(processor_seconds=1)) as printer:
        with pytest.raises(
            PrintingFailed, match=r"could not be printed: the printing process ended \(signal"
        ):
            printer.print("invoice", plain(samples.long_invoice(900)))
        assert printer.print("recharge_note", plain(samples.recharge_note())).startswith(b"%PDF")


def test_s4_a_document_beyond_its_time_is_ended() -> None:
    with Printer(PAPER, limits=Limits(wall_seconds=3)) as printer:
        with pytest.raises(PrintingFailed, match="it took longer than 3 seconds"):
            printer.print("invoice", plain(samples.long_invoice(1000)))
        assert printer.process_ids() == ()


def test_s4_a_document_beyond_its_memory_fails_and_is_no_crash() -> None:
    with (
        Printer(PAPER, limits=Limits(memory_bytes=150 * 1024 * 1024)) as printer,
        pytest.raises(PrintingFailed, match="could not be printed"),
    ):
        printer.print("invoice", plain(samples.long_invoice(700)))


def test_n8_a_child_that_is_killed_is_replaced() -> None:
    stored = plain(samples.recharge_note())
    with Printer(PAPER) as printer:
        first = printer.print("recharge_note", stored)
        (child,) = printer.process_ids()
        subprocess.run(["kill", "-9", str(child)], check=True)
        with pytest.raises(PrintingFailed, match="It will be tried again"):
            printer.print("recharge_note", stored)
        assert printer.print("recharge_note", stored) == first


def test_wrong_facts_are_our_mistake_and_leave_the_child_alive() -> None:
    with Printer(PAPER) as printer:
        with pytest.raises(Broken, match="missing"):
            printer.print("invoice", {"kind": "invoice"})
        before = printer.process_ids()
        assert printer.print("recharge_note", plain(samples.recharge_note())).startswith(b"%PDF")
        assert printer.process_ids() == before


def test_a_float_never_reaches_paper() -> None:
    stored = plain(samples.recharge_note()) | {"net": 0.1 + 0.2}
    with Printer(PAPER) as printer, pytest.raises(TypeError, match="float"):
        printer.print("recharge_note", stored)


def test_a_child_sees_no_secret_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLA_SECRET_KEY", "not-for-children")
    with Printer(PAPER) as printer:
        printer.print("recharge_note", plain(samples.recharge_note()))
        (child,) = printer.process_ids()
        environment = Path(f"/proc/{child}/environ").read_bytes()
    assert b"not-for-children" not in environment
    assert b"LANG=C.UTF-8" in environment


def test_printing_here_and_in_a_child_are_the_same() -> None:
    stored = plain(samples.credit_note())
    with Printer(PAPER) as printer:
        assert printer.print("credit_note", stored) == PrinterHere(PAPER).print("credit_note", stored)


_WITHOUT_PANGO = """
import sys
from pathlib import Path
from sla_manager.gateways.printing import Printer, PrinterHere, PrintingUnavailable
for make in (PrinterHere, Printer):
    try:
        make(Path(sys.argv[1])).print("invoice", {"kind": "invoice"})
    except PrintingUnavailable as reason:
        sys.stdout.write(reason.message + "\\n")
"""


def test_without_pango_everything_imports_and_a_document_says_what_to_install(tmp_path: Path) -> None:
    missing = tmp_path / "weasyprint.py"
    missing.write_text("raise OSError(\"cannot load library 'libpango-1.0-0'\")\n")
    ended = subprocess.run(
        [sys.executable, "-c", _WITHOUT_PANGO, str(PAPER)],
        env={"PYTHONPATH": f"{tmp_path}:{ROOT}"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    lines = ended.stdout.strip().splitlines()
    assert len(lines) == 2
    assert all("apt-get install libpango-1.0-0" in line for line in lines)
    assert all("cannot load library 'libpango-1.0-0'" in line for line in lines)
    assert all(line.count("Documents cannot be printed here") == 1 for line in lines)


@pytest.mark.parametrize(
    "facts",
    [samples.mixed_invoice(), samples.credit_note(), samples.day_statement()],
    ids=lambda facts: facts.kind,
)
def test_the_shortcuts_through_the_layout_library_change_no_byte(facts: MoneyDocumentFacts) -> None:
    press, stored = open_press(PAPER), plain(facts)
    short = press.print_document(facts.kind, stored)
    assert ComputedStyle.__missing__ is not shortcuts.THEIRS[1]
    shortcuts.leave()
    try:
        assert ComputedStyle.__missing__ is shortcuts.THEIRS[1]
        assert press.print_document(facts.kind, stored) == short
    finally:
        shortcuts.take()
