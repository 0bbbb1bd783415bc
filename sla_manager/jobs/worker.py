"""The one worker process: prints what is issued, sends mail, checks the books every night.

Every job looks at what there is to do and does it; nothing is remembered between runs. A missed night or a
killed process is made good by the next run, and two runs at once do nothing twice.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import FrameType
from typing import NoReturn

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from sla_manager.agreements.commands import expire_quotes
from sla_manager.agreements.commands.renewing import renew_by_clause
from sla_manager.agreements.commands.takeovers import take_over_some
from sla_manager.agreements.commands.terminations import end_what_is_over
from sla_manager.agreements.documents import (
    post_signed_copies,
    print_waiting_agreements,
    print_waiting_papers,
)
from sla_manager.agreements.models import AgreementFile, AgreementVersion
from sla_manager.agreements.queries.papers import papers_waiting
from sla_manager.agreements.queries.takeovers import waiting_takeovers
from sla_manager.agreements.reminding import remind_of_seasons
from sla_manager.agreements.warnings import warn_of_balances
from sla_manager.billing.commands.proposing import expire_changes
from sla_manager.billing.e_invoices import make_waiting_e_invoices
from sla_manager.billing.models import Document, DocumentFile
from sla_manager.billing.prints import print_documents
from sla_manager.config import ROOT, Settings
from sla_manager.gateways.archive import Archive
from sla_manager.gateways.mail import Send, smtp_sender
from sla_manager.jobs.cards import collect_by_card
from sla_manager.jobs.chasing import remind_payers
from sla_manager.jobs.errands import check_books, do_errands, tidy_packs, workshop
from sla_manager.jobs.outbox import send_outbox
from sla_manager.jobs.printing import LazyPrinter, Printed, Stopping, hands_of
from sla_manager.jobs.seasons import prepare_again, prepare_requested
from sla_manager.kernel.clock import LONDON, Clock, london_date
from sla_manager.kernel.errors import GatewayFailed, ProductError
from sla_manager.people.queries import provider
from sla_manager.reports.errands import Workshop
from sla_manager.store.audit import SYSTEM
from sla_manager.store.database import Database
from sla_manager.store.job_runs import JobRun, note_run

log = structlog.get_logger(__name__)
EVERY_FEW_SECONDS = 10
NIGHT_HOUR = 2

Job = Callable[[], str]


class StillWaitingError(GatewayFailed):
    """Some of what was issued is not on paper yet."""


class NotRenewedError(ProductError):
    """Some agreements should have renewed by themselves and could not."""


@dataclass(frozen=True)
class Work:
    """What the jobs need: the database, the folder of documents, the clock, the settings."""

    database: Database
    settings: Settings
    clock: Clock
    stopping: threading.Event = field(default_factory=threading.Event)
    printer: LazyPrinter = field(init=False)

    def __post_init__(self) -> None:
        hands = hands_of(len(os.sched_getaffinity(0)))
        object.__setattr__(self, "printer", LazyPrinter(ROOT / "templates", self.stopping, workers=hands))

    def close(self) -> None:
        """Let go of what is kept open between jobs."""
        self.printer.rest()

    def print_all(self, told: Callable[[int], None] = lambda printed: None) -> Printed:
        """Print every issued document, signed agreement and paper that has no file yet, and count what is left.

        `told` hears how many documents of money are printed so far.
        """
        archive, counts, reasons = Archive(self.settings.archive), [0, 0, 0], list[str]()
        try:
            documents = print_documents(
                self.database, archive=archive, printer=self.printer, at=self.clock(),
                hands=self.printer.workers, told=told,
            )  # fmt: skip
            counts[0] = documents.printed
            reasons += documents.reasons
        except GatewayFailed as error:
            reasons.append(error.message)
        for place, print_them in enumerate((print_waiting_agreements, print_waiting_papers), start=1):
            try:
                counts[place] = print_them(
                    self.database, archive=archive, printer=self.printer, at=self.clock()
                )
            except GatewayFailed as error:
                reasons.append(error.message)
        post_signed_copies(self.database, at=self.clock())
        waiting = self._waiting()
        if not any(counts):
            self.printer.rest()
        return Printed(counts[0], counts[1], counts[2], waiting, tuple(reasons))

    def _waiting(self) -> int:
        documents = (
            select(func.count())
            .select_from(Document)
            .outerjoin(DocumentFile, DocumentFile.document_id == Document.id)
            .where(DocumentFile.id.is_(None))
        )
        agreements = (
            select(func.count())
            .select_from(AgreementVersion)
            .outerjoin(AgreementFile, AgreementFile.version_id == AgreementVersion.id)
            .where(AgreementVersion.kind != "quote", AgreementFile.id.is_(None))
        )
        with self.database.reading() as session:
            printed_later = session.scalars(documents).one() + session.scalars(agreements).one()
            return printed_later + papers_waiting(session)

    def print_documents(self) -> str:
        """Print what waits; when something cannot be printed, the job says why."""
        done = self.print_all(_say_how_far)
        if done.waiting:
            raise StillWaitingError(done.words)
        return done.words

    def make_e_invoices(self) -> str:
        """Make the electronic invoices that wait and have both addresses."""
        archive = Archive(self.settings.archive)
        done = make_waiting_e_invoices(
            self.database, archive=archive, at=self.clock(), stopping=self.stopping.is_set
        )
        if done.reasons:
            raise StillWaitingError(done.words)
        return done.words

    def send_mail(self, sender: Send | None = None) -> str:
        """Send what waits in the outbox; a demonstration and a council without a mail server keep it there."""
        if sender is None:
            if self.settings.demonstration:
                return "this is a demonstration: mail is kept in the outbox, not sent"
            if self.settings.mail_server is None:
                return "no mail server is set: mail waits in the outbox"
            sender = smtp_sender(self.settings.mail_server, self.settings.mail_from)
        sent, failed = send_outbox(
            self.database,
            send=sender,
            at=self.clock(),
            address=self.settings.address,
            archive=Archive(self.settings.archive),
            stopping=self.stopping.is_set,
        )
        return f"{sent} mails sent, {failed} waiting for another try"

    def expire(self) -> str:
        """Mark the quotes whose time is over."""
        with self.database.transaction() as session:
            return f"{expire_quotes(session, at=self.clock())} quotes expired"

    def end_agreements(self) -> str:
        """Mark what ended early as ended, and proposed changes whose time is over as run out."""
        at = self.clock()
        with self.database.transaction() as session:
            ended = end_what_is_over(session, today=london_date(at), by=SYSTEM, at=at)
            over = expire_changes(session, by=SYSTEM, at=at)
        return f"{ended} agreements ended early, {over} proposed changes run out"

    def take_over(self) -> str:
        """Go on with the spreadsheets that are being taken over, a few rows in each transaction."""
        with self.database.reading() as session:
            waiting = waiting_takeovers(session)
        for takeover_id in waiting:
            while not self.stopping.is_set():
                with self.database.transaction() as session:
                    if take_over_some(session, takeover_id, by=SYSTEM, at=self.clock()).is_done:
                        break
        return f"{len(waiting)} spreadsheets taken over"

    def collect_by_card(self) -> str:
        """Handle what the card provider told us, and ask after what it did not tell."""
        return collect_by_card(self.database, self.settings, at=self.clock(), stopping=self.stopping.is_set)

    def tidy_archive(self) -> str:
        """Remove what a killed process left half-written; issued documents are never touched."""
        removed = Archive(self.settings.archive).sweep(before=self.clock() - timedelta(hours=1))
        return f"{removed} half-written files removed"

    def warn(self) -> str:
        """Post the warnings about time that will lapse and time that is used up."""
        with self.database.transaction() as session:
            return f"{warn_of_balances(session, by=SYSTEM, at=self.clock())} warnings posted"

    def remind(self) -> str:
        """Remind schools that have not answered their renewal."""
        posted = remind_of_seasons(
            self.database, address=self.settings.address, at=self.clock(), stopping=self.stopping.is_set
        )
        return f"{posted} reminders posted"

    def remind_payers(self) -> str:
        """Remind payers of what is overdue."""
        cards = self.settings.stripe_key is not None
        return remind_payers(self.database, cards=cards, at=self.clock(), stopping=self.stopping.is_set)

    def renew(self) -> str:
        """Warn of the last day for notice, and renew what had none; what cannot be renewed fails the job."""
        done = renew_by_clause(
            self.database, address=self.settings.address, at=self.clock(), stopping=self.stopping.is_set
        )
        if done.troubles:
            raise NotRenewedError(done.words)
        return done.words

    def prepare(self) -> str:
        """Prepare the renewals that somebody asked for on a page."""
        return prepare_requested(self.database, at=self.clock(), stopping=self.stopping.is_set)

    def prepare_again(self) -> str:
        """Try again the renewals that could not be prepared, and those whose quote ran out."""
        return prepare_again(self.database, at=self.clock(), stopping=self.stopping.is_set)

    def shop(self) -> Workshop:
        """Return where errands are done."""
        return workshop(
            self.database, self.settings.archive, self.printer, at=self.clock(), stopping=self.stopping.is_set
        )

    def check_books(self) -> str:
        """Compare ledgers, numbers, hashes, money and files; anything off is the job's failure, in words."""
        return check_books(self.shop())

    def do_errands(self) -> str:
        """Make the proof packs and the checks that somebody asked for on a page."""
        return do_errands(self.shop())

    def tidy_packs(self) -> str:
        """Remove proof packs that were made long ago."""
        return tidy_packs(self.shop())


