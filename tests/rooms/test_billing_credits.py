"""Credits: −invoice to the penny, the document's own rate, never more than is left."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from sla_manager.agreements.models import AgreementLine, LedgerEntry, Tranche
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.billing.commands import credit_lost_time, issue_credit_note
from sla_manager.billing.models import Document
from sla_manager.billing.queries import creditable
from sla_manager.billing.rules.credits import (
    CreditableLine,
    CreditableVat,
    CreditedTooLate,
    CreditTooLarge,
    NothingToCredit,
    ReasonMissing,
    credit_totals,
)
from sla_manager.billing.rules.kinds import DocumentKind
from sla_manager.catalogue.models import VatRate
from sla_manager.catalogue.rules.vat import TaxedLine, VatCode, document_totals
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money, total
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.database import Database
from tests.rooms.owing import BY, FIRST, SECOND, agree, documents, run_on, sums

MARCH = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def credit(
    database: Database, document_id: int, reason: str = "Agreed with the school", **amounts: str
) -> Document:
    """Credit amounts by line (line_1="184.00"), or all of it."""
    wanted = {int(line.removeprefix("line_")): Money.parse(net) for line, net in amounts.items()} or None
    with database.transaction() as session:
        issue_credit_note(session, document_id, amounts=wanted, reason=reason, by=BY, at=MARCH)
    return documents(database)[-1]


def test_m3_a_credit_of_half_a_day_at_415_25_is_its_invoice_below_nothing(database: Database) -> None:
    agree(database, offers=[("415.25", "0.5")], schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    (invoice,) = documents(database)
    back = credit(database, invoice.id)
    assert str(back.net) == "-207.63"
    assert (back.net, back.vat, back.gross) == (-invoice.net, -invoice.vat, -invoice.gross)
    assert back.credits_id == invoice.id
    assert back.number == "EWS-CN/25-26/000001"
    assert back.facts["credits"]["number"] == invoice.number
    assert back.facts["credits"]["date"] == "2025-10-14"


def test_m5_a_credit_keeps_the_rate_of_its_invoice(database: Database) -> None:
    agree(database, quantity="1", schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    with database.transaction() as session:
        in_force = session.scalars(select(VatRate).where(VatRate.code == VatCode.STANDARD)).all()
        for rate in in_force:
            rate.ends_on = date(2026, 1, 1)
        session.add(VatRate(code=VatCode.STANDARD, rate=2500, starts_on=date(2026, 1, 1), ends_on=None))
    back = credit(database, documents(database)[0].id)
    assert (back.vat_rows[0].rate, str(back.vat)) == (2000, "-73.60")


def test_a_recharge_is_credited_by_a_recharge_credit_in_its_own_series(database: Database) -> None:
    agree(database, customer_class=CustomerClass.OWN_MAINTAINED)
    run_on(database, SECOND)
    back = credit(database, documents(database)[1].id, line_1="368.00")
    assert (back.kind, back.number) == (DocumentKind.RECHARGE_CREDIT, "EWS-RCN/25-26/000001")
    assert sums(back) == ("-368.00", "0.00", "-368.00")
    assert back.facts["supplier"]["vat_number"] is None
    assert back.facts["route"] == "recharge"


def test_three_thirds_and_a_penny_are_credited_and_the_next_penny_is_refused(database: Database) -> None:
    agree(database, offers=[("100.00", "1")], schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    invoice = documents(database)[0]
    for _ in range(3):
        credit(database, invoice.id, line_1="33.33")
    credit(database, invoice.id, line_1="0.01")
    everything = [one for one in documents(database) if one.credits_id]
    assert total(one.gross for one in everything) == -invoice.gross
    assert total(one.vat for one in everything) == -invoice.vat
    with pytest.raises(CreditTooLarge, match=r"£0\.01 is more than is left of line 1"):
        credit(database, invoice.id, line_1="0.01")
    with pytest.raises(NothingToCredit):
        credit(database, invoice.id)


def test_the_database_itself_refuses_a_credit_beyond_the_document(database: Database) -> None:
    agree(database, quantity="1", schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    invoice = documents(database)[0]
    back = credit(database, invoice.id, line_1="200.00")
    copied = {
        column.key: getattr(back, column.key) for column in Document.__table__.columns if column.key != "id"
    } | {"number": "EWS-CN/25-26/000002", "sequence": 2}
    with pytest.raises(IntegrityError, match="credit_exceeds_document"), database.transaction() as session:
        session.execute(insert(Document), [copied])


def test_a_credit_says_why_and_a_credit_note_is_not_credited(database: Database) -> None:
    agree(database)
    run_on(database, FIRST)
    invoice = documents(database)[0]
    with pytest.raises(ReasonMissing):
        credit(database, invoice.id, reason="  ")
    back = credit(database, invoice.id, line_1="10.00")
    with pytest.raises(Refused, match="cannot be credited"):
        credit(database, back.id)


def test_half_a_day_lost_to_sickness_is_credited_within_fourteen_days_and_does_not_lapse(
    database: Database,
) -> None:
    agreement = agree(database)
    run_on(database, FIRST)
    with database.reading() as session:
        line = session.scalars(select(AgreementLine).where(AgreementLine.agreement_id == agreement.id)).one()
        tranche = session.scalars(select(Tranche).where(Tranche.line_id == line.id)).one()
    with database.transaction() as session:
        (issued,) = credit_lost_time(
            session,
            tranche.id,
            Minutes(222),
            decided_on=date(2026, 2, 25),
            reason="Officer ill",
            by=BY,
            at=MARCH,
        )
    back = documents(database)[-1]
    assert sums(back) == ("-184.00", "-36.80", "-220.80")
    assert (back.number, back.facts["credits"]["number"]) == (issued.number, "EWS/25-26/000001")
    assert str(back.lines[0].quantity) == "-0.500"
    with database.reading() as session:
        entries = session.scalars(select(LedgerEntry).order_by(LedgerEntry.id)).all()
        assert [(one.kind.value, one.minutes.minutes) for one in entries] == [
            ("contracted", 5328),
            ("credited", -222),
        ]


def test_a_day_after_the_fourteenth_is_too_late(database: Database) -> None:
    agreement = agree(database)
    run_on(database, FIRST)
    with database.reading() as session:
        line = session.scalars(select(AgreementLine).where(AgreementLine.agreement_id == agreement.id)).one()
        tranche = session.scalars(select(Tranche).where(Tranche.line_id == line.id)).one()
    with pytest.raises(CreditedTooLate, match="9 March 2026"), database.transaction() as session:
        credit_lost_time(
            session, tranche.id, Minutes(222), decided_on=date(2026, 2, 24), reason="Ill", by=BY, at=MARCH
        )


def test_lost_time_that_is_not_invoiced_leaves_the_ledger_as_it_was(database: Database) -> None:
    agreement = agree(database)
    with database.reading() as session:
        line = session.scalars(select(AgreementLine).where(AgreementLine.agreement_id == agreement.id)).one()
        tranche = session.scalars(select(Tranche).where(Tranche.line_id == line.id)).one()
    with (
        pytest.raises(Refused, match=r"only £0\.00 of this has been invoiced"),
        database.transaction() as session,
    ):
        credit_lost_time(
            session, tranche.id, Minutes(222), decided_on=MARCH.date(), reason="Ill", by=BY, at=MARCH
        )
    with database.reading() as session:
        assert len(session.scalars(select(LedgerEntry)).all()) == 1


def test_what_is_left_is_said_line_by_line(database: Database) -> None:
    agree(database, offers=[("100.00", "1"), ("50.00", "1")], schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    invoice = documents(database)[0]
    credit(database, invoice.id, line_2="20.00")
    with database.reading() as session:
        found = creditable(session, invoice.id)
    assert [str(line.left) for line in found.lines] == ["100.00", "30.00"]
    assert str(found.left) == "130.00"


@settings(max_examples=150, deadline=None)
@given(
    nets=st.lists(st.integers(1, 10**7), min_size=1, max_size=8),
    rate=st.sampled_from([0, 500, 1750, 2000, 2100]),
    cuts=st.lists(st.tuples(st.integers(0, 7), st.integers(1, 100)), max_size=12),
)
def test_all_credits_of_a_document_together_are_the_document_below_nothing(
    nets: list[int], rate: int, cuts: list[tuple[int, int]]
) -> None:
    taxed = [TaxedLine(Money(net), VatCode.STANDARD, rate) for net in nets]
    whole = document_totals(taxed)
    lefts, net_left, vat_left = [Money(net) for net in nets], whole.net, whole.vat
    credited = []
    for which, share in [*cuts, (-1, 100)]:
        if which == -1:
            wanted = {place: left for place, left in enumerate(lefts) if left}
        else:
            place = which % len(nets)
            part = Money(max(1, lefts[place].pence * share // 100)) if lefts[place] else Money(0)
            wanted = {place: part} if part else {}
        if not wanted:
            continue
        lines = [
            CreditableLine(place, Money(net), left, VatCode.STANDARD, rate)
            for place, (net, left) in enumerate(zip(nets, lefts, strict=True))
        ]
        rows = [CreditableVat(VatCode.STANDARD, rate, net_left, vat_left, "")]
        totals = credit_totals(lines, rows, wanted)
        assert totals.vat.pence <= 0
        credited.append(totals)
        for place, part in wanted.items():
            lefts[place] -= part
        net_left, vat_left = net_left + totals.net, vat_left + totals.vat
    assert total(one.net for one in credited) == -whole.net
    assert total(one.vat for one in credited) == -whole.vat
    assert total(one.gross for one in credited) == -whole.gross
