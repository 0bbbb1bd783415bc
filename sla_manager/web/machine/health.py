"""Whether the product works, for those who watch over it. Nothing secret is said."""

from __future__ import annotations

import structlog
from flask import Response, jsonify
from sqlalchemy.exc import SQLAlchemyError

from sla_manager.store.database import check_connection
from sla_manager.web.guard import public
from sla_manager.web.machine import blueprint
from sla_manager.web.pages import database

log = structlog.get_logger(__name__)


@blueprint.get("/health")
@public
def health() -> tuple[Response, int]:
    """Answer 200 when the database answers, else 503."""
    try:
        check_connection(database())
    except SQLAlchemyError as error:
        log.error("database does not answer", error=repr(error))
        return jsonify(ok=False, database="does not answer"), 503
    return jsonify(ok=True, database="ok"), 200
