"""Pages of the trust audience: a page file holds its form and its view."""

from flask import Blueprint

blueprint = Blueprint("trust", __name__, url_prefix="/trust")
