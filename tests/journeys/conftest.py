"""A real browser on the real product: Chromium through Playwright, the pages served on the loopback address.

Every page a journey opens is checked by axe-core; a violation fails the journey.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from werkzeug.serving import make_server

from sla_manager.app import create_app
from sla_manager.config import ROOT
from sla_manager.kernel.clock import london_time
from sla_manager.store.database import Database
from tests.databases import test_settings
from tests.journeys.people import PASSWORD

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
PHONE = {"width": 320, "height": 720}
DESK = {"width": 1280, "height": 900}


@dataclass
class Hands:
    """A clock whose hands only the journey moves."""

    at: datetime

    def __call__(self) -> datetime:
        """Return the moment, as the product asks for it."""
        return self.at

    def move_to(self, day: date, hour: int = 12) -> datetime:
        """Go on to an hour of a later London day."""
        self.at = london_time(day, time(hour))
        return self.at


@pytest.fixture
def clock(at: datetime) -> Hands:
    """The product's clock; it stands until the journey moves it."""
    return Hands(at)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """The folder of issued documents."""
    return tmp_path / "invoices"


@pytest.fixture
def app(sqlite: Database, archive: Path, clock: Hands) -> Flask:
    """The product as people meet it, with tokens in its forms, on the journey's clock."""
    made = create_app(test_settings("sqlite://", archive), clock=clock, database=sqlite)
    made.config.update(TESTING=True)
    return made


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the run."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """The product, served on a free port of this machine."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(timeout=10)


class Visitor:
    """Somebody at a browser, who looks at every page she opens."""

    def __init__(self, context: BrowserContext, address: str, shots: Path | None, name: str) -> None:
        self.page: Page = context.new_page()
        self.address = address
        self.pages_opened = 0
        self._shots, self._name = shots, name
        self.page.on("pageerror", lambda error: self._fail(f"script error: {error}"))
        self.problems: list[str] = []

    def _fail(self, problem: str) -> None:
        self.problems.append(problem)

    def open(self, path: str) -> None:
        """Open a page by its address."""
        self.page.goto(self.address + path)
        self.look()

    def click(self, name: str, *, role: str = "button") -> None:
        """Press a button (or follow a link) by its words, and look at what comes."""
        self.page.get_by_role(role, name=name).first.click()  # type: ignore[arg-type]
        self.page.wait_for_load_state()
        self.look()

    def fill(self, label: str, value: str) -> None:
        """Type into a field by its label."""
        self.page.get_by_label(label).first.fill(value)

    def sign_in(self, email: str, password: str = PASSWORD) -> None:
        """Sign in by the page."""
        self.open("/sign-in")
        self.fill("Email address", email)
        self.page.get_by_label("Password").first.fill(password)
        self.click("Sign in")

    def pick(self, label: str, value: str) -> None:
        """Choose from a list by its label."""
        self.page.get_by_role("combobox", name=label).first.select_option(label=value)

    def tick(self, label: str) -> None:
        """Choose a radio button, or tick a box, by its label."""
        self.page.get_by_label(label).first.check()

    def fill_date(self, name: str, day: date) -> None:
        """Type a date into its three boxes."""
        for part, value in (("day", day.day), ("month", day.month), ("year", day.year)):
            self.page.locator(f"#{name}-{part}").fill(str(value))

    def download(self, link: str, *, role: str = "link") -> bytes:
        """Return the file behind a link, by its words."""
        target = self.page.get_by_role(role, name=link).first.get_attribute("href")  # type: ignore[arg-type]
        answer = self.page.context.request.get(f"{self.address}{target}")
        assert answer.status == 200, f"{target}: {answer.status} {answer.text()[:500]}"
        return answer.body()

    @property
    def text(self) -> str:
        """The words of the page's main part."""
        return self.page.locator("main").inner_text()

    def look(self) -> None:
        """Check the page: one h1, a title, no sideways scrolling of the page, no axe violation."""
        self.pages_opened += 1
        page = self.page
        if self._shots is not None:
            self._shots.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=self._shots / f"{self._name}-{self.pages_opened:02}.png", full_page=True)
        assert page.locator("h1").count() == 1, f"{page.url} has {page.locator('h1').count()} h1"
        assert page.title().strip(), f"{page.url} has no title"
        width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert width <= 1, f"{page.url} scrolls sideways by {width} pixels"
        page.evaluate(AXE.read_text())
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(r => r.violations)")
        said = [
            f"{v['id']}: {v['help']} {json.dumps([n['html'][:200] for n in v['nodes'][:3]])}" for v in found
        ]
        assert not said, f"{page.url}: " + "\n".join(said)
        assert not self.problems, f"{page.url}: {self.problems}"


@pytest.fixture
def visitor(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    """Somebody at a desk; set SCREENSHOTS to a folder to keep what she sees."""
    yield from _visitor(browser, address, request, DESK)


@pytest.fixture
def phone(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    """Somebody with a small phone (320 pixels)."""
    yield from _visitor(browser, address, request, PHONE)


def _visitor(
    browser: Browser, address: str, request: pytest.FixtureRequest, viewport: dict[str, int]
) -> Iterator[Visitor]:
    folder = os.environ.get("SCREENSHOTS")
    context = browser.new_context(
        viewport=viewport, locale="en-GB", timezone_id="Europe/London", bypass_csp=True
    )  # type: ignore[arg-type]
    context.set_default_timeout(8_000)
    yield Visitor(context, address, Path(folder) if folder else None, request.node.name)
    context.close()
