"""One-off charges: training, audits, referrals and debit notes that no agreement covers."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from sla_manager.billing.commands.charges import ChargeLine, record_charge, withdraw_charge
from sla_manager.billing.models import CHARGE_KINDS
from sla_manager.billing.one_offs import CHARGE_TITLES
from sla_manager.billing.queries.charges import PAGE, charge_row, charges_page
from sla_manager.catalogue.models import Offering
from sla_manager.catalogue.rules.families import Family
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.words import long_date
from sla_manager.payments.queries import customer_words, customers_matching, open_documents
from sla_manager.people.models import Customer, School, TradingService
from sla_manager.people.rules.roles import Permission
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.forms import (
    BaseForm,
    ChoiceField,
    DateField,
    FilterForm,
    LongTextField,
    MoneyField,
    QuantityField,
    SelectField,
    TextField,
    choice,
    once_key,
)
from sla_manager.web.guard import may, permitted
from sla_manager.web.pages import actor, now, reading, today, transaction

LINES = (1, 2, 3, 4)
UNITS = ("day", "hour", "session", "item", "referral", "case", "delegate", "audit")
_BY_HAND = tuple(kind for kind in CHARGE_KINDS if kind != "late_payment")


class ChargeForm(BaseForm):
    """A charge, its payer and its lines. Only the first line must be filled."""

    service = SelectField("Which service?", enter="Choose the service")
    school = SelectField("For which school?")
    kind = ChoiceField("What is it for?", enter="Choose what the charge is for")
    supplements = SelectField("Which document does it add to?", hint="For a debit note only.")
    delivered_on = DateField("When was it done?", enter="Enter the day on which it was done")
    purchase_order = TextField("Purchase order number (optional)", longest=100)
    reason = LongTextField("Why is it charged?", hint="A debit note prints it.", longest=500)
    consent_name = TextField("Who agreed to it?", longest=100)
    consent_role = TextField("In which role?", longest=100, hint="For example head teacher.")
    consent_on = DateField("When?")
    consent_how = TextField("How?", longest=200, hint="For example by mail of 3 March.")
    once = once_key()

    def offer(self, session: Session, customer: Customer) -> None:
        """Fill the lists for a customer."""
        services = list(session.scalars(select(TradingService).order_by(TradingService.name)))
        self.service.choices = [choice(one.id, one.name) for one in services]
        schools = _schools(session, customer)
        whole = [] if customer.school_id else [choice("", "The trust as a whole")]
        self.school.choices = [*whole, *(choice(one.id, one.name) for one in schools)]
        self.kind.choices = [choice(kind, CHARGE_TITLES[kind]) for kind in _BY_HAND]
        documents = open_documents(session, customer.id)
        self.supplements.choices = [
            choice("", "None"),
            *(choice(one.id, f"{one.number} of {long_date(one.issued_on)}") for one, _ in documents),
        ]
        sold = _sold(session)
        for number in LINES:
            field = self[f"offering_{number}"]
            field.choices = [choice("", "Not in the catalogue"), *(choice(one.id, one.name) for one in sold)]

    def lines(self) -> list[ChargeLine]:
        """Return the lines that were filled; a half-filled one is refused."""
        made = []
        for number in LINES:
            what, quantity, price = (
                self[f"{name}_{number}"].data for name in ("what", "quantity", "unit_price")
            )
            if not what and quantity is None and price is None:
                continue
            if not what or quantity is None or price is None:
                raise Refused(f"Line {number}: enter what it is, how many and the price of one.")
            made.append(
                ChargeLine(
                    description=what,
                    quantity=quantity,
                    unit=self[f"unit_{number}"].data,
                    unit_price=price,
                    offering_id=_number(self[f"offering_{number}"].data),
                )
            )
        return made

    def consent(self) -> dict[str, Any]:
        """Return the recorded consent, as far as it was entered."""
        day = self.consent_on.data
        return {
            "name": self.consent_name.data or "",
            "role": self.consent_role.data or "",
            "on": day.isoformat() if day else "",
            "how": self.consent_how.data or "",
        }

    def rows(self) -> list[list[Any]]:
        """Return the fields of each line."""
        names = ("offering", "what", "quantity", "unit", "unit_price")
        return [[self[f"{name}_{number}"] for name in names] for number in LINES]


for _number_of_line in LINES:
    setattr(ChargeForm, f"offering_{_number_of_line}", SelectField("From the catalogue"))
    setattr(ChargeForm, f"what_{_number_of_line}", TextField("What is it?", longest=500))
    setattr(ChargeForm, f"quantity_{_number_of_line}", QuantityField("How many?"))
    setattr(
        ChargeForm,
        f"unit_{_number_of_line}",
        SelectField("Of what?", choices=[choice(unit, unit) for unit in UNITS]),
    )
    setattr(ChargeForm, f"unit_price_{_number_of_line}", MoneyField("Price of one, without VAT"))


class PayerForm(FilterForm):
    """Whom to charge."""

    q = TextField("School, trust or account reference")


class WithdrawForm(BaseForm):
    """Why it is not to be billed."""

    reason = TextField("Why is it withdrawn?", enter="Enter why it is withdrawn", longest=500)


@blueprint.get("/charges")
@permitted(Permission.SEE_DOCUMENTS)
def charges() -> str:
    """List one-off charges, the latest first, with what became of each."""
    before = request.args.get("before", type=int)
    rows = charges_page(reading(), before=before)
    return render_template(
        "finance/charges.html",
        navigation=finance_menu(),
        rows=rows,
        titles=CHARGE_TITLES,
        first=url_for("finance.charges") if before else "",
        next=url_for("finance.charges", before=rows[-1].charge.id) if len(rows) == PAGE else "",
        may_issue=may(Permission.ISSUE_DOCUMENTS),
    )


@blueprint.get("/charges/new")
@permitted(Permission.ISSUE_DOCUMENTS)
def choose_charged() -> str:
    """Ask whom to charge."""
    form = PayerForm.of_request()
    asked = (form.q.data or "").strip()
    found = customers_matching(reading(), asked) if len(asked) >= 2 else []
    return render_template(
        "finance/charge_payer.html",
        navigation=finance_menu(),
        filter=form,
        asked=asked,
        found=[(customer, customer_words(customer)) for customer in found],
    )


@blueprint.route("/customers/<int:customer_id>/charge", methods=["GET", "POST"])
@permitted(Permission.ISSUE_DOCUMENTS)
def new_charge(customer_id: int) -> ResponseReturnValue:
    """Record a charge; the next invoice run bills it."""
    customer = _customer(reading(), customer_id)
    name = customer_words(customer)
    form = ChargeForm(data={"delivered_on": today()}) if request.method == "GET" else ChargeForm()
    form.offer(reading(), customer)
    if form.is_sent():
        try:
            with transaction() as session:
                record_charge(
                    session,
                    service_id=int(form.service.data),
                    customer_id=customer_id,
                    school_id=_number(form.school.data),
                    kind=form.kind.data,
                    lines=form.lines(),
                    delivered_on=form.delivered_on.data,
                    purchase_order=form.purchase_order.data or "",
                    consent=form.consent(),
                    supplements_id=_number(form.supplements.data),
                    reason=form.reason.data or "",
                    once_key=form.once.data,
                    by=actor(),
                    at=now(),
                )
            flash("The charge is recorded. The next invoice run bills it.", "success")
            return redirect(url_for("finance.charges"), 303)
        except Refused as error:
            form.refuse(error)
    page = render_template(
        "finance/charge.html",
        navigation=finance_menu(),
        form=form,
        name=name,
        is_recharged=customer.school is not None and customer.school.customer_class.is_own,
    )
    return page, 422 if form.error_list() else 200


@blueprint.route("/charges/<int:charge_id>/withdraw", methods=["GET", "POST"])
@permitted(Permission.ISSUE_DOCUMENTS)
def withdraw(charge_id: int) -> ResponseReturnValue:
    """Say that a charge is not to be billed after all, and why."""
    form, row = WithdrawForm(), charge_row(reading(), charge_id)
    if form.is_sent():
        try:
            with transaction() as session:
                withdraw_charge(session, charge_id, reason=form.reason.data, by=actor(), at=now())
            flash("The charge is withdrawn. It will not be billed.", "success")
            return redirect(url_for("finance.charges"), 303)
        except Refused as error:
            form.refuse(error)
    page = render_template(
        "finance/withdraw_charge.html",
        navigation=finance_menu(),
        form=form,
        row=row,
        titles=CHARGE_TITLES,
    )
    return page, 422 if form.error_list() else 200


def _customer(session: Session, customer_id: int) -> Customer:
    query = select(Customer).where(Customer.id == customer_id)
    found = session.scalar(query.options(joinedload(Customer.school), joinedload(Customer.trust)))
    if found is None:
        raise NotFound
    return found


def _schools(session: Session, customer: Customer) -> list[School]:
    if customer.school is not None:
        return [customer.school]
    query = select(School).where(School.trust_id == customer.trust_id).order_by(School.name)
    return list(session.scalars(query))


def _sold(session: Session) -> list[Offering]:
    query = select(Offering).where(Offering.family != Family.CORE).order_by(Offering.name, Offering.id)
    return list(session.scalars(query))


def _number(text: Any) -> int | None:
    return int(text) if text else None
