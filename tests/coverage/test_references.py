"""What a cell rests on can be looked up, and what it says to do next can be done."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from nhi_evidence.cli.commands import COMMANDS
from nhi_evidence.coverage import judges
from nhi_evidence.coverage.cells import cells
from nhi_evidence.coverage.verdict import unknown
from nhi_evidence.demo import estate

PAGE = Path(__file__).parents[2] / "docs" / "coverage.md"


def test_every_reference_has_its_page() -> None:
    """docs/coverage.md resolves each `refs`, and no other name."""
    table = PAGE.read_text("utf-8").partition("<!-- references -->")[2].partition("<!-- end -->")[0]
    rows = re.findall(r"^\| `([^`]+)` \| (https://\S+) \|$", table, re.MULTILINE)
    resolved = dict(rows)
    assert len(resolved) == len(rows)
    assert set(resolved) == {ref for cell in cells() for ref in cell.refs}
    kinds = set(re.findall(r"`(\w+)`, a", PAGE.read_text("utf-8"))) | {"thread"}
    assert {name.partition(":")[0] for name in resolved} <= kinds


def test_collect_is_named_only_where_it_exists() -> None:
    """A reading of another platform is made by hand, and its cells say so."""
    assert {f"collect {platform}" for platform in judges.COLLECTED} == {
        row.name for row in COMMANDS if row.name.startswith("collect ")
    }
    cell = next(each for each in cells() if each.platform == "okta" and judges.needs_reading(each))
    reading = estate.reading("okta", 0)
    assert judges.next_step(cell, unknown("x"), reading).startswith("nhi-evidence collect okta, ")
    other = msgspec.structs.replace(cell, platform="acme")
    step = judges.next_step(other, unknown("x"), msgspec.structs.replace(reading, platform="acme"))
    assert step.startswith("no command of this release reads it")
