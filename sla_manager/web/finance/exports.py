"""Export batches: make one, see what is in it, download the same bytes again."""

from __future__ import annotations

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sla_manager.finance.commands import make_batch
from sla_manager.finance.queries import PAGE, batch, batch_documents, batches, layouts, waiting_count
from sla_manager.finance.queries.coding import without_cost_centre
from sla_manager.finance.queries.replies import answered, rejected_documents
from sla_manager.finance.rules.settings import JOURNAL
from sla_manager.kernel.errors import Broken, Refused
from sla_manager.kernel.references import sha256
from sla_manager.people.rules.roles import Permission
from sla_manager.web.finance import blueprint
from sla_manager.web.finance.menu import finance_menu
from sla_manager.web.forms import BaseForm, ChoiceField, choice
from sla_manager.web.guard import permitted
from sla_manager.web.pages import actor, now, reading, transaction

_TYPES = {"csv": "text/csv", "txt": "text/plain", "zip": "application/zip"}


class BatchForm(BaseForm):
    """For which finance system."""

    layout = ChoiceField("Layout", enter="Choose a layout")


def _form() -> BatchForm:
    form, session = BatchForm(), reading()
    form.layout.choices = [
        choice(one.name, one.title, f"{waiting_count(session, one.name, one.scope)} documents wait")
        for one in layouts(session)
    ]
    return form


@blueprint.route("/exports", methods=["GET", "POST"])
@permitted(Permission.EXPORT)
def exports() -> ResponseReturnValue:
    """List batches, and make one of everything that waits."""
    form = _form()
    if form.is_sent():
        try:
            with transaction() as session:
                made = make_batch(session, form.layout.data, by=actor(), at=now())
            flash(f"{made.filename} is made.", "success")
            return redirect(url_for("finance.export_batch", batch_id=made.id), 303)
        except Refused as error:
            form.refuse(error)
    before = request.args.get("before", type=int)
    rows = batches(reading(), before=before)
    page = render_template(
        "finance/exports.html",
        navigation=finance_menu(),
        form=form,
        rows=rows,
        layouts=layouts(reading()),
        without=without_cost_centre(reading(), JOURNAL, "recharges"),
        first=url_for("finance.exports") if before else "",
        next=url_for("finance.exports", before=rows[-1].id) if len(rows) == PAGE else "",
    )
    return page, 422 if form.error_list() else 200


@blueprint.get("/exports/<int:batch_id>")
@permitted(Permission.EXPORT)
def export_batch(batch_id: int) -> str:
    """Show a batch: control totals, hash, documents."""
    session = reading()
    return render_template(
        "finance/export_batch.html",
        navigation=finance_menu(),
        batch=batch(session, batch_id),
        answered=answered(session, batch_id),
        rejected=rejected_documents(session, batch_id),
        documents=batch_documents(session, batch_id),
    )


@blueprint.get("/exports/<int:batch_id>/file")
@permitted(Permission.EXPORT)
def export_file(batch_id: int) -> Response:
    """Hand out the bytes that were frozen, after their hash was compared."""
    found = batch(reading(), batch_id, with_content=True)
    content = bytes(found.content)
    if sha256(content) != found.sha256:
        raise Broken(f"{found.filename} is not what was made.")
    return Response(
        content,
        mimetype=_TYPES.get(found.filename.rpartition(".")[2], "application/octet-stream"),
        headers={
            "Content-Disposition": f'attachment; filename="{found.filename}"',
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )
