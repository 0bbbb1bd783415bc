"""The council's own layouts: which columns, under which names, with a preview on real documents."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from sla_manager.billing.models import Document
from sla_manager.catalogue.rules.vat import VatCode
from sla_manager.finance.commands import save_layout
from sla_manager.finance.queries import export_documents, layout, mapping
from sla_manager.finance.queries.batches import in_scope
from sla_manager.finance.rules.cells import DATE_FORMATS, DECIMALS, DELIMITERS, ENCODINGS
from sla_manager.finance.rules.fields import FIELDS
from sla_manager.finance.rules.layouts import (
    ALIGNMENTS,
    MOST_COLUMNS,
    ONLY,
    ROWS,
    SCOPES,
    SIGNS,
    Column,
    Layout,
    check_layout,
)
from sla_manager.finance.rules.ready import READY
from sla_manager.finance.rules.writing import sample
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.people.rules.roles import Permission
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.forms import BaseForm, CheckboxField, SelectField, TextField, choice
from sla_manager.web.guard import permitted
from sla_manager.web.pages import actor, now, reading, transaction

PREVIEWED = 5
EMPTY_COLUMNS = 3
_NARROW = {"classes": "govuk-input--width-10"}


def choices_of(table: dict[str, str]) -> list[Any]:
    """Return the options of a table of words."""
    return [choice(value, label) for value, label in table.items()]


class LayoutForm(BaseForm):
    """How a file is written; its columns stand beside it."""

    name = TextField(
        "Short name", hint="Small letters, digits and hyphens, like council-ledger.", enter="Enter a name"
    )
    title = TextField("Title", hint="What people call it.")
    scope = SelectField("Documents", choices=choices_of(SCOPES), default="all")
    rows = SelectField("Rows", choices=choices_of(ROWS))
    date_format = SelectField("Dates", choices=[choice(one, one) for one in DATE_FORMATS])
    decimals = SelectField("Amounts", choices=choices_of(DECIMALS), default="point")
    sign = SelectField("Credits", choices=choices_of(SIGNS))
    delimiter = SelectField(
        "Between columns",
        choices=choices_of(DELIMITERS),
        hint="With fixed widths, each column needs its width in characters.",
    )
    encoding = SelectField("Encoding", choices=choices_of(ENCODINGS))
    header = CheckboxField("Write the headings in the first row")
    charge_word = TextField(
        "Your system’s word for a charge", default="Invoice", longest=50, look=_NARROW, enter="Enter a word"
    )
    credit_word = TextField(
        "Your system’s word for a credit",
        default="Credit note",
        longest=50,
        look=_NARROW,
        enter="Enter a word",
    )
    tax_standard = TextField("Tax code for the standard rate", default="T1", look=_NARROW)
    tax_zero = TextField("Tax code for the zero rate", default="T0", look=_NARROW)
    tax_exempt = TextField("Tax code for exempt", default="T2", look=_NARROW)
    tax_outside_scope = TextField("Tax code for outside the scope", default="T9", look=_NARROW)


@blueprint.route("/layouts/new", methods=["GET", "POST"])
@permitted(Permission.EXPORT)
def new_layout() -> ResponseReturnValue:
    """Make a layout of the council's own."""
    return editor("")


def editor(name: str) -> ResponseReturnValue:
    """Show a layout of the council's own to be changed, with what it would write, and save it."""
    if name and (name in READY or mapping(reading(), name) is None):
        raise NotFound
    known = layout(reading(), name) if name else None
    form = LayoutForm(data=_as_typed(known)) if request.method == "GET" else LayoutForm()
    columns = _columns() if request.method == "POST" else list(known.columns if known else _first_columns())
    preview, act = "", request.form.get("act", "")
    if form.is_sent():
        try:
            wanted = check_layout(_wanted(form, columns, name))
            if act == "save":
                with transaction() as session:
                    save_layout(
                        session, name=wanted.name, title=wanted.title, columns=wanted.columns,
                        options=wanted.options(), by=actor(), at=now(),
                    )  # fmt: skip
                flash(f"Layout {wanted.name} is saved.", "success")
                return redirect(url_for("finance.exports"), 303)
            preview = preview_of(wanted)
        except Refused as error:
            form.refuse(error)
    elif request.method == "GET" and known is not None:
        preview = preview_of(known)
    empty = [Column("")] * min(EMPTY_COLUMNS, MOST_COLUMNS - len(columns))
    page = render_template(
        "finance/layout.html",
        navigation=finance_menu(),
        form=form,
        name=name,
        columns=[*columns, *empty],
        fields=FIELDS,
        alignments=ALIGNMENTS,
        only=ONLY,
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
            "charge_word": "Invoice",
            "credit_word": "Credit note",
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
            column = Column(
                header,
                field if not constant else "",
                constant,
                longest=_number(f"longest_{place}"),
                width=_number(f"width_{place}"),
                align=typed.get(f"align_{place}", "left"),
                only=typed.get(f"only_{place}", ""),
            )
            columns.append((_number(f"order_{place}") or place + 1, place, column))
    return [column for _, _, column in sorted(columns, key=lambda one: one[:2])]


def _number(name: str) -> int:
    """Return a small whole number as typed; empty is 0, anything else is beyond what is allowed."""
    text = request.form.get(name, "").strip()
    if not text:
        return 0
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 10_000


def taxes_of(form: Any) -> dict[str, str]:
    """Return the tax codes as they were typed."""
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
        decimals=form.decimals.data or "point",
        sign=form.sign.data,
        scope=form.scope.data or "all",
        charge_word=form.charge_word.data,
        credit_word=form.credit_word.data,
        tax_codes=taxes_of(form),
    )


def preview_of(wanted: Layout) -> str:
    """Return what the file would say of the latest documents."""
    session = reading()
    query = select(Document.id).where(in_scope(wanted.scope)).order_by(Document.id.desc()).limit(PREVIEWED)
    return sample(wanted, export_documents(session, sorted(session.scalars(query))))
