"""Pages for whoever pays by card without signing in: from a link in a mail, and after paying."""

from flask import Blueprint

blueprint = Blueprint("pay", __name__, url_prefix="/pay")
