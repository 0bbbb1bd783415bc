"""The worker: what waits is done once, whatever crashed, was missed, or ran twice at once."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, select

from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.billing.models import Document, DocumentFile
from sla_manager.config import ROOT, Settings, prepare_logs
from sla_manager.gateways.archive import Archive, Kept
from sla_manager.gateways.mail import Mail
from sla_manager.gateways.printing import PrinterHere, open_press
from sla_manager.jobs import worker
from sla_manager.jobs.outbox import TAKEN_FOR, send_outbox
from sla_manager.jobs.printing import LazyPrinter
from sla_manager.jobs.worker import Work, catch_up, last_night, run_job, survive, tick
from sla_manager.kernel.clock import fixed_clock
from sla_manager.kernel.errors import GatewayFailed, Refused
from sla_manager.store.database import Database
from sla_manager.store.job_runs import JobRun
from sla_manager.store.outbox import OutboxMessage, post
from tests import builders
from tests.databases import test_settings as settings_for
from tests.rooms.owing import FIRST, agree, agree_many, run_on

AT = datetime(2025, 10, 15, 9, 0, tzinfo=UTC)
PAPER = b"%PDF-1.7 a page\n"


def work(database: Database, folder: Path, at: datetime = AT) -> Work:
    return Work(database, settings_for("sqlite://", folder / "invoices"), fixed_clock(at))


def runs(database: Database) -> dict[str, JobRun]:
    with database.reading() as session:
        return {run.name: run for run in session.scalars(select(JobRun))}


def files(database: Database) -> list[DocumentFile]:
    with database.reading() as session:
        return list(session.scalars(select(DocumentFile).order_by(DocumentFile.document_id)))


@pytest.fixture(scope="module", autouse=True)
def logs() -> None:
    """Note things as the worker does: a line each, where the library's own way would draw every variable."""
    prepare_logs()


