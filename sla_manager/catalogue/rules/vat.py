"""Route and VAT: what is invoiced, what is recharged, at which rate, and why.

Rates are basis points (20 % = 2000). Sources: Value Added Tax Act 1994 (section 4: a supply is made to
another person; schedule 9, group 6: education by an eligible body, which a local authority is); EN 16931 rule
BR-CO-17: VAT is computed once per document, code and rate, on the sum of its lines.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.titles import Titled
from sla_manager.kernel.words import long_date, per_cent
from sla_manager.people.rules.customer_classes import CustomerClass


class Route(Titled):
    """How money is asked for: by invoice, or by a charge inside the council's own books."""

    INVOICE = "invoice"
    RECHARGE = "recharge"


class VatCode(Titled):
    """What a line is for VAT."""

    STANDARD = "standard", "Standard rate"
    ZERO = "zero", "Zero rate"
    EXEMPT = "exempt", "Exempt"
    OUTSIDE_SCOPE = "outside_scope", "Outside the scope"

    @property
    def reference(self) -> str:
        """The reason that a document must print beside this code, or nothing where none is needed.

        >>> VatCode.EXEMPT.reference
        'Exempt: education by an eligible body, VAT Act 1994, schedule 9, group 6'
        """
        return _REFERENCES.get(self, "")


EXEMPT_REASON = "Exempt: education by an eligible body, VAT Act 1994, schedule 9, group 6"
OUTSIDE_REASON = "Outside the scope of VAT: a charge within the council, to its own maintained school"
_REFERENCES = {VatCode.EXEMPT: EXEMPT_REASON, VatCode.OUTSIDE_SCOPE: OUTSIDE_REASON}
_SEPARATE = {
    CustomerClass.ACADEMY: "an academy is a separate legal person",
    CustomerClass.INDEPENDENT: "an independent school is a separate legal person",
    CustomerClass.OUT_OF_AREA_MAINTAINED: "a school of another authority is a separate customer",
    CustomerClass.OTHER: "the customer is a separate legal person",
    CustomerClass.VOLUNTARY_AIDED: "the council treats this school as a separate customer",
    CustomerClass.OWN_MAINTAINED: "the council treats this school as a separate customer",
}


class RouteAndVatDisagree(Refused):
    """A recharge is outside the scope of VAT, and nothing else is."""

    def __init__(self) -> None:
        super().__init__(
            "A recharge is always outside the scope of VAT, and an invoice never is. Change one of the two.",
            field="vat_code",
        )


@dataclass(frozen=True, slots=True)
class Treatment:
    """The route and VAT code of a line, with the sentence that says why."""

    route: Route
    code: VatCode
    reason: str

    def __post_init__(self) -> None:
        if (self.route is Route.RECHARGE) != (self.code is VatCode.OUTSIDE_SCOPE):
            raise RouteAndVatDisagree


def treatment(
    customer_class: CustomerClass,
    *,
    exempt: bool = False,
    private_fund: bool = False,
    override: tuple[Route, VatCode] | None = None,
) -> Treatment:
    """Return the treatment of a sale to a customer class: the provider's own decision, else the default.

    `exempt`: the offering is training that the council supplies as an eligible body. `private_fund`: a
    maintained school pays from its own fund, which is not the council's money, so it is invoiced whatever
    `override` says about recharging. `override` is for what sources disagree on:
    voluntary aided schools.

    >>> treatment(CustomerClass.ACADEMY).reason
    'VAT at the standard rate because an academy is a separate legal person'
    >>> treatment(CustomerClass.OWN_MAINTAINED, exempt=True).code.value
    'outside_scope'
    >>> treatment(CustomerClass.VOLUNTARY_AIDED, override=(Route.INVOICE, VatCode.STANDARD)).route.value
    'invoice'
    """
    from_private_fund = private_fund and customer_class.is_own
    if override is not None and not (from_private_fund and override[0] is Route.RECHARGE):
        return Treatment(*override, reason=_reason(customer_class, override[1]))
    if customer_class.is_own and not from_private_fund:
        return Treatment(Route.RECHARGE, VatCode.OUTSIDE_SCOPE, OUTSIDE_REASON)
    if exempt:
        return Treatment(Route.INVOICE, VatCode.EXEMPT, EXEMPT_REASON)
    reason = _reason(customer_class, VatCode.STANDARD, from_private_fund=from_private_fund)
    return Treatment(Route.INVOICE, VatCode.STANDARD, reason)


