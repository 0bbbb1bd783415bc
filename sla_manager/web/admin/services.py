"""Services, the presets of real services, school terms, the council's own details."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from sla_manager.catalogue.commands import load_preset
from sla_manager.catalogue.rules.presets import preset_names, read_preset
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.people import queries
from sla_manager.people.commands import add_service, add_term, change_provider, change_service, withdraw_term
from sla_manager.people.models import TradingService
from sla_manager.people.queries import (
    one_service,
    the_provider,
)
from sla_manager.people.rules.addresses import read_lines
from sla_manager.people.rules.roles import Permission
from sla_manager.web.admin import blueprint
from sla_manager.web.admin.menu import admin_menu
from sla_manager.web.forms import (
    BaseForm,
    ChoiceField,
    DateField,
    EmailField,
    LongTextField,
    TextField,
    WholeNumberField,
    choice,
)
from sla_manager.web.guard import permitted
from sla_manager.web.pages import actor, now, reading, transaction


class ServiceForm(BaseForm):
    """A new service."""

    name = TextField("Name", enter="Enter the service's name", longest=200)
    code = TextField("Short name", enter="Enter a short name", hint="It stands in page addresses, like ews.")
    series = TextField(
        "Beginning of document numbers", enter="Enter what numbers begin with", hint="Like EWS."
    )
    email = EmailField("Email address (optional)")
    phone = TextField("Telephone (optional)", longest=40)


class ServiceSettingsForm(BaseForm):
    """A service's contacts and policies."""

    name = TextField("Name", enter="Enter the service's name", longest=200)
    email = EmailField("Email address (optional)")
    phone = TextField("Telephone (optional)", longest=40)
    quote_valid_days = WholeNumberField(
        "A quote is valid for (days)", enter="Enter a number of days", least=1, most=365
    )
    rearrangement_days = WholeNumberField(
        "A cancelled visit may be re-arranged within (working days)",
        enter="Enter a number of days",
        least=0,
        most=365,
    )
    bands = LongTextField(
        "Cancellation charges",
        hint="One line for each: fewer than this many clear working days, then the per cent charged. Like: 5 100",
    )


class PresetForm(BaseForm):
    """Which preset."""

    preset = ChoiceField("Preset", enter="Choose a preset")


class TermForm(BaseForm):
    """A school term."""

    name = TextField("Name", enter="Enter the term's name", hint="Like Autumn term 2026.", longest=100)
    starts_on = DateField("First day", enter="Enter the first day")
    ends_on = DateField("Last day", enter="Enter the last day")
    half_term_starts_on = DateField("Half-term break: first day (optional)")
    half_term_ends_on = DateField("Half-term break: last day (optional)")


class SettingsForm(BaseForm):
    """The council's details."""

    name = TextField("Name of the council", enter="Enter the council's name", longest=200)
    address = LongTextField(
        "Postal address", enter="Enter the council's address", hint="One line for each part."
    )
    email = EmailField("Email address (optional)")
    phone = TextField("Telephone (optional)", longest=40)
    vat_number = TextField(
        "VAT number", hint="GB and 9 digits. It stands on invoices, never on recharge notes."
    )
    bank_name = TextField("Bank account name", longest=100)
    bank_sort_code = TextField("Sort code", look={"classes": "govuk-input--width-5"}, longest=20)
    bank_account = TextField("Account number", look={"classes": "govuk-input--width-10"}, longest=20)
    payment_days = WholeNumberField(
        "Days to pay an invoice", enter="Enter a number of days", least=0, most=365
    )
    colour = TextField("Colour of the header", enter="Enter a colour", hint="Like #1d5c63.", longest=20)


class ActForm(BaseForm):
    """A button without questions."""


@blueprint.get("/services")
@permitted(Permission.MANAGE_PROVIDER)
def services() -> str:
    """List the services of the council."""
    return render_template(
        "admin/services.html", navigation=admin_menu(), services=queries.services(reading())
    )


@blueprint.route("/services/new", methods=["GET", "POST"])
@permitted(Permission.MANAGE_PROVIDER)
def new_service() -> str | Response | tuple[str, int]:
    """Add a service."""
    form = ServiceForm()
    if form.is_sent():
        try:
            with transaction() as session:
                made = add_service(
                    session,
                    code=form.code.data,
                    series=form.series.data,
                    name=form.name.data,
                    email=form.email.data or "",
                    phone=form.phone.data or "",
                    by=actor(),
                    at=now(),
                )
            flash(f"{made.name} is added. Load a preset next.", "success")
            return redirect(url_for("admin.service", code=made.code), 303)
        except Refused as error:
            form.refuse(error)
    page = render_template("admin/new_service.html", navigation=admin_menu(), form=form)
    return page, 422 if form.errors else 200


@blueprint.route("/services/<code>", methods=["GET", "POST"])
@permitted(Permission.MANAGE_PROVIDER)
def service(code: str) -> str | Response | tuple[str, int]:
    """Show and change a service's contacts and policies."""
    found = one_service(reading(), code)
    form = ServiceSettingsForm(obj=found, bands=_bands_text(found))
    if form.is_sent():
        try:
            bands = _read_bands(form.bands.data or "")
            with transaction() as session:
                change_service(
                    session,
                    found.id,
                    name=form.name.data,
                    email=form.email.data or "",
                    phone=form.phone.data or "",
                    quote_valid_days=form.quote_valid_days.data,
                    rearrangement_days=form.rearrangement_days.data,
                    cancellation_bands=bands,
                    by=actor(),
                    at=now(),
                )
            flash("Saved. Agreements that are signed keep what they say.", "success")
            return redirect(url_for("admin.service", code=code), 303)
        except Refused as error:
            form.refuse(error)
    page = render_template("admin/service.html", navigation=admin_menu(), form=form, service=found)
    return page, 422 if form.errors else 200


