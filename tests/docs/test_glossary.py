"""The glossary: every term of the design in one line, and none unused."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

from nhi_evidence.completeness.reasons import Verdict
from nhi_evidence.event import Kind
from nhi_evidence.evidence.counting import Status
from nhi_evidence.pipeline.scope import Scope

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


VOCABULARIES = (Verdict, Status, Kind, Scope)
"""What is printed in one word, of which a reader asks what it means."""


def _in_words(paths: Iterable[Path]) -> str:
    texts = [path.read_text(encoding="utf-8") for path in paths]
    return re.sub(r"[\s_-]+", " ", " ".join(texts)).lower()


@cache
def pages() -> str:
    """All text of the pages except the glossary, and decisions, which say what was."""
    paths = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    return _in_words(path for path in paths if path != PAGE and path.parent.name != "decisions")


@cache
def code() -> str:
    """All text of the code."""
    folders = ("shared", "functions", "infra")
    return _in_words(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


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
    """On a page and in code: a word used nowhere else is not a term."""
    plural = "(?:s|es)?" if term != "R" else ""
    pattern = re.compile(rf"\b{re.escape(term.lower().replace('-', ' '))}{plural}\b")
    assert pattern.search(pages()), "on no page but the glossary"
    assert pattern.search(code()), "nowhere in the code"


def test_every_word_of_a_vocabulary_has_an_entry() -> None:
    """Verdicts on completeness, the standing of a claim, kinds of deliveries, scopes."""
    words = {each.value for values in VOCABULARIES for each in values}
    entries = {name.lower() for name in TERMS} | {f"{name}s".lower() for name in TERMS}
    assert {Scope.ALL.value} == words - entries, "`all` is explained under scope"


def test_the_glossary_is_linked_from_where_people_begin() -> None:
    """README, CONTRIBUTING and the pages that use its words link it."""
    for page in ("README.md", "CONTRIBUTING.md", "docs/evidence-format.md", "docs/verification.md"):
        assert "glossary.md)" in (ROOT / page).read_text(), page
