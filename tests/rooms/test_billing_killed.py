"""A run of 200 documents whose process is killed at every step of a document, and started again each time."""

from __future__ import annotations

import os
import signal
from typing import Any

from sqlalchemy import event

from sla_manager.billing.runs import run
from sla_manager.kernel.clock import as_at
from sla_manager.store.database import Database
from tests.bench.copies import agree_in_bulk
from tests.rooms.owing import BY, FIRST, billed, documents, run_on

AGREEMENTS = 200
EACH = 15
"""How many transactions a process begins before it is killed."""
COMMIT = 0


def killed_at(database: Database, step: int) -> int:
    """Run in a process of its own that kills itself at a statement of a document; return how it ended."""
    database.engine.dispose()
    url = database.engine.url.render_as_string(hide_password=False)
    child = os.fork()
    if child == 0:
        try:
            own = Database.open(url)
            _die_at(own, step)
            run(own, as_at=FIRST, by=BY, at=as_at(FIRST))
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _die_at(database: Database, step: int) -> None:
    begun, sent = 0, 0

    def begin(_connection: Any) -> None:
        nonlocal begun, sent
        begun, sent = begun + 1, 0

    def die(*_: Any) -> None:
        nonlocal sent
        sent += 1
        if begun >= EACH and sent == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def commit(_connection: Any) -> None:
        if begun >= EACH and step == COMMIT:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(database.engine, "begin", begin)
    event.listen(database.engine, "before_cursor_execute", die)
    event.listen(database.engine, "commit", commit)


def test_n2_n9_a_run_of_200_killed_at_each_step_loses_doubles_and_skips_nothing(database: Database) -> None:
    agree_in_bulk(database, AGREEMENTS)
    so_far = [0]
    for step in (1, 2, 3, 4, 5, 6, COMMIT):
        assert killed_at(database, step) == -signal.SIGKILL, step
        issued = documents(database)
        assert len(issued) > so_far[-1]
        assert set(billed(database).values()) == {1}
        so_far.append(len(issued))
    result = run_on(database, FIRST)
    issued = documents(database)
    assert result.issued == AGREEMENTS - so_far[-1]
    assert [one.sequence for one in issued] == list(range(1, AGREEMENTS + 1))
    assert len({one.agreement_id for one in issued}) == AGREEMENTS
    assert list(billed(database).values()) == [1] * AGREEMENTS
    assert run_on(database, FIRST).issued == 0
