"""The settings of a layout that is ready: the council's own codes in its finance system."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sla_manager.catalogue.rules.vat import VatCode
from sla_manager.finance.commands.batches import save_ready
from sla_manager.finance.queries import mapping
from sla_manager.finance.rules.ready import LAYOUTS, ready_layout
from sla_manager.finance.rules.settings import Ready, Setting
from sla_manager.kernel.errors import Refused
from sla_manager.people.rules.roles import Permission
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.layouts import choices_of, editor, preview_of, taxes_of
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.forms import BaseForm, SelectField, TextField
from sla_manager.web.guard import permitted
from sla_manager.web.pages import actor, now, reading, transaction

_TAXES = {
    VatCode.STANDARD: "Tax code for the standard rate",
    VatCode.ZERO: "Tax code for the zero rate",
    VatCode.EXEMPT: "Tax code for exempt",
    VatCode.OUTSIDE_SCOPE: "Tax code for outside the scope",
}


@blueprint.route("/layouts/<name>", methods=["GET", "POST"], endpoint="layout")
@permitted(Permission.EXPORT)
def one_layout(name: str) -> ResponseReturnValue:
    """Change a layout; batches that were made stay as they are."""
    ready = LAYOUTS.get(name)
    return _settings(name, ready) if ready is not None and ready.settings else editor(name)


def _settings(name: str, ready: Ready) -> ResponseReturnValue:
    stored = mapping(reading(), name)
    options = ready.checked(stored.options if stored is not None else {})
    kind = _form_of(ready)
    form = kind(data=_as_typed(options)) if request.method == "GET" else kind()
    preview = preview_of(ready_layout(name, options)) if request.method == "GET" else ""
    if form.is_sent():
        chosen: dict[str, Any] = {one.name: form[one.name].data for one in ready.settings}
        chosen |= {"tax_codes": taxes_of(form)} if ready.tax_codes is not None else {}
        try:
            if request.form.get("act") == "preview":
                preview = preview_of(ready_layout(name, chosen))
            else:
                with transaction() as session:
                    save_ready(session, name, options=chosen, by=actor(), at=now())
                flash(f"Your settings of {ready.title} are saved.", "success")
                return redirect(url_for("finance.exports"), 303)
        except Refused as error:
            form.refuse(error)
    page = render_template(
        "finance/ready_layout.html", navigation=finance_menu(), form=form, ready=ready, preview=preview
    )
    return page, 422 if form.error_list() else 200


def _as_typed(options: dict[str, Any]) -> dict[str, Any]:
    taxes = {f"tax_{code}": given for code, given in dict(options.get("tax_codes", {})).items()}
    return {**options, **taxes}


def _form_of(ready: Ready) -> type[BaseForm]:
    """Return the form of a layout's settings, in their order."""
    fields: dict[str, Any] = {one.name: _field(one) for one in ready.settings}
    for code in ready.tax_codes or ():
        fields[f"tax_{code.value}"] = TextField(_TAXES[code], longest=50)
    return type("SettingsForm", (BaseForm,), fields)


def _field(setting: Setting) -> Any:
    if setting.choices is not None:
        return SelectField(setting.label, hint=setting.hint, choices=choices_of(dict(setting.choices)))
    return TextField(setting.label, hint=setting.hint, longest=200)
