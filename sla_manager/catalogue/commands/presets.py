"""Loading a preset: a service's texts follow its file, prices that stand are never touched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from sla_manager.catalogue.models import (
    Obligation,
    Offering,
    PresetLoad,
    Price,
    ServiceHours,
    ServicePolicy,
    ServiceRole,
)
from sla_manager.catalogue.queries import preset_loads
from sla_manager.catalogue.rules.preset_shapes import (
    Preset,
    PresetItem,
    PresetOffering,
    PresetPassage,
    PresetPrice,
)
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.people.models import TradingService
from sla_manager.store.audit import Actor, record
from sla_manager.store.tables import Numbered

PASSAGE = "passage:"
"""A policy whose key begins so is a headed passage of the service's own words."""
POINT = "– "
"""A paragraph that begins so is one point of a list."""
Row = TypeVar("Row", bound=Numbered)
Wanted = Mapping[str, dict[str, Any]]


class FamilyStands(Refused):
    """What is core and what is sold decides money: an offering never changes its family."""

    def __init__(self, code: str, stands: str, wanted: str) -> None:
        super().__init__(
            f"“{code}” is {stands} here and {wanted} in the preset. Give it another code in the preset file.",
            field="preset",
        )


def load_preset(session: Session, preset: Preset, *, service_id: int, by: Actor, at: datetime) -> PresetLoad:
    """Set a service up from a preset, or bring its texts up to date.

    Loading the same file again changes nothing and returns the load that stands. A later file updates texts,
    adds offerings, withdraws those it no longer has, and adds prices for dates that have none. A price is
    never edited.
    """
    service = session.get(TradingService, service_id, with_for_update=True)
    if service is None:
        raise NotFound
    changes = {
        "service": _service(service, preset),
        "offerings": _offerings(session, service_id, preset, at),
        "obligations": _sync(session, _rows(session, Obligation, service_id, _obligation_key), _obligations(preset),
                             lambda: Obligation(service_id=service_id)),
        "roles": _sync(session, _rows(session, ServiceRole, service_id, lambda row: row.title), _roles(preset),
                       lambda: ServiceRole(service_id=service_id)),
        "hours": _sync(session, _rows(session, ServiceHours, service_id, lambda row: str(row.weekday)), _hours(preset),
                       lambda: ServiceHours(service_id=service_id)),
        "policies": _sync(session, _rows(session, ServicePolicy, service_id, lambda row: row.key), _policies(preset),
                          lambda: ServicePolicy(service_id=service_id)),
        "prices": _prices(session, service_id, preset),
    }  # fmt: skip
    last = next(iter(preset_loads(session, service_id)), None)
    touched = any(found for part in changes.values() for name, found in part.items() if name != "unchanged")
    if last is not None and last.sha256 == preset.sha256 and not touched:
        return last
    load = PresetLoad(
        service_id=service_id,
        preset=preset.name,
        sha256=preset.sha256,
        loaded_at=at,
        loaded_by=by.name,
        changes=changes,
    )
    session.add(load)
    session.flush()
    record(
        session,
        "load_preset",
        about="service",
        about_id=service_id,
        summary=f"Preset {preset.name} loaded",
        by=by,
        at=at,
        details={"preset_load_id": load.id, "sha256": preset.sha256},
    )
    return load


def _sync(
    session: Session, rows: Mapping[str, Row], wanted: Wanted, make: Callable[[], Row], *, remove: bool = True
) -> dict[str, Any]:
    """Make the rows say what is wanted; returns the keys that were added, updated and removed."""
    report: dict[str, Any] = {"added": [], "updated": [], "removed": [], "unchanged": 0}
    for key, row in rows.items():
        if remove and key not in wanted:
            session.delete(row)
            report["removed"].append(key)
    session.flush()
    for key, values in wanted.items():
        row = rows[key] if key in rows else make()
        before = {name: getattr(row, name) for name in values} if key in rows else None
        if before == values:
            report["unchanged"] += 1
            continue
        for name, value in values.items():
            setattr(row, name, value)
        session.add(row)
        report["added" if before is None else "updated"].append(key)
    session.flush()
    return report


def _rows(session: Session, kind: type[Any], service_id: int, key: Callable[[Any], str]) -> dict[str, Any]:
    return {key(row): row for row in session.scalars(select(kind).where(kind.service_id == service_id))}


def _texts(items: tuple[PresetItem, ...]) -> list[str]:
    return [item.text for item in items]


def _service(service: TradingService, preset: Preset) -> dict[str, Any]:
    policies = preset.policies
    bands = [[band.fewer_than, band.per_cent] for band in policies.cancellation_bands or ()]
    wanted: dict[str, Any] = {
        "preset": preset.name,
        "introduction": "\n\n".join(_texts(preset.introduction)),
        "cancellation_bands": bands,
        "rearrangement_days": policies.rearrangement_days,
        "quote_valid_days": policies.quote_valid_days,
        "email": service.email or preset.email,
    }
    updated = []
    for name, value in wanted.items():
        if value is not None and getattr(service, name) != value:
            setattr(service, name, value)
            updated.append(name)
    return {"updated": updated}


