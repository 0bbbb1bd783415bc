"""How often somebody may try a password, or ask for a link: counted per address and per account."""

from __future__ import annotations

from typing import cast

from flask import abort, current_app, request
from flask_limiter import Limiter
from limits import parse

from sla_manager.kernel.references import token_hash

PER_ADDRESS = "60 per 10 minutes"
PER_ACCOUNT = "10 per 10 minutes"


def count_attempt(what: str, account: str) -> None:
    """Count an attempt; too many from one address, or on one account (known to us or not), end in 429."""
    limiter = cast(Limiter, current_app.extensions["sla.limiter"])
    if not limiter.enabled:
        return
    address = request.remote_addr or "unknown"
    counted = (
        (PER_ADDRESS, ("address", address)),
        (PER_ACCOUNT, ("account", token_hash(account.strip().lower()))),
    )
    if not all(limiter.limiter.hit(parse(limit), what, *key) for limit, key in counted):
        abort(429)
