"""The council's own layouts: which columns, under which names, with a preview on real documents."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from sla_manager.billing.models import Document
from sla_manager.catalogue.rules.vat import VatCode
from sla_manager.finance.commands import save_layout, save_sage50
from sla_manager.finance.queries import export_documents, layout, mapping
from sla_manager.finance.rules.cells import DATE_FORMATS, DELIMITERS, ENCODINGS
from sla_manager.finance.rules.fields import FIELDS
from sla_manager.finance.rules.layouts import MOST_COLUMNS, ROWS, SIGNS, Column, Layout, check_layout
from sla_manager.finance.rules.ready import READY
from sla_manager.finance.rules.writing import render
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.people.rules.roles import Permission
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.forms import BaseForm, CheckboxField, SelectField, TextField, choice
from sla_manager.web.guard import permitted
from sla_manager.web.pages import actor, now, reading, transaction

PREVIEWED = 5
EMPTY_COLUMNS = 3


def _choices(table: dict[str, str]) -> list[Any]:
    return [choice(value, label) for value, label in table.items()]


class LayoutForm(BaseForm):
    """How a file is written; its columns stand beside it."""

    name = TextField(
        "Short name", hint="Small letters, digits and hyphens, like council-ledger.", enter="Enter a name"
    )
    title = TextField("Title", hint="What people call it.")
    rows = SelectField("Rows", choices=_choices(ROWS))
    date_format = SelectField("Dates", choices=[choice(one, one) for one in DATE_FORMATS])
    sign = SelectField("Credits", choices=_choices(SIGNS))
    delimiter = SelectField("Between columns", choices=_choices(DELIMITERS))
    encoding = SelectField("Encoding", choices=_choices(ENCODINGS))
    header = CheckboxField("Write the headings in the first row")
    tax_standard = TextField("Tax code for the standard rate", default="T1")
    tax_zero = TextField("Tax code for the zero rate", default="T0")
    tax_exempt = TextField("Tax code for exempt", default="T2")
    tax_outside_scope = TextField("Tax code for outside the scope", default="T9")


class Sage50Form(BaseForm):
    """The council's own codes in Sage 50."""

    nominal = TextField("Nominal code", enter="Enter a nominal code, like 4000")
    department = TextField("Department", enter="Enter a department, like 0")
    date_format = SelectField("Dates", choices=[choice(one, one) for one in ("dd/mm/yyyy", "ddmmyyyy")])
    encoding = SelectField("Encoding", choices=_choices(ENCODINGS))
    tax_standard = TextField("Tax code for the standard rate", enter="Enter a tax code, like T1")
    tax_zero = TextField("Tax code for the zero rate", enter="Enter a tax code, like T0")
    tax_exempt = TextField("Tax code for exempt", enter="Enter a tax code, like T2")
    tax_outside_scope = TextField("Tax code for outside the scope", enter="Enter a tax code, like T9")


@blueprint.route("/layouts/new", methods=["GET", "POST"])
@permitted(Permission.EXPORT)
def new_layout() -> ResponseReturnValue:
    """Make a layout of the council's own."""
    return _editor("")


@blueprint.route("/layouts/<name>", methods=["GET", "POST"], endpoint="layout")
@permitted(Permission.EXPORT)
def one_layout(name: str) -> ResponseReturnValue:
    """Change a layout of the council's own; batches that were made stay as they are."""
    if name == "sage50":
        return _sage50()
    if name in READY or mapping(reading(), name) is None:
        raise NotFound
    return _editor(name)