def _offerings(session: Session, service_id: int, preset: Preset, at: datetime) -> dict[str, Any]:
    rows: dict[str, Offering] = _rows(session, Offering, service_id, lambda row: row.code)
    wanted = {
        one.code: _offering(one, position, preset) for position, one in enumerate(preset.offerings, start=1)
    }
    for code, values in wanted.items():
        if code in rows and rows[code].family is not values["family"]:
            raise FamilyStands(code, rows[code].family.value, values["family"].value)
    report = _sync(session, rows, wanted, lambda: Offering(service_id=service_id), remove=False)
    report["withdrawn"] = []
    from_preset = preset_loads(session, service_id)
    known = {code for load in from_preset for code in load.changes.get("offerings", {}).get("added", ())}
    for code, row in rows.items():
        if code in known and code not in wanted and row.withdrawn_on is None:
            row.withdrawn_on = london_date(at)
            report["withdrawn"].append(code)
    session.flush()
    return report


def _offering(one: PresetOffering, position: int, preset: Preset) -> dict[str, Any]:
    return {
        "code": one.code,
        "name": one.name,
        "description": one.description,
        "section": one.section,
        "family": one.family,
        "duty": one.duty,
        "unit": one.unit.value,
        "unit_minutes": one.unit_minutes,
        "step": one.step,
        "minimum": one.minimum_quantity,
        "maximum": one.maximum_quantity,
        "minimum_per_week": one.minimum_per_week,
        "limit_basis": one.limit_basis.value,
        "charging_method": one.charging.method,
        "block_minutes": one.charging.block_minutes,
        "counts_preparation": one.charging.counts_preparation,
        "counts_report": one.charging.counts_report,
        "counts_travel": one.charging.counts_travel,
        "phases": [phase.value for phase in one.phases],
        "customer_classes": [kind.value for kind in one.customer_classes],
        "activities": _texts(one.activities),
        "position": position,
        "source": preset.cite(one.source),
        "withdrawn_on": None,
    }


def _obligation_key(row: Obligation) -> str:
    return f"{row.side} {row.ref}"


def _obligations(preset: Preset) -> Wanted:
    return {
        f"{one.side.value} {one.ref}": {
            "side": one.side.value,
            "ref": one.ref,
            "heading": one.heading,
            "wording": one.wording,
            "items": _texts(one.items),
            "position": position,
            "source": preset.cite(one.source),
        }
        for position, one in enumerate(preset.obligations, start=1)
    }


def _roles(preset: Preset) -> Wanted:
    return {
        one.title: {
            "title": one.title,
            "responsibilities": _texts(one.responsibilities),
            "contact": ", ".join(part for part in (one.email, one.phone) if part),
            "position": position,
            "source": preset.cite(one.source),
        }
        for position, one in enumerate(preset.roles, start=1)
    }


def _hours(preset: Preset) -> Wanted:
    return {
        str(one.weekday): {"weekday": one.weekday, "opens": one.opens, "closes": one.closes}
        for one in preset.hours
    }


def _policies(preset: Preset) -> Wanted:
    """Return every text of the document: its description, its own passages and its terms."""
    texts: list[dict[str, Any]] = []
    if preset.description:
        wording = "\n\n".join(_texts(preset.description))
        source = preset.cite(preset.description[0].source)
        texts.append({"key": "description", "title": "Our service", "wording": wording, "source": source})
    texts += [_passage(one, preset) for one in preset.passages]
    texts += [
        {"key": one.key, "title": one.title, "wording": one.wording, "source": preset.cite(one.source)}
        for one in preset.policies.texts
    ]
    return {text["key"]: {**text, "position": position} for position, text in enumerate(texts, start=1)}


def _passage(one: PresetPassage, preset: Preset) -> dict[str, Any]:
    paragraphs = [*_texts(one.paragraphs), *(POINT + point for point in _texts(one.points))]
    first = next(iter((*one.paragraphs, *one.points)), None)
    return {
        "key": PASSAGE + one.key,
        "title": one.heading,
        "wording": "\n\n".join(paragraphs),
        "source": preset.cite(first.source) if first else "",
    }


def _prices(session: Session, service_id: int, preset: Preset) -> dict[str, Any]:
    """Add the prices whose dates are free; one that meets another price is kept out and named."""
    report: dict[str, Any] = {"added": [], "kept": [], "unchanged": 0}
    codes = select(Offering.code, Offering.id).where(Offering.service_id == service_id)
    ids = {row.code: row.id for row in session.execute(codes)}
    for one in preset.prices:
        name = f"{one.offering} {one.customer_class.value} {one.starts_on.isoformat()}"
        stands = _standing(session, ids[one.offering], one)
        if not stands:
            session.add(
                Price(
                    offering_id=ids[one.offering],
                    family=preset.offering(one.offering).family,
                    customer_class=one.customer_class,
                    starts_on=one.starts_on,
                    ends_on=one.ends_on,
                    unit_price=one.unit_price,
                    source=preset.cite(one.source),
                )
            )
            session.flush()
            report["added"].append(name)
        elif any(price.unit_price == one.unit_price and price.starts_on == one.starts_on for price in stands):
            report["unchanged"] += 1
        else:
            report["kept"].append(name)
    return report


def _standing(session: Session, offering_id: int, one: PresetPrice) -> list[Price]:
    """Return the versions that hold on any day of a preset's price."""
    query = select(Price).where(
        Price.offering_id == offering_id,
        Price.customer_class == one.customer_class,
        or_(Price.ends_on.is_(None), Price.ends_on > one.starts_on),
    )
    if one.ends_on is not None:
        query = query.where(Price.starts_on < one.ends_on)
    return list(session.scalars(query))
