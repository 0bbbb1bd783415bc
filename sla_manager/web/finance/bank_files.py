"""Statements: importing a file, what each file brought, and describing another bank's file once."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sla_manager.gateways.statements import (
    DATE_ORDERS,
    MOST_BYTES,
    Columns,
    Finding,
    StatementLine,
    UnreadableStatement,
    read_statement,
)
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.references import sha256
from sla_manager.payments.commands.bank_import import (
    LONGEST_NAME,
    StatementHasFindings,
    add_layout,
    check_layout,
    layout_columns,
    take_statement,
)
from sla_manager.payments.queries.bank import (
    PAGE,
    accounts_seen,
    bank_import,
    imports_page,
    layouts_of_banks,
    lines_of,
)
from sla_manager.people.rules.roles import Permission
from sla_manager.web.display import counted
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.bank import account_words
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.forms import (
    BaseForm,
    CheckboxField,
    ChoiceField,
    FileField,
    LongTextField,
    SelectField,
    TextField,
    choice,
)
from sla_manager.web.guard import may, permitted
from sla_manager.web.pages import actor, now, reading, transaction

FINDINGS_SHOWN = 100
_TRIED = 5


class StatementForm(BaseForm):
    """A statement as the bank gives it."""

    file = FileField(
        "Statement file",
        enter="Choose a statement file",
        hint="camt.053, MT940, OFX, or the CSV or text file of your bank. Up to 20 MB.",
    )
    layout = SelectField("How the file is written")
    account = TextField(
        "Account (only if the file does not say)",
        longest=40,
        hint="Sort code and account number, like 60-16-13 31926819.",
        look={"classes": "govuk-input--width-20"},
    )
    accept_findings = CheckboxField("Take the lines that can be read")


class LayoutForm(BaseForm):
    """Which column of a bank's CSV file means what."""

    name = TextField("Name of the file", enter="Enter a name, like the bank’s", longest=LONGEST_NAME)
    headed = CheckboxField(
        "The file has a row of headings",
        hint="If it has none, call each column by its number: 1 is the first.",
    )
    day = TextField("Column with the date", enter="Enter which column has the date", longest=100)
    date_order = ChoiceField(
        "How dates are written",
        enter="Choose how dates are written",
        choices=[choice(value, label) for value, label in DATE_ORDERS.items()],
    )
    text = LongTextField(
        "Columns with what the bank says",
        enter="Enter at least one column",
        longest=500,
        hint="One on a line.",
    )
    amount = TextField("Column with the amount", longest=100, hint="With its sign. Or fill in the next two.")
    paid_in = TextField("Column with money in (optional)", longest=100)
    paid_out = TextField("Column with money out (optional)", longest=100)
    payer = TextField("Column with the payer’s name (optional)", longest=100)
    account = LongTextField(
        "Columns with our account (optional)",
        longest=300,
        hint="One on a line: the sort code before the number.",
    )
    balance = TextField("Column with the balance (optional)", longest=100)
    reference = TextField("Column with the bank’s own reference (optional)", longest=100)
    file = FileField("A file to try it on (optional)")


@blueprint.route("/bank/import", methods=["GET", "POST"])
@permitted(Permission.RECORD_PAYMENTS)
def import_statement() -> ResponseReturnValue:
    """Take the lines of a statement that are not known yet."""
    form, findings = _statement_form(), tuple[Finding, ...]()
    if form.is_sent():
        try:
            content = form.file.data.read(MOST_BYTES + 1)
            file = read_statement(content, columns=_columns(form.layout.data))
            with transaction() as session:
                made = take_statement(
                    session, file, content_hash=sha256(content), file_name=form.file.data.filename or "statement",
                    account=form.account.data or "", accept_findings=bool(form.accept_findings.data),
                    by=actor(), at=now(),
                )  # fmt: skip
            flash(
                f"{counted(made.taken, 'line is', 'lines are')} taken. {made.known:,} were known.", "success"
            )
            return redirect(url_for("finance.statement", bank_import_id=made.id), 303)
        except StatementHasFindings as error:
            findings = error.findings
            form.refuse(error)
        except Refused as error:
            form.refuse(error)
    page = render_template(
        "finance/bank_import.html",
        navigation=finance_menu(),
        form=form,
        findings=findings[:FINDINGS_SHOWN],
        more=len(findings) - FINDINGS_SHOWN,
    )
    return page, 422 if form.error_list() else 200


