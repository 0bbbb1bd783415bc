"""How one wanted thing becomes lines: limits, price and shape, part of a year, discount, share, years."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sla_manager.agreements.models import AgreementLine
from sla_manager.agreements.queries.standing import SharedFacts
from sla_manager.agreements.rules.pace import school_weeks
from sla_manager.agreements.rules.sharing_lines import LineShare, shared_line, tranches_of_share
from sla_manager.agreements.rules.tranches import TranchePart, tranches_as_agreed, tranches_by_months
from sla_manager.agreements.shares import written_shares
from sla_manager.catalogue.models import Offering, PackagePart, Price
from sla_manager.catalogue.queries import treatment_by
from sla_manager.catalogue.rules.discounts import Basket, best_discount, free_items
from sla_manager.catalogue.rules.families import Family, refuse_core
from sla_manager.catalogue.rules.part_year import part_of_year, part_words
from sla_manager.catalogue.rules.patterns import VisitPattern
from sla_manager.catalogue.rules.preset_shapes import Unit
from sla_manager.catalogue.rules.pricing import price_on
from sla_manager.catalogue.rules.quantities import check_quantity
from sla_manager.catalogue.rules.shapes import PartYear, Priced, SchoolFigures, price_quantity
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import FinancialYear, Period
from sla_manager.kernel.quantities import is_on_step, plain
from sla_manager.kernel.words import counted, pounds
from sla_manager.people.rules.customer_classes import CustomerClass

_FINEST = Decimal("0.001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """Who buys and for when: what decides price, VAT and years."""

    customer_class: CustomerClass
    phase: str
    private_fund: bool
    term: Period
    start_month: int
    today: date
    held: Mapping[int, Price] = field(default_factory=dict)
    figures: SchoolFigures = field(default_factory=SchoolFigures)
    running: frozenset[int] = frozenset()


class NotForYou(Refused):
    """An offering that is for other schools, or is no longer offered."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"“{name}” {why} Choose something else, or ask the service.", field="offering")


class TooLittleEachWeek(Refused):
    """Some offerings have a smallest quantity for every school week."""

    def __init__(self, offering: Offering, each: Decimal, weeks: int) -> None:
        super().__init__(
            f"“{offering.name}” is at least {counted(each, offering.unit)} a week. That is "
            f"{counted(each * weeks, offering.unit)} in {counted(weeks, 'school week')}.",
            field="quantity",
        )


class PartOffStep(Refused):
    """A package's included quantity that its offering cannot be sold in."""

    def __init__(self, package: str, part: str, quantity: Decimal) -> None:
        super().__init__(
            f"“{package}” would include {plain(quantity)} of “{part}”, which is not sold so. "
            "Choose another number of packages, or ask the service.",
            field="quantity",
        )


@dataclass(slots=True)
class _Sum:
    """What a line costs on its way: net, what was taken off, and the sentences so far."""

    net: Money
    each: Money
    discount: Money
    words: list[str]
    facts: dict[str, Any]


