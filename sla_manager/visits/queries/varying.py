"""What a variation would do before it is signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from sla_manager.agreements.models import AgreementLine
from sla_manager.agreements.queries import tranche_on
from sla_manager.agreements.queries.repricing import variation_net
from sla_manager.agreements.rules.extra_time import absorbed, extra_time_value
from sla_manager.kernel.errors import NotFound
from sla_manager.kernel.minutes import Minutes, total_minutes
from sla_manager.kernel.money import Money
from sla_manager.kernel.quantities import minutes_of
from sla_manager.kernel.words import pounds
from sla_manager.visits.models import Delivery, ExtraTime, ExtraTimeStatus, Visit
from sla_manager.visits.rules.words import in_units


@dataclass(frozen=True, slots=True)
class Absorption:
    """One piece of proposed extra time, and how much of it a variation takes up."""

    extra: ExtraTime
    taken: Minutes

    @property
    def left(self) -> Minutes:
        """What stays proposed to the school."""
        return self.extra.minutes - self.taken


@dataclass(frozen=True, slots=True)
class VariationPreview:
    """What a variation would do: the time that it adds (or takes away) and the extra time it absorbs."""

    line: AgreementLine
    added: Minutes
    absorptions: tuple[Absorption, ...]
    net: Money
    """What the change costs before VAT; below nothing for money that goes back."""

    @property
    def absorbed(self) -> Minutes:
        """The extra time that need not be approved any more."""
        return total_minutes(one.taken for one in self.absorptions)

    @property
    def sentences(self) -> list[str]:
        """Say what will follow, for the page that asks before it is done."""
        change = in_units(abs(self.added), self.line)
        said = [
            f"{change} are {'added to' if self.added > Minutes(0) else 'taken off'} “{self.line.description}”."
        ]
        if self.absorbed:
            said.append(
                f"{in_units(self.absorbed, self.line)} of that take up extra time that waits for the school's "
                f"approval. {pounds(self.spared)} of extra time is not charged."
            )
        elif self.added > Minutes(0):
            said.append("No extra time waits to be taken up, so all of it can be booked.")
        left = total_minutes(one.left for one in self.absorptions)
        if left:
            said.append(f"{in_units(left, self.line)} of that extra time still wait for the school.")
        if self.net.pence > 0:
            said.append(f"{pounds(self.net)} more is billed, before VAT, by a document of its own.")
        elif self.net:
            said.append(f"{pounds(abs(self.net))} goes back to the school, before VAT, by a credit note.")
        return said

    @property
    def spared(self) -> Money:
        """What the absorbed time would have cost as extra time."""
        if self.line.unit_minutes is None:
            return Money(0)
        return extra_time_value(self.absorbed, self.line.unit_minutes, self.line.unit_price)


def variation_preview(
    session: Session, line_id: int, *, quantity: Decimal, effective_on: date
) -> VariationPreview:
    """Say what a variation would absorb (E5): extra time still proposed, delivered from its date on, oldest first."""
    query = (
        select(AgreementLine).where(AgreementLine.id == line_id).options(joinedload(AgreementLine.agreement))
    )
    line = session.scalar(query)
    if line is None:
        raise NotFound()
    net = variation_net(session, line, quantity)
    if line.unit_minutes is None:
        return VariationPreview(line, Minutes(0), (), net)
    added = minutes_of(quantity, line.unit_minutes)
    proposals = _proposed(session, line, effective_on)
    taken = absorbed(added, [extra.minutes for extra in proposals])
    pairs = (Absorption(extra, part) for extra, part in zip(proposals, taken, strict=True))
    return VariationPreview(line, added, tuple(one for one in pairs if one.taken), net)


def _proposed(session: Session, line: AgreementLine, effective_on: date) -> Sequence[ExtraTime]:
    tranche = tranche_on(session, line.id, effective_on)
    if tranche is None:
        return []
    query = (
        select(ExtraTime)
        .join(Delivery, ExtraTime.delivery_id == Delivery.id)
        .where(ExtraTime.line_id == line.id, ExtraTime.year == tranche.year)
        .where(ExtraTime.status == ExtraTimeStatus.PROPOSED, Delivery.delivered_on >= effective_on)
        .options(joinedload(ExtraTime.delivery).joinedload(Delivery.visit).joinedload(Visit.school))
        .order_by(Delivery.delivered_on, ExtraTime.id)
    )
    return list(session.scalars(query))
