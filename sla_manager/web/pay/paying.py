"""Paying one document from a link in a mail, and the page to which everybody comes back from the card provider."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sla_manager.kernel.errors import Refused
from sla_manager.payments.collecting import settle_page
from sla_manager.payments.models import PayLink
from sla_manager.payments.queries import open_amount
from sla_manager.payments.queries.cards import checkout_by_reference, pay_link
from sla_manager.store.audit import Actor
from sla_manager.web.cards import pay_choice, till, to_the_card_page
from sla_manager.web.forms import BaseForm
from sla_manager.web.guard import public
from sla_manager.web.pages import close_reading, now, reading
from sla_manager.web.pay import blueprint
from sla_manager.web.sign_in.limits import count_attempt


class PayForm(BaseForm):
    """Nothing is asked: the document says what is paid."""


class LinkRanOut(Refused):
    """A link that was sent too long ago."""

    status = 410

    def __init__(self) -> None:
        super().__init__("This link has run out. Ask the council to send you a new one.")


def _link(token: str) -> PayLink:
    count_attempt("pay-link", token)
    found = pay_link(reading(), token)
    if now() >= found.expires_at:
        raise LinkRanOut
    return found


@blueprint.get("/<token>")
@public
def by_link(token: str) -> str:
    """Show what is open on the document of a link."""
    found = _link(token)
    left = open_amount(reading(), found.document_id)
    return render_template(
        "pay/link.html",
        document=found.document,
        left=left,
        link=found,
        choice=pay_choice(found.document, left),
        form=PayForm(),
        token=token,
    )


@blueprint.post("/<token>")
@public
def pay_by_link(token: str) -> ResponseReturnValue:
    """Go to the card provider's page for the document of a link."""
    found = _link(token)
    by = Actor(None, f"Link sent to {found.recipient}", request.remote_addr)
    return to_the_card_page(found.document_id, tell=found.recipient, by=by)


@blueprint.get("/back/<reference>")
@public
def back(reference: str) -> str:
    """Say how a payment stands, as far as we know. Coming here changes nothing: the provider tells us itself."""
    found = checkout_by_reference(reading(), reference)
    left = open_amount(reading(), found.document_id)
    return render_template(
        "pay/back.html", checkout=found, document=found.document, left=left, form=PayForm(), now=now()
    )


@blueprint.post("/back/<reference>")
@public
def check_again(reference: str) -> ResponseReturnValue:
    """Ask the card provider how the payment stands, and record it when it is there (P7)."""
    count_attempt("card-check", reference)
    found = checkout_by_reference(reading(), reference)
    close_reading()
    if found.status == "open" and not settle_page(till(), found, now()):
        flash("The card provider has no payment from you yet.", "information")
    return redirect(url_for("pay.back", reference=reference), 303)
