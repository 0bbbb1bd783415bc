"""Paying by card from a page: whether it is possible, how much, and the way to the provider's page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from flask import current_app, redirect
from flask.typing import ResponseReturnValue

from sla_manager.billing.models import Document
from sla_manager.billing.rules.kinds import DocumentKind
from sla_manager.gateways.cards import Cards
from sla_manager.kernel.errors import GatewayFailed
from sla_manager.kernel.money import Money
from sla_manager.payments.collecting import Till, start_payment
from sla_manager.payments.rules.cards import LEAST, MOST
from sla_manager.store.audit import Actor
from sla_manager.web.pages import close_reading, database, now

OFF = "Card payment is off. Pay by bank transfer: the invoice says how."


@dataclass(frozen=True, slots=True)
class PayChoice:
    """What a page offers on a document: an amount to pay by card, or the reason why not ("" says nothing)."""

    amount: Money | None = None
    why_not: str = ""


def cards() -> Cards | None:
    """Return the account with the card provider, or None where card payment is off."""
    return cast("Cards | None", current_app.extensions["sla.cards"])


def till() -> Till:
    """Return what collecting by card needs; where card payment is off, that is said (503)."""
    account = cards()
    if account is None:
        raise GatewayFailed(OFF)
    return Till(database(), account, str(current_app.config["SLA_ADDRESS"]))


def pay_choice(document: Document, left: Money | None, *, may_pay: bool = True) -> PayChoice:
    """Return what is offered on a document with so much open."""
    if document.kind is not DocumentKind.INVOICE or left is None or left.pence <= 0:
        return PayChoice()
    if cards() is None:
        return PayChoice(why_not=OFF)
    if not LEAST <= left <= MOST:
        return PayChoice(
            why_not="This amount cannot be paid by card. Pay by bank transfer: the invoice says how."
        )
    if not may_pay:
        return PayChoice(
            why_not="You may see this invoice. Your business manager or head teacher can pay it."
        )
    return PayChoice(left)


def to_the_card_page(document_id: int, *, tell: str, by: Actor) -> ResponseReturnValue:
    """Send somebody to the one page on which a document is paid now."""
    close_reading()
    return redirect(start_payment(till(), document_id, tell=tell, by=by, at=now()), 303)
