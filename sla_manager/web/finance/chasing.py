"""What is chased and what is held: overdue invoices, disputes, one document's holds."""

from __future__ import annotations

from datetime import date

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sla_manager.billing.models import Document
from sla_manager.billing.queries.policy import finance_policy
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.payments.commands.disputes import answer_dispute
from sla_manager.payments.commands.holds import HOLD_KINDS, LONGEST_REASON, place_hold
from sla_manager.payments.queries import debtors_by_age
from sla_manager.payments.queries.disputes import HoldStory, held, stories_of
from sla_manager.payments.queries.reminders import overdue_page, reminders_of
from sla_manager.people.rules.roles import Permission
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.forms import BaseForm, ChoiceField, LongTextField, choice, once_key
from sla_manager.web.guard import may, permitted
from sla_manager.web.pages import actor, now, reading, today, transaction


class HoldForm(BaseForm):
    """Why we hold a document."""

    text = LongTextField("Why is it held?", enter="Enter why it is held", longest=LONGEST_REASON)
    once = once_key()


class AnswerForm(BaseForm):
    """What the council says about a hold, and whether that ends it."""

    hold = ChoiceField("Which one?", enter="Choose which one you answer")
    text = LongTextField("What do you say?", enter="Enter what you say", longest=LONGEST_REASON)
    ends = ChoiceField(
        "What happens now?",
        enter="Choose whether it stays held",
        choices=[
            choice("no", "It stays held", "No reminders and no interest."),
            choice("yes", "It ends", "What is open is due again. Make a credit note first if you owe one."),
        ],
    )
    once = once_key()

    def offer(self, stories: list[HoldStory]) -> None:
        """Name the holds in force; a single one is not asked for."""
        self.hold.choices = [
            choice(one.hold.id, f"{HOLD_KINDS[one.hold.kind]}, {one.hold.placed_by}") for one in stories
        ]
        if len(stories) == 1 and not self.hold.data:
            self.hold.data = str(stories[0].hold.id)


@blueprint.get("/chasing")
@permitted(Permission.SEE_DOCUMENTS)
def chasing() -> str:
    """List what is overdue, the oldest debt first, and what is held."""
    session = reading()
    rows, following = overdue_page(session, today(), after=_place(request.args.get("after", "")))
    return render_template(
        "finance/chasing.html",
        navigation=finance_menu(),
        rows=rows,
        today=today(),
        held=held(session),
        kinds=HOLD_KINDS,
        ages=debtors_by_age(session, today()),
        policy=finance_policy(session),
        first=url_for("finance.chasing") if "after" in request.args else "",
        next=url_for("finance.chasing", after=f"{following[0].isoformat()}.{following[1]}")
        if following
        else "",
    )


def _place(after: str) -> tuple[date, int] | None:
    day, _, number = after.partition(".")
    try:
        return (date.fromisoformat(day), int(number)) if after else None
    except ValueError as error:
        raise NotFound from error


@blueprint.get("/documents/<int:document_id>/hold", endpoint="hold")
@permitted(Permission.SEE_DOCUMENTS)
def holds_of_document(document_id: int) -> str:
    """Show what holds or held a document, and the form that places, answers or ends a hold."""
    stories = stories_of(reading(), _chargeable(document_id).id)
    waiting = [one for one in stories if one.release is None]
    form: HoldForm | AnswerForm = HoldForm()
    if waiting:
        form = AnswerForm()
        form.offer(waiting)
    return _hold_page(document_id, stories, form)


@blueprint.post("/documents/<int:document_id>/hold")
@permitted(Permission.MANAGE_MONEY)
def change_hold(document_id: int) -> ResponseReturnValue:
    """Place a hold where there is none, else answer the one that is chosen."""
    stories = stories_of(reading(), _chargeable(document_id).id)
    waiting = [one for one in stories if one.release is None]
    done, form = _answered(waiting) if waiting else _placed(document_id)
    if done:
        flash(done, "success")
        return redirect(url_for("finance.hold", document_id=document_id), 303)
    return _hold_page(document_id, stories, form), 422


def _placed(document_id: int) -> tuple[str, HoldForm | AnswerForm]:
    form = HoldForm()
    try:
        if form.is_sent():
            with transaction() as session:
                place_hold(
                    session, document_id, kind="hold", reason=form.text.data or "", once_key=form.once.data,
                    by=actor(), at=now(),
                )  # fmt: skip
            return "It is held. There are no reminders and no interest.", form
    except Refused as error:
        form.refuse(Refused(error.message, field="text"))
    return "", form


def _answered(waiting: list[HoldStory]) -> tuple[str, HoldForm | AnswerForm]:
    form = AnswerForm()
    form.offer(waiting)
    try:
        if form.is_sent():
            with transaction() as session:
                answer_dispute(
                    session, int(form.hold.data), text=form.text.data or "", ends=form.ends.data == "yes",
                    once_key=form.once.data, by=actor(), at=now(),
                )  # fmt: skip
            return "It is ended." if form.ends.data == "yes" else "Your answer is sent. It stays held.", form
    except Refused as error:
        form.refuse(error)
    return "", form


def _chargeable(document_id: int) -> Document:
    found = reading().get(Document, document_id)
    if found is None or found.kind.is_credit:
        raise NotFound
    return found


def _hold_page(document_id: int, stories: list[HoldStory], form: HoldForm | AnswerForm) -> str:
    session = reading()
    return render_template(
        "finance/hold.html",
        navigation=finance_menu(),
        document=session.get_one(Document, document_id),
        stories=stories,
        reminders=reminders_of(session, document_id),
        form=form,
        may_change=may(Permission.MANAGE_MONEY),
    )
