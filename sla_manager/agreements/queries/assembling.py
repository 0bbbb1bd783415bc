"""How one wanted thing becomes lines: price and shape, part of a year, discount, package, share, years."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sla_manager.agreements.models import AgreementLine
from sla_manager.agreements.queries.buyers import Buyer
from sla_manager.agreements.queries.limits import NotForYou, Whole, offered
from sla_manager.agreements.queries.standing import SharedFacts
from sla_manager.agreements.rules.sharing_lines import LineShare, shared_line, tranches_of_share
from sla_manager.agreements.rules.tranches import TranchePart, tranches_as_agreed, tranches_by_months
from sla_manager.agreements.shares import written_shares
from sla_manager.catalogue.models import Offering, PackagePart, Price
from sla_manager.catalogue.queries import treatment_by
from sla_manager.catalogue.rules.discounts import Basket, best_discount, free_items
from sla_manager.catalogue.rules.families import Family
from sla_manager.catalogue.rules.packages import included
from sla_manager.catalogue.rules.part_year import part_of_year, part_words
from sla_manager.catalogue.rules.preset_shapes import Unit
from sla_manager.catalogue.rules.pricing import NoPrice, price_on
from sla_manager.catalogue.rules.shapes import PartYear, Priced, PriceShape, price_quantity
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.quantities import plain
from sla_manager.kernel.words import counted, pounds

_FINEST = Decimal("0.001")
_BY_SCHOOL = (PriceShape.PER_PUPIL, PriceShape.BANDS)
NOTHING = Money(0)


class NoSplit(Refused):
    """A package and a joint line are cut by months alone."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(
            f"“{name}” {why}, so the months decide what belongs to which year. Leave the years empty.",
            field="year_split",
        )


@dataclass(slots=True, kw_only=True)
class _Sum:
    """What a line costs on its way: net, what was taken off, and the sentences so far."""

    net: Money
    each: Money
    shape: PriceShape
    words: list[str]
    facts: dict[str, Any]
    discount: Money = NOTHING
    part: Fraction = field(default=Fraction(1))
    """How many yearly prices it pays."""


