"""A card provider of our own on the loopback: pages that can be paid, payments, refunds, disputes, signed messages.

It speaks the provider's API to the real library, checks each request against the library's own types, keeps answers
by idempotency key, and can be told to fail. It answers from its own clock.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest.mock import patch

import stripe
from stripe.params import RefundCreateParams, RefundListParams
from stripe.params.checkout import SessionCreateParams

from tests.card_params import BadParams, checked, read_form

KEY, SECRET = "sk_test_demo", "whsec_demo"
Thing = dict[str, Any]


class SaysNo(Exception):
    """An answer of the provider that is an error."""

    def __init__(self, message: str, *, status: int = 400, kind: str = "invalid_request_error") -> None:
        super().__init__(message)
        self.status, self.kind = status, kind


class CardServer:
    """What the provider knows. A test reads and moves it directly; the product only by HTTP."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.things: dict[str, Thing] = {}
        self.kept: dict[str, tuple[str, Thing]] = {}
        self.asked: list[tuple[str, str]] = []
        self.messages: list[Thing] = []
        self.clock = datetime.now(UTC)
        self.down = False
        self.loses_answers = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def running(self) -> Iterator[CardServer]:
        """Answer for as long as it takes."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            with patch.object(stripe.HTTPClient, "INITIAL_DELAY", 0):
                yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def count(self, what: str) -> int:
        """Return how many things of a kind there are."""
        return sum(thing["object"] == what for thing in self.things.values())

    def pay(self, page_id: str, *, pence: int | None = None, currency: str = "gbp") -> Thing:
        """Let somebody pay a page; `pence` and `currency` differ from what was asked only when something is wrong."""
        page = self.things[page_id]
        amount = page["amount_total"] if pence is None else pence
        payment = self.payment(amount, currency=currency, marks=page["payment_marks"])
        page |= {"status": "complete", "payment_status": "paid", "payment_intent": payment["id"], "url": None}
        self.tell("checkout.session.completed", page)
        return payment

    def payment(self, pence: int, *, currency: str = "gbp", marks: dict[str, str] | None = None) -> Thing:
        """Let money arrive."""
        charge = self._make("charge", "ch", amount=pence, currency=currency, paid=True)
        payment = self._make(
            "payment_intent", "pi", amount=pence, amount_received=pence, currency=currency, status="succeeded",
            latest_charge=charge["id"], metadata=marks or {},
        )  # fmt: skip
        charge["payment_intent"] = payment["id"]
        self.tell("payment_intent.succeeded", payment)
        return payment

    def refund(self, payment_id: str, pence: int, marks: dict[str, str] | None = None) -> Thing:
        """Give money back: asked for by the product, or by hand at the provider."""
        payment = self.things[payment_id]
        given = sum(
            one["amount"]
            for one in self.things.values()
            if one["object"] == "refund" and one["payment_intent"] == payment_id and one["status"] != "failed"
        )
        if pence > payment["amount_received"] - given:
            raise SaysNo(f"Refund amount ({pence}) is greater than unrefunded amount on charge")
        made = self._make(
            "refund", "re", amount=pence, currency=payment["currency"], payment_intent=payment_id,
            charge=payment["latest_charge"], status="succeeded", metadata=marks or {},
        )  # fmt: skip
        self.tell("refund.created", made)
        return made

    def fail_refund(self, refund_id: str, why: str = "lost_or_stolen_card") -> None:
        """Let a refund come back from the card's bank."""
        self.things[refund_id] |= {"status": "failed", "failure_reason": why}
        self.tell("refund.failed", self.things[refund_id])

    def dispute(self, payment_id: str, pence: int | None = None) -> Thing:
        """Let a card's holder ask money back through the bank."""
        payment = self.things[payment_id]
        made = self._make(
            "dispute", "dp", amount=pence or payment["amount_received"], currency=payment["currency"],
            payment_intent=payment_id, charge=payment["latest_charge"], reason="fraudulent",
            status="needs_response", evidence_details={"due_by": self._seconds() + 7 * 86_400},
        )  # fmt: skip
        self.tell("charge.dispute.created", made)
        return made

    def close_dispute(self, dispute_id: str, status: str) -> None:
        """Let the bank decide."""
        self.things[dispute_id]["status"] = status
        self.tell("charge.dispute.closed", self.things[dispute_id])

    def tell(self, kind: str, about: Thing) -> None:
        """Write a message as it would be sent; a test sends it, or loses it."""
        shown = {name: value for name, value in about.items() if name != "payment_marks"}
        number = len(self.messages) + 1
        self.messages.append(
            {
                "id": f"evt_{number:04d}", "object": "event", "type": kind, "created": self._seconds(),
                "livemode": False, "api_version": None, "data": {"object": json.loads(json.dumps(shown))},
            }
        )  # fmt: skip

    def create_page(self, form: Thing) -> Thing:
        """Open a page, as the provider would: in pence, in time."""
        wanted = checked(form, SessionCreateParams)
        ahead = wanted["expires_at"] - self._seconds()
        if not 1_800 <= ahead <= 86_400:
            raise SaysNo(f"The `expires_at` timestamp must be 30 minutes to 24 hours ahead, not {ahead} s.")
        (line,) = wanted["line_items"]
        if line["price_data"]["unit_amount"] < 30:
            raise SaysNo("The Checkout Session's total amount must be at least £0.30 gbp")
        made = self._make(
            "checkout.session", "cs", amount_total=line["price_data"]["unit_amount"] * line["quantity"],
            currency=line["price_data"]["currency"], metadata=wanted["metadata"], status="open",
            payment_status="unpaid", payment_intent=None, expires_at=wanted["expires_at"],
            success_url=wanted["success_url"], cancel_url=wanted["cancel_url"],
            client_reference_id=wanted["client_reference_id"],
            payment_marks=wanted["payment_intent_data"]["metadata"],
        )  # fmt: skip
        made["url"] = f"{self.address}/pay/{made['id']}"
        return made

    def create_refund(self, form: Thing) -> Thing:
        """Give money back, when there is so much."""
        wanted = checked(form, RefundCreateParams)
        return self.refund(wanted["payment_intent"], wanted["amount"], wanted["metadata"])

    def refunds(self, form: Thing) -> Thing:
        """List what went back of a payment, the latest first."""
        wanted = checked(form, RefundListParams)
        found = [
            one
            for one in reversed(self.things.values())
            if one["object"] == "refund" and one["payment_intent"] == wanted["payment_intent"]
        ]
        return {"object": "list", "url": "/v1/refunds", "has_more": False, "data": found[: wanted["limit"]]}

    def expire(self, page_id: str) -> Thing:
        """Close a page that is open."""
        page = self.things[page_id]
        if page["status"] != "open":
            raise SaysNo(
                f'Only Checkout Sessions with a status in ["open"] can be expired, not {page["status"]}.'
            )
        page |= {"status": "expired", "url": None}
        return page

    def answer(self, method: str, path: str, body: str, key: str | None) -> tuple[int, Thing]:
        """Answer a request; the same key gives the same answer again."""
        with self.lock:
            self.asked.append((method, path))
            if self.down:
                return 503, _error("We are down.", "api_error")
            try:
                if key is not None and key in self.kept:
                    sent, answer = self.kept[key]
                    if sent != body:
                        raise SaysNo("Keys for idempotent requests can only be used with the same parameters",
                                     kind="idempotency_error")  # fmt: skip
                    return 200, answer
                answer = dict(self._done(method, path, read_form(body)))
                if key is not None:
                    self.kept[key] = (body, answer)
                return 200, answer
            except SaysNo as no:
                return no.status, _error(str(no), no.kind)
            except (BadParams, KeyError) as wrong:
                return 400, _error(f"Received bad parameter {wrong}", "invalid_request_error")

    def _done(self, method: str, path: str, form: Thing) -> Thing:
        if (method, path) == ("POST", "/v1/checkout/sessions"):
            return self.create_page(form)
        if (method, path) == ("POST", "/v1/refunds"):
            return self.create_refund(form)
        if (method, path) == ("GET", "/v1/refunds"):
            return self.refunds(form)
        if found := re.fullmatch(r"/v1/checkout/sessions/(\w+)/expire", path):
            return self.expire(found[1])
        if (
            method == "GET"
            and (found := re.fullmatch(r"/v1/[a-z_/]+/(\w+)", path))
            and found[1] in self.things
        ):
            return self.things[found[1]]
        raise SaysNo(f"Unrecognized request URL or no such object ({method}: {path})", status=404)

    def _make(self, what: str, prefix: str, **more: Any) -> Thing:
        made = {
            "id": f"{prefix}_{len(self.things) + 1:04d}", "object": what, "livemode": False,
            "created": self._seconds(), "metadata": {}, **more,
        }  # fmt: skip
        self.things[made["id"]] = made
        return made

    def _seconds(self) -> int:
        return _epoch(self.clock)


