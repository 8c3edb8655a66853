"""The glossary: every term of the design in one line, and none unused."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "glossary.md"
TERMS = dict(re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|$", PAGE.read_text(), re.MULTILINE)[1:])
BINDING = {
    *("delivery", "record", "event", "rejection", "object", "unit", "part", "companion", "batch"),
    *("gap", "rebuild", "cut", "table", "settings", "codec", "mapper", "mapper digest", "hour"),
    *("leaf", "tile", "entry bundle", "checkpoint", "cosignature", "anchor", "seal", "epoch"),
    *("plan", "shard", "origin", "sweep", "flag", "shadow", "late", "void", "marker", "root"),
    *("claim", "counted", "duplicate", "contested", "finding", "policy", "proof", "statement"),
    *("phase", "base phase", "effective phase", "sub-phase", "step", "cell", "canary", "heartbeat"),
    *("R", "grace", "lock", "replica", "scope", "out of scope", "source", "pack", "router"),
}
"""Terms fixed by the design: each has an entry, whatever else the glossary has."""


@cache
def corpus() -> str:
    """All text of the project except the glossary and its tests."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    code = [
        path
        for folder in ("shared", "functions", "infra")
        for path in (ROOT / folder).rglob("*.py")
    ]
    texts = [path.read_text(encoding="utf-8") for path in (*pages, *code) if path != PAGE]
    return " ".join(" ".join(texts).split()).replace("_", " ").lower()


def test_every_term_of_the_design_has_an_entry() -> None:
    """A reader can look up every word."""
    assert set() == BINDING - set(TERMS)


def test_a_term_has_one_place() -> None:
    """One line each, in alphabetical order, so that no term occurs twice."""
    names = re.findall(r"^\| ([^|]+?) \| [^|]+? \|$", PAGE.read_text(), re.MULTILINE)[1:]
    assert sorted(names, key=str.lower) == names
    assert len(names) == len(set(names))
    assert all(len(line) < 180 for line in TERMS.values())


@pytest.mark.parametrize("term", TERMS)
def test_every_term_is_used(term: str) -> None:
    """A word used nowhere else is not a term."""
    plural = "(?:s|es)?" if term != "R" else ""
    assert re.search(
        rf"\b{re.escape(term.lower().replace('-', ' '))}{plural}\b", corpus().replace("-", " ")
    )


def test_the_glossary_is_linked_from_where_people_begin() -> None:
    """README, CONTRIBUTING and the pages that use its words link it."""
    for page in ("README.md", "CONTRIBUTING.md", "docs/evidence-format.md", "docs/verification.md"):
        assert "glossary.md)" in (ROOT / page).read_text(), page
