"""X6: our own exact check of every business rule that touches amounts, each shown to find its breach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla_manager.billing.rules.e_invoices import terms
from sla_manager.catalogue.rules.vat import TaxedLine, VatCode, document_totals
from sla_manager.gateways.e_invoices import Figures, NotOfTheSchema, Syntax, breaches, read, write
from sla_manager.gateways.printing.facts import VatRow, plain
from sla_manager.kernel.money import Money
from tests.rooms.printed_samples import academy_invoice, credit_note, line, mixed_invoice
from tests.rules.test_e_invoices import ADDRESSES, BOTH, three_at_ten_pounds_one

MIXED = read(write(terms(plain(mixed_invoice()), ADDRESSES), Syntax.UBL))
LETTERS = {VatCode.STANDARD: "S", VatCode.ZERO: "Z", VatCode.EXEMPT: "E"}


def interest() -> dict[str, Any]:
    """Return the facts of an invoice whose only line is outside the scope of VAT."""
    reason = "Outside the scope of VAT: compensation is no payment for a supply"
    return plain(
        replace(
            academy_invoice(),
            lines=(line("Compensation for late payment", "1", "claim", "40.00", "40.00", rate=None),),
            vat_rows=(VatRow(code="O", label="Outside", rate=None, net="40.00", vat="0.00", reason=reason),),
            net="40.00", vat="0.00", gross="40.00",
        )
    )  # fmt: skip


DOCUMENTS = {
    "an instalment": plain(academy_invoice()),
    "3 × £10.01": three_at_ten_pounds_one(),
    "standard beside exempt": plain(mixed_invoice()),
    "a credit": plain(credit_note()),
    "outside the scope alone": interest(),
}


@BOTH
@pytest.mark.parametrize("facts", DOCUMENTS.values(), ids=DOCUMENTS.keys())
def test_x6_what_is_written_passes_schema_and_rules_and_says_the_stored_figures(
    facts: dict[str, Any], syntax: Syntax
) -> None:
    figures = read(write(terms(facts, ADDRESSES), syntax))
    assert breaches(figures) == []
    sign = -1 if facts["kind"] == "credit_note" else 1
    stored = [Money.parse(facts[name]).pence * sign for name in ("net", "vat", "gross")]
    assert [Money.parse(text).pence for text in (figures.without_vat, figures.vat, figures.due)] == stored
    assert [Money.parse(one.net).pence * sign for one in figures.lines] == [
        Money.parse(one["net"]).pence for one in facts["lines"]
    ]


def test_m3_a_credit_says_what_it_takes_back_and_names_the_invoice() -> None:
    facts = plain(credit_note())
    figures = read(write(terms(facts, ADDRESSES), Syntax.UBL))
    assert (figures.kind, figures.due) == ("381", facts["gross"].removeprefix("-"))
    assert figures.preceding == ((facts["credits"]["number"], facts["credits"]["date"]),)


def first_line(**changes: str) -> Callable[[Figures], Figures]:
    """Return a change of the first line."""
    return lambda said: replace(said, lines=(replace(said.lines[0], **changes), *said.lines[1:]))


def row(place: int, **changes: str) -> Callable[[Figures], Figures]:
    """Return a change of a VAT row."""
    return lambda said: replace(
        said, rows=tuple(replace(one, **changes) if at == place else one for at, one in enumerate(said.rows))
    )


def head(**changes: Any) -> Callable[[Figures], Figures]:
    """Return a change of the head."""
    return lambda said: replace(said, **changes)


def party(which: str, **changes: Any) -> Callable[[Figures], Figures]:
    """Return a change of seller or buyer."""
    return lambda said: replace(said, **{which: replace(getattr(said, which), **changes)})


S, E = (next(place for place, one in enumerate(MIXED.rows) if one.code == code) for code in "SE")
BROKEN: list[tuple[str, Callable[[Figures], Figures]]] = [
    ("BR-02", head(number="")),
    ("BR-05", head(currencies=frozenset({"GBP", "EUR"}))),
    ("BR-16", head(lines=())),
    ("BR-CL-01", head(kind="388")),
    ("BR-50", head(account="")),
    ("BR-53", head(vat="")),
    ("BR-DEC-14", head(with_vat="691.601")),
    ("BR-DEC-23", first_line(net="368.005")),
    ("BR-CO-10", head(line_total="618.01")),
    ("BR-CO-11", head(allowances="0.01")),
    ("BR-CO-12", head(charges="0.01")),
    ("BR-CO-13", head(without_vat="618.01")),
    ("BR-CO-14", head(vat="73.61")),
    ("BR-CO-15", head(with_vat="691.61")),
    ("BR-CO-16", head(due="691.59")),
    ("BR-CO-16", head(prepaid="0.01")),
    ("BR-CO-17", row(S, vat="73.61")),
    ("BR-CO-18", head(rows=())),
    ("BR-CO-25", head(due_on="", terms="")),
    ("BR-CO-26", party("seller", vat_number="", identifiers=())),
    ("BR-CO-09", party("seller", vat_number="123456789")),
    ("BR-E-02", party("seller", vat_number="")),
    ("BR-S-01", row(S, rate="19")),
    ("BR-S-05", first_line(rate="0")),
    ("BR-S-08", row(S, net="368.01")),
    ("BR-S-10", row(S, reason="none")),
    ("BR-E-05", row(E, rate="5")),
    ("BR-E-08", row(E, net="250.01")),
    ("BR-E-09", row(E, vat="0.01")),
    ("BR-E-10", row(E, reason="", reason_code="")),
    ("BR-O-11", row(E, code="O", rate="")),
    ("BR-O-02", row(E, code="O", rate="")),
    ("BR-O-05", row(E, code="O")),
    ("BR-27", first_line(price="-368.00", quantity="-1")),
    ("BR-CL-23", first_line(unit="day")),
    ("PEPPOL-EN16931-R120", first_line(price="368.01")),
    ("PEPPOL-EN16931-R003", head(buyer_reference="", order="")),
    ("PEPPOL-EN16931-R004", head(profile="urn:cen.eu:en16931:2017")),
    ("PEPPOL-EN16931-R010", party("buyer", endpoint="")),
    ("PEPPOL-COMMON-R040", party("buyer", endpoint="5060012340002")),
    ("PEPPOL-EN16931-R020", party("seller", endpoint="")),
    ("PEPPOL-EN16931-R008", head(empty_elements=1)),
    ("BR-55", head(kind="381")),
]


@pytest.mark.parametrize(("rule", "change"), BROKEN, ids=[rule for rule, _ in BROKEN])
def test_x6_control_a_breach_is_found_by_its_official_name(
    rule: str, change: Callable[[Figures], Figures]
) -> None:
    assert breaches(MIXED) == []
    assert rule in {one.rule for one in breaches(change(MIXED))}


def test_x6_a_file_that_does_not_fit_the_schema_does_not_leave() -> None:
    said = terms(plain(academy_invoice()), ADDRESSES)
    with pytest.raises(NotOfTheSchema, match="does not fit its schema"):
        write(said | {"BT-106": "not an amount"}, Syntax.UBL)
    with pytest.raises(NotOfTheSchema, match="EWS/25-26/000123"):
        write({term: value for term, value in said.items() if term != "BG-13"}, Syntax.CII)


amounts = st.integers(0, 500_00)
drafts = st.lists(
    st.tuples(st.sampled_from(list(LETTERS)), st.integers(1, 4000), amounts, st.booleans()),
    min_size=1,
    max_size=6,
)


@settings(max_examples=25)
@given(drafts, st.sampled_from(list(Syntax)))
def test_x6_any_lines_and_their_credit_keep_every_rule(
    wanted: list[tuple[VatCode, int, int, bool]], syntax: Syntax
) -> None:
    taxed, lines = [], []
    for code, thousandths, pence, in_part in wanted:
        quantity, price = Decimal(thousandths).scaleb(-3), Money(pence)
        net = Money(pence // 3) if in_part else price.times(quantity)
        rate = 2000 if code is VatCode.STANDARD else 0
        taxed.append(
            TaxedLine(net, code, rate, "Exempt: schedule 9, group 6" if code is VatCode.EXEMPT else "")
        )
        lines.append(
            replace(
                line("Work", str(quantity), "days", str(price), str(net)),
                vat_code=LETTERS[code], vat_rate="20" if rate else ("0" if code is VatCode.ZERO else None),
            )
        )  # fmt: skip
    totals = document_totals(taxed)
    for sign, kind in ((1, "invoice"), (-1, "credit_note")):
        facts = plain(academy_invoice() if sign == 1 else credit_note())
        facts |= {
            "kind": kind,
            "lines": [plain(replace(one, net=str(Money(sign * Money.parse(one.net).pence)))) for one in lines],
            "vat_rows": [
                {
                    "code": LETTERS[one.code], "label": "", "rate": "20" if one.rate else None,
                    "net": str(Money(sign * one.net.pence)), "vat": str(Money(sign * one.vat.pence)),
                    "reason": one.reason or None,
                }
                for one in totals.rows
            ],
            "net": str(Money(sign * totals.net.pence)),
            "vat": str(Money(sign * totals.vat.pence)),
            "gross": str(Money(sign * totals.gross.pence)),
        }  # fmt: skip
        assert breaches(read(write(terms(facts, ADDRESSES), syntax))) == []
