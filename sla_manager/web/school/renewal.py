"""A school's renewal: last year beside this year's offer; order it, change it, or say why not. And notice."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from flask import Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from sla_manager.agreements.commands.answers import decline_renewal
from sla_manager.agreements.commands.notices import give_notice
from sla_manager.agreements.models import Agreement, Renewal
from sla_manager.agreements.queries import agreement as one_agreement
from sla_manager.agreements.queries import quoted_documents
from sla_manager.agreements.queries.renewals import (
    Beside,
    beside_last_year,
    bought_by,
    offer_of,
    renewal_by_id,
)
from sla_manager.agreements.queries.renewing import renewing_agreement
from sla_manager.agreements.rules.renewing import next_period
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.money import Money, half_up, total
from sla_manager.kernel.words import counted, long_date, per_cent, pounds
from sla_manager.people.models import School
from sla_manager.people.rules.roles import Permission
from sla_manager.web.forms import BaseForm, LongTextField
from sla_manager.web.guard import in_school, my_school
from sla_manager.web.letters import letter_pdf
from sla_manager.web.pages import actor, now, reading, today, transaction
from sla_manager.web.school import blueprint
from sla_manager.web.school.home import school_menu


class DeclineForm(BaseForm):
    """Why a school does not renew."""

    reason = LongTextField(
        "Why do you not renew?",
        hint="The service reads it. It helps to plan who visits whom.",
        enter="Write why you do not renew",
        longest=2000,
        look={"rows": 4},
    )


class NoticeForm(BaseForm):
    """Notice, with a reason where the school wants to give one."""

    reason = LongTextField("Why? (optional)", hint="The service reads it.", longest=2000, look={"rows": 3})


class ChangeForm(BaseForm):
    """A button alone."""


@blueprint.get("/<int:urn>/renewals/<int:renewal_id>")
@in_school(Permission.SEE_SCHOOL)
def renewal(school: School, renewal_id: int) -> str:
    """Show last year's purchase and its use beside this year's offer, each difference explained."""
    session = reading()
    found = _mine(school, renewal_id)
    offer = offer_of(session, found)
    bought = bought_by(session, found.previous).get(school.id)
    rows = beside_last_year(session, bought, offer)
    can_order = _can_order(found, offer)
    return render_template(
        "school/renewal.html",
        navigation=school_menu(school),
        school=school,
        renewal=found,
        season=found.season,
        last=bought.agreements if bought else (),
        offer=offer,
        rows=rows,
        last_net=total(row.last_net or Money(0) for row in rows),
        difference=total(row.difference for row in rows),
        why=[(row, explained(row)) for row in rows],
        documents=quoted_documents(session, offer) if offer is not None else [],
        can_order=can_order and _may_order(school),
        opens=can_order and today() < found.season.submit_from,
        is_late=today() > found.season.due_by,
        form=ChangeForm(),
        today=today(),
    )


def _mine(school: School, renewal_id: int) -> Renewal:
    """Return the school's renewal, from the day on which it may see it."""
    found = renewal_by_id(reading(), renewal_id, school_id=school.id)
    if today() < found.season.builds_from:
        raise NotFound
    return found


def _can_order(found: Renewal, offer: Agreement | None) -> bool:
    return (
        offer is not None
        and offer.status is AgreementStatus.QUOTED
        and offer.valid_until is not None
        and today() <= offer.valid_until
    )


def _may_order(school: School) -> bool:
    try:
        my_school(school.urn, Permission.ORDER)
    except NotFound:
        return False
    return True


def explained(row: Beside) -> str:
    """Say why an offering costs more or less than now: the price, the quantity, or both."""
    if row.last_net is None or row.last_quantity is None or row.last_price is None:
        return "This is new."
    if row.net is None or row.quantity is None or row.price is None:
        return "This is not in the new offer."
    said = []
    if row.price != row.last_price:
        said.append(
            f"Each {row.unit} costs {pounds(row.price)} instead of {pounds(row.last_price)}"
            f"{_rise(row.last_price, row.price)}."
        )
    else:
        said.append(f"Each {row.unit} still costs {pounds(row.price)}.")
    if row.quantity != row.last_quantity:
        said.append(
            f"It is {counted(row.quantity, row.unit)} instead of {counted(row.last_quantity, row.unit)}."
        )
    else:
        said.append(f"It is {counted(row.quantity, row.unit)}, as now.")
    return " ".join(said)


def _rise(before: Money, after: Money) -> str:
    """Say by how many per cent a price changed, to one decimal."""
    if not before.pence:
        return ""
    thousandths = half_up(Fraction(1000 * (after.pence - before.pence), before.pence))
    return f", {per_cent(10 * abs(thousandths))} {'more' if thousandths >= 0 else 'less'}"


@blueprint.get("/<int:urn>/renewals/<int:renewal_id>/letter.pdf")
@in_school(Permission.SEE_SCHOOL)
def renewal_letter(school: School, renewal_id: int) -> Response:
    """Download the letter of the renewal."""
    return letter_pdf(_mine(school, renewal_id))


@blueprint.route("/<int:urn>/renewals/<int:renewal_id>/decline", methods=["GET", "POST"])
@in_school(Permission.ORDER)
def decline_offer(school: School, renewal_id: int) -> ResponseReturnValue:
    """Ask why, then note that the school does not renew."""
    found = _mine(school, renewal_id)
    form, status = DeclineForm(), 200
    if form.is_sent():
        try:
            school_id, urn = school.id, school.urn
            with transaction() as session:
                decline_renewal(
                    session, renewal_id, school_id=school_id, reason=form.reason.data, by=actor(), at=now()
                )
            flash("We have noted that you do not renew. Your free core offer goes on as before.", "success")
            return redirect(url_for("school.renewal", urn=urn, renewal_id=renewal_id), 303)
        except Refused as error:
            form.refuse(error)
    if form.is_submitted():
        status = 422
    page = render_template(
        "school/decline_renewal.html",
        navigation=school_menu(school),
        school=school,
        renewal=found,
        season=found.season,
        form=form,
    )
    return page, status


@blueprint.route("/<int:urn>/agreements/<int:agreement_id>/renewing", methods=["GET", "POST"])
@in_school(Permission.ORDER)
def stop_renewing(school: School, agreement_id: int) -> ResponseReturnValue:
    """Say when an agreement renews by itself and until when notice stops it, and take the notice."""
    session = reading()
    found = one_agreement(session, agreement_id, school_id=school.id)
    standing = renewing_agreement(session, found)
    form, status = NoticeForm(), 200
    if form.is_sent():
        try:
            school_id, urn = school.id, school.urn
            with transaction() as change:
                give_notice(
                    change,
                    agreement_id,
                    school_id=school_id,
                    reason=form.reason.data or "",
                    by=actor(),
                    at=now(),
                )
            flash(f"Your notice is recorded: {found.reference} does not renew.", "success")
            return redirect(url_for("school.agreement", urn=urn, agreement_id=agreement_id), 303)
        except Refused as error:
            form.refuse(error)
    if form.is_submitted():
        status = 422
    page = render_template(
        "school/stop_renewing.html",
        navigation=school_menu(school),
        school=school,
        agreement=found,
        standing=standing,
        until=_until(found.ends_on),
        is_over=standing is not None and standing.is_over(today()),
        form=form,
    )
    return page, status


def _until(ends_on: date) -> str:
    return long_date(next_period(ends_on).last)
