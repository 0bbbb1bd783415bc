"""Every audience's pages, found by their place: a page file in an audience's folder is registered by being there."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from flask import Flask

AUDIENCES = ("sign_in", "school", "trust", "officer", "service", "finance", "admin", "pay", "machine")


def register_audiences(app: Flask) -> None:
    """Import every page file and register each audience's blueprint."""
    for audience in AUDIENCES:
        package = import_module(f"sla_manager.web.{audience}")
        for module in iter_modules(package.__path__):
            import_module(f"{package.__name__}.{module.name}")
        app.register_blueprint(package.blueprint)
