"""Promised prices: what a maintained school agreed is what it pays at its renewals, for some years."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.models import Agreement, AgreementLine
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.catalogue.models import PriceFreeze, PriceHold
from sla_manager.kernel.periods import add_months

_MONTHS = 12


def hold_prices(session: Session, agreement: Agreement, *, at: datetime) -> list[PriceHold]:
    """Write down the prices that an agreement promises for years, where its service does so.

    A first agreement promises for the first number of years, one after it for the later. What is promised
    already is not promised again; of a package its own price is promised, and nothing that came free is.
    `agreement` has its lines loaded.
    """
    freeze = session.scalar(select(PriceFreeze).where(PriceFreeze.service_id == agreement.service_id))
    if freeze is None or not agreement.customer_class.is_own:
        return []
    years = freeze.later_years if _has_bought_before(session, agreement) else freeze.first_years
    promised = set(
        session.scalars(
            select(PriceHold.offering_id).where(
                PriceHold.school_id == agreement.school_id,
                PriceHold.starts_on <= agreement.starts_on,
                PriceHold.until > agreement.starts_on,
            )
        )
    )
    holds: dict[int, PriceHold] = {}
    for line in agreement.lines:
        priced = _priced_by(line)
        if priced is not None and priced[0] not in promised:
            holds.setdefault(priced[0], _hold(agreement, priced, years, at))
    session.add_all(holds.values())
    session.flush()
    return list(holds.values())


def _priced_by(line: AgreementLine) -> tuple[int, int] | None:
    """Return the offering and the version of its price that a line stands on: its own, or its package's."""
    facts = line.price_facts
    if "package_id" in facts:
        return int(facts["package_id"]), int(facts["of_package"]["price_id"])
    return (
        None if facts.get("free") or "price_id" not in facts else (line.offering_id, int(facts["price_id"]))
    )


def _hold(agreement: Agreement, priced: tuple[int, int], years: int, at: datetime) -> PriceHold:
    offering_id, price_id = priced
    return PriceHold(
        school_id=agreement.school_id,
        offering_id=offering_id,
        price_id=price_id,
        starts_on=agreement.starts_on,
        until=add_months(agreement.starts_on, _MONTHS * years),
        agreement=agreement.reference,
        held_at=at,
    )


def _has_bought_before(session: Session, agreement: Agreement) -> bool:
    query = select(Agreement.id).where(
        Agreement.school_id == agreement.school_id,
        Agreement.service_id == agreement.service_id,
        Agreement.id != agreement.id,
        Agreement.status.in_((AgreementStatus.AGREED, AgreementStatus.ENDED)),
    )
    return session.scalar(query.limit(1)) is not None
