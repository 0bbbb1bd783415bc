"""Collecting by card in the background: kept messages are handled, and what no message came about is asked after."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sla_manager.config import Settings
from sla_manager.gateways.cards import account
from sla_manager.payments.collecting import Till, collect
from sla_manager.store.database import Database


def collect_by_card(
    database: Database, settings: Settings, *, at: datetime, stopping: Callable[[], bool] = lambda: False
) -> str:
    """Do what waits at the card provider; where no keys are set, say that card payment is off."""
    cards = account(settings.stripe_key, settings.stripe_webhook_secret, settings.stripe_address)
    if cards is None:
        return "card payment is off"
    return collect(Till(database, cards, settings.address), at=at, stopping=stopping)
