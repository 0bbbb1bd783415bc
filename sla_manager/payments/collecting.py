"""Collecting by card: what is asked of the provider, and each answer noted in a transaction of its own.

No transaction is open while the provider is asked. What was asked and got no answer is asked again under its own key;
what the provider said is always the state of its object now, so that messages may come twice, late or never.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sla_manager.gateways.cards import CardPage, CardPayment, CardRefund, Cards, CardsRefused, PageWanted
from sla_manager.kernel.errors import GatewayFailed, ProductError
from sla_manager.payments.commands.card_alerts import raise_alert
from sla_manager.payments.commands.card_checkouts import ask_checkout, drop_checkout, note_page
from sla_manager.payments.commands.card_disputes import ChangedMeanwhile, dispute_version, note_dispute
from sla_manager.payments.commands.card_events import mark_handled, try_later
from sla_manager.payments.commands.card_payments import NOT_OURS, settle_payment
from sla_manager.payments.commands.card_refunds import ORDER, fail_order, note_refund, order_key
from sla_manager.payments.models import CardCheckout, CardEvent, CardRefundOrder
from sla_manager.payments.queries.cards import (
    checkout_by_page,
    checkout_by_reference,
    checkouts_to_check,
    disputes_to_check,
    events_waiting,
    refund_orders_to_check,
)
from sla_manager.payments.rules.cards import DOCUMENT, MARK, UNDECIDED
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database

TRIES = 3
TOLD_AFTER = 5
"""After how many tries a person is told of a message that cannot be followed."""
BUSY = "Somebody else noted the same thing at this moment."
KEYS_HOLD = timedelta(hours=20)
"""How long we trust that the provider remembers a key; it promises 24 hours."""
CHECK_PAGES_AFTER = timedelta(minutes=1)
CHECK_REFUNDS_AFTER = timedelta(minutes=5)
CHECK_DISPUTES_AFTER = timedelta(hours=6)


class StillBusy(GatewayFailed):
    """The page of a document kept changing while it was asked for."""

    def __init__(self) -> None:
        super().__init__("The card provider is busy with this document. Try again in a minute.")


@dataclass(frozen=True)
class Till:
    """What collecting needs: the database, the account with the provider, where people come back to."""

    database: Database
    cards: Cards
    address: str


def start_payment(till: Till, document_id: int, *, tell: str = "", by: Actor, at: datetime) -> str:
    """Return the address of the one page on which a document can be paid now (P5).

    A page that is over, or for another amount than is open, is closed first; if it was paid meanwhile, its payment
    is recorded and what is then open decides.
    """
    for _ in range(TRIES):
        try:
            with till.database.transaction() as session:
                asked = ask_checkout(session, document_id, tell=tell, by=by, at=at)
        except IntegrityError:  # another tab asked at this moment: take its page
            continue
        checkout = asked.checkout
        if asked.is_stale:
            _close(till, checkout, at)
            continue
        if checkout.status == "asked":
            checkout = _open(till, checkout, at)
        elif checkout.page_id is not None and settle_page(till, checkout, at):
            continue
        if checkout.url is not None and checkout.status == "open":
            return checkout.url
    raise StillBusy


def _open(till: Till, checkout: CardCheckout, at: datetime) -> CardCheckout:
    with till.database.reading() as session:
        document = checkout_by_reference(session, checkout.reference).document
    back = f"{till.address}/pay/back/{checkout.reference}"
    wanted = PageWanted(
        key=checkout.reference, pence=checkout.amount.pence, name=document.number,
        description=document.customer_name, back_to=back, cancel_to=back, expires_at=checkout.expires_at,
        marks={MARK: checkout.reference, DOCUMENT: str(checkout.document_id)},
    )  # fmt: skip
    try:
        page = till.cards.open_page(wanted)
    except CardsRefused:
        with till.database.transaction() as session:
            drop_checkout(session, checkout.reference)
        raise
    with till.database.transaction() as session:
        return note_page(session, checkout.reference, page, at=at)


def _close(till: Till, checkout: CardCheckout, at: datetime) -> None:
    """Let a page expire, so that nobody pays an amount that is no longer open; one that was paid is settled."""
    if checkout.page_id is None:
        with till.database.transaction() as session:
            drop_checkout(session, checkout.reference)
        return
    _note(till, checkout, till.cards.close_page(checkout.page_id), at)


def settle_page(till: Till, checkout: CardCheckout, at: datetime) -> bool:
    """Ask how a page stands, and record its payment when there is one (P7). Returns whether it is over."""
    if checkout.page_id is None:
        return False
    return _note(till, checkout, till.cards.page(checkout.page_id), at)


def _note(till: Till, checkout: CardCheckout, page: CardPage, at: datetime) -> bool:
    payment = till.cards.payment(page.payment) if page.payment is not None else None
    with till.database.transaction() as session:
        if payment is not None and payment.is_paid:
            settle_payment(session, payment, at=at)
        noted = note_page(session, checkout.reference, page, at=at)
        return noted.status != "open"


def handle_event(till: Till, event: CardEvent, *, at: datetime) -> str:
    """Do what a kept message asks for, by the state of its object now. Again, it changes nothing (P1, P2).

    What cannot be done now is put off, and holds up no other message; a person is told after a few tries, and at once
    of an object that the provider does not know.
    """
    try:
        outcome = _HANDLERS.get(event.about, _nothing)(till, event, at)
    except CardsRefused as error:
        outcome = error.message
        with till.database.transaction() as session:
            _cannot_follow(session, event, outcome, at)
    except (ProductError, IntegrityError) as error:
        why = error.message if isinstance(error, ProductError) else BUSY
        with till.database.transaction() as session:
            try_later(session, event.id, why, at=at)
            if event.attempts + 1 >= TOLD_AFTER:
                _cannot_follow(session, event, why, at)
        return why
    with till.database.transaction() as session:
        mark_handled(session, event.id, outcome, at=at)
    return outcome


def _cannot_follow(session: Session, event: CardEvent, why: str, at: datetime) -> None:
    message = f"The message {event.event_id} ({event.kind}) could not be followed. {why}"
    raise_alert(session, f"event:{event.event_id}", message, at=at)


def _payment_event(till: Till, event: CardEvent, at: datetime) -> str:
    payment_id = event.about_id if event.about == "payment_intent" else event.payment_id
    return _settle(till, payment_id, at) if payment_id is not None else NOT_OURS


def _settle(till: Till, payment_id: str, at: datetime) -> str:
    payment: CardPayment = till.cards.payment(payment_id)
    with till.database.transaction() as session:
        return settle_payment(session, payment, at=at)


def _page_event(till: Till, event: CardEvent, at: datetime) -> str:
    with till.database.reading() as session:
        checkout = checkout_by_page(session, event.about_id)
    page = till.cards.page(event.about_id)
    if checkout is None:
        return _settle(till, page.payment, at) if page.payment is not None else NOT_OURS
    _note(till, checkout, page, at)
    return f"The page is {page.status}."


def _refund_event(till: Till, event: CardEvent, at: datetime) -> str:
    refund = till.cards.refund(event.about_id)
    if refund.payment is not None:
        _settle(till, refund.payment, at)
    with till.database.transaction() as session:
        return note_refund(session, refund, at=at)


def _dispute_event(till: Till, event: CardEvent, at: datetime) -> str:
    return check_dispute(till, event.about_id, at=at)


def _nothing(till: Till, event: CardEvent, at: datetime) -> str:
    return "Nothing to do."


_HANDLERS: dict[str, Callable[[Till, CardEvent, datetime], str]] = {
    "payment_intent": _payment_event,
    "charge": _payment_event,
    "checkout.session": _page_event,
    "refund": _refund_event,
    "dispute": _dispute_event,
}


def check_dispute(till: Till, dispute_id: str, *, at: datetime) -> str:
    """Ask how a dispute stands and note it; asked again when somebody else noted it meanwhile."""
    for _ in range(TRIES):
        with till.database.reading() as session:
            seen = dispute_version(session, dispute_id)
        told = till.cards.dispute(dispute_id)
        if told.payment is not None:
            _settle(till, told.payment, at)
        try:
            with till.database.transaction() as session:
                return note_dispute(session, told, seen=seen, at=at)
        except ChangedMeanwhile:
            continue
    raise ChangedMeanwhile


def carry_out_refund(till: Till, order: CardRefundOrder, *, at: datetime) -> str:
    """Have the provider give back what was ordered, once however often it is asked; a no undoes the order."""
    try:
        if order.provider_id is not None:
            refund = till.cards.refund(order.provider_id)
        else:
            refund = _made_before(till, order, at) or till.cards.give_back(
                order.payment_id, pence=order.refund.amount.pence, key=order_key(order, order.refund)
            )
    except CardsRefused as error:
        with till.database.transaction() as session:
            fail_order(session, order.id, error.message, at=at)
        return error.message
    with till.database.transaction() as session:
        return note_refund(session, refund, at=at)


def _made_before(till: Till, order: CardRefundOrder, at: datetime) -> CardRefund | None:
    """Return the refund that an old order made when its answer was lost: the provider forgets keys after a day."""
    if at < order.asked_at + KEYS_HOLD:
        return None
    key = order_key(order, order.refund)
    return next((one for one in till.cards.refunds_of(order.payment_id) if one.marks.get(ORDER) == key), None)


def collect(till: Till, *, at: datetime, stopping: Callable[[], bool] = lambda: False) -> str:
    """Handle the messages that wait, and ask after what no message came about (P7). Returns what was done."""
    with till.database.reading() as session:
        events = events_waiting(session, at)
        pages = checkouts_to_check(session, at - CHECK_PAGES_AFTER)
        orders = refund_orders_to_check(session, at - CHECK_REFUNDS_AFTER)
        disputes = disputes_to_check(session, UNDECIDED, at - CHECK_DISPUTES_AFTER)
    for event in events:
        if stopping():
            break
        handle_event(till, event, at=at)
    troubles = [
        trouble
        for ask in (
            *(_checking(till, page, at) for page in pages),
            *(lambda order=order: carry_out_refund(till, order, at=at) for order in orders),
            *(lambda one=one: check_dispute(till, one.dispute_id, at=at) for one in disputes),
        )
        if not stopping() and (trouble := _tried(ask))
    ]
    if troubles:
        raise GatewayFailed(f"{len(troubles)} questions to the card provider failed: {troubles[0]}")
    return f"{len(events)} messages, {len(pages)} pages, {len(orders)} refunds, {len(disputes)} disputes"


def _checking(till: Till, checkout: CardCheckout, at: datetime) -> Callable[[], object]:
    if checkout.page_id is None:
        return lambda: _give_up(till, checkout, at)
    return lambda: settle_page(till, checkout, at)


def _give_up(till: Till, checkout: CardCheckout, at: datetime) -> None:
    """Forget a page that was asked for and never came: nobody was sent to it."""
    if at >= checkout.expires_at:
        with till.database.transaction() as session:
            drop_checkout(session, checkout.reference)


def _tried(ask: Callable[[], object]) -> str:
    """Ask one question; a failure holds up no other."""
    try:
        ask()
    except ProductError as error:
        return error.message
    except IntegrityError:
        return BUSY
    return ""
