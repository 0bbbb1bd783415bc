"""Money by card, with the real library against a card server of our own: twice, late, wrong, never, it counts once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import TypeVar

import pytest
from sqlalchemy import func, select, text

from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.billing.commands import issue_credit_note
from sla_manager.billing.models import Document
from sla_manager.cli.demonstration.cards import tell_cards
from sla_manager.gateways.cards import Cards, CardsRefused
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.errors import Conflict, GatewayFailed, Refused
from sla_manager.kernel.money import Money
from sla_manager.payments.collecting import Till, carry_out_refund, collect, handle_event, start_payment
from sla_manager.payments.commands.card_alerts import answer_alert
from sla_manager.payments.commands.card_checkouts import NotByCard
from sla_manager.payments.commands.card_events import keep_event
from sla_manager.payments.commands.card_refunds import order_card_refund
from sla_manager.payments.commands.receipts import record_receipt
from sla_manager.payments.commands.refunds import MoreThanReceived
from sla_manager.payments.models import (
    Allocation,
    CardAlert,
    CardCheckout,
    CardEvent,
    CardReceipt,
    CardRefundOrder,
    Receipt,
    Refund,
)
from sla_manager.payments.queries import open_amount, receipt
from sla_manager.payments.queries.cards import disputes_of, open_alerts, refund_order, refunds_of
from sla_manager.payments.queries.holds import is_held
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.audit import AuditEntry
from sla_manager.store.database import Database
from sla_manager.store.outbox import OutboxMessage
from sla_manager.store.tables import Numbered
from tests.card_server import KEY, SECRET, CardServer, Thing, signed
from tests.rooms.owing import BY, THIRD, agree, documents, run_on

AT = as_at(date(2026, 3, 5))
T = TypeVar("T", bound=Numbered)
PAYER = "bursar@school.example"


@pytest.fixture(scope="module")
def running() -> Iterator[CardServer]:
    with CardServer().running() as server:
        yield server


@pytest.fixture
def server(running: CardServer) -> CardServer:
    """The card server as on its first day."""
    running.things, running.kept, running.messages, running.asked = {}, {}, [], []
    running.clock, running.down, running.loses_answers = AT, False, 0
    return running


def academy_owes(database: Database, server: CardServer) -> Till:
    """Let an academy owe three invoices of 1,766.40; the account is with the card server."""
    agree(database)
    run_on(database, THIRD)
    return Till(database, Cards(KEY, SECRET, address=server.address), "https://sla.example")


@pytest.fixture
def till(postgresql: Database, server: CardServer) -> Till:
    """What most tests use: PostgreSQL, where two may really act at once."""
    return academy_owes(postgresql, server)


@pytest.fixture
def either(database: Database, server: CardServer) -> Till:
    """The same on either database."""
    return academy_owes(database, server)


def first(till: Till) -> Document:
    """Return the first invoice."""
    return documents(till.database)[0]


def page_of(till: Till, at: datetime = AT) -> str:
    """Open a page for the first invoice and return the provider's id of it."""
    return start_payment(till, first(till).id, tell=PAYER, by=BY, at=at).rpartition("/")[2]


def tell(till: Till, message: Thing, at: datetime = AT) -> CardEvent:
    """Keep a message as the webhook does, and return what is kept."""
    told = till.cards.message(*signed(message))
    with till.database.transaction() as session:
        keep_event(session, told, at=at)
        return session.scalars(select(CardEvent).where(CardEvent.event_id == told.id)).one()


def follow(till: Till, message: Thing, at: datetime = AT) -> str:
    """Keep a message and handle it."""
    return handle_event(till, tell(till, message, at), at=at)


def left(till: Till) -> str:
    """Return what is open on the first invoice."""
    document_id = first(till).id
    with till.database.reading() as session:
        return str(open_amount(session, document_id))


def kept(till: Till, what: type[T]) -> list[T]:
    """Return every row of a kind."""
    with till.database.reading() as session:
        return list(session.scalars(select(what).order_by(what.id)))


def on_account(till: Till) -> str:
    """Return what is on account of all payments."""
    with till.database.reading() as session:
        return str(sum((receipt(session, one.id).left.pence for one in session.scalars(select(Receipt))), 0))


def paid(till: Till, server: CardServer) -> Thing:
    """Pay the first invoice and let its messages be handled."""
    payment = server.pay(page_of(till))
    for message in server.messages:
        follow(till, message)
    return payment


