"""Pages of the school audience: a page file holds its form and its view."""

from flask import Blueprint

blueprint = Blueprint("school", __name__, url_prefix="/school")
