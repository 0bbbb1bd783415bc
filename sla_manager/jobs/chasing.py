"""Reminds payers of what is overdue: once for each invoice and stage, and without a burst after a standstill."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sla_manager.kernel.errors import ProductError
from sla_manager.payments.commands.reminders import chase
from sla_manager.store.database import Database


class NobodyToRemindError(ProductError):
    """Some payers are overdue and nobody there has an address."""


def remind_payers(
    database: Database, *, cards: bool = False, at: datetime, stopping: Callable[[], bool] = lambda: False
) -> str:
    """Post today's reminders; payers without an address fail the job in words, so that somebody adds one.

    `cards` says whether this installation takes cards: reminders then hold a link to pay.
    """
    done = chase(database, cards=cards, at=at, stopping=stopping)
    if done.unreachable:
        raise NobodyToRemindError(done.words)
    return done.words
