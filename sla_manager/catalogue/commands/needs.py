"""Setting the bands by which a service suggests how much a school needs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from sla_manager.catalogue.models import NeedBand, Offering
from sla_manager.catalogue.queries import offering
from sla_manager.catalogue.rules.families import refuse_core
from sla_manager.catalogue.rules.need_examples import example_sets
from sla_manager.catalogue.rules.quantities import check_quantity
from sla_manager.catalogue.rules.recommending import SCHOOL_WEEKS, BandStep, Basis, Measure, check_steps
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.quantities import plain
from sla_manager.store.audit import Actor, record


def set_need_bands(
    session: Session,
    service_id: int,
    *,
    offering_id: int,
    measure: Measure,
    phase: str = "",
    basis: Basis,
    steps: Sequence[BandStep],
    wording: str = "",
    by: Actor,
    at: datetime,
) -> list[NeedBand]:
    """Replace the bands of one offering, measure and phase by these.

    Refused with a gap or an overlap (`BandGap`, `BandOverlap`), for what is free, and where a quantity could not
    be ordered at all. A quantity of 0 says that the free core offer is likely to be enough.
    """
    wanted = offering(session, offering_id, service_id=service_id)
    refuse_core(wanted.family, wanted.name)
    named = " ".join(phase.split())
    if measure is Measure.PHASE:
        if not named:
            raise Refused("Enter the phase of education that this is for, like Secondary.", field="phase")
        if len(steps) != 1 or steps[0].from_value != 0 or steps[0].to_value is not None:
            raise Refused("For a phase alone, enter one quantity: from 0 without end.", field="bands")
    ordered = check_steps(steps, measure=measure)
    for step in ordered:
        _refuse_what_cannot_be_ordered(wanted, step.quantity, basis)
    _forget(session, service_id, offering_id=offering_id, measure=measure, phase=named)
    bands = [
        NeedBand(
            service_id=service_id,
            measure=measure,
            phase=named,
            from_value=step.from_value,
            to_value=step.to_value,
            offering_id=offering_id,
            quantity=step.quantity,
            basis=basis,
            wording=wording.strip(),
        )
        for step in ordered
    ]
    session.add_all(bands)
    session.flush()
    told = ", ".join(f"from {plain(one.from_value)}: {plain(one.quantity)}" for one in bands)
    record(
        session,
        "set_need_bands",
        about="offering",
        about_id=offering_id,
        summary=f"Set how much of {wanted.name} is suggested by {measure.value}: {told} {wanted.unit}s "
        f"{basis.title}.",
        details={"measure": measure.value, "phase": named, "basis": basis.value},
        by=by,
        at=at,
    )
    return bands


def use_example_needs(
    session: Session, service_id: int, *, preset: str | None, by: Actor, at: datetime
) -> int:
    """Set the bands that come with a preset, of what the service sells; returns how many sets were set."""
    count = 0
    for one in example_sets(preset):
        wanted = session.scalar(
            select(Offering).where(Offering.service_id == service_id, Offering.code == one.offering)
        )
        if wanted is None or wanted.withdrawn_on is not None:
            continue
        set_need_bands(
            session,
            service_id,
            offering_id=wanted.id,
            measure=one.measure,
            phase=one.phase,
            basis=one.basis,
            steps=one.steps,
            wording=one.wording,
            by=by,
            at=at,
        )
        count += 1
    return count


def end_need_bands(
    session: Session,
    service_id: int,
    *,
    offering_id: int,
    measure: Measure,
    phase: str,
    by: Actor,
    at: datetime,
) -> None:
    """Suggest nothing by this measure any more."""
    wanted = offering(session, offering_id, service_id=service_id)
    _forget(session, service_id, offering_id=offering_id, measure=measure, phase=phase)
    record(
        session,
        "end_need_bands",
        about="offering",
        about_id=offering_id,
        summary=f"Suggested quantities of {wanted.name} by {measure.value} ended.",
        details={"measure": measure.value, "phase": phase},
        by=by,
        at=at,
    )


def _forget(session: Session, service_id: int, *, offering_id: int, measure: Measure, phase: str) -> None:
    """Take the stored bands of one set away, before others take their place."""
    session.execute(
        delete(NeedBand).where(
            NeedBand.service_id == service_id,
            NeedBand.offering_id == offering_id,
            NeedBand.measure == measure,
            NeedBand.phase == phase,
        )
    )


def _refuse_what_cannot_be_ordered(wanted: Offering, quantity: Decimal, basis: Basis) -> None:
    if not quantity:
        return
    asked = quantity * SCHOOL_WEEKS if basis is Basis.WEEK else quantity
    limit_basis = "term" if basis is Basis.TERM else "agreement"
    if wanted.limit_basis == limit_basis:
        check_quantity(
            asked,
            unit=wanted.unit,
            minimum=wanted.minimum,
            maximum=wanted.maximum,
            step=wanted.step,
            basis=limit_basis,
        )
    elif wanted.limit_basis == "term":
        raise Refused(
            f"{wanted.name} is ordered for each term. Suggest a quantity for a term.", field="basis"
        )
