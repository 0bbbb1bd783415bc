"""The only wiring: settings, database, clock, guards and pages become one Flask application."""

from __future__ import annotations

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_migrate import Migrate
from flask_talisman import Talisman
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

import sla_manager.finance.models
import sla_manager.payments.models
import sla_manager.planning.models
import sla_manager.store.errands
import sla_manager.store.job_runs
import sla_manager.store.outbox
import sla_manager.visits.models  # noqa: F401  (every stored class is known before the first query)
from sla_manager.config import ROOT, Settings, prepare_logs, read_settings
from sla_manager.gateways.cards import Cards, account
from sla_manager.kernel.clock import Clock, system_clock
from sla_manager.store.database import Database
from sla_manager.web import display, navigation
from sla_manager.web.audiences import register_audiences
from sla_manager.web.errors import register_errors
from sla_manager.web.guard import check_guards, prepare_sign_in
from sla_manager.web.pages import close_reading

LARGEST_UPLOAD = 50 * 1024 * 1024
SIGNED_OTHERWISE = "sla_manager.web.machine.card_messages.card_messages"
"""The one view without our own token against forgery: the card provider signs what it sends."""
CONTENT_SECURITY_POLICY: dict[str, str | list[str]] = {
    "default-src": "'self'",
    "img-src": ["'self'", "data:"],
    "style-src": "'self'",
    "script-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}


def content_security_policy(cards: Cards | None) -> dict[str, str | list[str]]:
    """Return what a page of ours may do; where cards are taken, a form may lead to the provider's pages."""
    if cards is None:
        return CONTENT_SECURITY_POLICY
    return {**CONTENT_SECURITY_POLICY, "form-action": ["'self'", cards.page_origin]}


def create_app(
    settings: Settings | None = None, *, clock: Clock = system_clock, database: Database | None = None
) -> Flask:
    """Return the application. Tests hand in their own settings, clock and database."""
    prepare_logs()
    settings = settings or read_settings()
    app = Flask(__name__, template_folder=str(ROOT / "templates"), static_folder="web/static")
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=LARGEST_UPLOAD,
        MAX_FORM_MEMORY_SIZE=4 * 1024 * 1024,
        MAX_FORM_PARTS=5_000,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.is_https,
        SESSION_COOKIE_NAME="sla_manager",
        PERMANENT_SESSION_LIFETIME=12 * 3600,
        WTF_CSRF_TIME_LIMIT=12 * 3600,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
        SLA_DEMONSTRATION=settings.demonstration,
        SLA_ADDRESS=settings.address,
        DEBUG=settings.debug,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    if settings.is_https:  # behind a proxy with TLS, which says who came and how
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]  # Flask's own way
    app.extensions["sla.database"] = database or Database.open(settings.database_url)
    app.extensions["sla.clock"] = clock
    app.extensions["sla.archive"] = settings.archive
    app.extensions["sla.limiter"] = Limiter(
        get_remote_address, app=app, storage_uri="memory://", headers_enabled=True
    )
    Migrate(app, app.extensions["sla.database"], directory=str(ROOT / "migrations"))
    CSRFProtect(app).exempt(SIGNED_OTHERWISE)
    cards = account(settings.stripe_key, settings.stripe_webhook_secret, settings.stripe_address)
    app.extensions["sla.cards"] = cards
    Talisman(
        app,
        force_https=settings.is_https,
        strict_transport_security=settings.is_https,
        session_cookie_secure=settings.is_https,
        content_security_policy=content_security_policy(cards),
        content_security_policy_nonce_in=["script-src", "style-src"],
        referrer_policy="same-origin",
    )
    prepare_sign_in(app)
    display.register(app)
    navigation.register(app)
    register_errors(app)
    register_audiences(app)
    check_guards(app)
    app.teardown_request(close_reading)
    return app
