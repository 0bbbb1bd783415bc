"""Templates can be read, use nothing that does not exist, and obey the policy for scripts and styles."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask

from sla_manager.config import ROOT
from sla_manager.web import display

TEMPLATES = ROOT / "templates"
ALL = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html"))
PRINTED = ("documents/", "mail/")
PAGES = [name for name in ALL if not name.startswith(PRINTED)]
INLINE = re.compile(r"<[^>{]*\s(style|on[a-z]+)\s*=", re.IGNORECASE)
NAMED = re.compile(r"{%-?\s*(?:extends|include|import|from)\s+[\"']([^\"']+)[\"']")


@pytest.fixture(scope="module")
def web() -> Flask:
    """An application that knows the pages' filters and macros."""
    app = Flask("templates", template_folder=str(TEMPLATES))
    display.register(app)
    return app


@pytest.mark.parametrize("name", PAGES)
def test_every_page_compiles_with_the_filters_that_exist(name: str, web: Flask) -> None:
    assert web.jinja_env.get_template(name) is not None


@pytest.mark.parametrize("name", ALL)
def test_every_template_parses_and_names_only_templates_that_exist(name: str, web: Flask) -> None:
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    assert web.jinja_env.parse(text) is not None
    own = [named for named in NAMED.findall(text) if not named.startswith("govuk_frontend_")]
    assert [named for named in own if not (TEMPLATES / named).is_file()] == []


@pytest.mark.parametrize("name", PAGES)
def test_no_page_carries_inline_styles_or_handlers(name: str) -> None:
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    assert [match[0] for match in INLINE.finditer(text)] == []


@pytest.mark.parametrize("name", PAGES)
def test_no_page_switches_off_escaping(name: str) -> None:
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    assert re.findall(r"\|\s*safe\b|autoescape\s+false", text) == []


def test_control_inline_styles_and_handlers_would_be_seen() -> None:
    assert INLINE.search('<p class="a" style="color:red">')
    assert INLINE.search("<button onclick='x()'>")
    assert not INLINE.search('<svg stroke-width="1" font-size="18">')


def test_the_built_style_sheet_has_no_restricted_font() -> None:
    built = list(Path(display.STATIC).glob("app.*.css"))
    assert built, "build the front end first: bash script/test --setup-only"
    assert all("GDS Transport" not in sheet.read_text(encoding="utf-8") for sheet in built)
