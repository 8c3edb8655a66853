"""The documentation site as readers see it: built, served locally, opened in a browser."""

from __future__ import annotations

import functools
import http.server
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag

import pytest

from infra import site
from tests.browser import Page, opened

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PAGES = ("index", "readme", "deploy", "auditor", "investigate", "contributing", "cli", "json")
"""The first page, one for each kind of reader, and the widest."""
WIDTHS = (1280, 390)
SECONDS = 120


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site's folder, built from the current pages."""
    program = Path(sys.executable).with_name("zensical")
    if not program.exists():
        pytest.skip("allowance:zensical `make docs` installs it")
    folder = tmp_path_factory.mktemp("site")
    site.stage(folder / "pages")
    text = (ROOT / "zensical.toml").read_text(encoding="utf-8")
    text = text.replace('".build/pages"', '"pages"').replace('".build/site"', '"site"')
    (folder / "zensical.toml").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [program, "build", "--strict", "--clean"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return folder / "site"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def served(built: Path) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=str(built))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    if shutil.which("chromium") is None and shutil.which("google-chrome") is None:
        pytest.skip("allowance:chromium is not installed")
    blank = tmp_path_factory.mktemp("browser") / "blank.html"
    blank.write_text("<!doctype html><title>blank</title>")
    with opened(blank) as page:
        yield page


def go(browser: Page, address: str, width: int) -> None:
    """Open an address in a window of a given width."""
    browser.call(
        "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1,
        mobile=width < 600,
    )  # fmt: skip
    browser.events.clear()
    browser.call("Page.navigate", url=address)
    browser.wait("Page.loadEventFired")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_as_wide_as_its_window_and_asks_nobody_else(
    name: str, width: int, served: str, browser: Page
) -> None:
    """No horizontal scrolling, no console output, nothing fetched from elsewhere."""
    go(browser, f"{served}/{name}.html", width)
    assert browser.js("document.documentElement.scrollWidth") <= width
    assert [] == browser.complaints
    elsewhere = [one for one in browser.requests if not one.startswith((served, "data:"))]
    assert [] == elsewhere
    assert browser.js("document.querySelector('h1').innerText.length") > 0


def test_search_finds_a_page_by_a_word_in_it(served: str, browser: Page) -> None:
    """A word typed into the search field finds the page."""
    go(browser, f"{served}/index.html", WIDTHS[0])
    until(browser, "document.querySelector('.md-search__button') !== null")
    browser.click(".md-search__button")
    until(browser, "document.activeElement.shadowRoot?.activeElement?.tagName === 'INPUT'")
    browser.type("cosigner")
    addresses = until(
        browser,
        "[...document.querySelectorAll('div')].filter(e => e.shadowRoot)"
        ".flatMap(e => [...e.shadowRoot.querySelectorAll('a')].map(a => a.pathname))",
    )
    assert "/deploy.html" in addresses
    assert [] == browser.complaints


def until(browser: Page, expression: str) -> Any:
    """Return the value of an expression once it exists, however busy the machine."""
    for _ in range(SECONDS * 5):
        value = browser.js(expression)
        if value:
            return value
        time.sleep(0.2)
    raise AssertionError(f"never true: {expression}")


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect a page's links and link targets."""
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.add(value)
            elif name in {"href", "src"} and value and tag in {"a", "img", "link", "script"}:
                self.targets.append(value)


def test_every_link_leads_somewhere(built: Path) -> None:
    """To a page, picture or heading, on every page."""
    pages = {}
    for path in built.rglob("*.html"):
        pages[path] = links = _Links()
        links.feed(path.read_text(encoding="utf-8"))
    lost = []
    for path, links in pages.items():
        for target in links.targets:
            if re.match(r"[a-z]+:|//", target) or path.name == "404.html":
                continue
            place, anchor = urldefrag(unquote(target))
            there = (path.parent / place).resolve() if place else path
            there = there / "index.html" if there.is_dir() else there
            if not there.is_file() or (
                anchor and there in pages and anchor not in pages[there].anchors
            ):
                lost.append(f"{path.relative_to(built)}: {target}")
    assert [] == lost
