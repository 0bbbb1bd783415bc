"""Addresses for machines: health, calendar feeds (later: webhooks)."""

from flask import Blueprint

blueprint = Blueprint("machine", __name__)