def _say_how_far(printed: int) -> None:
    """Note the progress of a long round in the log."""
    if printed and printed % 100 == 0:
        log.info("printing", printed=printed)


def run_job(work: Work, name: str, job: Job) -> bool:
    """Run one job, keep how it went, and never let its failure stop the others."""
    started = work.clock()
    try:
        message, ok = job(), True
    except ProductError as error:
        message, ok = error.message, False
    except Exception as error:
        log.exception("job failed", job=name)
        message, ok = f"{type(error).__name__}: this job stopped on a mistake of ours, see the log", False
    try:
        is_news = _note(work, name, started=started, ok=ok, message=message)
    except Exception:
        log.exception("job not noted", job=name, ok=ok, outcome=message)
        return False
    if is_news:
        (log.info if ok else log.error)("job", job=name, outcome=message)
    return ok


def _note(work: Work, name: str, *, started: datetime, ok: bool, message: str) -> bool:
    """Keep how a job went; returns whether that is anything else than the last time."""
    try:
        return _note_once(work, name, started=started, ok=ok, message=message)
    except IntegrityError:  # another worker noted its first run at this moment
        return _note_once(work, name, started=started, ok=ok, message=message)


def _note_once(work: Work, name: str, *, started: datetime, ok: bool, message: str) -> bool:
    with work.database.transaction() as session:
        last = session.get(JobRun, name, with_for_update=True)
        is_news = last is None or (last.ok, last.message) != (ok, message)
        note_run(session, name, started_at=started, finished_at=work.clock(), ok=ok, message=message)
    return is_news


