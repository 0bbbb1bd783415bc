"""Signing in and out, setting a password, the first run, and where each person begins."""

from flask import Blueprint

blueprint = Blueprint("sign_in", __name__)
