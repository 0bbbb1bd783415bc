"""Packages, discounts and promised prices: what lowers or holds a price."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import select
from sqlalchemy.orm import Session

import sla_manager.catalogue.constraints  # noqa: F401  (gives the database's rules their sentences)
from sla_manager.catalogue.models import Discount, Offering, PackagePart, PriceFreeze
from sla_manager.catalogue.queries import offering
from sla_manager.catalogue.rules.discounts import DiscountKind, DiscountRule
from sla_manager.catalogue.rules.families import Family, refuse_core
from sla_manager.catalogue.rules.packages import included
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.words import long_date
from sla_manager.store.audit import Actor, record

_WHOLE = 10_000


class PackageSold(Refused):
    """What was sold as a package keeps its parts."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"“{name}” has its parts already, and they stay. Withdraw it and add another package.",
            field="parts",
        )


class DiscountInThePast(Refused):
    """A discount begins or ends today at the earliest: quotes of earlier days stand."""

    def __init__(self, day: date, today: date) -> None:
        super().__init__(
            f"{long_date(day)} is in the past. Choose {long_date(today)} or a later day.", field="starts_on"
        )


def set_package(
    session: Session,
    package_id: int,
    parts: Sequence[tuple[int, Decimal]],
    *,
    by: Actor,
    at: datetime,
) -> list[PackagePart]:
    """Say what is in a package: offerings of the same service and how much of each.

    Core may be named as free, beside at least one part that is sold: core alone could not have a price.
    """
    package = session.get_one(Offering, offering(session, package_id).id, with_for_update=True)
    refuse_core(package.family, package.name)
    if (
        session.scalar(select(PackagePart.id).where(PackagePart.package_id == package_id).limit(1))
        is not None
    ):
        raise PackageSold(package.name)
    if not parts or len({one for one, _ in parts}) != len(parts):
        raise Refused("Choose at least one part, and each part once.", field="parts")
    if package.unit_minutes is not None:
        raise Refused(
            f"“{package.name}” is counted in time. A package is counted in packages or years.", field="parts"
        )
    made, sold = [], 0
    for position, (offering_id, quantity) in enumerate(parts, start=1):
        part = offering(session, offering_id, service_id=package.service_id)
        if quantity <= 0:
            raise Refused(f"Enter how much of “{part.name}” is included.", field="parts")
        if part.family is not Family.CORE:
            included(quantity, Fraction(1), step=part.step, package=package.name, name=part.name)
            sold += 1
        made.append(
            PackagePart(package_id=package_id, offering_id=part.id, quantity=quantity, position=position)
        )
    if not sold:
        raise Refused(
            f"Everything in “{package.name}” is free. Name at least one part that is sold.", field="parts"
        )
    session.add_all(made)
    session.flush()
    record(
        session,
        "set_package",
        about="offering",
        about_id=package_id,
        summary=f"{package.name} includes {len(made)} parts",
        by=by,
        at=at,
        details={"parts": [[one, str(quantity)] for one, quantity in parts]},
    )
    return made


def add_discount(
    session: Session, service_id: int, rule: DiscountRule, *, by: Actor, at: datetime
) -> Discount:
    """Add a discount from a day on. Quotes made before keep what they say."""
    if not rule.name.strip():
        raise Refused("Enter its name. It stands on the quote.", field="name")
    if rule.starts_on < london_date(at):
        raise DiscountInThePast(rule.starts_on, london_date(at))
    if rule.ends_on is not None and rule.ends_on < rule.starts_on:
        raise Refused("The last day is before the first. Change one of the two.", field="ends_on")
    if rule.percent is not None and not 0 < rule.percent <= _WHOLE:
        raise Refused("Enter a percentage above 0 and up to 100.", field="percent")
    _check_kind(rule)
    for one in sorted(rule.offering_ids | rule.needs_ids):
        named = offering(session, one, service_id=service_id)
        refuse_core(named.family, named.name)
    added = Discount(
        service_id=service_id,
        kind=rule.kind,
        name=rule.name.strip(),
        percent=rule.percent,
        unit_price=rule.unit_price,
        threshold=rule.threshold,
        free_quantity=rule.free_quantity,
        offering_ids=sorted(rule.offering_ids),
        needs_ids=sorted(rule.needs_ids),
        customer_classes=sorted(one.value for one in rule.customer_classes),
        starts_on=rule.starts_on,
        ends_on=rule.ends_on,
        added_at=at,
        added_by=by.name,
    )
    session.add(added)
    session.flush()
    record(
        session,
        "add_discount",
        about="service",
        about_id=service_id,
        summary=f"{rule.kind.title}: {added.name} from {rule.starts_on.isoformat()}",
        by=by,
        at=at,
        details={"discount_id": added.id},
    )
    return added


def _check_kind(rule: DiscountRule) -> None:
    if rule.kind is DiscountKind.EARLY_BIRD and rule.ends_on is None:
        raise Refused("Enter the last day of the early bird.", field="ends_on")
    if rule.kind in (DiscountKind.EARLY_BIRD, DiscountKind.TAKE_ALL) and rule.percent is None:
        raise Refused("Enter how many per cent are taken off.", field="percent")
    if rule.kind is DiscountKind.SUBSCRIBER and (rule.percent is None) == (rule.unit_price is None):
        raise Refused("Enter a percentage or a price, one of the two.", field="percent")
    if rule.kind is not DiscountKind.EARLY_BIRD and not rule.needs_ids:
        raise Refused("Choose what has to be bought.", field="needs")
    if rule.kind is DiscountKind.BUNDLE:
        if not rule.threshold or not rule.free_quantity or rule.threshold <= 0 or rule.free_quantity <= 0:
            raise Refused("Enter from how many on, and how much is free.", field="threshold")
        if not rule.offering_ids:
            raise Refused("Choose what is free.", field="offerings")


def end_discount(session: Session, discount_id: int, *, on: date, by: Actor, at: datetime) -> Discount:
    """End a discount: `on` is its last day."""
    found = session.get(Discount, discount_id, with_for_update=True)
    if found is None:
        raise NotFound
    if on < london_date(at):
        raise DiscountInThePast(on, london_date(at))
    if found.ends_on is not None and found.ends_on <= on:
        return found
    found.ends_on = max(on, found.starts_on)
    session.flush()
    record(
        session,
        "end_discount",
        about="service",
        about_id=found.service_id,
        summary=f"{found.name} ends on {found.ends_on.isoformat()}",
        by=by,
        at=at,
        details={"discount_id": found.id},
    )
    return found


def freeze_prices(
    session: Session, service_id: int, *, first_years: int, later_years: int, by: Actor, at: datetime
) -> PriceFreeze:
    """Say that maintained schools keep their prices: at most 3 years the first time, at most 5 later."""
    if not 1 <= first_years <= 3 or not 1 <= later_years <= 5:
        raise Refused("A first promise lasts 1 to 3 years, a later one 1 to 5.", field="first_years")
    found = session.scalar(select(PriceFreeze).where(PriceFreeze.service_id == service_id))
    if found is None:
        found = PriceFreeze(service_id=service_id)
        session.add(found)
    found.first_years, found.later_years = first_years, later_years
    session.flush()
    record(
        session,
        "freeze_prices",
        about="service",
        about_id=service_id,
        summary=f"Prices are held {first_years} years, later {later_years}",
        by=by,
        at=at,
    )
    return found
