"""The real library against a card server of our own: requests by its types, signatures, failures; and P12."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from stripe.params.checkout import SessionCreateParams

from sla_manager.config import Settings, UnsafeSettings, read_settings
from sla_manager.gateways.cards import Cards, CardsRefused, Forged, PageWanted
from sla_manager.kernel.errors import GatewayFailed
from tests.card_params import BadParams, checked, read_form
from tests.card_server import KEY, SECRET, CardServer, signed

REAL = {"SLA_SECRET_KEY": "k" * 40, "SLA_STRIPE_WEBHOOK_SECRET": SECRET}
PLAY = {"SLA_DEMONSTRATION": "1", "SLA_STRIPE_WEBHOOK_SECRET": SECRET}


@pytest.fixture(scope="module")
def server() -> Iterator[CardServer]:
    with CardServer().running() as running:
        yield running


@pytest.fixture(scope="module")
def cards(server: CardServer) -> Cards:
    return Cards(KEY, SECRET, address=server.address)


def wanted(server: CardServer, key: str, **more: object) -> PageWanted:
    page = PageWanted(
        key=key, pence=1766_40, name="EWS/25-26/000001", description="Education welfare", marks={"document": "1"},
        back_to="https://sla.example/back", cancel_to="https://sla.example/cancel",
        expires_at=server.clock + timedelta(hours=1),
    )  # fmt: skip
    return replace(page, **more)  # type: ignore[arg-type]  # a test changes what it names


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        (REAL | {"SLA_STRIPE_KEY": "sk_test_demo"}, "is a test key"),
        (REAL | {"SLA_STRIPE_KEY": "rk_test_demo"}, "is a test key"),
        (PLAY | {"SLA_STRIPE_KEY": "sk_live_demo"}, "is a live key"),
        (PLAY | {"SLA_STRIPE_KEY": "rk_live_demo"}, "is a live key"),
        (PLAY | {"SLA_STRIPE_KEY": "pk_test_demo"}, "begins with sk_live_"),
        ({"SLA_DEMONSTRATION": "1", "SLA_STRIPE_KEY": "sk_test_demo"}, "needs SLA_STRIPE_WEBHOOK_SECRET"),
        (PLAY | {"SLA_STRIPE_KEY": "sk_test_demo", "SLA_STRIPE_WEBHOOK_SECRET": "demo"}, "whsec_"),
        (PLAY, "go with SLA_STRIPE_KEY"),
        (
            PLAY | {"SLA_STRIPE_KEY": "sk_test_demo", "SLA_STRIPE_ADDRESS": "http://cards.example"},
            "on this machine",
        ),
        (
            REAL | {"SLA_STRIPE_KEY": "sk_live_demo", "SLA_STRIPE_ADDRESS": "http://127.0.0.1:9"},
            "demonstrations only",
        ),
    ],
)
def test_p12_keys_of_the_wrong_world_refuse_to_start(environment: dict[str, str], says: str) -> None:
    with pytest.raises(UnsafeSettings, match=says):
        read_settings(environment)


def test_p12_the_right_keys_start_and_are_never_shown() -> None:
    live = read_settings(REAL | {"SLA_STRIPE_KEY": "sk_live_demo"})
    assert live.stripe_key == "sk_live_demo"
    play = read_settings(PLAY | {"SLA_STRIPE_KEY": KEY, "SLA_STRIPE_ADDRESS": "http://127.0.0.1:12111/"})
    assert play.stripe_address == "http://127.0.0.1:12111"
    assert "sk_live_demo" not in repr(live)
    assert SECRET not in repr(live)
    assert Settings("sqlite://", "k" * 40).stripe_key is None


def test_a_page_is_opened_once_for_a_key_paid_and_read_again(server: CardServer, cards: Cards) -> None:
    page = cards.open_page(wanted(server, "page:1"))
    assert (page.status, page.payment) == ("open", None)
    assert page.url == f"{server.address}/pay/{page.id}"
    server.loses_answers = 1
    assert cards.open_page(wanted(server, "page:2")).id != page.id
    assert server.count("checkout.session") == 2
    assert cards.open_page(wanted(server, "page:1")) == page
    with pytest.raises(GatewayFailed):
        cards.open_page(wanted(server, "page:1", pence=1766_41))
    paid = server.pay(page.id)
    assert cards.page(page.id).payment == paid["id"]
    payment = cards.payment(paid["id"])
    assert (payment.is_paid, payment.pence, payment.currency) == (True, 1766_40, "gbp")
    assert payment.marks == {"document": "1"}
    assert cards.close_page(page.id).status == "complete"


def test_a_refund_is_made_once_for_a_key_and_never_beyond_what_was_paid(
    server: CardServer, cards: Cards
) -> None:
    paid = server.payment(100_00)
    first = cards.give_back(paid["id"], pence=60_00, key="refund:1")
    assert cards.give_back(paid["id"], pence=60_00, key="refund:1").id == first.id
    with pytest.raises(CardsRefused, match="greater than unrefunded"):
        cards.give_back(paid["id"], pence=40_01, key="refund:2")
    server.fail_refund(first.id)
    again = cards.refund(first.id)
    assert (again.is_undone, again.why) == (True, "lost or stolen card")


def test_a_dispute_says_until_when_it_is_answered(server: CardServer, cards: Cards) -> None:
    made = server.dispute(server.payment(50_00)["id"])
    found = cards.dispute(made["id"])
    assert (found.status, found.pence, found.reason) == ("needs_response", 50_00, "fraudulent")
    assert found.answer_by == (server.clock + timedelta(days=7)).replace(microsecond=0)


def test_no_answer_is_tried_again_and_a_no_is_final(server: CardServer, cards: Cards) -> None:
    server.down = True
    try:
        with pytest.raises(GatewayFailed, match="does not answer"):
            cards.page("cs_0001")
    finally:
        server.down = False
    with pytest.raises(CardsRefused, match="no such object"):
        cards.page("cs_9999")
    with pytest.raises(CardsRefused, match="30 minutes"):
        cards.open_page(wanted(server, "page:late", expires_at=server.clock + timedelta(minutes=5)))
    with pytest.raises(GatewayFailed, match="does not accept our key"):
        Cards("sk_test_other", SECRET, address=server.address).page("cs_0001")
    server.things["pi_live"] = {**server.payment(1_00), "livemode": True}
    with pytest.raises(GatewayFailed, match="another mode"):
        cards.payment("pi_live")


def test_p3_a_message_is_believed_only_with_a_fresh_signature_over_its_own_bytes(
    server: CardServer, cards: Cards
) -> None:
    server.payment(10_00)
    body, header = signed(server.messages[-1])
    found = cards.message(body, header)
    assert (found.kind, found.about) == ("payment_intent.succeeded", "payment_intent")
    forged = signed(server.messages[-1], secret="whsec_other")
    for wrong in (
        forged, (body, ""), (body, "t=1,v1=2"), (body, "nonsense"), (body.replace(b"  ", b" "), header),
        (body.decode().encode("utf-16"), header), signed(server.messages[-1], age=301),
        signed({**server.messages[-1], "livemode": True}), signed({"object": "event", "id": "evt"}),
    ):  # fmt: skip
        with pytest.raises(Forged):
            cards.message(*wrong)
    assert cards.message(*signed(server.messages[-1], age=290)) == found


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ("payment_method_types[0]=card", "payment_method_types: unknown"),
        ("allowed_payment_method_types[0]=cheque", "none of"),
        ("mode=pay", "none of"),
        ("expires_at=soon", "is no"),
        ("line_items[0][price_data][unit_amount]=1", "currency: missing"),
    ],
)
def test_the_server_notices_what_the_provider_would_refuse(form: str, says: str) -> None:
    with pytest.raises(BadParams, match=says):
        checked(read_form(form), SessionCreateParams)
