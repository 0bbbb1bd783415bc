"""Something new to sell, beside what a preset brought."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

import sla_manager.catalogue.constraints  # noqa: F401  (gives the database's rules their sentences)
from sla_manager.catalogue.models import Offering
from sla_manager.catalogue.rules.charging import ChargingMethod
from sla_manager.catalogue.rules.families import Family, refuse_core
from sla_manager.catalogue.rules.preset_shapes import Unit
from sla_manager.catalogue.rules.shapes import PartYear
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.quantities import plain
from sla_manager.people.models import TradingService
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.audit import Actor, record

TIMED = (Unit.DAY, Unit.HOUR)
_CODE_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOffering:
    """What is to be sold. `unit_minutes` is needed for days and hours, and counts time for other units if given."""

    code: str
    name: str
    description: str = ""
    family: Family
    unit: Unit
    unit_minutes: Minutes | None = None
    step: Decimal = Decimal(1)
    minimum: Decimal = Decimal(1)
    maximum: Decimal | None = None
    per_term: bool = False
    part_year: PartYear = PartYear.FULL
    customer_classes: tuple[CustomerClass, ...] = ()
    phases: tuple[str, ...] = ()


class CodeIsTaken(Refused):
    """Codes are unique in a service."""

    def __init__(self, code: str) -> None:
        super().__init__(f"{code} is in use already. Choose another short code.", field="code")


def add_offering(session: Session, service_id: int, new: NewOffering, *, by: Actor, at: datetime) -> Offering:
    """Add something to sell; it can be ordered once it has a price. Core comes from a preset only."""
    if session.get(TradingService, service_id) is None:
        raise NotFound
    refuse_core(new.family, new.name)
    code = _code(new.code)
    taken = select(Offering.id).where(Offering.service_id == service_id, Offering.code == code)
    if session.scalar(taken) is not None:
        raise CodeIsTaken(code)
    _check(new)
    last = session.scalar(select(func.max(Offering.position)).where(Offering.service_id == service_id)) or 0
    added = Offering(
        service_id=service_id,
        code=code,
        name=new.name.strip(),
        description=new.description.strip(),
        family=new.family,
        unit=new.unit.value,
        unit_minutes=new.unit_minutes,
        step=new.step,
        minimum=new.minimum,
        maximum=new.maximum,
        limit_basis="term" if new.per_term else "agreement",
        charging_method=ChargingMethod.ACTUAL,
        part_year=new.part_year,
        customer_classes=[kind.value for kind in new.customer_classes],
        phases=list(new.phases),
        position=last + 1,
    )
    session.add(added)
    session.flush()
    record(
        session,
        "add_offering",
        about="offering",
        about_id=added.id,
        summary=f"{added.name} ({code}), {new.family.title.lower()}, by the {new.unit.value}",
        by=by,
        at=at,
    )
    return added


def _code(text: str) -> str:
    code = "-".join(text.upper().split())
    if not code or len(code) > 40 or not set(code) <= _CODE_LETTERS:
        raise Refused("Enter a short code of letters, numbers and hyphens, like EWO-DAY.", field="code")
    return code


def _check(new: NewOffering) -> None:
    if not new.name.strip():
        raise Refused("Enter its name.", field="name")
    if new.unit in TIMED and new.unit_minutes is None:
        raise Refused(f"Enter how long one {new.unit.value} is.", field="unit_minutes")
    if new.unit_minutes is not None and (new.step * new.unit_minutes.minutes) % 1:
        raise Refused(
            f"A step of {plain(new.step)} {new.unit.value} is not a whole number of minutes. Choose another step.",
            field="step",
        )
    if new.maximum is not None and new.maximum < new.minimum:
        raise Refused(
            f"The most, {plain(new.maximum)}, is below the least, {plain(new.minimum)}. Change one of the two.",
            field="maximum",
        )