def test_a_page_asks_for_what_is_open_and_its_payment_settles_the_invoice(
    either: Till, server: CardServer
) -> None:
    page = server.things[page_of(either)]
    assert (page["amount_total"], page["currency"]) == (1766_40, "gbp")
    assert page["success_url"].startswith("https://sla.example/pay/back/")
    assert PAYER not in str(server.things)
    server.pay(page["id"])
    assert [follow(either, one) for one in server.messages] == ["£1,766.40 paid.", "The page is complete."]
    (made,) = kept(either, Receipt)
    assert (str(made.amount), made.method, made.received_on) == ("1766.40", "card", date(2026, 3, 5))
    assert made.once_key == f"card:{server.things[page['id']]['payment_intent']}"
    assert left(either) == "0.00"
    assert kept(either, CardAlert) == []


def test_m2_the_card_page_asks_for_the_stored_gross(till: Till, server: CardServer) -> None:
    agree(till.database, offers=[("10.01", "1")] * 3, schedule=Schedule.SINGLE)
    run_on(till.database, THIRD)
    newest = documents(till.database)[-1]
    start_payment(till, newest.id, by=BY, at=AT)
    assert [one["amount_total"] for one in server.things.values()] == [36_04] == [newest.gross.pence]


def test_p1_one_message_twenty_times_in_parallel_is_one_receipt(either: Till, server: CardServer) -> None:
    server.pay(page_of(either))
    event = tell(either, server.messages[0])
    with either.database.reading() as session:
        before = Counter(session.scalars(select(AuditEntry.action)))
    with ThreadPoolExecutor(20) as pool:
        said = list(pool.map(lambda _: handle_event(either, event, at=AT), range(20)))
    assert Counter(said) == {"£1,766.40 paid.": 1, "Recorded before.": 19}
    with either.database.reading() as session:
        assert Counter(session.scalars(select(AuditEntry.action))) - before == {
            "record_receipt": 1, "allocate": 1
        }  # fmt: skip
        mails = select(OutboxMessage.recipient).where(OutboxMessage.key.startswith("card-"))
        assert list(session.scalars(mails)) == [PAYER]
        assert [one.outcome in said for one in session.scalars(select(CardEvent))] == [True]
    assert len(kept(either, Receipt)) == len(kept(either, Allocation)) == 1


def test_p1_control_without_its_keys_the_same_message_pays_twice(till: Till, server: CardServer) -> None:
    server.pay(page_of(till))
    payment = till.cards.payment(server.things[page_of_first(till)]["payment_intent"])
    for _ in range(2):
        with till.database.transaction() as session:
            record_receipt(
                session, first(till).customer_id, amount=Money(payment.pence), received_on=AT.date(),
                method="card", by=BY, at=AT,
            )  # fmt: skip
    assert len(kept(till, Receipt)) == 2


def page_of_first(till: Till) -> str:
    """Return the provider's id of the page that was made first."""
    (checkout,) = kept(till, CardCheckout)
    return str(checkout.page_id)


def test_p2_messages_out_of_order_end_as_the_provider_says(either: Till, server: CardServer) -> None:
    payment = server.pay(page_of(either))
    refund = server.refund(payment["id"], 66_40)
    dispute = server.dispute(payment["id"], 700_00)
    server.close_dispute(dispute["id"], "lost")
    server.fail_refund(refund["id"])
    for message in [*reversed(server.messages), *server.messages]:
        follow(either, message)
    with either.database.reading() as session:
        (made,) = session.scalars(select(Receipt))
        assert [str(row.refund.amount) for row in refunds_of(session, made.id) if not row.undone] == [
            "700.00"
        ]
        assert [one.status for one in disputes_of(session, made.id)] == ["lost"]
        assert is_held(session, first(either).id) is False
        assert str(receipt(session, made.id).left) == "0.00"
    assert left(either) == "700.00"


@pytest.mark.parametrize(
    ("pence", "currency", "received", "says"),
    [
        (1766_39, "gbp", "1766.39", "£1,766.39 came, and £1,766.40 was asked for."),
        (2000_00, "gbp", "2000.00", "£2,000.00 came"),
        (1766_40, "eur", None, "another currency"),
    ],
)
def test_p4_another_amount_or_currency_pays_nothing_and_is_told(
    till: Till, server: CardServer, pence: int, currency: str, received: str | None, says: str
) -> None:
    server.pay(page_of(till), pence=pence, currency=currency)
    for message in server.messages:
        follow(till, message)
    assert left(till) == "1766.40"
    assert [str(one.amount) for one in kept(till, Receipt)] == ([received] if received else [])
    assert kept(till, Allocation) == []
    (alert,) = kept(till, CardAlert)
    assert says in alert.message
    assert start_payment(till, first(till).id, by=BY, at=AT).startswith(server.address)


