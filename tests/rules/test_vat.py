"""VAT and route: per document, code and rate, by the tax point, for the reason that is printed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla_manager.catalogue.rules.pricing import line_net
from sla_manager.catalogue.rules.vat import (
    DatedRate,
    NoVatRate,
    Route,
    RouteAndVatDisagree,
    TaxedLine,
    Treatment,
    VatCode,
    document_totals,
    rate_at,
    treatment,
    why_vat,
)
from sla_manager.kernel.money import Money, total
from sla_manager.people.rules.customer_classes import CustomerClass

STANDARD = VatCode.STANDARD


def lines(*nets: str, code: VatCode = STANDARD, rate: int = 2000) -> list[TaxedLine]:
    return [TaxedLine(Money.parse(net), code, rate) for net in nets]


def test_M1_fifty_lines_of_241_67_are_taxed_once_on_their_sum() -> None:
    totals = document_totals(lines(*["241.67"] * 50))
    assert (str(totals.net), str(totals.vat), str(totals.gross)) == ("12083.50", "2416.70", "14500.20")
    line_by_line = total(Money.parse("241.67").per_cent(2000) for _ in range(50))
    assert str(line_by_line) == "2416.50"


def test_M2_three_times_10_01_is_36_04() -> None:
    net = line_net(Decimal(3), Money.parse("10.01"))
    assert str(document_totals(lines(str(net))).gross) == "36.04"


def test_M3_half_a_day_at_415_25_and_its_credit() -> None:
    net = line_net(Decimal("0.5"), Money.parse("415.25"))
    assert (str(net), str(-net)) == ("207.63", "-207.63")
    assert line_net(Decimal("-0.5"), Money.parse("415.25")) == -net


def test_M4_standard_exempt_and_outside_scope_on_one_document() -> None:
    totals = document_totals(
        [
            *lines("100.00", "50.00"),
            *lines("250.00", code=VatCode.EXEMPT, rate=0),
            *lines("80.00", code=VatCode.OUTSIDE_SCOPE, rate=0),
            *lines("10.00", rate=1750),
        ]
    )
    assert [(row.code, row.rate, str(row.net), str(row.vat)) for row in totals.rows] == [
        (STANDARD, 2000, "150.00", "30.00"),
        (VatCode.EXEMPT, 0, "250.00", "0.00"),
        (VatCode.OUTSIDE_SCOPE, 0, "80.00", "0.00"),
        (STANDARD, 1750, "10.00", "1.75"),
    ]
    assert "schedule 9, group 6" in totals.rows[1].reason
    assert totals.rows[2].reason.startswith("Outside the scope")
    assert totals.rows[0].reason == ""
    assert totals.gross == total(row.net + row.vat for row in totals.rows)


def test_a_standard_day_and_exempt_training_come_to_691_60() -> None:
    totals = document_totals([*lines("368.00"), *lines("250.00", code=VatCode.EXEMPT, rate=0)])
    assert (str(totals.rows[0].vat), str(totals.gross)) == ("73.60", "691.60")


def test_half_a_day_for_an_academy_is_220_80() -> None:
    totals = document_totals(lines("184.00"))
    assert (str(totals.vat), str(totals.gross)) == ("36.80", "220.80")


def test_39_weeks_at_Barnsleys_published_price() -> None:
    net = line_net(Decimal(39) * Decimal("7.4"), Money.parse("33.00"))
    totals = document_totals(lines(str(net)))
    assert (str(net), str(totals.vat), str(totals.gross)) == ("9523.80", "1904.76", "11428.56")


def test_M5_the_rate_follows_the_tax_point_and_not_the_issue_or_the_payment() -> None:
    rates = (
        DatedRate(STANDARD, 2000, date(2011, 1, 4), date(2027, 1, 1)),
        DatedRate(STANDARD, 2100, date(2027, 1, 1)),
    )
    tax_point = date(2026, 12, 31)
    assert rate_at(STANDARD, tax_point, rates) == 2000  # though issued on 5 January and paid in March
    assert rate_at(STANDARD, date(2027, 1, 1), rates) == 2100
    invoice = document_totals(lines("100.00", rate=rate_at(STANDARD, tax_point, rates)))
    credit = document_totals(lines("-100.00", rate=invoice.rows[0].rate))  # raised in March
    assert (str(invoice.vat), str(credit.vat)) == ("20.00", "-20.00")


def test_a_tax_point_before_every_known_rate_is_refused_by_name() -> None:
    with pytest.raises(NoVatRate, match="31 March 1991"):
        rate_at(STANDARD, date(1991, 3, 31))
    assert rate_at(VatCode.EXEMPT, date(1991, 3, 31)) == 0


def test_M9_a_document_of_nothing_is_not_to_be_issued() -> None:
    assert not document_totals([])
    assert not document_totals(lines("0.00"))
    assert document_totals(lines("0.01"))


nets = st.lists(
    st.tuples(
        st.integers(min_value=-50_000, max_value=500_000).map(Money),
        st.sampled_from([(STANDARD, 2000), (STANDARD, 1750), (VatCode.EXEMPT, 0), (VatCode.ZERO, 0)]),
    ),
    max_size=40,
)


@given(nets)
def test_totals_are_sums_of_what_is_printed_and_vat_is_half_up_on_each_row(
    drawn: list[tuple[Money, tuple[VatCode, int]]],
) -> None:
    totals = document_totals(TaxedLine(net, code, rate) for net, (code, rate) in drawn)
    assert totals.net == total(net for net, _ in drawn)
    assert totals.vat == total(row.vat for row in totals.rows)
    assert totals.gross == totals.net + totals.vat
    assert len({(row.code, row.rate) for row in totals.rows}) == len(totals.rows)
    for row in totals.rows:
        exact = Fraction(row.net.pence * row.rate, 10_000)
        assert abs(row.vat.pence - exact) <= Fraction(1, 2)


@given(nets)
def test_M3_a_credit_is_its_invoice_with_the_sign_turned(
    drawn: list[tuple[Money, tuple[VatCode, int]]],
) -> None:
    invoice = document_totals(TaxedLine(net, code, rate) for net, (code, rate) in drawn)
    credit = document_totals(TaxedLine(-net, code, rate) for net, (code, rate) in drawn)
    assert (credit.net, credit.vat, credit.gross) == (-invoice.net, -invoice.vat, -invoice.gross)
    assert [(row.code, row.rate, -row.net, -row.vat) for row in credit.rows] == [
        (row.code, row.rate, row.net, row.vat) for row in invoice.rows
    ]


@pytest.mark.parametrize("customer_class", [CustomerClass.OWN_MAINTAINED, CustomerClass.VOLUNTARY_AIDED])
@pytest.mark.parametrize("exempt", [False, True])
def test_own_schools_are_recharged_outside_the_scope(customer_class: CustomerClass, exempt: bool) -> None:
    decided = treatment(customer_class, exempt=exempt)
    assert (decided.route, decided.code) == (Route.RECHARGE, VatCode.OUTSIDE_SCOPE)
    assert decided.reason.startswith("Outside the scope of VAT")


@pytest.mark.parametrize(
    "customer_class",
    [
        CustomerClass.ACADEMY,
        CustomerClass.INDEPENDENT,
        CustomerClass.OUT_OF_AREA_MAINTAINED,
        CustomerClass.OTHER,
    ],
)
@pytest.mark.parametrize("private_fund", [False, True])
def test_everybody_else_is_invoiced_with_vat_or_exempt(
    customer_class: CustomerClass, private_fund: bool
) -> None:
    decided = treatment(customer_class, private_fund=private_fund)
    assert (decided.route, decided.code) == (Route.INVOICE, STANDARD)
    assert "private fund" not in decided.reason
    assert treatment(customer_class, exempt=True).code is VatCode.EXEMPT


def test_a_maintained_school_that_pays_from_its_private_fund_is_invoiced_with_vat() -> None:
    decided = treatment(CustomerClass.OWN_MAINTAINED, private_fund=True)
    assert (decided.route, decided.code) == (Route.INVOICE, STANDARD)
    assert why_vat(decided.reason, 2000) == "VAT 20 % because it is paid from the school's private fund"
    recharge = (Route.RECHARGE, VatCode.OUTSIDE_SCOPE)
    assert treatment(CustomerClass.OWN_MAINTAINED, private_fund=True, override=recharge) == decided
    assert treatment(CustomerClass.OWN_MAINTAINED, private_fund=True, exempt=True).code is VatCode.EXEMPT


def test_the_provider_may_decide_otherwise_for_voluntary_aided_schools() -> None:
    decided = treatment(CustomerClass.VOLUNTARY_AIDED, override=(Route.INVOICE, STANDARD))
    assert (decided.route, decided.code) == (Route.INVOICE, STANDARD)
    assert why_vat(decided.reason, 2000).startswith("VAT 20 % because")


def test_why_an_academy_pays_vat() -> None:
    reason = treatment(CustomerClass.ACADEMY).reason
    assert why_vat(reason, 2000) == "VAT 20 % because an academy is a separate legal person"


@pytest.mark.parametrize(
    ("route", "code"), [(Route.RECHARGE, STANDARD), (Route.INVOICE, VatCode.OUTSIDE_SCOPE)]
)
def test_a_recharge_with_vat_and_an_invoice_outside_the_scope_are_refused(
    route: Route, code: VatCode
) -> None:
    with pytest.raises(RouteAndVatDisagree):
        Treatment(route, code, "because")