@blueprint.route("/services/<code>/preset", methods=["GET", "POST"])
@permitted(Permission.MANAGE_CATALOGUE)
def preset(code: str) -> str | Response | tuple[str, int]:
    """Load a preset of a real service: offerings, promises, hours and policies."""
    found = one_service(reading(), code)
    form = PresetForm()
    form.preset.choices = [choice(name, _preset_title(name)) for name in preset_names()]
    if form.is_sent():
        try:
            with transaction() as session:
                load_preset(session, read_preset(form.preset.data), service_id=found.id, by=actor(), at=now())
            flash(f"The preset is loaded into {found.name}. Check its prices before you sell.", "success")
            return redirect(url_for("admin.services"), 303)
        except Refused as error:
            form.refuse(error)
    page = render_template("admin/preset.html", navigation=admin_menu(), form=form, service=found)
    return page, 422 if form.errors else 200


@blueprint.route("/terms", methods=["GET", "POST"])
@permitted(Permission.MANAGE_PROVIDER)
def terms() -> str | Response | tuple[str, int]:
    """List the school terms and add one."""
    form = TermForm()
    if form.is_sent():
        try:
            with transaction() as session:
                made = add_term(
                    session,
                    name=form.name.data,
                    starts_on=form.starts_on.data,
                    ends_on=form.ends_on.data,
                    half_term_starts_on=form.half_term_starts_on.data,
                    half_term_ends_on=form.half_term_ends_on.data,
                    by=actor(),
                    at=now(),
                )
            flash(f"{made.name} is added.", "success")
            return redirect(url_for("admin.terms"), 303)
        except Refused as error:
            form.refuse(error)
    page = render_template(
        "admin/terms.html", navigation=admin_menu(), form=form, terms=queries.terms(reading())
    )
    return page, 422 if form.errors else 200


@blueprint.route("/terms/<int:term_id>/withdraw", methods=["GET", "POST"])
@permitted(Permission.MANAGE_PROVIDER)
def term_withdraw(term_id: int) -> str | Response | tuple[str, int]:
    """Ask, then take a wrong term back."""
    found = next((term for term in queries.terms(reading()) if term.id == term_id), None)
    if found is None:
        raise NotFound()
    form = ActForm()
    if form.is_sent():
        with transaction() as session:
            withdraw_term(session, term_id, by=actor(), at=now())
        flash(f"{found.name} is withdrawn.", "success")
        return redirect(url_for("admin.terms"), 303)
    return render_template(
        "layout/confirm.html",
        navigation=admin_menu(),
        form=form,
        question=f"Withdraw {found.name}?",
        consequences=[
            "School weeks are counted without it: pace and support meetings change.",
            "Visits, agreements and documents stay as they are.",
        ],
        button="Withdraw the term",
        back=url_for("admin.terms"),
        grave=True,
    )


@blueprint.route("/settings", methods=["GET", "POST"])
@permitted(Permission.MANAGE_PROVIDER)
def settings() -> str | Response | tuple[str, int]:
    """Show and change the council's details. Issued documents keep what they say."""
    council = the_provider(reading())
    form = SettingsForm(obj=council)
    if not form.is_submitted():
        form.address.data = "\n".join(council.address)
    if form.is_sent():
        facts = {
            name: (form[name].data if form[name].data is not None else "")
            for name in (
                "name",
                "email",
                "phone",
                "vat_number",
                "bank_name",
                "bank_sort_code",
                "bank_account",
            )
        }
        try:
            with transaction() as session:
                change_provider(
                    session,
                    **facts,
                    address=read_lines(form.address.data),
                    payment_days=form.payment_days.data,
                    colour=form.colour.data,
                    by=actor(),
                    at=now(),
                )
            flash("Saved. Documents that are issued keep what they say.", "success")
            return redirect(url_for("admin.settings"), 303)
        except Refused as error:
            form.refuse(error)
    page = render_template("admin/settings.html", navigation=admin_menu(), form=form)
    return page, 422 if form.errors else 200


def _preset_title(name: str) -> str:
    found = read_preset(name)
    return f"{found.council}: {found.service} ({name})"


def _bands_text(service: TradingService) -> str:
    return "\n".join(f"{days} {share}" for days, share in service.cancellation_bands)


def _read_bands(text: str) -> list[tuple[int, int]]:
    """Read lines of two whole numbers: fewer than days, per cent."""
    bands = []
    for line in text.splitlines():
        if not line.strip():
            continue
        parts = line.replace("%", " ").split()
        if len(parts) != 2 or not all(part.isascii() and part.isdigit() and len(part) < 5 for part in parts):
            raise Refused(
                f"“{line.strip()[:40]}” is not two whole numbers. Enter a line like: 5 100", field="bands"
            )
        bands.append((int(parts[0]), int(parts[1])))
    return bands
