"""Settings, read once from the environment and refused when they are not safe to start with.

| variable | meaning | default |
|---|---|---|
| `DATABASE_URL` | SQLite or PostgreSQL | `sqlite:///var/sla-manager.db` |
| `SLA_SECRET_KEY` | signs sessions and forms; at least 32 characters | none: refuses to start |
| `SLA_DEMONSTRATION` | `1` for a demonstration council: mail is kept, not sent | off |
| `SLA_ARCHIVE` | the folder of issued documents | `invoices` |
| `SLA_ADDRESS` | the address people open, for links in mails | `http://127.0.0.1:5000` |
| `SLA_MAIL_SERVER` | `host:port` of the mail server | none: mail waits in the outbox |
| `SLA_MAIL_FROM` | the sender of mails | `no-reply@sla-manager.example` |
| `SLA_DEBUG` | never outside a demonstration | off |
| `SLA_STRIPE_KEY` | the secret key of the council's account with the card provider | none: card payment is off |
| `SLA_STRIPE_WEBHOOK_SECRET` | the secret with which the provider signs what it tells us | none; needed with the key |
| `SLA_STRIPE_ADDRESS` | a card server on this machine, for demonstrations and tests only | the provider's own |
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO, cast
from urllib.parse import urlsplit

import structlog

ROOT = Path(__file__).resolve().parent.parent
DEMONSTRATION_SECRET = "demonstration-only-this-key-is-public-and-refused-elsewhere"  # noqa: S105 (no secret)
SHORTEST_SECRET = 32
LIVE_KEYS, TEST_KEYS = ("sk_live_", "rk_live_"), ("sk_test_", "rk_test_")
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class UnsafeSettings(Exception):
    """The product will not start like this; the message says what to set."""


@dataclass(frozen=True)
class Settings:
    """How this installation runs."""

    database_url: str
    secret_key: str
    demonstration: bool = False
    archive: Path = ROOT / "invoices"
    address: str = "http://127.0.0.1:5000"
    mail_server: str | None = None
    mail_from: str = "no-reply@sla-manager.example"
    debug: bool = False
    stripe_key: str | None = field(default=None, repr=False)
    stripe_webhook_secret: str | None = field(default=None, repr=False)
    stripe_address: str | None = None

    def __post_init__(self) -> None:
        if not self.demonstration:
            if self.secret_key in ("", DEMONSTRATION_SECRET) or len(self.secret_key) < SHORTEST_SECRET:
                raise UnsafeSettings(
                    "Set SLA_SECRET_KEY to a random text of at least 32 characters, for example from "
                    "`python3 -c 'import secrets; print(secrets.token_hex(32))'`."
                )
            if self.debug:
                raise UnsafeSettings("SLA_DEBUG is for demonstrations only. Unset it.")
        if urlsplit(self.address).scheme not in ("http", "https"):
            raise UnsafeSettings(f"SLA_ADDRESS must begin with http:// or https://, not “{self.address}”.")
        _check_cards(self)

    @property
    def is_https(self) -> bool:
        """Whether people come over TLS (cookies are then marked secure)."""
        return self.address.startswith("https://")


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of this environment, or raise `UnsafeSettings`."""
    values = os.environ if environment is None else environment
    demonstration = _flag(values, "SLA_DEMONSTRATION")
    default_database = f"sqlite:///{ROOT / 'var' / 'sla-manager.db'}"
    return Settings(
        database_url=values.get("DATABASE_URL") or values.get("SLA_DATABASE_URL") or default_database,
        secret_key=values.get("SLA_SECRET_KEY") or (DEMONSTRATION_SECRET if demonstration else ""),
        demonstration=demonstration,
        archive=Path(values.get("SLA_ARCHIVE") or ROOT / "invoices"),
        address=(values.get("SLA_ADDRESS") or "http://127.0.0.1:5000").rstrip("/"),
        mail_server=values.get("SLA_MAIL_SERVER") or None,
        mail_from=values.get("SLA_MAIL_FROM") or "no-reply@sla-manager.example",
        debug=_flag(values, "SLA_DEBUG"),
        stripe_key=values.get("SLA_STRIPE_KEY") or None,
        stripe_webhook_secret=values.get("SLA_STRIPE_WEBHOOK_SECRET") or None,
        stripe_address=(values.get("SLA_STRIPE_ADDRESS") or "").rstrip("/") or None,
    )


def _check_cards(settings: Settings) -> None:
    """Refuse keys that would take real money in a demonstration, or none where people believe they pay (P12)."""
    if settings.stripe_key is None:
        if settings.stripe_webhook_secret is not None or settings.stripe_address is not None:
            raise UnsafeSettings(
                "SLA_STRIPE_WEBHOOK_SECRET and SLA_STRIPE_ADDRESS go with SLA_STRIPE_KEY. Set it, or unset them."
            )
        return
    if settings.stripe_webhook_secret is None:
        raise UnsafeSettings(
            "SLA_STRIPE_KEY needs SLA_STRIPE_WEBHOOK_SECRET: without it a real message looks like a forged one."
        )
    if not settings.stripe_webhook_secret.startswith("whsec_"):
        raise UnsafeSettings(
            "SLA_STRIPE_WEBHOOK_SECRET begins with whsec_. Copy it again from the card provider."
        )
    kind = settings.stripe_key[:8]
    if kind not in (*LIVE_KEYS, *TEST_KEYS):
        raise UnsafeSettings(
            "SLA_STRIPE_KEY begins with sk_live_ or rk_live_ (in a demonstration sk_test_ or rk_test_)."
        )
    if kind in TEST_KEYS and not settings.demonstration:
        raise UnsafeSettings(
            "SLA_STRIPE_KEY is a test key: people would only believe that they paid. "
            "Set the live key, or SLA_DEMONSTRATION=1."
        )
    if kind in LIVE_KEYS and settings.demonstration:
        raise UnsafeSettings(
            "SLA_STRIPE_KEY is a live key: a demonstration would take real money. "
            "Set a test key, or unset SLA_DEMONSTRATION."
        )
    if settings.stripe_address is not None:
        _check_card_server(settings.stripe_address, demonstration=settings.demonstration)


def _check_card_server(address: str, *, demonstration: bool) -> None:
    if not demonstration:
        raise UnsafeSettings("SLA_STRIPE_ADDRESS is for demonstrations only. Unset it.")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or parts.hostname not in LOOPBACK:
        raise UnsafeSettings(f"SLA_STRIPE_ADDRESS names a card server on this machine, not “{address}”.")


def _flag(values: Mapping[str, str], name: str) -> bool:
    text = values.get(name, "").strip().lower()
    if text in ("1", "true", "yes", "on"):
        return True
    if text in ("", "0", "false", "no", "off"):
        return False
    raise UnsafeSettings(f"{name} is 1 or 0, not “{text}”.")


class _StandardError:
    """The standard error of the moment: nothing but answers goes to standard output."""

    def write(self, text: str) -> int:
        """Write, and return how many characters."""
        return sys.stderr.write(text)

    def flush(self) -> None:
        """Let the line go at once."""
        sys.stderr.flush()


def prepare_logs() -> None:
    """Send what the product notes to standard error: a JSON object a line, a traceback within its line."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=cast(TextIO, _StandardError())),
        cache_logger_on_first_use=False,
    )
