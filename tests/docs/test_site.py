"""The documentation site has every page, and links out of `docs/` lead somewhere."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra import site

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("pages") / "pages"
    site.stage(target)
    return target


def test_every_relative_link_stays_in_the_site(staged: Path) -> None:
    """Links to root pages and decisions lead to their places; none leaves the site."""
    lost = [
        f"{page.relative_to(staged)}: {target}"
        for page in staged.rglob("*.md")
        for target in re.findall(
            r"\]\((?!https?:|mailto:|#)([^)#]+)", page.read_text(encoding="utf-8")
        )
        if not (page.parent / target).is_file()
    ]
    assert [] == lost
    assert "](readme.md)" in (staged / "index.md").read_text(encoding="utf-8")
    assert "](decisions/index.md)" in (staged / "contributing.md").read_text(encoding="utf-8")


def test_a_source_file_is_named_and_not_linked(staged: Path) -> None:
    """The site has no code; the page says where it is."""
    text = (staged / "contributing.md").read_text(encoding="utf-8")
    assert "`tests/scheduling.py`" in text
    assert "](tests/" not in text


def test_generated_blocks_are_plain(staged: Path) -> None:
    """The site generator knows no language `help verify`."""
    text = (staged / "cli.md").read_text(encoding="utf-8")
    assert "```help" not in text
    assert text.count("```text") > 10


def _listed(nav: list[Any]) -> Iterator[str]:
    for entry in nav:
        for place in entry.values():
            if isinstance(place, str):
                yield place
            else:
                yield from _listed(place)


def test_every_page_is_reachable(staged: Path) -> None:
    """Each page is in the navigation, or linked from its folder's page."""
    nav = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]["nav"]
    listed = set(_listed(nav))
    assert listed == {place for place in listed if (staged / place).is_file()}
    pages = {page.relative_to(staged).as_posix() for page in staged.rglob("*.md")}
    folders = {page for page in pages if page.startswith(("decisions/", "sources/"))}
    assert set() == pages - folders - listed
    linked = (staged / "decisions" / "index.md").read_text(encoding="utf-8")
    linked += (staged / "sources.md").read_text(encoding="utf-8")
    assert [] == sorted(page for page in folders - listed if Path(page).name not in linked)


@pytest.mark.parametrize("reader", ["engineer", "auditor", "investigator", "contributor"])
def test_every_reader_has_a_path(reader: str) -> None:
    """The first page says where each reader begins."""
    home = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    path = re.search(
        rf"^## For an? {reader}.*?\n\n(.*?)(?:\n\n|\Z)", home, re.DOTALL | re.MULTILINE
    )
    assert path
    assert len(re.findall(r"^\d\. ", path[1], re.MULTILINE)) >= 3