def test_p4_another_document_or_an_unknown_page_is_told_and_a_stranger_is_left_alone(
    till: Till, server: CardServer
) -> None:
    page = server.things[page_of(till)]
    page["payment_marks"] = {**page["payment_marks"], "sla_document": "999"}
    server.pay(page["id"])
    server.payment(5_00, marks={"sla_checkout": "never", "sla_document": "1"})
    server.payment(7_00)
    said = [follow(till, message) for message in server.messages]
    assert said[-2:] == ["It names a page that we never made.", "Not a payment of this product."]
    assert (left(till), on_account(till)) == ("1766.40", "176640")
    assert len(kept(till, CardAlert)) == 2


def test_p5_two_tabs_have_one_page(either: Till, server: CardServer) -> None:
    start = threading.Barrier(4)

    def press(_: int) -> str:
        start.wait()
        try:
            return page_of(either)
        except GatewayFailed:
            return page_of(either)

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(press, range(4)))) == 1
    assert server.count("checkout.session") == 1
    assert len(kept(either, CardCheckout)) == 1


def test_p5_a_second_success_is_money_on_account_and_never_lost(till: Till, server: CardServer) -> None:
    page = page_of(till)
    marks = server.things[page]["payment_marks"]
    server.pay(page)
    server.payment(1766_40, marks=marks)
    for message in server.messages:
        follow(till, message)
    assert (left(till), on_account(till)) == ("0.00", "176640")
    (alert,) = kept(till, CardAlert)
    assert "£1,766.40 of a card payment" in alert.message
    with till.database.transaction() as session:
        answer_alert(session, alert.id, answer="Refunded", by=BY, at=AT)
    with pytest.raises(Conflict, match="dealt with this already"), till.database.transaction() as session:
        answer_alert(session, alert.id, answer="Again", by=BY, at=AT)
    with till.database.reading() as session:
        assert open_alerts(session) == []


def test_a_page_for_another_amount_is_closed_before_a_new_one_is_opened(
    till: Till, server: CardServer
) -> None:
    old = page_of(till)
    with till.database.transaction() as session:
        issue_credit_note(session, first(till).id, amounts={1: Money(368_00)}, reason="Agreed", by=BY, at=AT)
    new = page_of(till)
    assert server.things[old]["status"] == "expired"
    assert server.things[new]["amount_total"] == 1324_80
    assert [one.status for one in kept(till, CardCheckout)] == ["expired", "open"]


def test_a_page_that_was_paid_before_it_could_be_closed_is_settled(till: Till, server: CardServer) -> None:
    old = page_of(till)
    server.pay(old)
    with till.database.transaction() as session:
        issue_credit_note(session, first(till).id, amounts={1: Money(368_00)}, reason="Agreed", by=BY, at=AT)
    with pytest.raises(NotByCard, match="Nothing is open"):
        page_of(till)
    assert on_account(till) == "44160"


def test_what_is_not_paid_by_card_says_so(till: Till, server: CardServer) -> None:
    agree(till.database, customer_class=CustomerClass.OWN_MAINTAINED)
    run_on(till.database, THIRD)
    recharge = documents(till.database)[-1]
    with pytest.raises(NotByCard, match="recharge notes move between budgets"):
        start_payment(till, recharge.id, by=BY, at=AT)
    paid(till, server)
    with pytest.raises(NotByCard, match="Nothing is open on EWS/25-26/000001"):
        page_of(till)


def test_a_lost_answer_asks_for_the_same_page_again(till: Till, server: CardServer) -> None:
    server.loses_answers = 3
    with pytest.raises(GatewayFailed, match="does not answer"):
        page_of(till)
    assert [one.status for one in kept(till, CardCheckout)] == ["asked"]
    again = page_of(till)
    assert server.count("checkout.session") == 1
    assert server.things[again]["status"] == "open"


def test_a_page_that_the_provider_refuses_is_given_up(till: Till, server: CardServer) -> None:
    server.clock = AT + timedelta(days=2)
    with pytest.raises(CardsRefused, match="30 minutes"):
        page_of(till)
    assert [one.status for one in kept(till, CardCheckout)] == ["failed"]


