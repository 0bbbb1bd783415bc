"""Documents under pressure: many workers, killed processes, forced clashes. Each guard has its control."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError

from sla_manager.agreements.models import AgreementLine
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.billing import issuing, runs
from sla_manager.billing.models import Document
from sla_manager.billing.prints import print_waiting
from sla_manager.billing.queries import waiting_to_print
from sla_manager.billing.queries.arrears import NOT_ANSWERED, held_back
from sla_manager.billing.queries.dues import due_plan
from sla_manager.billing.runs import draft_of, run
from sla_manager.catalogue.rules.vat import UK_RATES
from sla_manager.gateways.archive import Archive
from sla_manager.gateways.printing import PrintingFailed
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.money import Money
from sla_manager.people.queries import the_provider
from sla_manager.store.database import Database
from sla_manager.visits.commands import decide_extra_time, log_delivery, plan_visit
from sla_manager.visits.commands.responding import respond_to_delivery
from sla_manager.visits.models import ExtraTime
from sla_manager.visits.rules.slots import Part
from tests import builders, visiting
from tests.conftest import NOON
from tests.rooms import selling
from tests.rooms.owing import BY, FIRST, SECOND, agree, agree_many, billed, documents, run_on, sums

LAST_DAY = date(2026, 3, 31)


def test_n1_fifty_documents_at_once_have_fifty_numbers_in_a_row(database: Database) -> None:
    agree_many(database, 50, schedule=Schedule.SINGLE)
    with database.reading() as session:
        plan, provider = due_plan(session, FIRST), the_provider(session)
    drafts = [
        draft_of(provider, UK_RATES, plan.agreements[due.agreement_id], due, issued_on=FIRST)
        for due in plan.dues
    ]

    def one(draft: issuing.Draft) -> str:
        with database.transaction() as session:
            return issuing.issue(session, draft, start_month=4, by=BY, at=NOON).number

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(one, drafts))
    assert sorted(numbers) == [f"EWS/25-26/{place:06d}" for place in range(1, 51)]
    chain = {one.previous_hash: one.hash for one in documents(database)}
    assert len(chain) == 50


def test_n1_control_without_the_lock_two_documents_want_one_number(database: Database) -> None:
    agree_many(database, 1, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    both = threading.Barrier(2, timeout=20)

    def next_number_unlocked(_: int) -> int:
        with database.reading() as session:
            last = session.scalar(select(func.max(Document.sequence)).where(Document.series == "EWS")) or 0
            both.wait()
            return last + 1

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(next_number_unlocked, range(2))) == [2, 2]
    first = documents(database)[0]
    copied = {one.key: getattr(first, one.key) for one in Document.__table__.columns if one.key != "id"}
    with pytest.raises(IntegrityError, match="document"), database.transaction() as session:
        session.execute(insert(Document), [copied | {"number": "EWS/25-26/000001 again"}])


def test_n2_a_process_killed_between_number_and_commit_leaves_no_gap(database: Database) -> None:
    agree_many(database, 2, schedule=Schedule.SINGLE)
    url = database.engine.url.render_as_string(hide_password=False)
    code = (
        "import os, signal, sys\n"
        "from datetime import date\n"
        "from sla_manager.kernel.periods import FinancialYear\n"
        "from sla_manager.store.database import Database\n"
        "from sla_manager.store.numbers import draw_number\n"
        "database = Database.open(sys.argv[1])\n"
        "with database.transaction() as session:\n"
        "    draw_number(session, 'EWS', year=FinancialYear(2025), on=date(2025, 10, 14))\n"
        "    print('drawn', flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", code, url], capture_output=True, text=True, timeout=60, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert "drawn" in killed.stdout
    assert run_on(database, FIRST).issued == 2
    assert [one.sequence for one in documents(database)] == [1, 2]


def test_c4_ten_runs_by_four_workers_bill_everything_exactly_once(database: Database) -> None:
    ids = _agreement_with_extra_time(database)
    failures: list[BaseException] = []

    def worker() -> None:
        try:
            for _ in range(10):
                run(database, as_at=LAST_DAY, by=BY, at=as_at(LAST_DAY))
        except BaseException as error:  # noqa: BLE001  # a worker's failure is the test's
            failures.append(error)

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=240)
    assert failures == []
    assert set(billed(database).values()) == {1}
    purposes = Counter(purpose for purpose, _, _ in billed(database))
    assert purposes == {"instalment": 6, "extra_time": 1}
    issued = documents(database)
    assert sorted(one.sequence for one in issued) == list(range(1, 8))
    assert {one.agreement_id for one in issued} == set(ids)
    extra = [one for one in issued if one.lines[0].explanation[1].startswith("extra time")]
    assert [sums(one) for one in extra] == [("184.00", "36.80", "220.80")]


def test_c4_control_without_the_mark_of_what_is_billed_a_second_run_bills_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    agree(database)
    monkeypatch.setattr(issuing, "_mark_billed", lambda *_: None)
    assert [run_on(database, FIRST).issued for _ in range(2)] == [1, 1]
    assert len(documents(database)) == 2


def test_a_run_killed_half_way_is_completed_by_the_next(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    agree_many(database, 4)
    whole = runs.issue
    count = iter(range(100))

    def dies(*arguments: Any, **named: Any) -> Any:
        if next(count) == 3:
            raise KeyboardInterrupt
        return whole(*arguments, **named)

    monkeypatch.setattr(runs, "issue", dies)
    with pytest.raises(KeyboardInterrupt):
        run_on(database, SECOND)
    assert len(documents(database)) == 3
    monkeypatch.undo()
    result = run_on(database, SECOND)
    assert (result.issued, result.already) == (5, 3)
    assert [one.sequence for one in documents(database)] == list(range(1, 9))
    assert set(billed(database).values()) == {1}


class Paper:
    """A press that always prints the same, or fails for some numbers."""

    def __init__(self, fails: Callable[[str], bool] = lambda _: False) -> None:
        self.fails, self.printed = fails, 0

    def print(self, kind: str, facts: Any) -> bytes:
        if self.fails(facts["number"]):
            raise PrintingFailed(f"{facts['number']} could not be laid out.")
        self.printed += 1
        return f"%PDF {kind} {facts['number']}".encode()


def test_n8_a_press_that_fails_leaves_the_document_issued_and_waiting(
    database: Database, tmp_path: Any
) -> None:
    agree_many(database, 3, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    archive = Archive(tmp_path / "invoices")
    assert (
        print_waiting(database, archive=archive, printer=Paper(lambda number: number.endswith("2")), at=NOON)
        == 2
    )
    with database.reading() as session:
        assert waiting_to_print(session) == 1
    assert print_waiting(database, archive=archive, printer=Paper(), at=NOON) == 1
    assert print_waiting(database, archive=archive, printer=Paper(), at=NOON) == 0
    names = sorted(path.name for path in (tmp_path / "invoices" / "2025-26").iterdir())
    assert names == [f"EWS-25-26-00000{n}.{kind}" for n in (1, 2, 3) for kind in ("json", "pdf")]


def test_n8_two_presses_at_once_leave_one_file_with_the_right_content(
    database: Database, tmp_path: Any
) -> None:
    agree_many(database, 4, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    archive = Archive(tmp_path / "invoices")
    with ThreadPoolExecutor(2) as pool:
        jobs = [
            pool.submit(print_waiting, database, archive=archive, printer=Paper(), at=NOON) for _ in range(2)
        ]
        assert sum(job.result() for job in jobs) >= 4
    with database.reading() as session:
        rows = session.execute(text("SELECT path, sha256, document_id FROM document_file")).all()
    assert len(rows) == len({row[2] for row in rows}) == 4
    for path, sha256, _ in rows:
        assert archive.read(path, sha256).startswith(b"%PDF invoice EWS/25-26/")


def _scene_with_extra_time(database: Database) -> tuple[visiting.Scene, ExtraTime]:
    """Sell half a day, and log a whole one: half a day of extra time is proposed."""
    with database.transaction() as session:
        scene = visiting.a_scene(session, quantity="0.5")
        visit = visiting.a_visit(session, scene)
        log_delivery(
            session, visit.id, activities=[visiting.worked(444)], by=BY, at=visiting.at_noon(visit.day)
        )
        extra = session.scalars(select(ExtraTime)).one()
    assert (extra.minutes.minutes, extra.net) == (222, Money(184_00))
    return scene, extra


def _approve(database: Database, scene: visiting.Scene, extra: ExtraTime) -> None:
    with database.transaction() as session:
        manager = selling.acting(selling.manager_of(session, scene.school))
        decide_extra_time(session, extra.id, approve=True, by=manager, at=visiting.at_noon(visiting.TUESDAY))


def _agreement_with_extra_time(database: Database) -> list[int]:
    """Return two agreements: one of five lines, one with half a day of approved extra time."""
    five = agree(database, offers=[("241.67", "1")] * 5)
    scene, extra = _scene_with_extra_time(database)
    _approve(database, scene, extra)
    return [five.id, scene.line.agreement_id]


def test_extra_time_is_billed_only_after_the_school_approves(database: Database) -> None:
    scene, extra = _scene_with_extra_time(database)
    assert run_on(database, LAST_DAY).issued == 3
    assert run_on(database, LAST_DAY).issued == 0
    _approve(database, scene, extra)
    assert run_on(database, LAST_DAY).issued == 1
    last = documents(database)[-1]
    assert sums(last) == ("184.00", "36.80", "220.80")
    assert last.lines[0].explanation[0] == "0.5 days × £368.00 = £184.00"
    assert last.tax_point == visiting.TUESDAY


def test_on_delivery_a_month_is_billed_when_it_is_over_and_the_school_agrees(database: Database) -> None:
    later = agree(database, schedule=Schedule.ON_DELIVERY)
    with database.transaction() as session:
        line = session.scalars(select(AgreementLine).where(AgreementLine.agreement_id == later.id)).one()
        officer = builders.an_officer(session)
        visit = plan_visit(
            session, officer_id=officer.id, school_id=later.school_id, day=visiting.TUESDAY, part=Part.MORNING,
            line_id=line.id, by=BY, at=visiting.SIGNED,
        )  # fmt: skip
        log_delivery(
            session, visit.id, activities=[visiting.worked(240)], by=BY, at=visiting.at_noon(visit.day)
        )
    assert run_on(database, date(2025, 11, 29)).issued == 0
    assert run_on(database, date(2025, 11, 30)).issued == 0, "the school has not agreed to the visit"
    with database.reading() as session:
        assert [one.said for one in held_back(session, date(2025, 11, 30))] == [NOT_ANSWERED]
    with database.transaction() as session:
        respond_to_delivery(session, visit.id, answer="agree", by=BY, at=visiting.at_noon(visit.day))
    assert run_on(database, date(2025, 11, 30)).issued == 1
    (one,) = documents(database)
    assert sums(one) == ("198.92", "39.78", "238.70")
    assert one.tax_point == date(2025, 11, 30)
    assert one.lines[0].explanation[0] == "4 hours of a day of 7 hours 24 minutes × £368.00 = £198.92"
    assert run_on(database, date(2025, 12, 31)).issued == 0