def nightly(work: Work) -> tuple[tuple[str, Job], ...]:
    """Return the night's jobs, in the order in which they must run."""
    return (
        ("expire quotes", work.expire),
        ("end agreements", work.end_agreements),
        ("warn of balances", work.warn),
        ("prepare renewals again", work.prepare_again),
        ("remind of renewals", work.remind),
        ("remind payers", work.remind_payers),
        ("renew by clause", work.renew),
        ("check the books", work.check_books),
        ("tidy the archive", work.tidy_archive),
        ("tidy proof packs", work.tidy_packs),
    )


def often(work: Work) -> tuple[tuple[str, Job], ...]:
    """Return what is done every few seconds."""
    return (
        ("print documents", work.print_documents),
        ("make electronic invoices", work.make_e_invoices),
        ("send mail", work.send_mail),
        ("prepare renewals", work.prepare),
        ("take over spreadsheets", work.take_over),
        ("collect by card", work.collect_by_card),
        ("do errands", work.do_errands),
    )


def last_night(at: datetime) -> datetime:
    """Return the latest moment, not after `at`, at which the night's work was due (London)."""
    local = at.astimezone(LONDON)
    due = local.replace(hour=NIGHT_HOUR, minute=0, second=0, microsecond=0)
    return due if due <= local else due - timedelta(days=1)


def catch_up(work: Work) -> None:
    """Run the night's work once when the last night was missed, however many nights that were (B3)."""
    due = last_night(work.clock())
    with work.database.reading() as session:
        if provider(session) is None:
            return
        done = {name: session.get(JobRun, name) for name, _ in nightly(work)}
    for name, job in nightly(work):
        run = done[name]
        if run is None or run.started_at < due:
            run_job(work, name, job)


def tick(work: Work) -> None:
    """Do what is waiting now."""
    for name, job in often(work):
        if not work.stopping.is_set():
            run_job(work, name, job)


def survive(what: Callable[[Work], None], work: Work) -> None:
    """Do something of the schedule; whatever goes wrong is noted, and the schedule goes on."""
    try:
        what(work)
    except Stopping:
        log.info("stopped between two documents")
    except Exception:
        log.exception("worker", doing=what.__name__)


def work_for_ever(work: Work) -> None:
    """Run until the process is told to stop (SIGTERM or Ctrl-C); what is being done is ended tidily first."""
    signal.signal(signal.SIGTERM, _stop)
    scheduler = BackgroundScheduler(timezone=LONDON, executors={"default": ThreadPoolExecutor(1)})
    options = {
        "coalesce": True,
        "max_instances": 1,
        "misfire_grace_time": None,
        "next_run_time": work.clock(),
    }
    scheduler.add_job(survive, "interval", minutes=10, args=[catch_up, work], **options)
    scheduler.add_job(survive, "interval", seconds=EVERY_FEW_SECONDS, args=[tick, work], **options)
    try:
        scheduler.start()
        log.info("worker started")
        threading.Event().wait()
    except (KeyboardInterrupt, SystemExit):
        work.stopping.set()
    finally:
        scheduler.shutdown(wait=True)
        work.close()
    log.info("worker stopped")


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(0)