def test_p7_a_closed_browser_and_a_lost_message_are_settled_by_the_poll(
    either: Till, server: CardServer
) -> None:
    server.pay(page_of(either))
    assert collect(either, at=AT) == "0 messages, 0 pages, 0 refunds, 0 disputes"
    assert left(either) == "1766.40"
    assert collect(either, at=AT + timedelta(minutes=2)).startswith("0 messages, 1 pages")
    assert left(either) == "0.00"
    assert collect(either, at=AT + timedelta(minutes=4)).startswith("0 messages, 0 pages")
    assert len(kept(either, Receipt)) == 1


def test_the_poll_lets_go_of_what_ran_out_and_tries_again_what_failed(till: Till, server: CardServer) -> None:
    page = page_of(till)
    payment = server.payment(1_00)
    event = tell(till, server.messages[-1])
    server.down = True
    with pytest.raises(GatewayFailed, match="1 questions to the card provider failed"):
        collect(till, at=AT + timedelta(minutes=2))
    server.down = False
    waiting = kept(till, CardEvent)[0]
    assert (waiting.attempts, waiting.handled_at, event.event_id) == (1, None, waiting.event_id)
    server.expire(page)
    collect(till, at=AT + timedelta(minutes=5))
    assert kept(till, CardEvent)[0].outcome == "Not a payment of this product."
    assert [one.status for one in kept(till, CardCheckout)] == ["expired"]
    assert payment["id"]


def test_a_message_that_cannot_be_followed_waits_longer_each_time_and_is_told(
    till: Till, server: CardServer
) -> None:
    page = page_of(till)
    server.pay(page)
    for message in server.messages:
        tell(till, message)
    refused = (
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION USING ERRCODE = "
    )
    with till.database.transaction() as session:
        session.execute(text(f"{refused}'23514', MESSAGE = 'append_only_receipt'; END $$"))
        session.execute(text("CREATE TRIGGER no BEFORE INSERT ON receipt FOR EACH ROW EXECUTE FUNCTION no()"))
    at = AT
    for _ in range(5):
        at += timedelta(hours=1)
        with pytest.raises(GatewayFailed, match="1 questions"):
            collect(till, at=at)
    assert {one.attempts for one in kept(till, CardEvent)} == {5}
    assert len(kept(till, CardAlert)) == 2
    with till.database.transaction() as session:
        session.execute(text("DROP TRIGGER no ON receipt"))
        session.execute(text("DROP FUNCTION no()"))
    collect(till, at=at + timedelta(hours=6))
    assert left(till) == "0.00"


def test_p8_a_card_refund_goes_back_once_and_never_beyond_what_came(till: Till, server: CardServer) -> None:
    server.pay(page_of(till), pence=100_00)
    collect(till, at=AT + timedelta(minutes=2))
    (made,) = kept(till, Receipt)

    def back(amount: str, key: str) -> CardRefundOrder:
        with till.database.transaction() as session:
            return order_card_refund(
                session, made.id, amount=Money.parse(amount), reason="Paid twice", once_key=key, by=BY, at=AT
            )

    for number in range(3):
        order = back("33.33", f"press {number}")
        assert back("33.33", f"press {number}").id == order.id
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda _, wanted=order: refunded(till, wanted.id), range(2)))
    refunded(till, back("0.01", "last").id)
    with pytest.raises(MoreThanReceived, match=r"£0\.01 is more than is left of this payment: £0\.00"):
        back("0.01", "beyond")
    assert [one["amount"] for one in server.things.values() if one["object"] == "refund"] == [
        3333,
        3333,
        3333,
        1,
    ]
    assert {one.status for one in kept(till, CardRefundOrder)} == {"succeeded"}


def refunded(till: Till, order_id: int) -> str:
    """Have an order carried out."""
    with till.database.reading() as session:
        order = refund_order(session, order_id)
    return carry_out_refund(till, order, at=AT)


def test_p8_an_answer_that_was_lost_for_days_gives_nothing_back_twice(till: Till, server: CardServer) -> None:
    server.pay(page_of(till), pence=100_00)
    collect(till, at=AT + timedelta(minutes=2))
    (made,) = kept(till, Receipt)
    with till.database.transaction() as session:
        order = order_card_refund(
            session, made.id, amount=Money(50_00), reason="Agreed", once_key="press", by=BY, at=AT
        )
    server.loses_answers = 3
    with pytest.raises(GatewayFailed):
        refunded(till, order.id)
    server.kept.clear()
    collect(till, at=AT + timedelta(days=3))
    assert server.count("refund") == 1
    assert [one.status for one in kept(till, CardRefundOrder)] == ["succeeded"]


