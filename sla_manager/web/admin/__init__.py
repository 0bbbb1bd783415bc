"""Pages of the admin audience: a page file holds its form and its view."""

from flask import Blueprint

blueprint = Blueprint("admin", __name__, url_prefix="/admin")