def _reason(customer_class: CustomerClass, code: VatCode, *, from_private_fund: bool = False) -> str:
    if code is VatCode.STANDARD:
        because = (
            "it is paid from the school's private fund" if from_private_fund else _SEPARATE[customer_class]
        )
        return f"{_AT_STANDARD_RATE} because {because}"
    return code.reference or "Zero-rated by the council's decision"


_AT_STANDARD_RATE = "VAT at the standard rate"


def why_vat(reason: str, rate: int) -> str:
    """Say why VAT is what it is, with the rate (basis points) that the document took.

    >>> why_vat(treatment(CustomerClass.ACADEMY).reason, 2000)
    'VAT 20 % because an academy is a separate legal person'
    """
    return reason.replace(_AT_STANDARD_RATE, f"VAT {per_cent(rate)}", 1)


@dataclass(frozen=True, slots=True)
class DatedRate:
    """A rate in basis points that holds from a day until (not including) another."""

    code: VatCode
    rate: int
    starts_on: date
    ends_on: date | None = None


UK_RATES = (
    DatedRate(VatCode.STANDARD, 1750, date(1991, 4, 1), date(2008, 12, 1)),
    DatedRate(VatCode.STANDARD, 1500, date(2008, 12, 1), date(2010, 1, 1)),
    DatedRate(VatCode.STANDARD, 1750, date(2010, 1, 1), date(2011, 1, 4)),
    DatedRate(VatCode.STANDARD, 2000, date(2011, 1, 4)),
)
"""The standard rate as HM Revenue and Customs publishes it; a council's table begins with the last."""


class NoVatRate(Refused):
    """No rate is known for a tax point."""

    def __init__(self, code: VatCode, tax_point: date) -> None:
        super().__init__(
            f"There is no rate of VAT for “{code.title}” on {long_date(tax_point)}. "
            "Ask an administrator to add it to the table of VAT rates.",
            field="tax_point",
        )


def rate_at(code: VatCode, tax_point: date, rates: Iterable[DatedRate] = UK_RATES) -> int:
    """Return the rate, in basis points, of a code on a tax point (M5: never the day of issue or payment).

    Only the standard code has a rate above 0.

    >>> rate_at(VatCode.STANDARD, date(2025, 12, 31))
    2000
    """
    if code is not VatCode.STANDARD:
        return 0
    for dated in rates:
        holds = dated.starts_on <= tax_point and (dated.ends_on is None or tax_point < dated.ends_on)
        if dated.code is code and holds:
            return dated.rate
    raise NoVatRate(code, tax_point)


@dataclass(frozen=True, slots=True)
class TaxedLine:
    """What VAT needs of a document's line."""

    net: Money
    code: VatCode
    rate: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class VatRow:
    """One VAT code and rate of a document; an exempt or outside-scope row carries the reason to print."""

    code: VatCode
    rate: int
    net: Money
    vat: Money
    reason: str


@dataclass(frozen=True, slots=True)
class Totals:
    """A document's totals: sums of what is printed."""

    net: Money
    vat: Money
    gross: Money
    rows: tuple[VatRow, ...]

    def __bool__(self) -> bool:
        """A document of nothing is not to be issued (M9)."""
        return bool(self.net or self.vat)


def document_totals(lines: Iterable[TaxedLine]) -> Totals:
    """Compute VAT once per code and rate on the sum of its lines, half up, and add everything up.

    >>> totals = document_totals([TaxedLine(Money(241_67), VatCode.STANDARD, 2000)] * 50)
    >>> str(totals.net), str(totals.vat), str(totals.gross)
    ('12083.50', '2416.70', '14500.20')
    """
    nets: dict[tuple[VatCode, int], list[TaxedLine]] = {}
    for line in lines:
        nets.setdefault((line.code, line.rate), []).append(line)
    rows = []
    for (code, rate), group in nets.items():
        net = total(line.net for line in group)
        reason = (
            next((line.reason for line in group if line.reason), code.reference) if code.reference else ""
        )
        rows.append(VatRow(code, rate, net, net.per_cent(rate), reason))
    net, vat = total(row.net for row in rows), total(row.vat for row in rows)
    return Totals(net, vat, net + vat, tuple(rows))
