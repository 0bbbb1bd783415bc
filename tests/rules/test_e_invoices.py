"""Electronic invoices: the stored figures and no others, in both syntaxes, by the official schema and rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sla_manager.billing.rules.e_invoices import Addresses, NotAnElectronicInvoice, missing, terms
from sla_manager.gateways.e_invoices import Syntax, write
from sla_manager.gateways.printing.facts import VatRow, plain
from tests.rooms.printed_samples import academy_invoice, line, recharge_note

ADDRESSES = Addresses(
    seller_scheme="9932", seller_id="GB123456789", seller_reference="330",
    buyer_scheme="0088", buyer_id="5060012340001", buyer_reference="BLT-FINANCE",
)  # fmt: skip
BOTH = pytest.mark.parametrize("syntax", list(Syntax))


def three_at_ten_pounds_one() -> dict[str, Any]:
    """Return the facts of an invoice of 3 × £10.01 at 20 %."""
    return plain(
        replace(
            academy_invoice(),
            lines=(line("Reports", "3", "reports", "10.01", "30.03"),),
            vat_rows=(VatRow(code="S", label="Standard rate", rate="20", net="30.03", vat="6.01", reason=None),),
            net="30.03", vat="6.01", gross="36.04",
        )
    )  # fmt: skip


@BOTH
def test_m2_three_at_ten_pounds_one_says_the_stored_amounts_and_no_other(syntax: Syntax) -> None:
    written = write(terms(three_at_ten_pounds_one(), ADDRESSES), syntax).decode()
    for amount in (">36.04<", ">30.03<", ">6.01<", ">10.01<", ">3<"):
        assert amount in written
    assert ">36.03<" not in written


def test_a_part_of_a_line_is_one_piece_at_its_value_because_a_receiver_multiplies() -> None:
    said = terms(plain(academy_invoice()), ADDRESSES)["BG-25"][0]
    assert (said["BT-129"], said["BT-146"], said["BT-131"]) == ("1", "1472.00", "1472.00")
    assert "12 days × £368.00 = £4,416.00, instalment 1 of 3" in said["BT-154"]


def test_a_recharge_is_no_electronic_invoice() -> None:
    with pytest.raises(NotAnElectronicInvoice, match="outside the scope of VAT"):
        terms(plain(recharge_note()), ADDRESSES)


def test_what_is_missing_is_named_with_the_place_to_fill_it_in() -> None:
    facts = plain(replace(academy_invoice(), purchase_order=None))
    assert [one.term for one in missing(facts, Addresses())] == ["BT-34", "BT-49", "BT-10"]
    assert missing(plain(academy_invoice()), ADDRESSES) == []