def _epoch(moment: datetime) -> int:
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return since.days * 86_400 + since.seconds


def _error(message: str, kind: str) -> Thing:
    return {"error": {"message": message, "type": kind}}


def signed(message: Thing, *, secret: str = SECRET, age: int = 0) -> tuple[bytes, str]:
    """Return a message's bytes and the header that goes with them, signed `age` seconds ago."""
    body = json.dumps(message, indent=2)
    stamp = _epoch(datetime.now(UTC)) - age
    return body.encode(), stripe.WebhookSignature.generate_signature_header(body, secret, stamp)


def _handler(server: CardServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """One request over the wire."""

        def do_GET(self) -> None:
            self._reply("")

        def do_POST(self) -> None:
            self._reply(self.rfile.read(int(self.headers["Content-Length"] or 0)).decode())

        def _reply(self, body: str) -> None:
            if self.headers["Authorization"] != f"Bearer {KEY}":
                return self._send(401, _error("Invalid API Key provided", "invalid_request_error"))
            key = self.headers["Idempotency-Key"] if self.command == "POST" else None
            path, _, question = self.path.partition("?")
            status, answer = server.answer(self.command, path, body or question, key)
            if server.loses_answers:
                server.loses_answers -= 1
                self.close_connection = True
                return None
            return self._send(status, answer)

        def _send(self, status: int, answer: Thing) -> None:
            content = json.dumps({name: value for name, value in answer.items() if name != "payment_marks"})
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content.encode())))
            self.end_headers()
            self.wfile.write(content.encode())

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Say nothing."""

    return Handler
