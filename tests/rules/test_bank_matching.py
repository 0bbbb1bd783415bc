"""What a bank line is proposed to pay: by number in any spelling, by payer, by amount; never booked by itself."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla_manager.kernel.money import Money, total
from sla_manager.payments.rules.matching import Arrived, Books, Matcher, OpenItem, Proposal, Sureness
from sla_manager.payments.rules.references import Reference, references

BEECH, ASHFIELD, JOSEPH_EAST, JOSEPH_WEST = 1, 2, 3, 4
NAMES = {
    BEECH: ["Beech Hill Academy"],
    ASHFIELD: ["Ashfield Learning Trust", "Oakdown Primary School"],
    JOSEPH_EAST: ["St Joseph's Catholic Primary School"],
    JOSEPH_WEST: ["St Joseph’s Catholic Primary School"],
}


def item(sequence: int, amount: str, customer_id: int = BEECH, *, order: str = "") -> OpenItem:
    """Return an open invoice of 2025-26."""
    number = f"EWS/25-26/{sequence:06d}"
    reference = Reference("EWS", 2025, sequence)
    return OpenItem(sequence, reference, number, customer_id, Money.parse(amount), order)


ITEMS = (
    item(1, "1766.40"),
    item(2, "1766.40"),
    item(3, "1000.00", order="PO-7788"),
    item(4, "220.80", ASHFIELD),
    item(5, "441.60", ASHFIELD),
    item(6, "1766.40", JOSEPH_EAST),
)
ALL_BEECH = [(1, "1766.40"), (2, "1766.40"), (3, "1000.00")]
BOOKS = Books(
    ITEMS,
    {"EWS", "EWS-RN"},
    names=NAMES,
    account_references={"SCH900013": BEECH},
    accounts={"20000012345678": ASHFIELD},
    payers={"COUNTY PAYMENTS": JOSEPH_WEST},
    settled={Reference("EWS", 2025, 90): ASHFIELD},
)


def propose(
    amount: str, text: str, *, matcher: Matcher | None = None, payer: str = "", account: str = ""
) -> Proposal:
    """Return the proposal for a line."""
    return (matcher or Matcher(BOOKS)).propose(Arrived(1, Money.parse(amount), text, payer, account))


def parts(made: Proposal) -> list[tuple[int, str]]:
    """Return what a proposal sets against which document."""
    return [(part.item.document_id, str(part.amount)) for part in made.parts]


@pytest.mark.parametrize(
    "text",
    [
        "EWS/25-26/000001",
        "INV EWS 25-26 000001 BGC",
        "ews2526000001",
        "E.W.S. 2025/26 no",
        "EWS 2025-2026 1",
        "EWS-25-26-1THANKS",
        "EWS/25-26/OOOOO1",
        "PAY*EWS25260001*END",
    ],
)
def test_a_number_is_found_in_any_spelling(text: str) -> None:
    found = references(text, {"EWS", "EWS-RN"})
    expected = {} if text.endswith(" no") else {Reference("EWS", 2025, 1): True}
    assert found == expected


@pytest.mark.parametrize(
    "text",
    [
        "NEWS/25-26/000001",
        "EWS/25-27/000001",
        "EWS 25-26",
        "EWS/25-26/000000",
        "EWS2526",
        "EWS/25-26/0000012345",
        "",
    ],
)
def test_what_is_no_number_is_not_taken_for_one(text: str) -> None:
    assert references(text, {"EWS", "EWS-RN"}) == {}


def test_series_that_begin_alike_and_lists_of_numbers_are_told_apart() -> None:
    found = references(
        "EWS-RN/25-26/000007, 8 & 9 AND EWS/25-26/000002, 1766.40 05/11/2026", {"EWS", "EWS-RN"}
    )
    assert [(one.series, one.sequence, full) for one, full in found.items()] == [
        ("EWS-RN", 7, True), ("EWS-RN", 8, False), ("EWS-RN", 9, False), ("EWS", 2, True),
    ]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 999_999), st.integers(21, 60), st.sampled_from(["", "/", " ", "-", ".", " / "]), st.booleans(),
    st.booleans(), st.sampled_from(["EWS", "EWS-RN"]),
)  # fmt: skip
def test_every_number_is_found_however_it_is_separated(
    sequence: int, year: int, sign: str, padded: bool, lower: bool, series: str
) -> None:
    figures = f"{sequence:06d}" if padded or not sign else str(sequence)
    text = f"FROM {series}{sign}{year:02d}{sign}{year + 1:02d}{sign}{figures} END"
    assert references(text.lower() if lower else text, {"EWS", "EWS-RN"}) == {
        Reference(series, 2000 + year, sequence): True
    }


@pytest.mark.parametrize(
    ("amount", "text", "sureness", "expected", "left", "said"),
    [
        ("1766.40", "EWS/25-26/000001", Sureness.SURE, [(1, "1766.40")], "0.00", "Names EWS/25-26/000001."),
        ("4532.80", "EWS/25-26/000001,2,3", Sureness.SURE, ALL_BEECH, "0.00", ""),
        ("2000.00", "EWS/25-26/000001 EWS/25-26/000002", Sureness.LIKELY, [(1, "1766.40"), (2, "233.60")], "0.00",
         "It is £1,532.80 less than what is open."),
        ("5000.00", "EWS/25-26/000001", Sureness.LIKELY, [(1, "1766.40")], "3233.60",
         "It is £3,233.60 more than what is open. The rest stays on account."),
        ("1000.00", "ORDER PO-7788", Sureness.LIKELY, [(3, "1000.00")], "0.00", "Names purchase order PO-7788"),
        ("5.00", "EWS/25-26/000090 AGAIN", Sureness.POSSIBLE, [], "5.00", "Is it paid twice?"),
        ("1000.00", "BGC BEECH HILL ACAD", Sureness.LIKELY, [(3, "1000.00")], "0.00", "this customer alone. £1,000.00"),
        ("4532.80", "SCH900013", Sureness.LIKELY, ALL_BEECH, "0.00",
         "Names account SCH900013. £4,532.80 is what is open on"),
        ("1800.00", "SCH900013", Sureness.POSSIBLE, [(1, "1766.40"), (2, "33.60")], "0.00", "oldest is paid first."),
        ("662.40", "OAKDOWN PRIMARY SCHOOL", Sureness.LIKELY, [(4, "220.80"), (5, "441.60")], "0.00", "is open on"),
        ("441.60", "THANK YOU", Sureness.POSSIBLE, [(5, "441.60")], "0.00", "000005 has exactly £441.60"),
        ("1766.40", "THANK YOU", Sureness.NONE, [], "1766.40", ""),
        ("77.00", "ST JOSEPHS CATHOLIC PRIMARY", Sureness.NONE, [], "77.00", ""),
    ],
)  # fmt: skip
def test_a_line_is_proposed_with_its_reasons(
    amount: str, text: str, sureness: Sureness, expected: list[tuple[int, str]], left: str, said: str
) -> None:
    made = propose(amount, text)
    assert (made.sureness, parts(made), str(made.left)) == (sureness, expected, left)
    assert said in " ".join(made.reasons)


def test_accounts_and_names_that_paid_before_are_remembered() -> None:
    assert parts(propose("220.80", "MARCH", account="20000012345678")) == [(4, "220.80")]
    nothing_open = propose("9.00", "MARCH", payer="County Payments")
    assert (nothing_open.customer_id, nothing_open.sureness, nothing_open.parts) == (
        JOSEPH_WEST,
        Sureness.POSSIBLE,
        (),
    )


def test_a_payer_that_is_another_customer_makes_a_named_document_only_possible() -> None:
    made = propose("1766.40", "EWS/25-26/000001", payer="ASHFIELD LEARNING TRUST")
    assert (made.sureness, parts(made)) == (Sureness.POSSIBLE, [(1, "1766.40")])
    assert "looks like another customer" in made.reasons[-1]


def test_a_number_that_only_follows_is_never_another_customers() -> None:
    assert parts(propose("1766.40", "EWS/25-26/000001, 4")) == [(1, "1766.40")]
    assert parts(propose("1987.20", "EWS/25-26/000001 EWS/25-26/000004")) == [(1, "1766.40"), (4, "220.80")]


def test_two_lines_that_name_one_invoice_are_not_both_proposed_to_pay_it() -> None:
    matcher = Matcher(BOOKS)
    assert propose("1766.40", "EWS/25-26/000001", matcher=matcher).sureness is Sureness.SURE
    second = propose("1766.40", "EWS/25-26/000001", matcher=matcher)
    assert (second.sureness, parts(second), str(second.left)) == (Sureness.LIKELY, [], "1766.40")


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 600_000), st.sampled_from(
    ["EWS/25-26/000001", "EWS 25 26 2,3", "BEECH HILL ACADEMY", "SCH900013", "ASHFIELD", "?", "PO-7788", "OAKDOWN"]
)), max_size=12))  # fmt: skip
def test_proposals_never_give_more_than_arrived_nor_more_than_is_open(said: list[tuple[int, str]]) -> None:
    matcher = Matcher(BOOKS)
    made = [matcher.propose(Arrived(n, Money(pence), text)) for n, (pence, text) in enumerate(said)]
    assert all(one.left >= Money(0) and all(part.amount > Money(0) for part in one.parts) for one in made)
    for each in ITEMS:
        taken = total(part.amount for one in made for part in one.parts if part.item is each)
        assert taken <= each.open
