"""Replies of the finance system: send a file, say how it is read, see what it says of each document."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sla_manager.finance.commands.replies import receive_reply, take_in_reply
from sla_manager.finance.models import LedgerReply
from sla_manager.finance.queries import layouts
from sla_manager.finance.queries.replies import (
    PAGE,
    answers_of_reply,
    handed_over_numbers,
    reading_of,
    replies,
    reply,
    table_of,
    usual_reading,
)
from sla_manager.finance.rules.replies import (
    PARTS,
    STATUSES,
    Reading,
    ReplyNotReadable,
    plain_number,
    read_answers,
    split_words,
)
from sla_manager.kernel.errors import Refused
from sla_manager.people.rules.roles import Permission
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.forms import BaseForm, CheckboxField, FileField, SelectField, TextField, choice
from sla_manager.web.guard import permitted
from sla_manager.web.pages import actor, now, reading, transaction

SHOWN = 10


class ReplyFile(BaseForm):
    """A reply's file, and which layout it answers."""

    layout = SelectField("It answers batches of", enter="Choose a layout")
    file = FileField("File of the finance system (CSV or Excel)", enter="Choose a file")


class ReadingForm(BaseForm):
    """How a reply is read."""

    column_number = SelectField("Column with the document number", enter="Choose a column")
    column_status = SelectField("Column with the answer")
    every = SelectField(
        "Answer of every row",
        hint="Only for a file without a column for it, like a list of rejections.",
        choices=[choice("", "See its column"), *(choice(one, title) for one, title in STATUSES.items())],
    )
    column_reason = SelectField("Column with the reason of a rejection")
    column_reference = SelectField("Column with the finance system’s own number")
    column_date = SelectField("Column with the date")
    column_amount = SelectField("Column with the amount paid")
    words_accepted = TextField("Words for accepted", hint="With commas between them.")
    words_rejected = TextField("Words for rejected")
    words_paid = TextField("Words for paid")
    payments = CheckboxField(
        "Record each “paid” as a payment",
        hint="Leave it out when you take in the same payments from the bank’s statement.",
    )

    def offer(self, columns: tuple[str, ...]) -> None:
        """Fill the lists with the file's columns."""
        for part in PARTS:
            self[f"column_{part}"].choices = [choice("", "None"), *(choice(one, one) for one in columns)]

    def wanted(self) -> Reading:
        """Return the reading as it was typed."""
        columns = {part: self[f"column_{part}"].data or "" for part in PARTS}
        words = {status: split_words(self[f"words_{status}"].data or "") for status in STATUSES}
        return Reading(columns, words, self.every.data or "")


@blueprint.route("/replies", methods=["GET", "POST"], endpoint="replies")
@permitted(Permission.EXPORT)
def all_replies() -> ResponseReturnValue:
    """List replies, and keep another one; nothing is taken in before it was looked at."""
    form = ReplyFile()
    form.layout.choices = [choice(one.name, one.title) for one in layouts(reading())]
    if form.is_sent():
        try:
            with transaction() as session:
                received = receive_reply(
                    session, form.layout.data, filename=_own_name(form.file.data.filename),
                    content=form.file.data.read(), by=actor(), at=now(),
                )  # fmt: skip
            return redirect(url_for("finance.reply", reply_id=received.id), 303)
        except Refused as error:
            form.refuse(Refused(str(error), field="file"))
    before = request.args.get("before", type=int)
    rows = replies(reading(), before=before)
    page = render_template(
        "finance/replies.html",
        navigation=finance_menu(),
        form=form,
        rows=rows,
        titles={one.name: one.title for one in layouts(reading())},
        first=url_for("finance.replies") if before else "",
        next=url_for("finance.replies", before=rows[-1][0].id) if len(rows) == PAGE else "",
    )
    return page, 422 if form.error_list() else 200


@blueprint.route("/replies/<int:reply_id>", methods=["GET", "POST"], endpoint="reply")
@permitted(Permission.EXPORT)
def one_reply(reply_id: int) -> ResponseReturnValue:
    """Show a reply: before it is taken in how it is read, afterwards what it said."""
    session = reading()
    found, done = reply(session, reply_id), reading_of(session, reply_id)
    if done is not None and request.method == "POST":
        return redirect(url_for("finance.reply", reply_id=reply_id), 303)
    if done is not None:
        return render_template(
            "finance/reply.html", navigation=finance_menu(), reply=found, done=done,
            answers=answers_of_reply(session, reply_id), statuses=STATUSES,
        )  # fmt: skip
    table = table_of(found)
    usual = usual_reading(session, found.target, table.columns)
    form = ReadingForm(data=_as_typed(usual)) if request.method == "GET" else ReadingForm()
    form.offer(table.columns)
    problems: tuple[str, ...] = ()
    wanted = usual
    if form.is_sent():
        wanted = form.wanted()
        try:
            if request.form.get("act") != "preview":
                with transaction() as changing:
                    taken = take_in_reply(
                        changing, reply_id, wanted, payments=bool(form.payments.data), by=actor(), at=now()
                    )
                flash(f"Answers taken in: {taken.answers}. Known already: {taken.repeated}.", "success")
                return redirect(url_for("finance.reply", reply_id=reply_id), 303)
            read_answers(table.columns, table.rows, wanted)
        except ReplyNotReadable as error:
            problems = error.problems[:20]
            form.refuse(error)
        except Refused as error:
            form.refuse(error)
    page = render_template(
        "finance/reply.html", navigation=finance_menu(), reply=found, done=None, form=form, table=table,
        problems=problems, statuses=STATUSES, shown=SHOWN, **_preview(found, wanted),
    )  # fmt: skip
    return page, 422 if form.error_list() else 200


def _own_name(name: str | None) -> str:
    """Return a file's own name, whatever folders a browser put before it; it is shown and never opened."""
    return PurePosixPath(PureWindowsPath(name or "").name).name or "reply"


def _as_typed(usual: Reading) -> dict[str, Any]:
    columns = {f"column_{part}": name for part, name in usual.columns.items()}
    words = {f"words_{status}": ", ".join(given) for status, given in usual.words.items()}
    return {**columns, **words, "every": usual.every}


def _preview(found: LedgerReply, wanted: Reading) -> dict[str, Any]:
    """Return the first answers as they would be taken in, and how many are about documents that we know."""
    table, session = table_of(found), reading()
    try:
        answers = read_answers(table.columns, table.rows, wanted)
    except Refused:
        return {"answers": [], "known": set(), "matched": 0}
    numbers = handed_over_numbers(session, found.target)
    known = {one.row for one in answers if plain_number(one.number) in numbers}
    return {"answers": answers, "known": known, "matched": len(known)}
