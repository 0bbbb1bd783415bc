"""Pages of the service audience: a page file holds its form and its view."""

from flask import Blueprint

blueprint = Blueprint("service", __name__, url_prefix="/service")
