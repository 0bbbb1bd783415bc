"""What a person sees when something is refused, missing or broken. Nothing of our inside leaks."""

from __future__ import annotations

import structlog
from flask import Flask, render_template
from sqlalchemy.exc import IntegrityError
from werkzeug.exceptions import HTTPException
from werkzeug.sansio.response import Response

from sla_manager.kernel.errors import ProductError
from sla_manager.store.constraints import explain

_TITLES = {
    400: "We could not read that request",
    403: "You cannot do this",
    404: "Page not found",
    405: "That address cannot be used like this",
    409: "Somebody else changed this",
    413: "That file is too large",
    422: "That was refused",
    429: "Too many attempts",
    503: "Not available right now",
}
_MESSAGES = {
    400: "Go back, reload the page and try again. If it was open for a long time, you may have been signed out.",
    403: "Your role does not allow this. Ask your administrator if it should.",
    404: "If you typed the address, check it. It may also belong to another school.",
    405: "Go back and use the button on the page.",
    413: "Choose a file under 50 MB.",
    429: "Wait a few minutes, then try again.",
}
log = structlog.get_logger(__name__)


def error_page(status: int, message: str | None = None) -> tuple[str, int]:
    """Return the page for a status, with the product's own words."""
    title = _TITLES.get(status, "Sorry, something went wrong")
    text = message or _MESSAGES.get(status, "Nothing was saved. Try again in a few minutes.")
    return render_template("layout/error.html", status=status, title=title, message=text), status


def register_errors(app: Flask) -> None:
    """Answer every error with a page."""

    @app.errorhandler(ProductError)
    def _product(error: ProductError) -> tuple[str, int]:
        if error.status == 500:
            log.error("broken", error=error.message)
            return error_page(500)
        return error_page(error.status, error.message)

    @app.errorhandler(IntegrityError)
    def _integrity(error: IntegrityError) -> tuple[str, int]:
        refused = explain(error)
        if refused is None:
            log.error("constraint", error=str(error.orig))
            return error_page(500)
        return error_page(refused.status, refused.message)

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Response | tuple[str, int]:
        if error.response is not None:
            return error.response
        return error_page(error.code or 500)

    @app.errorhandler(Exception)
    def _unexpected(error: Exception) -> tuple[str, int]:
        if app.testing:
            raise error
        log.exception("unexpected", error=repr(error))
        return error_page(500)
