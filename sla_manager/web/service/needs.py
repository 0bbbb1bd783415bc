"""How much a service suggests to schools: bands by absence, phase or pupils, and how many schools fall in each."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from sla_manager.catalogue.commands.needs import end_need_bands, set_need_bands, use_example_needs
from sla_manager.catalogue.models import Offering
from sla_manager.catalogue.needs import BandSet, band_sets, schools_by_band
from sla_manager.catalogue.queries import offering, offerings
from sla_manager.catalogue.rules.families import Family
from sla_manager.catalogue.rules.need_examples import example_sets
from sla_manager.catalogue.rules.recommending import BandStep, Basis, Measure
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.quantities import plain
from sla_manager.kernel.words import counted
from sla_manager.people.models import School, TradingService
from sla_manager.people.rules.roles import Permission
from sla_manager.web.forms import BaseForm, ChoiceField, LongTextField, QuantityField, SelectField, choice
from sla_manager.web.guard import in_service
from sla_manager.web.pages import actor, now, reading, today, transaction
from sla_manager.web.service import blueprint
from sla_manager.web.service.menu import service_menu

ROWS = range(1, 9)
BASES = (
    (Basis.TERM, "For each term"),
    (Basis.AGREEMENT, "For the year"),
    (Basis.WEEK, "For each school week", "We multiply it by 39 school weeks."),
)


class NeedsForm(BaseForm):
    """What is suggested, by which figure, to whom. The rows of the bands are added below."""

    offering = SelectField("What do you suggest?", enter="Choose what you suggest")
    measure = ChoiceField("By which figure?", enter="Choose a figure")
    phase = SelectField(
        "To which schools?",
        hint="A suggestion by phase alone needs a phase.",
        choices=[choice("", "All schools")],
    )
    basis = ChoiceField("For how long is the quantity?", enter="Choose for how long the quantity is")
    wording = LongTextField(
        "What do you say besides? (optional)",
        hint="It stands beneath the suggestion, like: This gives time for a meeting each fortnight.",
        longest=500,
    )


class ActForm(BaseForm):
    """A button without questions."""


@blueprint.get("/<service>/needs")
@in_service(Permission.MANAGE_CATALOGUE)
def needs(service: TradingService) -> str:
    """Show every set of bands, and how many schools fall in each."""
    session = reading()
    sets = band_sets(session, service.id)
    return render_template(
        "service/needs.html",
        navigation=service_menu(service),
        service=service,
        sets=[(one, schools_by_band(session, one.bands, on=today())) for one in sets],
        has_example=bool(example_sets(service.preset)),
        form=ActForm(),
    )


@blueprint.post("/<service>/needs/example")
@in_service(Permission.MANAGE_CATALOGUE)
def example_needs(service: TradingService) -> Response:
    """Begin with the bands that come with the service's preset."""
    code = service.code
    with transaction() as session:
        count = use_example_needs(session, service.id, preset=service.preset, by=actor(), at=now())
    flash(f"{counted(count, 'suggestion')} of the preset can be changed now.", "success")
    return redirect(url_for("service.needs", service=code), 303)


@blueprint.route("/<service>/needs/set", methods=["GET", "POST"])
@in_service(Permission.MANAGE_CATALOGUE)
def set_needs(service: TradingService) -> str | tuple[str, int] | Response:
    """Set the bands of one offering, figure and phase: those there were are replaced."""
    session = reading()
    sold = [one for one in offerings(session, service.id, today()) if one.family is not Family.CORE]
    form = needs_form(sold)
    if not form.is_submitted():
        _fill(form, _asked_for(service))
    if form.is_sent():
        try:
            steps = _steps(form)
            measure, code = Measure(form.measure.data), service.code
            with transaction() as session:
                set_need_bands(
                    session,
                    service.id,
                    offering_id=int(form.offering.data),
                    measure=measure,
                    phase=form.phase.data or "",
                    basis=Basis(form.basis.data),
                    steps=steps,
                    wording=form.wording.data or "",
                    by=actor(),
                    at=now(),
                )
            flash("Schools see this suggestion from now on.", "success")
            return redirect(url_for("service.needs", service=code), 303)
        except Refused as error:
            form.refuse(Refused(error.message, field="from_1" if error.field == "bands" else error.field))
    page = render_template(
        "service/set_needs.html", navigation=service_menu(service), service=service, form=form, rows=ROWS
    )
    return (page, 422) if form.is_submitted() else page