def _statement_form() -> StatementForm:
    form, session = StatementForm(), reading()
    form.layout.choices = [
        choice("", "Recognise it from the file"),
        *(choice(one.id, one.name) for one in layouts_of_banks(session)),
    ]
    known = ", ".join(account_words(one) for one in accounts_seen(session)[:5])
    if known:
        form.account.description += f" Used before: {known}."
    return form


def _columns(layout_id: str | None) -> Columns | None:
    return layout_columns(reading(), int(layout_id)) if layout_id else None


@blueprint.get("/bank/statements")
@permitted(Permission.SEE_DOCUMENTS)
def statements() -> str:
    """List the files that were taken, the latest first."""
    before = request.args.get("before", type=int)
    rows = imports_page(reading(), before=before)
    return render_template(
        "finance/bank_statements.html",
        navigation=finance_menu(),
        rows=rows,
        first=url_for("finance.statements") if before else "",
        next=url_for("finance.statements", before=rows[-1].id) if len(rows) == PAGE else "",
        may_pay=may(Permission.RECORD_PAYMENTS),
    )


@blueprint.get("/bank/statements/<int:bank_import_id>")
@permitted(Permission.SEE_DOCUMENTS)
def statement(bank_import_id: int) -> str:
    """Show what a file brought."""
    session, after = reading(), request.args.get("after", type=int)
    rows = lines_of(session, bank_import_id, after=after)
    return render_template(
        "finance/bank_statement.html",
        navigation=finance_menu(),
        file=bank_import(session, bank_import_id),
        rows=rows,
        account_words=account_words,
        first=url_for("finance.statement", bank_import_id=bank_import_id) if after else "",
        next=url_for("finance.statement", bank_import_id=bank_import_id, after=rows[-1].line.id)
        if len(rows) == PAGE
        else "",
    )


@blueprint.route("/bank/files/new", methods=["GET", "POST"])
@permitted(Permission.RECORD_PAYMENTS)
def new_bank_file() -> ResponseReturnValue:
    """Describe another bank's file: try it on a file first, then keep it."""
    form = LayoutForm(data={"headed": True, "date_order": "dmy"}) if request.method == "GET" else LayoutForm()
    tried: tuple[StatementLine, ...] = ()
    findings: tuple[Finding, ...] = ()
    if form.is_sent():
        columns = _described(form)
        try:
            if request.form.get("act") == "try":
                check_layout(columns)
                tried, findings = _tried(form, columns)
            else:
                with transaction() as session:
                    add_layout(session, columns, by=actor(), at=now())
                flash("The bank’s file is described. Choose it when you import.", "success")
                return redirect(url_for("finance.import_statement"), 303)
        except Refused as error:
            form.refuse(error)
    page = render_template(
        "finance/bank_file.html",
        navigation=finance_menu(),
        form=form,
        tried=tried[:_TRIED],
        findings=findings[:_TRIED],
        there=layouts_of_banks(reading()),
    )
    return page, 422 if form.error_list() else 200


def _tried(form: LayoutForm, columns: Columns) -> tuple[tuple[StatementLine, ...], tuple[Finding, ...]]:
    if not form.file.data:
        raise UnreadableStatement("There is nothing to try it on.", "Choose a file of this bank.")
    read = read_statement(form.file.data.read(MOST_BYTES + 1), columns=columns)
    return tuple(line for one in read.statements for line in one.lines), read.findings


def _described(form: LayoutForm) -> Columns:
    def cut(text: str | None) -> tuple[str, ...]:
        return tuple(part.strip() for part in (text or "").splitlines() if part.strip())

    return Columns(
        name=form.name.data,
        day=form.day.data or "",
        text=cut(form.text.data),
        amount=form.amount.data or "",
        paid_out=form.paid_out.data or "",
        paid_in=form.paid_in.data or "",
        payer=form.payer.data or "",
        account=cut(form.account.data),
        balance=form.balance.data or "",
        reference=form.reference.data or "",
        date_order=form.date_order.data,
        headed=bool(form.headed.data),
    )