@pytest.fixture
def paper(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Print on a press that is quick; what it printed is listed."""
    printed: list[str] = []

    def one(_: LazyPrinter, kind: str, facts: Any) -> bytes:
        printed.append(kind)
        return PAPER + str(facts.get("number", facts.get("reference"))).encode()

    monkeypatch.setattr(LazyPrinter, "print", one)
    return printed


# --- how jobs are run -------------------------------------------------------------------------------------------


def test_a_job_that_fails_is_kept_with_its_reason_and_stops_no_other(
    database: Database, tmp_path: Path
) -> None:
    hands = work(database, tmp_path)

    def refused() -> str:
        raise Refused("The printer is on fire. Call somebody.")

    def broken() -> str:
        raise ZeroDivisionError("secret-password")

    outcomes = [
        run_job(hands, "one", refused),
        run_job(hands, "two", broken),
        run_job(hands, "three", lambda: "ok"),
    ]
    assert outcomes == [False, False, True]
    kept = runs(database)
    assert {name: run.ok for name, run in kept.items()} == {"one": False, "two": False, "three": True}
    assert kept["one"].message == "The printer is on fire. Call somebody."
    assert "ZeroDivisionError" in kept["two"].message
    assert "secret-password" not in kept["two"].message


def test_a_job_that_works_again_says_so(database: Database, tmp_path: Path) -> None:
    hands = work(database, tmp_path)
    run_job(hands, "one", lambda: str(1 // 0))
    run_job(hands, "one", lambda: "fine")
    assert [(run.ok, run.message) for run in runs(database).values()] == [(True, "fine")]


def test_a_first_run_noted_by_two_at_once_is_noted(database: Database, tmp_path: Path) -> None:
    hands, gate = work(database, tmp_path), threading.Barrier(4)

    def job() -> str:
        gate.wait(10)
        return "done"

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda _: run_job(hands, "one", job), range(4)))
    assert [run.message for run in runs(database).values()] == ["done"]


def test_a_database_that_is_gone_for_a_moment_does_not_end_the_schedule(tmp_path: Path) -> None:
    gone = Database.open(f"sqlite:///{tmp_path / 'empty.db'}")
    survive(catch_up, work(gone, tmp_path))
    survive(tick, work(gone, tmp_path))
    gone.dispose()


# --- nights -----------------------------------------------------------------------------------------------------


def test_the_night_is_at_two_in_london_in_summer_and_winter() -> None:
    assert last_night(datetime(2025, 7, 1, 0, 59, tzinfo=UTC)) == datetime(2025, 6, 30, 1, 0, tzinfo=UTC)
    assert last_night(datetime(2025, 7, 1, 1, 0, tzinfo=UTC)) == datetime(2025, 7, 1, 1, 0, tzinfo=UTC)
    assert last_night(datetime(2025, 12, 1, 2, 0, tzinfo=UTC)) == datetime(2025, 12, 1, 2, 0, tzinfo=UTC)
    assert last_night(datetime(2025, 10, 26, 2, 30, tzinfo=UTC)) == datetime(2025, 10, 26, 2, 0, tzinfo=UTC)


def test_b3_five_missed_nights_are_caught_up_once_and_in_order(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.transaction() as session:
        builders.council(session)
    done: list[str] = []

    def nights(_: Work) -> tuple[tuple[str, worker.Job], ...]:
        def job(name: str) -> worker.Job:
            def run() -> str:
                done.append(name)
                return name

            return run

        return tuple((name, job(name)) for name in ("first", "second", "third"))

    monkeypatch.setattr(worker, "nightly", nights)
    for at in (AT, AT + timedelta(hours=1), AT + timedelta(days=5), AT + timedelta(days=5, hours=3)):
        catch_up(work(database, tmp_path, at))
    assert done == ["first", "second", "third"] * 2
    catch_up(work(database, tmp_path, AT + timedelta(days=6)))
    assert len(done) == 9


def test_the_night_of_a_council_with_an_agreement_is_in_order(
    database: Database, tmp_path: Path, paper: list[str]
) -> None:
    agree(database, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    hands = work(database, tmp_path)
    tick(hands)
    catch_up(hands)
    assert {name: run.ok for name, run in runs(database).items()} == dict.fromkeys(
        (
            "expire quotes",
            "end agreements",
            "warn of balances",
            "prepare renewals again",
            "remind of renewals",
            "remind payers",
            "renew by clause",
            "check the books",
            "tidy the archive",
            "tidy proof packs",
            "do errands",
            "print documents",
            "make electronic invoices",
            "send mail",
            "prepare renewals",
            "take over spreadsheets",
            "collect by card",
        ),
        True,
    )
    assert sorted(paper) == ["agreement", "certificate", "invoice"]


def test_before_there_is_a_council_the_night_does_nothing(database: Database, tmp_path: Path) -> None:
    catch_up(work(database, tmp_path))
    assert runs(database) == {}


def test_books_that_are_off_fail_the_night_in_words(
    database: Database, tmp_path: Path, paper: list[str]
) -> None:
    agree(database, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    hands = work(database, tmp_path)
    tick(hands)
    path = tmp_path / "invoices" / files(database)[0].path
    path.chmod(0o600)
    path.write_bytes(b"%PDF-1.7 another page")
    catch_up(hands)
    night = runs(database)["check the books"]
    assert not night.ok
    assert path.name in night.message or "EWS/25-26/000001" in night.message


# --- printing ---------------------------------------------------------------------------------------------------


def test_n8_a_crash_between_printing_and_noting_heals_itself(
    database: Database, tmp_path: Path, paper: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    agree_many(database, 2, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    keep = Archive.keep

    def killed(self: Archive, *, year: str, name: str, content: bytes) -> Kept:
        kept = keep(self, year=year, name=name, content=content)
        if name.endswith(".json"):
            raise RuntimeError("killed here")
        return kept

    hands = work(database, tmp_path)
    with monkeypatch.context() as crash:
        crash.setattr(Archive, "keep", killed)
        assert not run_job(hands, "print documents", hands.print_documents)
    assert files(database) == []
    assert run_job(hands, "print documents", hands.print_documents)
    assert len(files(database)) == 2
    printed = len(paper)
    assert run_job(hands, "print documents", hands.print_documents)
    assert len(paper) == printed
    archive = Archive(tmp_path / "invoices")
    for file in files(database):
        assert archive.read(file.path, file.sha256).startswith(PAPER)


def test_n8_two_workers_at_once_leave_one_file_of_each_document(
    database: Database, tmp_path: Path, paper: list[str]
) -> None:
    agree_many(database, 5, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(tick, (work(database, tmp_path), work(database, tmp_path))))
    noted = files(database)
    with database.reading() as session:
        assert len(noted) == session.scalar(select(func.count(Document.id))) == 5
    assert len({file.path for file in noted}) == 5
    assert sorted(path.name for path in (tmp_path / "invoices").rglob("EWS-25-26-*.pdf")) == sorted(
        Path(file.path).name for file in noted
    )
    assert runs(database)["print documents"].ok


def test_without_the_layout_library_everything_else_works_and_the_job_says_why(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Here(PrinterHere):
        def __init__(self, templates: Path, *, workers: int) -> None:
            super().__init__(templates)

        def close(self) -> None:
            """There is no process to end."""

    agree(database, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    open_press.cache_clear()
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    monkeypatch.delitem(sys.modules, "sla_manager.gateways.printing.press", raising=False)
    monkeypatch.setattr("sla_manager.jobs.printing.Printer", Here)
    hands = work(database, tmp_path)
    tick(hands)
    catch_up(hands)
    kept = runs(database)
    assert not kept["print documents"].ok
    assert "Pango" in kept["print documents"].message
    assert "apt-get install" in kept["print documents"].message
    assert [kept[name].ok for name in ("send mail", "expire quotes", "warn of balances")] == [True] * 3


def test_a_document_that_cannot_be_printed_is_counted_and_stops_no_other(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agree_many(database, 3, schedule=Schedule.SINGLE)
    run_on(database, FIRST)

    def one(_: LazyPrinter, kind: str, facts: Any) -> bytes:
        if facts.get("number") == "EWS/25-26/000002":
            raise GatewayFailed("This one jams.")
        return PAPER

    monkeypatch.setattr(LazyPrinter, "print", one)
    done = work(database, tmp_path).print_all()
    assert (done.documents, done.agreements, done.waiting) == (2, 3, 1)


def test_a_printer_is_started_when_something_waits_and_let_go_when_nothing_does(
    sqlite: Database, tmp_path: Path
) -> None:
    hands = work(sqlite, tmp_path)
    tick(hands)
    assert not hands.printer.is_awake
    agree(sqlite, schedule=Schedule.SINGLE)
    run_on(sqlite, FIRST)
    tick(hands)
    assert hands.printer.is_awake
    content = (tmp_path / "invoices" / files(sqlite)[0].path).read_bytes()
    assert content.startswith(b"%PDF-")
    tick(hands)
    assert not hands.printer.is_awake


# --- mail -------------------------------------------------------------------------------------------------------


def letters(database: Database, count: int) -> None:
    with database.transaction() as session:
        for place in range(count):
            post(
                session, f"letter:{place}", recipient=f"reader{place}@school.example",
                subject="A letter", body="Hello", at=AT,
            )  # fmt: skip


def message(database: Database, key: str = "letter:0") -> OutboxMessage:
    with database.reading() as session:
        return session.scalars(select(OutboxMessage).where(OutboxMessage.key == key)).one()


def test_a_mail_is_sent_once(database: Database) -> None:
    letters(database, 2)
    letters(database, 2)
    sent: list[str] = []

    def send(mail: Mail) -> None:
        sent.append(mail.key)

    assert send_outbox(database, send=send, at=AT) == (2, 0)
    assert send_outbox(database, send=send, at=AT + timedelta(days=1)) == (0, 0)
    assert sent == ["letter:0", "letter:1"]
    assert message(database).sent_at == AT


def test_a_mail_that_fails_waits_longer_each_time_and_holds_up_no_other(database: Database) -> None:
    letters(database, 2)
    tries: list[datetime] = []
    at = AT

    def send(mail: Mail) -> None:
        if mail.key == "letter:0":
            tries.append(at)
            if len(tries) < 4:
                raise GatewayFailed("The mail server is away.")

    assert send_outbox(database, send=send, at=at) == (1, 1)
    assert message(database).last_error == "The mail server is away."
    for minutes in range(1, 40):
        at = AT + timedelta(minutes=minutes)
        send_outbox(database, send=send, at=at)
    assert [(moment - AT) // timedelta(minutes=1) for moment in tries] == [0, 2, 6, 14]
    kept = message(database)
    assert (kept.attempts, kept.last_error, kept.sent_at) == (4, None, tries[-1])


def test_a_mail_that_cannot_be_written_down_is_kept_with_the_reason(database: Database) -> None:
    letters(database, 1)

    def send(mail: Mail) -> None:
        raise ValueError("Header values may not contain linefeed")

    assert send_outbox(database, send=send, at=AT) == (0, 1)
    assert "linefeed" in str(message(database).last_error)


def test_two_senders_at_once_send_each_mail_once(database: Database) -> None:
    letters(database, 6)
    sent: queue.Queue[str] = queue.Queue()
    gate = threading.Barrier(3)

    def send(mail: Mail) -> None:
        sent.put(mail.key)

    def one(_: int) -> None:
        gate.wait(10)
        send_outbox(database, send=send, at=AT)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(one, range(3)))
    assert sorted(sent.queue) == [f"letter:{place}" for place in range(6)]


def test_a_sender_killed_in_the_middle_is_made_good_after_a_while(database: Database) -> None:
    letters(database, 1)

    def killed(mail: Mail) -> None:
        raise KeyboardInterrupt

    def send(mail: Mail) -> None:
        assert mail.key == "letter:0"

    with pytest.raises(KeyboardInterrupt):
        send_outbox(database, send=killed, at=AT)
    assert send_outbox(database, send=send, at=AT + timedelta(minutes=1)) == (0, 0)
    assert send_outbox(database, send=send, at=AT + TAKEN_FOR) == (1, 0)


def test_the_mails_of_a_demonstration_stay_in_the_outbox(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters(database, 1)

    def no_mail(server: str, sender: str) -> None:
        raise AssertionError("a demonstration sends nothing")

    monkeypatch.setattr(worker, "smtp_sender", no_mail)
    settings = Settings(
        "sqlite://", "t" * 40, demonstration=True, archive=tmp_path, mail_server="mail.example:25"
    )
    assert "kept in the outbox" in Work(database, settings, fixed_clock(AT)).send_mail()
    assert (message(database).attempts, message(database).sent_at) == (0, None)


# --- the process ------------------------------------------------------------------------------------------------


def started(database: Database, folder: Path) -> subprocess.Popen[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database.engine.url.render_as_string(hide_password=False),
        "SLA_ARCHIVE": str(folder / "invoices"),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "sla_manager.cli", "worker"],
        cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def wait_for(process: subprocess.Popen[str], word: str) -> list[str]:
    """Read what the worker notes until a word is in it; the worker is ended when that takes a minute."""
    watch = threading.Timer(60, process.kill)
    watch.start()
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if word in line:
            break
    watch.cancel()
    return lines


def test_a_worker_prints_notes_a_line_each_and_stops_when_told(database: Database, tmp_path: Path) -> None:
    agree(database, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    process = started(database, tmp_path)
    try:
        lines = wait_for(process, "documents, 1 agreements")
        process.send_signal(signal.SIGTERM)
        out, rest = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 0, rest
    assert out == ""
    *notes, farewell = [line for line in "".join([*lines, rest]).splitlines() if line]
    assert farewell == "The worker has stopped."
    events = [json.loads(note)["event"] for note in notes]
    assert (events[0], events[-1]) == ("worker started", "worker stopped")
    assert len(files(database)) == 1


def test_a_worker_killed_outright_leaves_nothing_that_the_next_does_not_mend(
    database: Database, tmp_path: Path
) -> None:
    agree_many(database, 3, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    process = started(database, tmp_path)
    try:
        wait_for(process, "worker started")
        for _ in range(400):
            if files(database):
                break
            threading.Event().wait(0.05)
    finally:
        process.kill()
        process.communicate(timeout=20)
    with database.transaction() as session:
        session.execute(delete(JobRun))
    hands = work(database, tmp_path)
    try:
        tick(hands)
    finally:
        hands.close()
    assert len(files(database)) == 3
    assert runs(database)["print documents"].ok
