"""Pages of the finance audience: a page file holds its form and its view."""

from flask import Blueprint

blueprint = Blueprint("finance", __name__, url_prefix="/finance")