def needs_form(sold: list[Offering]) -> Any:
    """Return the form with eight rows of bands."""
    fields: dict[str, Any] = {}
    for row in ROWS:
        fields[f"from_{row}"] = QuantityField(f"Band {row} begins at", least=Decimal(0))
        fields[f"quantity_{row}"] = QuantityField(f"Band {row} suggests", least=Decimal(0))
    form = type("NeedsFormWithRows", (NeedsForm,), fields)()
    form.offering.choices = [choice("", "Choose one")] + [
        choice(one.id, f"{one.name} (by the {one.unit})") for one in sold
    ]
    form.measure.choices = [choice(one.value, one.title) for one in Measure]
    form.basis.choices = [choice(basis.value, *told) for basis, *told in BASES]
    phases = reading().scalars(
        select(School.phase).where(School.phase != "").distinct().order_by(School.phase)
    )
    form.phase.choices = [choice("", "All schools")] + [choice(phase, phase) for phase in phases]
    return form


def _asked_for(service: TradingService) -> BandSet | None:
    """Return the set that the address names, to change it."""
    asked = tuple(request.args.get(name, "") for name in ("offering", "measure", "phase"))
    for one in band_sets(reading(), service.id):
        if asked == (str(one.first.offering_id), one.measure.value, one.phase):
            return one
    return None


def _fill(form: Any, held: BandSet | None) -> None:
    if held is None:
        form.basis.data, form.measure.data = Basis.TERM.value, Measure.PERSISTENT.value
        form.from_1.data = Decimal(0)
        return
    if held.phase and held.phase not in [one.value for one in form.phase.choices]:
        form.phase.choices = [*form.phase.choices, choice(held.phase, held.phase)]
    form.offering.data, form.measure.data = str(held.first.offering_id), held.measure.value
    form.phase.data, form.basis.data = held.phase, held.first.basis.value
    form.wording.data = held.first.wording
    for row, band in zip(ROWS, held.bands, strict=False):
        form[f"from_{row}"].data, form[f"quantity_{row}"].data = band.from_value, band.quantity


def _steps(form: Any) -> list[BandStep]:
    """Return the bands that were typed: each ends where the next begins, the last has no end."""
    typed: list[tuple[Decimal, Decimal]] = []
    for row in ROWS:
        begins, quantity = form[f"from_{row}"].data, form[f"quantity_{row}"].data
        if begins is None and quantity is None:
            continue
        if begins is None:
            raise Refused("Enter the figure at which this band begins.", field=f"from_{row}")
        if quantity is None:
            raise Refused(
                "Enter how much you suggest in this band. 0 says that free is enough.",
                field=f"quantity_{row}",
            )
        typed.append((begins, quantity))
    typed.sort()
    for (begins, _), (other, _) in pairwise(typed):
        if begins == other:
            raise Refused(f"Two bands begin at {plain(begins)}. Change one of them.", field="bands")
    ends: list[Decimal | None] = [begins for begins, _ in typed[1:]]
    return [
        BandStep(begins, end, quantity) for (begins, quantity), end in zip(typed, [*ends, None], strict=False)
    ]


@blueprint.route("/<service>/needs/end", methods=["GET", "POST"])
@in_service(Permission.MANAGE_CATALOGUE)
def end_needs(service: TradingService) -> str | Response:
    """Suggest nothing by one figure any more."""
    held, code = _asked_for(service), service.code
    if held is None:
        return redirect(url_for("service.needs", service=code))
    form = ActForm()
    if form.is_sent():
        with transaction() as session:
            end_need_bands(
                session,
                service.id,
                offering_id=offering(session, held.first.offering_id, service_id=service.id).id,
                measure=held.measure,
                phase=held.phase,
                by=actor(),
                at=now(),
            )
        flash("Schools do not see this suggestion any more.", "success")
        return redirect(url_for("service.needs", service=code), 303)
    return render_template(
        "service/end_needs.html", navigation=service_menu(service), service=service, held=held, form=form
    )
