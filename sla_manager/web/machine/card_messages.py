"""Signed messages of the card provider: kept, answered at once, handled by the worker (P1, P3)."""

from __future__ import annotations

from flask import Response, request
from sqlalchemy.exc import IntegrityError

from sla_manager.gateways.cards import Forged
from sla_manager.payments.commands.card_events import keep_event
from sla_manager.web.cards import cards
from sla_manager.web.guard import public
from sla_manager.web.machine import blueprint
from sla_manager.web.pages import now, transaction

LARGEST = 512 * 1024


@blueprint.post("/webhooks/cards")
@public
def card_messages() -> Response:
    """Keep a message whose signature fits its own bytes; another is refused (400) and nothing is kept.

    The same message again is answered like the first time. Where card payment is off, every message is refused.
    """
    account = cards()
    if account is None:
        raise Forged
    request.max_content_length = LARGEST
    message = account.message(request.get_data(cache=False), request.headers.get("Stripe-Signature", ""))
    try:
        with transaction() as session:
            keep_event(session, message, at=now())
    except IntegrityError:  # the same message came twice at this moment: it is kept
        pass
    return Response("kept", mimetype="text/plain")
