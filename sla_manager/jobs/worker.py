"""The one worker process: prints what is issued, sends mail, checks the books every night.

Every job looks at what there is to do and does it; nothing is remembered between runs. A missed night or a
killed process is made good by the next run, and two runs at once do nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.blocking import BlockingScheduler

from sla_manager.agreements.commands import expire_quotes
from sla_manager.agreements.documents import print_waiting_agreements
from sla_manager.agreements.warnings import warn_of_balances
from sla_manager.billing.prints import print_waiting
from sla_manager.config import ROOT, Settings
from sla_manager.gateways.archive import Archive
from sla_manager.gateways.mail import smtp_sender
from sla_manager.gateways.printing import Printer
from sla_manager.jobs.outbox import send_outbox
from sla_manager.kernel.clock import LONDON, Clock
from sla_manager.kernel.errors import ProductError
from sla_manager.reports.integrity import problems
from sla_manager.store.audit import SYSTEM
from sla_manager.store.database import Database
from sla_manager.store.job_runs import JobRun, note_run

log = structlog.get_logger(__name__)

EVERY_FEW_SECONDS = 10
NIGHT_HOUR = 2


@dataclass(frozen=True)
class Work:
    """What the jobs need: the database, the folder of documents, the clock, the settings."""

    database: Database
    settings: Settings
    clock: Clock

    def print_documents(self) -> str:
        """Print every issued document and signed agreement that has no file yet."""
        archive = Archive(self.settings.archive)
        with Printer(ROOT / "templates") as printer:
            documents = print_waiting(self.database, archive=archive, printer=printer, at=self.clock())
            agreements = print_waiting_agreements(
                self.database, archive=archive, printer=printer, at=self.clock()
            )
        return f"{documents} documents and {agreements} agreements printed"

    def send_mail(self) -> str:
        """Send what waits in the outbox, when a mail server is set."""
        if self.settings.mail_server is None:
            return "no mail server is set: mail waits"
        sender = smtp_sender(self.settings.mail_server, self.settings.mail_from)
        sent, failed = send_outbox(self.database, send=sender, at=self.clock())
        return f"{sent} mails sent, {failed} waiting for another try"

    def expire(self) -> str:
        """Mark the quotes whose time is over."""
        with self.database.transaction() as session:
            return f"{expire_quotes(session, at=self.clock())} quotes expired"

    def warn(self) -> str:
        """Post the warnings about time that will lapse and time that is used up."""
        with self.database.transaction() as session:
            return f"{warn_of_balances(session, by=SYSTEM, at=self.clock())} warnings posted"

    def check_books(self) -> str:
        """Compare ledgers, numbers, hashes and files; anything off is the job's failure, in words."""
        with self.database.reading() as session:
            found = list(problems(session, Archive(self.settings.archive)))
        if found:
            raise BooksAreOffError("; ".join(problem.message for problem in found[:20]))
        return "the books are in order"


class BooksAreOffError(ProductError):
    """The nightly check found something."""


def run_job(work: Work, name: str, job: Callable[[], str]) -> bool:
    """Run one job, keep how it went, and never let its failure stop the others."""
    started = work.clock()
    try:
        message, ok = job(), True
    except ProductError as error:
        message, ok = error.message, False
    except Exception as error:
        log.exception("job failed", job=name)
        message, ok = repr(error), False
    with work.database.transaction() as session:
        note_run(session, name, started_at=started, finished_at=work.clock(), ok=ok, message=message)
    (log.info if ok else log.error)("job", job=name, outcome=message)
    return ok


def nightly(work: Work) -> tuple[tuple[str, Callable[[], str]], ...]:
    """Return the night's jobs, in the order in which they must run."""
    return (
        ("expire quotes", work.expire),
        ("warn of balances", work.warn),
        ("check the books", work.check_books),
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
        done = {name: session.get(JobRun, name) for name, _ in nightly(work)}
    for name, job in nightly(work):
        run = done[name]
        if run is None or run.started_at < due:
            run_job(work, name, job)


def tick(work: Work) -> None:
    """Do what is waiting now."""
    for name, job in (("print documents", work.print_documents), ("send mail", work.send_mail)):
        run_job(work, name, job)


def work_for_ever(work: Work) -> None:
    """Run until the process is told to stop."""
    catch_up(work)
    scheduler = BlockingScheduler(timezone=LONDON, executors={"default": ThreadPoolExecutor(1)})
    options = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    scheduler.add_job(
        tick, "interval", seconds=EVERY_FEW_SECONDS, args=[work], next_run_time=work.clock(), **options
    )
    scheduler.add_job(catch_up, "interval", minutes=10, args=[work], **options)
    scheduler.start()