def _editor(name: str) -> ResponseReturnValue:
    known = layout(reading(), name) if name else None
    form = LayoutForm(data=_as_typed(known)) if request.method == "GET" else LayoutForm()
    columns = _columns() if request.method == "POST" else list(known.columns if known else _first_columns())
    preview, act = "", request.form.get("act", "")
    if form.is_sent():
        try:
            wanted = _wanted(form, columns, name)
            if act == "save":
                with transaction() as session:
                    save_layout(
                        session, name=wanted.name, title=wanted.title, columns=wanted.columns,
                        options=wanted.options(), by=actor(), at=now(),
                    )  # fmt: skip
                flash(f"Layout {wanted.name} is saved.", "success")
                return redirect(url_for("finance.exports"), 303)
            preview = _preview(check_layout(wanted))
        except Refused as error:
            form.refuse(error)
    empty = [Column("")] * min(EMPTY_COLUMNS, MOST_COLUMNS - len(columns))
    page = render_template(
        "finance/layout.html",
        navigation=finance_menu(),
        form=form,
        name=name,
        columns=[*columns, *empty],
        fields=FIELDS,
        preview=preview,
    )
    return page, 422 if form.error_list() else 200


def _first_columns() -> list[Column]:
    first = ("number", "issued_on", "account_reference", "customer", "description", "net", "vat", "gross")
    return [Column(FIELDS[one], one) for one in first]


def _as_typed(known: Layout | None) -> dict[str, Any]:
    if known is None:
        return {
            "header": True,
            "rows": "line",
            "date_format": "dd/mm/yyyy",
            "sign": "signed",
            "encoding": "utf-8-sig",
        }
    taxes = {f"tax_{code}": given for code, given in known.tax_codes.items()}
    return {"name": known.name, "title": known.title, **known.options(), **taxes}


def _columns() -> list[Column]:
    """Read the rows of columns as they were typed; rows without heading, field and text are left out."""
    typed = request.form
    columns = []
    for place in range(MOST_COLUMNS + EMPTY_COLUMNS):
        header = typed.get(f"header_{place}", "").strip()
        field, constant = typed.get(f"field_{place}", ""), typed.get(f"constant_{place}", "")
        if header or field or constant:
            order = typed.get(f"order_{place}", "")
            columns.append((int(order) if order.isdigit() and len(order) < 5 else place + 1, place,
                            Column(header, field if not constant else "", constant)))  # fmt: skip
    return [column for _, _, column in sorted(columns, key=lambda one: one[:2])]


def _taxes(form: Any) -> dict[str, str]:
    return {code.value: (form[f"tax_{code.value}"].data or "").strip() for code in VatCode}


def _wanted(form: LayoutForm, columns: list[Column], name: str) -> Layout:
    return Layout(
        name=name or (form.name.data or "").strip(),
        title=(form.title.data or form.name.data or "").strip(),
        columns=tuple(columns),
        rows=form.rows.data,
        header=bool(form.header.data),
        delimiter=form.delimiter.data,
        encoding=form.encoding.data,
        date_format=form.date_format.data,
        sign=form.sign.data,
        tax_codes=_taxes(form),
    )


def _preview(wanted: Layout) -> str:
    """Return the first lines that the file would have, of the latest documents."""
    session = reading()
    ids = list(session.scalars(select(Document.id).order_by(Document.id.desc()).limit(PREVIEWED)))
    return render(wanted, export_documents(session, sorted(ids))).decode(wanted.encoding)


def _sage50() -> ResponseReturnValue:
    stored = mapping(reading(), "sage50")
    options = {"nominal": "4000", "department": "0", "date_format": "dd/mm/yyyy", "encoding": "utf-8"} | (
        stored.options if stored else {}
    )
    known = {f"tax_{code}": given for code, given in layout(reading(), "sage50").tax_codes.items()}
    form = Sage50Form(data={**options, **known}) if request.method == "GET" else Sage50Form()
    if form.is_sent():
        chosen = {name: form[name].data for name in ("nominal", "department", "date_format", "encoding")} | {
            "tax_codes": _taxes(form)
        }
        try:
            with transaction() as session:
                save_sage50(session, options=chosen, by=actor(), at=now())
            flash("Your codes for Sage 50 are saved.", "success")
            return redirect(url_for("finance.exports"), 303)
        except Refused as error:
            form.refuse(error)
    page = render_template("finance/sage50.html", navigation=finance_menu(), form=form)
    return page, 422 if form.error_list() else 200