class Assembler:
    """Makes lines for one buyer; gathers hints and the days on which offers end."""

    def __init__(self, shared: SharedFacts, buyer: Buyer) -> None:
        self.shared, self.buyer = shared, buyer
        self.hints: list[str] = []
        self.last_days: list[date] = []

    def quantity_of(
        self, offering_id: int, quantity: Decimal, pattern: VisitPattern | None
    ) -> tuple[Decimal, str]:
        """Return the whole quantity of an offering within its limits, and how it comes about."""
        offering = self._offering(offering_id)
        if pattern is not None:
            whole = pattern.quantity(unit=offering.unit, unit_minutes=offering.unit_minutes)
            self._check(offering, whole, basis="agreement")
            return whole, f"{pattern.words} = {counted(whole, offering.unit)}; "
        self._check(offering, quantity, basis=offering.limit_basis)
        if offering.limit_basis == "term":
            return self._for_terms(offering, quantity)
        if offering.minimum_per_week is not None:
            weeks = school_weeks(self.buyer.term, self.shared.terms)
            if quantity < offering.minimum_per_week * weeks:
                raise TooLittleEachWeek(offering, offering.minimum_per_week, weeks)
        return quantity, ""

    def _check(self, offering: Offering, quantity: Decimal, *, basis: str) -> None:
        check_quantity(
            quantity,
            unit=offering.unit,
            minimum=offering.minimum,
            maximum=offering.maximum,
            step=offering.step,
            basis=basis,
        )

    def _for_terms(self, offering: Offering, quantity: Decimal) -> tuple[Decimal, str]:
        """Return the quantity of every term that the agreement touches: 12 hours in each of 3 terms are 36."""
        term = self.buyer.term
        touched = sum(
            1 for one in self.shared.terms if one.starts_on < term.end and one.ends_on >= term.start
        )
        if not touched:
            raise Refused(
                f"“{offering.name}” is sold by the term, and no school term lies between these dates. "
                "Choose other dates, or ask the council to enter its terms.",
                field="starts_on",
            )
        whole = quantity * touched
        return whole, (
            f"{counted(quantity, offering.unit)} × {counted(touched, 'term')} = "
            f"{counted(whole, offering.unit)}; "
        )

    def _offering(self, offering_id: int) -> Offering:
        offering = self.shared.offerings.get(offering_id)
        if offering is None:
            raise NotFound
        refuse_core(offering.family, offering.name)
        if offering.withdrawn_on is not None and offering.withdrawn_on <= self.buyer.term.start:
            raise NotForYou(offering.name, "is no longer offered.")
        if offering.customer_classes and self.buyer.customer_class.value not in offering.customer_classes:
            raise NotForYou(offering.name, "is for other kinds of school.")
        if offering.phases and self.buyer.phase not in offering.phases:
            raise NotForYou(offering.name, f"is for these phases only: {', '.join(offering.phases)}.")
        return offering

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
        offering_id: int,
        quantity: Decimal,
        words: str,
        *,
        basket: Basket,
        year_split: Mapping[FinancialYear, Decimal] | None = None,
        pattern: VisitPattern | None = None,
        share: LineShare | None = None,
    ) -> list[AgreementLine]:
        """Return the line of an offering, or the lines of a package's parts."""
        offering = self._offering(offering_id)
        found = self._sum(offering, quantity, words, basket)
        if pattern is not None:
            found.facts["pattern"] = pattern.facts()
        parts = [
            one for one in self.shared.parts.get(offering_id, ()) if one.offering.family is not Family.CORE
        ]
        if parts:
            return self._package(offering, quantity, found, parts, share)
        return [self._line(offering, quantity, found, year_split=year_split, share=share)]

    def _sum(self, offering: Offering, quantity: Decimal, words: str, basket: Basket) -> _Sum:
        price = self.price_of(offering)
        priced = price_quantity(
            price.shape,
            price.unit_price,
            price.terms,
            quantity,
            unit=offering.unit,
            figures=self.buyer.figures,
        )
        if priced.hint:
            self.hints.append(f"{offering.name}: {priced.hint}")
        said, pence = [f"{words}{priced.words}"], priced.pence
        if self._is_yearly(offering):
            pence, part = self._part_of_year(offering, priced)
            said += part
        net = Money.rounded(pence)
        facts = {**priced.facts, "price_id": price.id, "shape": price.shape.value, "list_net": str(net)}
        if offering.id in self.buyer.held:
            said.append("The price that was promised to you holds")
            facts["held"] = True
        found = _Sum(net=net, each=priced.each, discount=Money(0), words=said, facts=facts)
        off = best_discount(
            self.shared.discounts, basket, offering_id=offering.id, quantity=quantity, net=net
        )
        if off is not None:
            found.discount, found.net = off.amount, net - off.amount
            found.words.append(f"{off.words}, which leaves {pounds(found.net)}")
            if off.last_day is not None:
                self.last_days.append(off.last_day)
        return found

    def _is_yearly(self, offering: Offering) -> bool:
        is_package = bool(self.shared.parts.get(offering.id))
        return offering.unit == Unit.YEAR.value or (is_package and offering.part_year is not PartYear.FULL)

    def _part_of_year(self, offering: Offering, priced: Priced) -> tuple[Fraction, list[str]]:
        term, month = self.buyer.term, self.buyer.start_month
        pence = priced.pence * part_of_year(offering.part_year, term, start_month=month)
        words = part_words(offering.part_year, term, start_month=month)
        return pence, [f"{words}: {pounds(Money.rounded(pence))}"] if words else []

    def _package(
        self,
        package: Offering,
        quantity: Decimal,
        found: _Sum,
        parts: Sequence[PackagePart],
        share: LineShare | None,
    ) -> list[AgreementLine]:
        """Return a line for each part: the package's price shared by what the parts cost alone, to the penny."""
        priced = []
        for part in parts:
            whole = part.quantity * quantity
            if not is_on_step(whole, part.offering.step):
                raise PartOffStep(package.name, part.offering.name, whole)
            alone = price_quantity(
                *self._plain(part.offering), whole, unit=part.offering.unit, figures=self.buyer.figures
            )
            priced.append((part, whole, alone))
        worth = [alone.net.pence for _, _, alone in priced]
        nets = found.net.split(worth if any(worth) else [1] * len(worth))
        lines = []
        for (part, whole, alone), net in zip(priced, nets, strict=True):
            words = [
                f"Part of {package.name}, {found.words[0]}",
                *found.words[1:],
                f"{counted(whole, part.offering.unit)} of {part.offering.name} included: {pounds(net)}",
            ]
            own = _Sum(
                net=net,
                each=alone.each,
                discount=max(alone.net - net, Money(0)),
                words=words,
                facts={**found.facts, "package_id": package.id, "packages": plain(quantity)},
            )
            lines.append(self._line(part.offering, whole, own, share=share, package=package.name))
        return lines

    def _plain(self, offering: Offering) -> tuple[Any, Money, Mapping[str, Any]]:
        price = self.price_of(offering)
        return price.shape, price.unit_price, price.terms

    def free_lines(self, basket: Basket) -> list[AgreementLine]:
        """Return a line at no charge for each item that comes free."""
        units = {one.id: one.unit for one in self.shared.offerings.values()}
        lines = []
        for item in free_items(self.shared.discounts, basket, units=units):
            offering = self._offering(item.offering_id)
            price = self.price_of(offering)
            worth = price.unit_price.times(item.quantity)
            found = _Sum(
                net=Money(0),
                each=price.unit_price,
                discount=worth,
                words=[item.words],
                facts={
                    "price_id": price.id,
                    "shape": price.shape.value,
                    "list_net": str(worth),
                    "free": True,
                },
            )
            lines.append(self._line(offering, item.quantity, found))
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
        net, words, facts = found.net, list(found.words), dict(found.facts)
        if share is not None:
            own = shared_line(share, quantity, unit=offering.unit_minutes, net=net)
            parts = tranches_of_share(own, self.buyer.term, start_month=self.buyer.start_month)
            facts["share"] = {**share.facts(), "quantity": plain(quantity), "net": str(net)}
            words.append(f"your share, {_share_words(share)}: {pounds(own.net)}")
            quantity, net = own.quantity, own.net
        else:
            parts = self._parts(offering, quantity, net, year_split)
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
            price_shape=self.price_of(offering).shape,
            price_facts=facts,
            discount=found.discount,
            package=package,
            year_shares=written_shares(parts),
        )

    def _parts(
        self,
        offering: Offering,
        quantity: Decimal,
        net: Money,
        year_split: Mapping[FinancialYear, Decimal] | None,
    ) -> tuple[TranchePart, ...]:
        """Cut a line by financial years; what is priced by the year is cut to the thousandth, for its money."""
        step = (
            _FINEST if offering.unit == Unit.YEAR.value and offering.unit_minutes is None else offering.step
        )
        if year_split is None:
            return tranches_by_months(
                quantity, step, self.buyer.term, net=net, unit=offering.unit_minutes,
                start_month=self.buyer.start_month,
            )  # fmt: skip
        return tranches_as_agreed(
            quantity, step, self.buyer.term, split=year_split, net=net, unit=offering.unit_minutes,
            start_month=self.buyer.start_month,
        )  # fmt: skip


def _share_words(share: LineShare) -> str:
    whole = sum(share.weights)
    return f"{share.weights[share.position]} of {whole} parts"
