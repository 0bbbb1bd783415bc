"""Cost centres and codes: where a service's income goes, and which cost centre each school has."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sla_manager.finance.commands.coding import (
    CodesNotReadable,
    enter_school_code,
    enter_service_code,
    import_school_codes,
)
from sla_manager.finance.queries.coding import school_codes, school_row, service_codes, services
from sla_manager.finance.rules.coding import CFR_CODES, RETURN_LINES
from sla_manager.gateways.spreadsheets import read_spreadsheet
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.people.rules.roles import Permission
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.forms import BaseForm, FileField, FilterForm, SelectField, TextField, choice
from sla_manager.web.guard import permitted
from sla_manager.web.pages import actor, now, reading, transaction

PAGE = 50
_CODE = {"classes": "govuk-input--width-10"}
_KINDS = (("services", "Everything but training", False), ("training", "Training", True))


class CodesFile(BaseForm):
    """Cost centres from a spreadsheet."""

    file = FileField(
        "Spreadsheet (CSV or Excel)",
        enter="Choose a file",
        hint="Columns: URN, Cost centre and, where it differs, Account code.",
    )


class SchoolSearch(FilterForm):
    """Which schools to list."""

    search = TextField("School or cost centre")
    missing = SelectField(
        "Show",
        choices=[choice("", "All schools"), choice("yes", "Our maintained schools without a cost centre")],
    )


class SchoolForm(BaseForm):
    """A school's place in the council's ledger."""

    cost_centre = TextField("Cost centre", enter="Enter a cost centre", look=_CODE)
    account_code = TextField(
        "Account code (optional)", hint="Only where it is not the service’s usual code.", look=_CODE
    )


class ServiceForm(BaseForm):
    """Where a service's income goes."""

    income_centre = TextField("Cost centre of the income", enter="Enter a cost centre", look=_CODE)
    income_code = TextField("Income code", enter="Enter an income code", look=_CODE)
    charge_code = TextField(
        "Account code that schools are charged on", enter="Enter an account code", look=_CODE
    )
    cfr_code = SelectField("CFR code for maintained schools", hint="Schools report their spending by it.")
    return_line = SelectField("Accounts return line for academies")

    def offer(self) -> None:
        """Fill the lists."""
        self.cfr_code.choices = _suggested(CFR_CODES)
        self.return_line.choices = _suggested(RETURN_LINES)


def _suggested(codes: dict[str, str]) -> list[Any]:
    return [choice("", "As suggested"), *(choice(code, f"{code} {name}") for code, name in codes.items())]


@blueprint.route("/codes", methods=["GET", "POST"])
@permitted(Permission.EXPORT)
def codes() -> ResponseReturnValue:
    """List codes, and take cost centres in from a spreadsheet: all of them, or none."""
    form, problems = CodesFile(), ()  # type: tuple[CodesFile, tuple[str, ...]]
    if form.is_sent():
        try:
            table = read_spreadsheet(form.file.data.read())
            with transaction() as session:
                done = import_school_codes(session, table, by=actor(), at=now())
            flash(f"Cost centres entered: {done.entered}. Unchanged: {done.unchanged}.", "success")
            return redirect(url_for("finance.codes"), 303)
        except CodesNotReadable as error:
            problems = error.problems
            form.refuse(error)
        except Refused as error:
            form.refuse(Refused(str(error), field="file"))
    session, found = reading(), SchoolSearch.of_request()
    after = request.args.get("after", 0, type=int)
    asked: dict[str, Any] = {
        name: value
        for name, value in (("search", found.search.data or ""), ("missing", found.missing.data or ""))
        if value
    }
    rows = school_codes(
        session,
        after=after,
        search=asked.get("search", ""),
        missing=asked.get("missing") == "yes",
        limit=PAGE,
    )
    page = render_template(
        "finance/codes.html",
        navigation=finance_menu(),
        form=form,
        filter=found,
        problems=problems,
        rows=rows,
        services=services(session),
        codes=service_codes(session),
        kinds=_KINDS,
        first=url_for("finance.codes", **asked) if after else "",
        next=url_for("finance.codes", **asked, after=rows[-1].urn) if len(rows) == PAGE else "",
    )
    return page, 422 if form.error_list() else 200


@blueprint.route("/codes/schools/<int:customer_id>", methods=["GET", "POST"])
@permitted(Permission.EXPORT)
def school_code(customer_id: int) -> ResponseReturnValue:
    """Enter one school's cost centre."""
    row = school_row(reading(), customer_id)
    known = {"cost_centre": row.cost_centre, "account_code": row.account_code}
    form = SchoolForm(data=known) if request.method == "GET" else SchoolForm()
    if form.is_sent():
        try:
            with transaction() as session:
                enter_school_code(
                    session, customer_id, cost_centre=form.cost_centre.data or "",
                    account_code=form.account_code.data or "", by=actor(), at=now(),
                )  # fmt: skip
            flash(f"The cost centre of {row.school} is saved.", "success")
            return redirect(url_for("finance.codes"), 303)
        except Refused as error:
            form.refuse(error)
    page = render_template("finance/school_code.html", navigation=finance_menu(), form=form, row=row)
    return page, 422 if form.error_list() else 200


@blueprint.route("/codes/services/<service>", methods=["GET", "POST"])
@permitted(Permission.EXPORT)
def service_code(service: str) -> ResponseReturnValue:
    """Enter the codes of a service: of its training, or of everything else."""
    session = reading()
    found = next((one for one in services(session) if one.code == service), None)
    if found is None:
        raise NotFound
    training = request.args.get("kind") == "training"
    stored = service_codes(session).get((found.id, training))
    names = ("income_centre", "income_code", "charge_code", "cfr_code", "return_line")
    known = {name: getattr(stored, name) for name in names} if stored is not None else {}
    form = ServiceForm(data=known) if request.method == "GET" else ServiceForm()
    form.offer()
    if form.is_sent():
        try:
            with transaction() as changing:
                given = {name: form[name].data or "" for name in names}
                enter_service_code(changing, found.id, training=training, **given, by=actor(), at=now())
            flash(f"The codes of {found.name} are saved.", "success")
            return redirect(url_for("finance.codes"), 303)
        except Refused as error:
            form.refuse(error)
    page = render_template(
        "finance/service_code.html",
        navigation=finance_menu(),
        form=form,
        service=found,
        kind=_KINDS[training][1],
    )
    return page, 422 if form.error_list() else 200
