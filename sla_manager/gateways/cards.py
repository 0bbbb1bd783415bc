"""The card provider: pages on which people pay, what was paid, given back, disputed, and the messages it signs.

Amounts cross this border as whole pence with their currency. What is kept, and what is made of it, is the room's.
"""

from __future__ import annotations

from calendar import timegm
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import stripe

from sla_manager.kernel.errors import GatewayFailed, Refused

T = TypeVar("T")
TIMEOUT_SECONDS = 20
TRIES_MORE = 2
TOLERANCE_SECONDS = 300
POUNDS = "gbp"
PAGE_ORIGIN = "https://checkout.stripe.com"
"""Where the provider's own pages are: a form of ours may lead there."""
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class CardsRefused(Refused):
    """The card provider understood and said no: asking again changes nothing."""


class Forged(Refused):
    """A message that does not carry the provider's own, fresh signature (P3)."""

    status = 400

    def __init__(self) -> None:
        super().__init__("This message is not signed by the card provider, or it is too old.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageWanted:
    """A page on which one document is paid. `key` is the same each time this page is asked for."""

    key: str
    pence: int
    name: str
    description: str
    marks: Mapping[str, str]
    back_to: str
    cancel_to: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CardPage:
    """A page for paying: open, complete or expired. `payment` is the payment's id as soon as there is one."""

    id: str
    status: str
    url: str | None
    payment: str | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CardPayment:
    """A payment as it is now. `pence` is what was received; `marks` are the words we gave with the page."""

    id: str
    status: str
    pence: int
    currency: str
    charge: str | None
    marks: Mapping[str, str]
    created_at: datetime

    @property
    def is_paid(self) -> bool:
        """Whether the money is on its way to the council."""
        return self.status == "succeeded"


@dataclass(frozen=True, slots=True)
class CardRefund:
    """Money on its way back to a card: pending, requires_action, succeeded, failed or canceled."""

    id: str
    status: str
    pence: int
    currency: str
    payment: str | None
    marks: Mapping[str, str]
    why: str

    @property
    def is_undone(self) -> bool:
        """Whether the money stayed with the council after all."""
        return self.status in ("failed", "canceled")


@dataclass(frozen=True, slots=True)
class CardDispute:
    """A payment that the card's holder asks back through the bank. `answer_by` is when evidence must be in."""

    id: str
    status: str
    pence: int
    currency: str
    payment: str | None
    reason: str
    answer_by: datetime | None


@dataclass(frozen=True, slots=True)
class CardMessage:
    """A signed message: that something happened to an object. What is true now is asked of the provider."""

    id: str
    kind: str
    about: str
    about_id: str
    payment: str | None
    created_at: datetime


class Cards:
    """The council's account with the card provider. `address` is another server, for demonstrations and tests."""

    def __init__(self, key: str, webhook_secret: str, *, address: str | None = None) -> None:
        self._secret = webhook_secret
        self.live = key[3:7] == "live"
        self.page_origin = address or PAGE_ORIGIN
        self._client = stripe.StripeClient(
            key,
            base_addresses={"api": address} if address is not None else None,
            http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
            max_network_retries=TRIES_MORE,
        )

    def open_page(self, wanted: PageWanted) -> CardPage:
        """Open a page for paying, or return the one that was opened with this key."""
        marks = dict(wanted.marks)
        return _page(
            _asked(
                lambda: self._client.v1.checkout.sessions.create(
                    {
                        "mode": "payment",
                        "line_items": [
                            {
                                "quantity": 1,
                                "price_data": {
                                    "currency": POUNDS,
                                    "unit_amount": wanted.pence,
                                    "product_data": {"name": wanted.name, "description": wanted.description},
                                },
                            }
                        ],
                        "allowed_payment_method_types": ["card"],
                        "client_reference_id": wanted.key,
                        "metadata": marks,
                        "payment_intent_data": {"description": wanted.name, "metadata": marks},
                        "success_url": wanted.back_to,
                        "cancel_url": wanted.cancel_to,
                        "expires_at": timegm(wanted.expires_at.utctimetuple()),
                        "locale": "en-GB",
                        "submit_type": "pay",
                    },
                    {"idempotency_key": wanted.key},
                )
            ),
            live=self.live,
        )

    def page(self, page_id: str) -> CardPage:
        """Return a page as it is now."""
        return _page(_asked(lambda: self._client.v1.checkout.sessions.retrieve(page_id)), live=self.live)

    def close_page(self, page_id: str) -> CardPage:
        """Let a page expire at once, so that nobody pays on it; one that is no longer open is returned as it is."""
        try:
            return _page(_asked(lambda: self._client.v1.checkout.sessions.expire(page_id)), live=self.live)
        except CardsRefused:
            return self.page(page_id)

    def payment(self, payment_id: str) -> CardPayment:
        """Return a payment as it is now."""
        found = _asked(lambda: self._client.v1.payment_intents.retrieve(payment_id))
        _check_mode(found.livemode, self.live)
        return CardPayment(
            found.id, found.status, found.amount_received or 0, found.currency, _id_of(found.latest_charge),
            _marks(found.metadata), _moment(found.created),
        )  # fmt: skip

    def give_back(self, payment_id: str, *, pence: int, key: str) -> CardRefund:
        """Give a part of a payment back to its card, once for each key."""
        return _refund(
            _asked(
                lambda: self._client.v1.refunds.create(
                    {"payment_intent": payment_id, "amount": pence, "metadata": {"sla_refund": key}},
                    {"idempotency_key": key},
                )
            )
        )

    def refunds_of(self, payment_id: str) -> list[CardRefund]:
        """Return what went back of a payment, the latest first."""
        found = _asked(lambda: self._client.v1.refunds.list({"payment_intent": payment_id, "limit": 100}))
        return [_refund(one) for one in found.data]

    def refund(self, refund_id: str) -> CardRefund:
        """Return a refund as it is now."""
        return _refund(_asked(lambda: self._client.v1.refunds.retrieve(refund_id)))

    def dispute(self, dispute_id: str) -> CardDispute:
        """Return a dispute as it is now."""
        found = _asked(lambda: self._client.v1.disputes.retrieve(dispute_id))
        _check_mode(found.livemode, self.live)
        due = found.evidence_details.due_by
        return CardDispute(
            found.id, found.status, found.amount, found.currency, _id_of(found.payment_intent), found.reason,
            _moment(due) if due else None,
        )  # fmt: skip

    def message(self, body: bytes, signature: str) -> CardMessage:
        """Return what a message says, when the provider signed these very bytes within five minutes; else `Forged`."""
        try:
            event = self._client.construct_event(body, signature, self._secret, TOLERANCE_SECONDS)
            about = event.data.object.to_dict()
            if bool(event.livemode) is not self.live:
                raise Forged
            payment = about.get("payment_intent")
            return CardMessage(
                event.id, event.type, str(about["object"]), str(about.get("id") or ""),
                payment if isinstance(payment, str) else None, _moment(event.created),
            )  # fmt: skip
        except (stripe.SignatureVerificationError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise Forged from error


def account(key: str | None, webhook_secret: str | None, address: str | None) -> Cards | None:
    """Return the council's account with the card provider, or None where no keys are set: card payment is off."""
    return Cards(key, webhook_secret, address=address) if key and webhook_secret else None


def _asked(question: Callable[[], T]) -> T:
    """Ask the provider. No answer is `GatewayFailed` (ask again); a no is `CardsRefused`."""
    try:
        return question()
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        raise GatewayFailed(
            "The card provider does not accept our key. Check SLA_STRIPE_KEY, and try again."
        ) from error
    except (stripe.InvalidRequestError, stripe.CardError) as error:
        raise CardsRefused(f"The card provider said no: {error.user_message or 'no reason given'}") from error
    except stripe.StripeError as error:
        raise GatewayFailed("The card provider does not answer. Try again in a few minutes.") from error


def _page(found: stripe.checkout.Session, *, live: bool) -> CardPage:
    _check_mode(found.livemode, live)
    return CardPage(
        found.id, found.status or "open", found.url, _id_of(found.payment_intent), _moment(found.expires_at)
    )


def _refund(found: stripe.Refund) -> CardRefund:
    why = getattr(found, "failure_reason", None)
    return CardRefund(
        found.id, found.status or "pending", found.amount, found.currency, _id_of(found.payment_intent),
        _marks(found.metadata), (why or "").replace("_", " "),
    )  # fmt: skip


def _check_mode(of_answer: bool, live: bool) -> None:
    if of_answer is not live:
        raise GatewayFailed(
            "The card provider answered in another mode than that of our key. Check the keys."
        )


def _id_of(thing: Any) -> str | None:
    """Return the id of a thing that comes as its id or whole."""
    return thing if thing is None or isinstance(thing, str) else str(thing.id)


def _marks(metadata: Any) -> dict[str, str]:
    return {str(name): str(value) for name, value in metadata.to_dict().items()} if metadata else {}


def _moment(seconds: int) -> datetime:
    return _BEGINNING + timedelta(seconds=seconds)