class Assembler:
    """Makes lines for one buyer; gathers hints and the days on which offers end."""

    def __init__(self, shared: SharedFacts, buyer: Buyer) -> None:
        self.shared, self.buyer = shared, buyer
        self.hints: list[str] = []
        self.last_days: list[date] = []

    def price_of(self, offering: Offering) -> Price:
        """Return the price that counts: the one that the school was promised, else the list's."""
        held = self.buyer.held.get(offering.id)
        if held is not None:
            return held
        return price_on(
            self.shared.prices.get(offering.id, ()),
            customer_class=self.buyer.customer_class,
            on=self.buyer.term.start,
            name=offering.name,
        )

    def lines_of(
        self,
        offering: Offering,
        whole: Whole,
        *,
        basket: Basket,
        year_split: Mapping[FinancialYear, Decimal] | None = None,
        pattern: Mapping[str, Any] | None = None,
        share: LineShare | None = None,
    ) -> list[AgreementLine]:
        """Return the line of an offering, or the lines of a package's parts."""
        found = self._sum(offering, whole, basket)
        if pattern is not None:
            found.facts["pattern"] = dict(pattern)
        parts = self._parts_of(offering)
        if year_split is not None and (parts or share is not None):
            raise NoSplit(offering.name, "is a package" if parts else "is bought together")
        if parts:
            return self._package(offering, whole.quantity, found, parts, share)
        return [self._line(offering, whole.quantity, found, year_split=year_split, share=share)]

    def _parts_of(self, offering: Offering) -> list[PackagePart]:
        """Return what a package is made of; core is included free and is never a line."""
        parts = self.shared.parts.get(offering.id, ())
        return [one for one in parts if one.offering.family is not Family.CORE]

    def _sum(self, offering: Offering, whole: Whole, basket: Basket) -> _Sum:
        price = self.price_of(offering)
        priced = price_quantity(
            price.shape,
            price.unit_price,
            price.terms,
            whole.quantity,
            unit=offering.unit,
            figures=self.buyer.figures,
            step=whole.step,
            maximum=whole.maximum,
        )
        found = self._for_the_term(offering, price, priced, whole.words)
        if offering.id in self.buyer.held:
            found.words.append("The price that was promised to you holds")
            found.facts["held"] = True
        off = best_discount(
            self.shared.discounts, basket,
            offering_id=offering.id, quantity=whole.quantity, net=found.net, part=found.part,
        )  # fmt: skip
        if off is not None:
            found.discount, found.net = off.amount, found.net - off.amount
            found.words.append(f"{off.words}, which leaves {pounds(found.net)}")
            if off.last_day is not None:
                self.last_days.append(off.last_day)
        if priced.hint and found.part == 1:
            before = " Both before discounts." if off is not None else ""
            self.hints.append(f"{offering.name}: {priced.hint}{before}")
        return found

    def _for_the_term(self, offering: Offering, price: Price, priced: Priced, words: str) -> _Sum:
        """Return what a term pays: a price that is for a year by the offering's rule, any other once."""
        part, said = Fraction(1), [f"{words}{priced.words}"]
        if self._is_yearly(offering, price):
            term, month = self.buyer.term, self.buyer.start_month
            part = part_of_year(offering.part_year, term, start_month=month)
        net = Money.rounded(priced.pence * part)
        facts = {**priced.facts, "price_id": price.id, "shape": price.shape.value, "list_net": str(net)}
        if part != 1:
            term_words = part_words(offering.part_year, self.buyer.term, start_month=self.buyer.start_month)
            said.append(f"{term_words}: {pounds(net)}")
            facts["part_of_year"] = str(part)
        return _Sum(net=net, each=priced.each, shape=price.shape, words=said, facts=facts, part=part)

    def _is_yearly(self, offering: Offering, price: Price) -> bool:
        """Say whether a price is for a year: it is counted in years, or its service prices parts of a year.

        A price of a day, an hour or an audit is for that, however long the agreement is.
        """
        if offering.unit == Unit.YEAR.value:
            return True
        by_year = bool(self._parts_of(offering)) or price.shape in _BY_SCHOOL
        return offering.part_year is not PartYear.FULL and offering.unit_minutes is None and by_year

    def _package(
        self,
        package: Offering,
        quantity: Decimal,
        found: _Sum,
        parts: Sequence[PackagePart],
        share: LineShare | None,
    ) -> list[AgreementLine]:
        """Return a line for each part: the package's price shared by what the parts cost alone, to the penny.

        A part of a year includes its part of each, to the nearest step and at least one.
        """
        priced = []
        for part in parts:
            own = part.offering
            whole = included(
                part.quantity * quantity, found.part, step=own.step, package=package.name, name=own.name
            )
            price = self.price_of(own)
            alone = price_quantity(
                price.shape, price.unit_price, price.terms, whole, unit=own.unit, figures=self.buyer.figures
            )
            priced.append((own, whole, alone, price.shape))
        worth = [alone.net.pence for _, _, alone, _ in priced]
        nets = found.net.split(worth if any(worth) else [1] * len(worth))
        lines = []
        for (own, whole, alone, shape), net in zip(priced, nets, strict=True):
            words = [
                f"Part of {package.name}, {found.words[0]}",
                *found.words[1:],
                f"{counted(whole, own.unit)} of {own.name} included: {pounds(net)}",
            ]
            facts = {
                **alone.facts,
                "shape": shape.value,
                "list_net": str(alone.net),
                "package_id": package.id,
                "packages": plain(quantity),
                "of_package": found.facts,
            }
            saved = max(alone.net - net, NOTHING)
            part_sum = _Sum(net=net, each=alone.each, shape=shape, words=words, facts=facts, discount=saved)
            lines.append(self._line(own, whole, part_sum, share=share, package=package.name))
        return lines

    def free_lines(self, basket: Basket, share: LineShare | None) -> list[AgreementLine]:
        """Return a line at no charge for each item that comes free, unless this school cannot have it."""
        units = {one.id: one.unit for one in self.shared.offerings.values()}
        lines: list[AgreementLine] = []
        for item in free_items(self.shared.discounts, basket, units=units):
            try:
                offering = offered(self.shared, self.buyer, item.offering_id)
                price = self.price_of(offering)
            except (NotForYou, NoPrice):
                continue
            worth = price.unit_price.times(item.quantity)
            facts = {
                "price_id": price.id,
                "shape": price.shape.value,
                "list_net": str(worth),
                "free": True,
            }
            found = _Sum(
                net=NOTHING, each=price.unit_price, shape=price.shape, words=[item.words], facts=facts,
                discount=worth,
            )  # fmt: skip
            lines.append(self._line(offering, item.quantity, found, share=share))
        return lines

    def _line(
        self,
        offering: Offering,
        quantity: Decimal,
        found: _Sum,
        *,
        year_split: Mapping[FinancialYear, Decimal] | None = None,
        share: LineShare | None = None,
        package: str = "",
    ) -> AgreementLine:
        vat = treatment_by(
            {kind: rule for (one, kind), rule in self.shared.rules.items() if one == offering.id},
            self.buyer.customer_class,
            private_fund=self.buyer.private_fund,
            tax_point=self.buyer.term.start,
            rates=self.shared.billing.rates,
        )
        net, discount, words, facts = found.net, found.discount, list(found.words), dict(found.facts)
        if share is not None:
            own = shared_line(share, quantity, unit=offering.unit_minutes, net=net)
            parts = tranches_of_share(own, self.buyer.term, start_month=self.buyer.start_month)
            facts["share"] = {**share.facts(), "quantity": plain(quantity), "net": str(net)}
            words.append(f"your share, {share.words}: {pounds(own.net)}")
            quantity, net, discount = own.quantity, own.net, discount.split(share.weights)[share.position]
        else:
            parts = self._years(offering, quantity, net, year_split)
        return AgreementLine(
            position=0,
            offering_id=offering.id,
            offering=offering,
            family=offering.family,
            description=offering.name,
            quantity=quantity,
            unit=offering.unit,
            unit_minutes=offering.unit_minutes,
            step=offering.step,
            unit_price=found.each,
            net=net,
            route=vat.route,
            vat_code=vat.code,
            vat_reason=vat.reason,
            charging_method=offering.charging_method,
            block_minutes=offering.block_minutes,
            counts_preparation=offering.counts_preparation,
            counts_report=offering.counts_report,
            counts_travel=offering.counts_travel,
            explanation="; ".join(words),
            price_shape=found.shape,
            price_facts=facts,
            discount=discount,
            package=package,
            year_shares=written_shares(parts),
        )

    def _years(
        self,
        offering: Offering,
        quantity: Decimal,
        net: Money,
        year_split: Mapping[FinancialYear, Decimal] | None,
    ) -> tuple[TranchePart, ...]:
        """Cut a line by financial years; what is priced by the year is cut to the thousandth, for its money."""
        is_year = offering.unit == Unit.YEAR.value and offering.unit_minutes is None
        step = _FINEST if is_year else offering.step
        term, unit, month = self.buyer.term, offering.unit_minutes, self.buyer.start_month
        if year_split is None:
            return tranches_by_months(quantity, step, term, net=net, unit=unit, start_month=month)
        return tranches_as_agreed(
            quantity, step, term, split=year_split, net=net, unit=unit, start_month=month
        )
