"""What every visitor may read: the accessibility statement and the cookies."""

from __future__ import annotations

from flask import render_template

from sla_manager.web.guard import public
from sla_manager.web.sign_in import blueprint


@blueprint.get("/accessibility")
@public
def accessibility() -> str:
    """Say how accessible the product is and whom to tell."""
    return render_template("sign_in/accessibility.html")


@blueprint.get("/cookies")
@public
def cookies() -> str:
    """Say which cookie is set and why."""
    return render_template("sign_in/cookies.html")
