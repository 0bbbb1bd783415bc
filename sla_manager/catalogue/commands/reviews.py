"""A price review: the whole list, or a part of it, at new prices from a day on. Seen first, then done as seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from sla_manager.catalogue.commands.prices import set_price
from sla_manager.catalogue.models import Price
from sla_manager.catalogue.queries import offerings, price_history
from sla_manager.catalogue.rules.reviews import Rounding, reviewed, reviewed_terms
from sla_manager.catalogue.rules.shapes import PriceShape
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import Conflict, Refused
from sla_manager.kernel.money import Money
from sla_manager.kernel.references import canonical_json, sha256
from sla_manager.kernel.words import long_date, per_cent
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.audit import Actor, record


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What a review asks for: by how much (basis points), rounded how, from when, for whom and for what.

    No class or no offering named means all of them.
    """

    basis_points: int
    rounding: Rounding
    starts_on: date
    customer_classes: frozenset[CustomerClass] = frozenset()
    offering_ids: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRow:
    """One price before and after. `standing` says why it is left alone, or is empty."""

    offering_id: int
    offering: str
    unit: str
    customer_class: CustomerClass
    shape: PriceShape
    now: Money
    new: Money
    terms: dict[str, Any]
    standing: str = ""

    @property
    def difference(self) -> Money:
        """How much it rises; below nothing, it falls."""
        return self.new - self.now

    def facts(self) -> dict[str, Any]:
        """What a confirmation binds."""
        return {
            "offering": self.offering_id,
            "class": self.customer_class.value,
            "now": str(self.now),
            "new": str(self.new),
            "terms": self.terms,
            "standing": self.standing,
        }


@dataclass(frozen=True, slots=True)
class ReviewPreview:
    """Every price that a review touches, and the hash that its confirmation must name."""

    review: Review
    rows: tuple[ReviewRow, ...]

    @property
    def changing(self) -> tuple[ReviewRow, ...]:
        """The rows that get a new version."""
        return tuple(row for row in self.rows if not row.standing)

    @property
    def sha256(self) -> str:
        """The hash of what is seen: what is done is what was seen, or nothing."""
        return sha256(
            canonical_json(
                {
                    "basis_points": self.review.basis_points,
                    "rounding": self.review.rounding.value,
                    "starts_on": self.review.starts_on.isoformat(),
                    "rows": [row.facts() for row in self.rows],
                }
            )
        )


class PriceInThePast(Refused):
    """A new price begins today at the earliest: quotes of earlier days stand."""

    def __init__(self, starts_on: date, today: date) -> None:
        super().__init__(
            f"{long_date(starts_on)} is in the past. New prices begin on {long_date(today)} or later.",
            field="starts_on",
        )


class ListHasChanged(Conflict):
    """The prices are not those that were on the page."""

    def __init__(self) -> None:
        super().__init__(
            "Somebody has changed the price list since you looked. Nothing was done. Look at the preview again."
        )


def preview_review(session: Session, service_id: int, review: Review) -> ReviewPreview:
    """Return what a review would do; reads only.

    The price that counts is the one of the day before: the same review, done twice, comes to the same prices.
    """
    before = review.starts_on - timedelta(days=1)
    named = {one.id: one for one in offerings(session, service_id, review.starts_on)}
    versions = [price for prices in price_history(session, service_id).values() for price in prices]
    planned = {
        (price.offering_id, price.customer_class): price
        for price in reversed(versions)
        if price.starts_on >= review.starts_on
    }
    rows = []
    for price in versions:
        holds = price.starts_on <= before and (price.ends_on is None or price.ends_on > before)
        offering = named.get(price.offering_id)
        if not holds or offering is None or not _wanted(review, price.offering_id, price.customer_class):
            continue
        new = reviewed(price.unit_price, review.basis_points, review.rounding)
        terms = reviewed_terms(price.terms, review.basis_points, review.rounding)
        rows.append(
            ReviewRow(
                offering_id=offering.id,
                offering=offering.name,
                unit=offering.unit,
                customer_class=price.customer_class,
                shape=price.shape,
                now=price.unit_price,
                new=new,
                terms=terms,
                standing=_standing(price, planned.get((offering.id, price.customer_class)), new, terms),
            )
        )
    order = {offering_id: place for place, offering_id in enumerate(named)}
    rows.sort(key=lambda row: (order[row.offering_id], list(CustomerClass).index(row.customer_class)))
    return ReviewPreview(review, tuple(rows))


def _wanted(review: Review, offering_id: int, customer_class: CustomerClass) -> bool:
    return (not review.customer_classes or customer_class in review.customer_classes) and (
        not review.offering_ids or offering_id in review.offering_ids
    )


def _standing(price: Price, planned: Price | None, new: Money, terms: dict[str, Any]) -> str:
    """Say why a price is left alone, or nothing."""
    if planned is not None and planned.unit_price == new and planned.terms == terms:
        return f"It is set already, from {long_date(planned.starts_on)}."
    if planned is not None:
        return f"Another price is set already, from {long_date(planned.starts_on)}."
    return "It comes to the same price." if new == price.unit_price and terms == price.terms else ""


def apply_review(
    session: Session, service_id: int, review: Review, *, expected_sha256: str, by: Actor, at: datetime
) -> Sequence[ReviewRow]:
    """Make the new versions of a review that was seen; prices that were agreed for years are not touched (C7).

    Returns what was changed: nothing, when the review was done already. Raises `PriceInThePast`, and
    `ListHasChanged` when the list is not the one that was seen.
    """
    if review.starts_on < london_date(at):
        raise PriceInThePast(review.starts_on, london_date(at))
    preview = preview_review(session, service_id, review)
    if not preview.changing:
        return ()
    if preview.sha256 != expected_sha256:
        raise ListHasChanged
    words = f"Review from {long_date(review.starts_on)}: {per_cent(review.basis_points)}"
    for row in preview.changing:
        set_price(
            session,
            row.offering_id,
            row.customer_class,
            unit_price=row.new,
            shape=row.shape,
            terms=row.terms,
            starts_on=review.starts_on,
            source=words,
            by=by,
            at=at,
        )
    record(
        session,
        "review_prices",
        about="service",
        about_id=service_id,
        summary=f"{words}, {review.rounding.title.lower()}: {len(preview.changing)} prices",
        by=by,
        at=at,
        details={"sha256": preview.sha256, "prices": len(preview.changing)},
    )
    return preview.changing