def test_a_refund_that_fails_is_on_account_again_and_told(till: Till, server: CardServer) -> None:
    server.pay(page_of(till), pence=100_00)
    collect(till, at=AT + timedelta(minutes=2))
    (made,) = kept(till, Receipt)
    with till.database.transaction() as session:
        order = order_card_refund(
            session, made.id, amount=Money(100_00), reason="Agreed", once_key="press", by=BY, at=AT
        )
    server.down = True
    with pytest.raises(GatewayFailed):
        refunded(till, order.id)
    server.down = False
    assert on_account(till) == "0"
    collect(till, at=AT + timedelta(minutes=6))
    (sent,) = [one for one in server.things.values() if one["object"] == "refund"]
    server.fail_refund(sent["id"])
    for message in server.messages:
        follow(till, message)
    assert on_account(till) == "10000"
    assert [one.status for one in kept(till, CardRefundOrder)] == ["failed"]
    assert any("lost or stolen card" in one.message for one in kept(till, CardAlert))


def test_a_refund_made_at_the_provider_opens_the_invoice_again(till: Till, server: CardServer) -> None:
    payment = paid(till, server)
    server.refund(payment["id"], 500_00)
    for message in [server.messages[-1]] * 2:
        follow(till, message)
    assert (left(till), on_account(till)) == ("500.00", "0")
    (alert,) = kept(till, CardAlert)
    assert "£500.00 was given back at the card provider and not here" in alert.message


def test_a_dispute_holds_what_was_paid_and_a_won_one_lets_it_go(till: Till, server: CardServer) -> None:
    payment = paid(till, server)
    dispute = server.dispute(payment["id"])
    follow(till, server.messages[-1])
    with till.database.reading() as session:
        assert is_held(session, first(till).id)
    server.close_dispute(dispute["id"], "won")
    assert follow(till, server.messages[-1]) == "Ended: the money stays here."
    with till.database.reading() as session:
        assert not is_held(session, first(till).id)
    assert left(till) == "0.00"


def test_a_lost_dispute_is_a_chargeback_and_an_appeal_may_bring_it_back(
    till: Till, server: CardServer
) -> None:
    payment = paid(till, server)
    dispute = server.dispute(payment["id"])
    server.close_dispute(dispute["id"], "lost")
    for message in server.messages[-2:]:
        follow(till, message)
    assert (left(till), on_account(till)) == ("1766.40", "0")
    assert [one.method for one in kept(till, Refund)] == ["chargeback"]
    server.close_dispute(dispute["id"], "won")
    assert follow(till, server.messages[-1]) == "Won after all: the money is on account again."
    assert (left(till), on_account(till)) == ("1766.40", "176640")


def test_the_poll_notices_a_dispute_that_ended_without_a_message(till: Till, server: CardServer) -> None:
    dispute = server.dispute(paid(till, server)["id"])
    follow(till, server.messages[-1])
    server.close_dispute(dispute["id"], "lost")
    collect(till, at=AT + timedelta(hours=7))
    assert left(till) == "1766.40"


def test_a_payment_is_recorded_once_by_the_database_itself(till: Till, server: CardServer) -> None:
    paid(till, server)
    for change in ("DELETE FROM card_receipt", "UPDATE card_receipt SET payment_id = 'pi_other'"):
        with (
            pytest.raises(Exception, match="append_only_card_receipt"),
            till.database.transaction() as session,
        ):
            session.execute(text(change))
    with till.database.reading() as session:
        assert session.scalars(select(func.count()).select_from(CardReceipt)).one() == 1
    with till.database.transaction() as session:
        by_hand = record_receipt(
            session,
            first(till).customer_id,
            amount=Money(1),
            received_on=AT.date(),
            method="cheque",
            by=BY,
            at=AT,
        )
    with pytest.raises(Refused, match="did not come by card"), till.database.transaction() as session:
        order_card_refund(session, by_hand.id, amount=Money(1), reason="x", once_key="k", by=BY, at=AT)


def test_the_demonstration_shows_a_payment_a_refund_a_dispute_and_a_page_that_ran_out(
    sqlite: Database,
) -> None:
    agree(sqlite)
    agree(sqlite)
    run_on(sqlite, THIRD)
    with sqlite.transaction() as session:
        tell_cards(session, at=AT + timedelta(days=30))
    with sqlite.reading() as session:
        assert [one.status for one in session.scalars(select(CardCheckout))] == ["complete"] * 3 + ["expired"]
        assert [str(one.amount) for one in session.scalars(select(Refund))] == ["883.20"]
        assert len(open_alerts(session)) == 2
