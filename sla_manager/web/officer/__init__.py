"""Pages of the officer audience: a page file holds its form and its view."""

from flask import Blueprint

blueprint = Blueprint("officer", __name__, url_prefix="/officer")
